"""
Deliberate vices: the example rig's adapter, each time with one thing done wrong.

The table stands in ``vices.toml``: the check of the suite that is to catch a
vice, and replacements in the text of the sound adapter.
"""

from __future__ import annotations

import importlib.util
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

__all__ = ["LOG", "SOUND", "VICES", "Vice", "adapter_of"]

SOUND = Path(__file__).parents[3] / (
    "docs/examples/rigbridge-example-rig/src/rigbridge_example_rig.py"
)

LOG = """BURNIN 2;BB-2
UNIT;B2-0141;DRV-350;2024-03-14 09:12:05
STEP;Warm-up;OK
MEAS;zone;41.25;degC;20;60;OK
MEAS;case;40.5;degC;20;60;OK
END;OK;2024-03-14 09:42:06
UNIT;B2-0142;DRV-351;2024-03-14 09:45:10
STEP;Full load;BAD
MEAS;current;0.3121;A;0.3395;0.3605;BAD
NOTE;lamp flickers
END;BAD;2024-03-14 10:02:44
UNIT;B2-0143;DRV-352;2024-03-14 10:12:05
STEP;Soak;OK
MEAS;current;0.3502;A;0.3395;;OK
END;OK;2024-03-14 10:42:09
"""

_ON_READING = "        with source.open() as stream:\n"
_EACH_MEASUREMENT = (
    "        name, value, unit, lower, upper, verdict = "
    'self.fields(number, line, "MEAS", 6)\n'
)


@dataclass(frozen=True)
class Vice:
    """A thing done wrong: what, the check that catches it, and the replacements."""

    what: str
    check: str
    changes: tuple[tuple[str, str], ...]


def _vice(row: Mapping[str, Any]) -> Vice:
    changes = [(old, new) for old, new in row.get("changes", ())]
    # What is done at the start of each reading, and with each measurement.
    if code := row.get("on_reading"):
        changes.append((_ON_READING, f"        {code}\n{_ON_READING}"))
    if code := row.get("each_measurement"):
        changes.append((_EACH_MEASUREMENT, f"{_EACH_MEASUREMENT}        {code}\n"))
    return Vice(row["what"], row["check"], tuple(changes))


VICES = tuple(
    _vice(row)
    for row in tomllib.loads(
        Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    )["vices"]
)

_numbers = count()


def adapter_of(vice: Vice | None, folder: Path) -> Any:
    """Make the adapter with a vice, from a module of its own in a folder."""
    text = SOUND.read_text(encoding="utf-8")
    for old, new in () if vice is None else vice.changes:
        assert old in text, f"the sound adapter has no {old!r} any more"
        text = text.replace(old, new)
    name = f"rigbridge_vice_{next(_numbers)}"
    file = folder / f"{name}.py"
    file.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # One of the vices demands settings.
    return module.ExampleRigAdapter(None)

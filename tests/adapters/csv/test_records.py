"""Records that patterns tell: nothing of a line is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rigbridge.testing import Reading

_LOG = "BOARD A-1\nR1,RES,10000,9980,OK\nC5,CAP,1e-7,9.7e-8,NG\nEND NG at 12:30\n"
_KINDS: dict[str, Any] = {
    "board": {"is": "unit", "pattern": r"^BOARD (?P<serial_number>\S+)"},
    "end": {"is": "end", "pattern": r"^END (?P<run_outcome>\w+)"},
    "measured": {
        "is": "measurement",
        "pattern": "^[^,]+,[A-Z]+,",
        "fields": {"measurement": 1, "value": 4, "outcome": 5},
        "attributes": {2: "type"},
    },
}


def test_positions_beside_a_pattern(read: Callable[..., Reading]) -> None:
    """Cells that no field takes are kept, by the name that the profile gives."""
    records = {"kind": "pattern", "kinds": _KINDS}
    (run,) = read(_LOG, form="record", delimiter=",", records=records).runs
    resistor, capacitor = run.phases[0].measurements
    assert (resistor.value, resistor.outcome.value) == (9980, "PASS")
    assert resistor.attributes == {"type": "RES", "measured 3": "10000"}
    assert capacitor.outcome.value == "FAIL"
    # What stands beside the pattern of a line is kept with the run.
    assert run.metadata == {"end": "at 12:30"}

"""The conformance suite catches what loses data, and alarms nobody for nothing."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rigbridge.testing import AdapterCase, Sample
from rigbridge.testing.adapters.bench import Bench
from rigbridge.testing.adapters.checks import CHECKS
from rigbridge.testing.adapters.observation import NonconformityError

PAGE = Path(__file__).parents[3] / "docs/reference/conformance.md"


def _table() -> Any:
    # Test folders are no packages; the table stands in a module beside this one.
    path = Path(__file__).with_name("vices.py")
    spec = importlib.util.spec_from_file_location("rigbridge_vices", path)
    assert spec is not None
    assert spec.loader is not None
    sys.modules["rigbridge_vices"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TABLE = _table()
BY_NAME = {check.name: check for check in CHECKS}
# Run through the whole suite: what one check catches must not break another.
SPOTS = {"prints", "one bad unit stops the rest", "keeps every run"}


def bench_of(vice: Any, folder: Path) -> Bench:
    """Put the adapter with a vice on a bench, with a log of three units."""
    place = folder / "work"
    place.mkdir()
    sample = Sample(name="bench.log", content=TABLE.LOG.encode(), runs=3)
    adapter = TABLE.adapter_of(vice, folder)
    return Bench(AdapterCase(adapter=adapter, samples=(sample,)), place)


def failing(bench: Bench, names: Iterator[str]) -> dict[str, NonconformityError]:
    """Run checks, and give what those say that fail."""
    found: dict[str, NonconformityError] = {}
    for name in names:
        try:
            bench.run(name, BY_NAME[name].run)
        except NonconformityError as error:
            found[name] = error
    return found


class TestVices:
    """Each vice is caught by the check that is named for it."""

    @pytest.mark.parametrize("vice", TABLE.VICES, ids=lambda vice: vice.what)
    def test_it_is_caught(self, vice: Any, tmp_path: Path) -> None:
        """The check fails, and says what to do."""
        bench = bench_of(vice, tmp_path)
        found = failing(bench, iter([vice.check]))
        bench.close()
        assert found[vice.check].remedy

    @pytest.mark.parametrize(
        "vice",
        [vice for vice in TABLE.VICES if vice.what in SPOTS],
        ids=lambda vice: vice.what,
    )
    def test_the_whole_suite_goes_on(self, vice: Any, tmp_path: Path) -> None:
        """With a vice, every other check still comes to its end."""
        bench = bench_of(vice, tmp_path)
        found = failing(bench, iter(BY_NAME))
        bench.close()
        assert vice.check in found

    def test_the_sound_adapter_passes(self, tmp_path: Path) -> None:
        """Without a vice, no check fails, and each has something to try."""
        bench = bench_of(None, tmp_path)
        for check in CHECKS:
            bench.run(check.name, check.run)
        bench.close()

    def test_there_are_enough(self) -> None:
        """Every kind of vice is in the table, and most checks catch one."""
        assert len(TABLE.VICES) >= 59
        caught = {vice.check for vice in TABLE.VICES}
        others = {"claims-its-own", "every-form", "attachments"}
        # The adapters of the table read text; see test_binary_samples.
        assert set(BY_NAME) - caught == {"every-byte", *others}


class TestPage:
    """The reference page shows what the code has."""

    def test_checks(self) -> None:
        """Each check has a row with its promise."""
        rows = re.findall(
            r"^\| `([a-z-]+)` \| (.+) \|$", _section("Checks"), re.MULTILINE
        )
        assert rows == [(check.name, check.promise) for check in CHECKS]

    def test_vices(self) -> None:
        """Each vice has a row with the check that catches it."""
        rows = re.findall(
            r"^\| (.+) \| `([a-z-]+)` \|$", _section("Vices"), re.MULTILINE
        )
        assert rows == [(vice.what, vice.check) for vice in TABLE.VICES]


def _section(title: str) -> str:
    text = PAGE.read_text(encoding="utf-8")
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]

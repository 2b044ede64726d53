"""The page on JUnit XML and the code say the same."""

from __future__ import annotations

from pathlib import Path

from rigbridge.adapters import Source
from rigbridge.testing import read_all
from rigbridge_junit import JUnitAdapter

PAGE = Path(__file__).parents[2] / "docs/how-to/import-junit-reports.md"


def test_the_example_is_what_the_page_says() -> None:
    """One run of the unit, which failed, with a measurement."""
    text = PAGE.read_text("utf-8").partition("```xml\n")[2].partition("```")[0]
    source = Source.from_bytes(text.encode(), "final_test.xml")
    (run,) = read_all(JUnitAdapter(), source).runs
    assert (run.unit.serial_number, run.unit.part_number) == ("SN-0042", "PCB-7")
    assert (run.outcome, run.procedure.name) == ("FAIL", "Final test")
    (measurement,) = run.phases[0].measurements
    assert (measurement.name, measurement.value) == ("vcc", 3.31)

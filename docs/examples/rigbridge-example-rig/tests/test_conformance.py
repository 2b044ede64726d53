"""The adapter passes the suite that rigbridge ships, and reads what the bench says."""

from __future__ import annotations

from pathlib import Path

import pytest
from rigbridge.adapters import Disposition, Source
from rigbridge.testing import AdapterCase, AdapterSuite, Sample, read_all

from rigbridge_example_rig import ExampleRigAdapter

LOG = Path(__file__).parents[1] / "samples/bench.log"


class TestConformance(AdapterSuite):
    """Every behaviour that the contract asks for."""

    @pytest.fixture
    def case(self) -> AdapterCase:
        """Give the adapter and a log of the bench with two units."""
        sample = Sample.from_path(LOG, runs=2)
        return AdapterCase(adapter=ExampleRigAdapter(), samples=(sample,))


def test_reads_what_the_bench_says() -> None:
    """Identity, verdicts, values and limits come as they stand in the log."""
    reading = read_all(ExampleRigAdapter(), Source.from_path(LOG))
    good, bad = reading.runs
    assert (good.unit.serial_number, good.outcome) == ("BB2-000141", "PASS")
    assert (bad.unit.serial_number, bad.outcome) == ("BB2-000142", "FAIL")
    assert [phase.outcome for phase in bad.phases] == ["PASS", "FAIL"]
    current = bad.phases[1].measurements[0]
    assert (current.name, current.value, current.unit) == (
        "output current",
        0.3121,
        "A",
    )
    assert current.limits is not None
    assert (current.limits.lower, current.limits.upper) == (0.3395, 0.3605)
    assert [note.message for note in bad.logs] == ["lamp flickers"]


def test_a_damaged_unit_does_not_lose_the_others() -> None:
    """A unit that cannot be read is reported with its line; the next one is read."""
    content = LOG.read_bytes().replace(b"41.5", b"hot")
    reading = read_all(ExampleRigAdapter(), Source.from_bytes(content, "bench.log"))
    assert [run.unit.serial_number for run in reading.runs] == ["BB2-000142"]
    assert str(reading.failures[0]).startswith("bench.log: line 4: 'hot' is no number")
    # Two phases of the good unit; none of the one that failed.
    assert reading.report.count(Disposition.MAPPED, "phase") == 2

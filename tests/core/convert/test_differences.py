"""What a plain payload loses, found by rules, against the run truly read back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from msgspec.json import Encoder

from rigbridge.convert import dump, to_document
from rigbridge.convert.differences import encoded, lost_in_plain
from rigbridge.convert.overlay import difference
from rigbridge.convert.plain import read_plain
from rigbridge.model import (
    Limit,
    LogEntry,
    LogLevel,
    Measurement,
    Phase,
    PhaseOutcome,
    ProcedureRef,
    Run,
    RunOutcome,
    Unit,
)
from rigbridge.testing.adapters.strategies import runs

START = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)


def read_back_and_compared(run: Run) -> dict[str, Any] | None:
    """Compute the overlay the long way: restore the plain run, compare documents."""
    run = attrs.evolve(run, attachments=())
    plain = read_plain(dump(run).body, run_id=run.id)
    return difference(to_document(plain), to_document(run))


def a_run(**changes: Any) -> Run:
    """Make a run that v1 holds as it is."""
    return Run(
        id=UUID(int=7),
        outcome=RunOutcome.PASS,
        procedure=ProcedureRef(name="FVT"),
        unit=Unit(serial_number="0001"),
        started_at=START,
        **changes,
    )


def a_phase(*measurements: Measurement, **changes: Any) -> Phase:
    """Make a phase that v1 holds as it is."""
    settings: dict[str, Any] = {
        "name": "supply",
        "outcome": PhaseOutcome.PASS,
        "started_at": START,
        "ended_at": START,
        "measurements": measurements,
    }
    return Phase(**{**settings, **changes})


class TestLostInPlain:
    """The overlay by rules is the overlay by comparison."""

    @given(run=runs())
    def test_equals_the_comparison_of_any_run(self, run: Run) -> None:
        """Whatever the run, the rules find what reading back finds."""
        assert lost_in_plain(run, dump(run).body) == read_back_and_compared(run)

    @given(run=runs())
    def test_encoded_nodes_are_the_same_json(self, run: Run) -> None:
        """To the byte, once keys are sorted: a digest does not tell them apart."""
        body, encode = dump(run).body, Encoder(order="deterministic").encode
        given = encode(lost_in_plain(run, body, encoded))
        assert given == encode(lost_in_plain(run, body))

    def test_is_none_where_v1_holds_the_run(self) -> None:
        """A run of plain values loses nothing."""
        run = a_run(phases=(a_phase(Measurement(name="v", value=1.5, unit="V")),))
        assert lost_in_plain(run, dump(run).body) is None

    @pytest.mark.parametrize(
        "measurement",
        [
            Measurement(name="v", value="NaN"),
            Measurement(name="v", value=float("nan"), unit="V"),
            Measurement(name="v", value=[[1, 2], [3, 4]], unit="V"),
            Measurement(name="v", value=[1, [2]]),
            Measurement(name="v", value={"a": 1}),
            Measurement(name="v" * 300, docstring="long"),
            Measurement(name="v", instrument="dmm"),
            Measurement(name="v", value=True, attributes={"raw": {"a": [1.5]}}),
            Measurement(name="v", limits=Limit(comparator="LOG")),
            Measurement(name="v", limits=Limit(lower=1, upper_inclusive=False)),
            Measurement(name="v", limits=Limit(lower=1, lower_inclusive=False)),
            Measurement(
                name="v",
                limits=Limit(lower=1, upper=2, upper_inclusive=False),
                validators=("x is odd",),
            ),
        ],
    )
    def test_equals_the_comparison_of_a_rare_measurement(
        self, measurement: Measurement
    ) -> None:
        """Each kind of value and limit that needs a rule of its own."""
        run = a_run(phases=(a_phase(measurement),))
        assert lost_in_plain(run, dump(run).body) == read_back_and_compared(run)

    @pytest.mark.parametrize(
        "phase",
        [
            a_phase(path=("Outer",)),
            a_phase(started_at=None),
            a_phase(ended_at=None),
            a_phase(started_at=START.replace(microsecond=1)),
            a_phase(started_at=START.replace(microsecond=1000)),
            a_phase(name="n" * 300, path=("o" * 300,), docstring="why"),
            a_phase(attributes={"group": "Main"}),
        ],
    )
    def test_equals_the_comparison_of_a_rare_phase(self, phase: Phase) -> None:
        """Paths, unknown and fine times, long names, attributes."""
        run = a_run(phases=(a_phase(), phase))
        assert lost_in_plain(run, dump(run).body) == read_back_and_compared(run)

    @pytest.mark.parametrize(
        "entry",
        [
            LogEntry(level=LogLevel.INFO, message=""),
            LogEntry(level=LogLevel.INFO, message="a", line=0, source_file="a.py"),
            LogEntry(
                level=LogLevel.INFO, message="a", time=START.replace(microsecond=1)
            ),
        ],
    )
    def test_equals_the_comparison_of_a_rare_log_line(self, entry: LogEntry) -> None:
        """Unknown times, line 0, microseconds."""
        run = a_run(logs=(entry,))
        assert lost_in_plain(run, dump(run).body) == read_back_and_compared(run)

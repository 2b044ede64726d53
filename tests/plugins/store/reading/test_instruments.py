"""Which runs used an instrument, and which after the end of its calibration."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from rigbridge.destinations.selection import RunSelection
from rigbridge.export import COLUMNS
from rigbridge.model import (
    Instrument,
    Measurement,
    MeasurementOutcome,
    Phase,
    PhaseOutcome,
    ProcedureRef,
    Run,
    RunOutcome,
    Unit,
)
from rigbridge_store import RunStore
from rigbridge_store.reading.instruments import instrument_uses, named_instruments
from rigbridge_store.reading.run_search import search_runs
from rigbridge_store.reading.searching import RunSearch
from rigbridge_store.reading.yields import (
    YieldFilter,
    YieldSplit,
    procedure_yields,
    wrong_tallies,
    yield_shares,
)
from rigbridge_store.submission import submit_run

_DUE = date(2026, 3, 4)


def _submit(
    store: RunStore,
    serial: str,
    *instruments: Instrument,
    day: int = 0,
    outcome: RunOutcome = RunOutcome.PASS,
) -> None:
    started = datetime.fromisoformat("2026-03-04T12:00:00Z") + timedelta(days=day)
    phase = Phase(
        name="Power",
        outcome=PhaseOutcome.PASS,
        measurements=[
            Measurement(name="supply", outcome=MeasurementOutcome.PASS, value=3.3)
        ],
    )
    submit_run(
        store,
        Run(
            outcome=outcome,
            procedure=ProcedureRef(name="End of line"),
            unit=Unit(serial_number=serial),
            started_at=started,
            station="EOL-1",
            instruments=instruments,
            phases=[phase],
        ),
    )


_DMM = Instrument(name="dmm", serial_number="MY53", calibration_due=_DUE)
_OTHER = Instrument(name="DMM", serial_number="my54", calibration_due="2027-01-01")
_SCOPE = Instrument(name="scope")


@pytest.fixture
def filled(data: Path, database: str | None) -> RunStore:
    """Give a store of four runs: two with one meter, one of them too late."""
    store = RunStore.open(data, database=database)
    _submit(store, "A", _DMM, outcome=RunOutcome.FAIL)
    _submit(store, "A", _DMM, _SCOPE, day=1)
    _submit(store, "B", _OTHER, day=2)
    _submit(store, "C", day=3)
    return store


def _found(store: RunStore, instrument: str = "", *, overdue: bool = False) -> set[str]:
    search = RunSearch(instrument=instrument, overdue=overdue)
    selection = RunSelection(instrument=instrument or None, overdue=overdue)
    with store.reading() as connection:
        rows = search_runs(connection, search, limit=10).rows
    listed = {run.id for run in store.recent_runs(10, selection)}
    assert {row.id for row in rows} == listed
    return {f"{row.serial}{'!' if row.is_overdue else ''}" for row in rows}


def test_runs_are_found_by_instrument(filled: RunStore) -> None:
    """By serial number or name, whole and in any case; late uses alone if asked."""
    with filled as store:
        assert _found(store, "my53") == {"A", "A!"}
        assert _found(store, "dmm") == {"A", "A!", "B"}
        assert _found(store, "MY5") == set()
        assert _found(store, overdue=True) == {"A!"}
        assert _found(store, "my54", overdue=True) == set()


def test_yields_of_an_instrument_are_of_its_runs(filled: RunStore) -> None:
    """A unit's first run counts as first, whatever the others were measured with."""
    with filled as store, store.reading() as connection:
        (meter,) = procedure_yields(connection, YieldFilter(instrument="MY53"))
        (scope,) = procedure_yields(connection, YieldFilter(instrument="scope"))
        (share,) = yield_shares(
            connection, YieldFilter(instrument="scope"), YieldSplit.STATION
        )
        assert wrong_tallies(connection) == 0
    assert (meter.runs, meter.passed, meter.units, meter.first_passed) == (2, 1, 1, 0)
    assert (scope.runs, scope.passed, scope.units, scope.last) == (1, 1, 0, 1)
    assert (share.name, share.runs) == ("EOL-1", 1)


def test_instruments_are_listed_with_their_uses(filled: RunStore) -> None:
    """Each once, with the day that the newest run tells, and how many came after."""
    with filled as store, store.reading() as connection:
        uses = instrument_uses(connection)
        names = named_instruments(connection)
    told = [(item.name, item.serial_number, item.due) for item in uses]
    assert told == [
        ("dmm", "MY53", _DUE),
        ("DMM", "my54", date(2027, 1, 1)),
        ("scope", None, None),
    ]
    assert [(item.runs, item.overdue) for item in uses] == [(2, 1), (1, 0), (1, 0)]
    assert names == [("MY53", "dmm, MY53"), ("my54", "DMM, my54"), ("scope", "scope")]


def test_exported_rows_name_the_instruments(filled: RunStore) -> None:
    """With serial number and day, and whether one was overdue, where that is known."""
    places = [list(COLUMNS).index(name) for name in ("instruments", _LATE)]
    with filled as store:
        told: list[Sequence[object]] = [
            [found.rows.cells[place] for place in places]
            for found in store.read_rows(RunSelection())
            if found.rows
        ]
    assert told == [
        ["dmm MY53 (due 2026-03-04)", False],
        ["dmm MY53 (due 2026-03-04); scope", True],
        ["DMM my54 (due 2027-01-01)", False],
        [None, None],
    ]


_LATE = "calibration_overdue"

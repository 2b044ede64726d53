"""How limits are kept, how long phases take, and who passed in the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rigbridge.wire import CreateRun, from_builtins
from rigbridge_store import RunStore
from rigbridge_store.preparer import SUBMISSION
from rigbridge_store.reading.capabilities import read_figures
from rigbridge_store.reading.run_search import search_runs
from rigbridge_store.reading.searching import PASSED_LATER, RunSearch
from rigbridge_store.reading.yields import YieldFilter, YieldSplit, yield_shares

_BEGIN = 1_709_500_000_000


def _measured(name: str, value: float, lower: float, upper: float) -> dict[str, Any]:
    return {
        "name": name,
        "outcome": "PASS" if lower <= value <= upper else "FAIL",
        "measured_value": value,
        "units": "V",
        "lower_limit": lower,
        "upper_limit": upper,
    }


def _submit(store: RunStore, number: int, serial: str, **changes: Any) -> None:
    begin = _BEGIN + number * 60_000
    wide = _measured("wide", 3.0 + number % 2 / 10, 0.0, 9.0)
    tight = _measured("tight", 3.0 + number % 2 / 10, 2.95, 3.15)
    body: dict[str, Any] = {
        "unit_under_test": {"serial_number": serial, "part_number": f"P-{number % 2}"},
        "run_passed": True,
        "procedure_name": "End of line",
        "started_at": f"2024-03-04T10:{number:02}:00Z",
        "phases": [
            {
                "name": name,
                "outcome": "PASS",
                "start_time_millis": begin,
                "end_time_millis": begin + lasting,
                "measurements": measured,
            }
            for name, lasting, measured in (
                ("Short", 100, [wide, tight]),
                ("Long", 2000 + number, []),
            )
        ],
    }
    run = from_builtins(body | changes, CreateRun)
    store.create_run(run, policy=SUBMISSION)


@pytest.fixture
def filled(data: Path, database: str | None) -> RunStore:
    """Give a store of six runs; one unit failed, and passed then."""
    store = RunStore.open(data, database=database)
    for number in range(5):
        _submit(store, number, f"SN-{number}", run_passed=number != 2)
    _submit(store, 5, "SN-2")
    return store


def test_the_tightest_limit_and_the_longest_phase_come_first(filled: RunStore) -> None:
    """With the statistics of their values and times."""
    with filled as store, store.reading() as connection:
        figures = read_figures(connection, RunSearch())
    tight, wide = figures.capabilities
    assert (tight.name, wide.name) == ("tight", "wide")
    assert (tight.judged, tight.failed, tight.specified.unit) == (6, 0, "V")
    assert tight.summary.mean == pytest.approx(3.05)
    # Neighbours differ by 0.1: a deviation of 0.1 / 1.128.
    assert tight.indices.cpk == pytest.approx(0.1 / (3 * 0.1 / 1.128))
    long, short = figures.durations
    assert (long.name, long.count, long.longest) == ("Long", 6, 2005)
    assert (short.median, short.total) == (100, 600)
    assert figures.complete


def test_runs_that_passed_after_a_failure_are_found(filled: RunStore) -> None:
    """Those of a unit that never failed are not among them."""
    with filled as store, store.reading() as connection:
        page = search_runs(connection, RunSearch(outcome=PASSED_LATER), limit=10)
    assert [row.serial for row in page.rows] == ["SN-2"]


def test_yields_are_told_apart_by_part(filled: RunStore) -> None:
    """Whatever the revisions of a part."""
    with filled as store, store.reading() as connection:
        shares = yield_shares(connection, YieldFilter(), YieldSplit.PART)
    assert [(row.name, row.runs, row.passed) for row in shares] == [
        ("P-0", 3, 2),
        ("P-1", 3, 3),
    ]

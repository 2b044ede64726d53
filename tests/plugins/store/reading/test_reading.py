"""What the store answers about its runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from rigbridge_store import RunStore
from rigbridge_store.reading.conditions import Period
from rigbridge_store.reading.run_search import named_procedures, search_runs
from rigbridge_store.reading.searching import RunSearch
from rigbridge_store.reading.trends import MeasurementName, read_trend
from rigbridge_store.reading.yields import YieldFilter, procedure_yields


def _stored(
    store: RunStore, make_body: Callable[..., Any], serial: str, day: int, *, ok: bool
) -> str:
    return store.create_run(
        make_body(
            unit_under_test={"serial_number": serial, "part_number": "P_1"},
            run_passed=ok,
            started_at=f"2024-01-{day:02}T10:00:00Z",
        )
    ).id


def test_first_pass_and_final_yield(
    store: RunStore, make_body: Callable[..., Any]
) -> None:
    """A unit counts by its first run ever, and by its last."""
    _stored(store, make_body, "A", 2, ok=True)
    _stored(store, make_body, "A", 1, ok=False)
    _stored(store, make_body, "B", 1, ok=True)
    with store.reading() as connection:
        (found,) = procedure_yields(connection, YieldFilter())
    assert (found.runs, found.units, found.last) == (3, 2, 2)
    assert found.first_pass_yield == 0.5
    assert found.final_yield == 1.0


def test_a_second_run_is_no_first_pass_of_a_later_period(
    store: RunStore, make_body: Callable[..., Any]
) -> None:
    """What failed before the period does not pass at once by passing within it."""
    _stored(store, make_body, "A", 1, ok=False)
    _stored(store, make_body, "A", 2, ok=True)
    _stored(store, make_body, "B", 2, ok=True)
    period = Period.of(datetime(2024, 1, 2, tzinfo=UTC), None)
    with store.reading() as connection:
        (found,) = procedure_yields(connection, YieldFilter(period=period))
    assert (found.runs, found.units, found.first_passed) == (2, 1, 1)
    assert (found.last, found.finally_passed) == (2, 2)


def test_runs_are_in_the_order_of_their_start(
    store: RunStore, make_body: Callable[..., Any]
) -> None:
    """A run that was stored late stands where it began."""
    late = _stored(store, make_body, "A", 9, ok=True)
    early = _stored(store, make_body, "A", 3, ok=True)
    with store.reading() as connection:
        page = search_runs(connection, RunSearch(), limit=10)
    assert [row.id for row in page.rows] == [late, early]


def test_texts_are_matched_from_the_beginning_and_literally(
    store: RunStore, make_body: Callable[..., Any]
) -> None:
    """Case does not matter, an asterisk is anything, and _ and % are themselves."""
    _stored(store, make_body, "SN-1", 1, ok=True)
    _stored(store, make_body, "XSN%1", 1, ok=True)

    def serials(serial: str = "", part: str = "") -> list[str]:
        search = RunSearch(serial=serial, part=part)
        with store.reading() as connection:
            page = search_runs(connection, search, limit=10)
        return sorted(row.serial for row in page.rows)

    assert serials(serial="sn") == ["SN-1"]
    assert serials(serial="*SN") == ["SN-1", "XSN%1"]
    assert serials(serial="*%1") == ["XSN%1"]
    assert serials(part="p_") == ["SN-1", "XSN%1"]
    assert serials(part="px") == []


def test_a_part_of_just_that_number_is_meant_alone(
    store: RunStore, make_body: Callable[..., Any]
) -> None:
    """As a table of yields by part counts it; an asterisk asks for the longer ones."""
    for serial, part in (("A", "PB-24"), ("B", "PB-24X")):
        unit = {"serial_number": serial, "part_number": part}
        store.create_run(make_body(unit_under_test=unit))

    def serials(part: str) -> list[str]:
        with store.reading() as connection:
            page = search_runs(connection, RunSearch(part=part), limit=10)
        return sorted(row.serial for row in page.rows)

    assert serials("pb-24") == ["A"]
    assert serials("PB-24*") == serials("PB-2") == ["A", "B"]
    assert serials("PB-24XY") == []


def test_a_trend_has_every_point_in_the_order_of_time(
    store: RunStore, make_body: Callable[..., Any]
) -> None:
    """Points come oldest first, with the limits and the unit of the newest."""
    _stored(store, make_body, "A", 9, ok=True)
    _stored(store, make_body, "B", 3, ok=True)
    measured = MeasurementName(phase="Power", name="Voltage")
    with store.reading() as connection:
        (procedure,) = named_procedures(connection)
        trend = read_trend(connection, procedure.id, measured, RunSearch())
    assert list(trend.moments) == sorted(trend.moments)
    assert list(trend.values) == [3.3, 3.3]
    assert (trend.lower, trend.upper, trend.unit) == (3.0, 3.6, "V")
    assert trend.pass_rate == 1.0

"""Phases, measurements and log lines found across runs."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

import attrs
import sqlalchemy as sa

from rigbridge_store.reading import listing
from rigbridge_store.reading.conditions import Condition
from rigbridge_store.reading.lists.paging import Page, Paging, ordered, paged
from rigbridge_store.reading.lists.runs import RunFilter, run_conditions
from rigbridge_store.tables.schema import (
    logs,
    measurements,
    phases,
    run_slots,
    runs,
    specifications,
    test_points,
    units,
)

__all__ = [
    "DetailPlace",
    "find_logs",
    "find_measurements",
    "find_phases",
    "micros_of_millis",
    "place_of",
]

_PLACE = re.compile(
    r"(?P<run>[0-9a-fA-F-]{36})\.(?:p(?P<phase>\d{1,9})"
    r"(?:\.m(?P<measurement>\d{1,9}))?|l(?P<log>\d{1,9}))",
    re.ASCII,
)
_JOINED = listing.JOINED.outerjoin(run_slots, run_slots.c.run_key == runs.c.key)
_RUN_COLUMNS = (
    runs.c.id.label("run_id"),
    runs.c.outcome.label("run_outcome"),
    runs.c.started_at.label("run_started_at"),
    runs.c.created_at.label("run_created_at"),
    units.c.id.label("unit_id"),
    units.c.serial_number,
    units.c.sample,
)
_others = phases.alias("other_phases")


def _same_name(order: Condition) -> sa.ScalarSelect[int]:
    return (
        sa.select(sa.func.count())
        .where(
            _others.c.run_key == phases.c.run_key,
            _others.c.name == phases.c.name,
            order,
        )
        .correlate(phases)
        .scalar_subquery()
    )


# A phase that is there again was tried again.
_EARLIER = _same_name(_others.c.position < phases.c.position).label("earlier")
_LATER = _same_name(_others.c.position > phases.c.position).label("later")
_STARTED = sa.func.coalesce(runs.c.started_at, runs.c.created_at)


@attrs.frozen(kw_only=True)
class DetailPlace:
    """
    Where a phase, a measurement or a log line stands: what its id says.

    Attributes:
        run_id: the run.
        phase: the number of the phase, or None.
        measurement: that of the measurement within it, or None.
        log: the number of the log line, or None.
    """

    run_id: str
    phase: int | None = None
    measurement: int | None = None
    log: int | None = None


def place_of(public: str) -> DetailPlace | None:
    """Read an id, ``RUN.p3``, ``RUN.p3.m1`` or ``RUN.l7``; None if it is none."""
    found = _PLACE.fullmatch(public)
    if found is None:
        return None
    numbers = {
        name: int(found[name])
        for name in ("phase", "measurement", "log")
        if found[name] is not None
    }
    return DetailPlace(run_id=found["run"].lower(), **numbers)


def micros_of_millis(millis: float) -> int:
    """Turn the milliseconds that phases keep into microseconds."""
    return round(millis * 1000)


def find_phases(
    connection: sa.Connection,
    wanted: RunFilter,
    conditions: Sequence[Condition],
    paging: Paging,
    *,
    allowed: Collection[int] | None,
    by: str,
    order: str,
) -> Page:
    """List phases of runs."""
    columns: dict[str, sa.ColumnElement[Any]] = {
        "started_at": phases.c.start_time_millis,
        "duration": phases.c.end_time_millis - phases.c.start_time_millis,
        "outcome": phases.c.outcome,
        "serial_number": units.c.serial_key,
        "phase_name": phases.c.name,
    }
    statement: sa.Select[Any] = (
        sa.select(phases, _EARLIER, _LATER, *_RUN_COLUMNS)
        .select_from(_JOINED.join(phases, phases.c.run_key == runs.c.key))
        .where(*run_conditions(wanted, allowed), *conditions)
    )
    statement = ordered(statement, columns, by=by, order=order, last=runs.c.key)
    return paged(connection, statement.order_by(phases.c.position), paging)


def find_measurements(
    connection: sa.Connection,
    wanted: RunFilter,
    conditions: Sequence[Condition],
    paging: Paging,
    *,
    allowed: Collection[int] | None,
    by: str,
    order: str,
) -> Page:
    """List measurements of runs, each with its phase."""
    columns: dict[str, sa.ColumnElement[Any]] = {
        "started_at": _STARTED,
        "value": sa.func.coalesce(measurements.c.number, 0.0),
        "outcome": measurements.c.outcome,
        "serial_number": units.c.serial_key,
        "phase_name": phases.c.name,
        "measurement_name": test_points.c.name,
    }
    joined = (
        _JOINED.join(phases, phases.c.run_key == runs.c.key)
        .join(
            measurements,
            sa.and_(
                measurements.c.run_key == phases.c.run_key,
                measurements.c.phase_position == phases.c.position,
            ),
        )
        .join(test_points, measurements.c.point_key == test_points.c.key)
        .outerjoin(
            specifications, measurements.c.specification_key == specifications.c.key
        )
    )
    statement: sa.Select[Any] = (
        sa.select(
            measurements,
            test_points.c.name,
            specifications.c.units,
            specifications.c.lower_limit,
            specifications.c.upper_limit,
            specifications.c.validators,
            phases.c.name.label("phase_name"),
            phases.c.start_time_millis,
            _EARLIER,
            _LATER,
            *_RUN_COLUMNS,
        )
        .select_from(joined)
        .where(*run_conditions(wanted, allowed), *conditions)
    )
    statement = ordered(statement, columns, by=by, order=order, last=runs.c.key)
    return paged(
        connection,
        statement.order_by(measurements.c.phase_position, measurements.c.position),
        paging,
    )


def find_logs(
    connection: sa.Connection,
    wanted: RunFilter,
    conditions: Sequence[Condition],
    paging: Paging,
    *,
    allowed: Collection[int] | None,
    by: str,
    order: str,
) -> Page:
    """List log lines of runs, each with its run, unit and procedure."""
    columns: dict[str, sa.ColumnElement[Any]] = {
        # ISO 8601 in UTC sorts as text.
        "created_at": logs.c.timestamp,
        "level": logs.c.level,
        "run_id": runs.c.id,
        "outcome": runs.c.outcome,
    }
    statement: sa.Select[Any] = (
        sa.select(logs, *listing.COLUMNS)
        .select_from(_JOINED.join(logs, logs.c.run_key == runs.c.key))
        .where(*run_conditions(wanted, allowed), *conditions)
    )
    statement = ordered(statement, columns, by=by, order=order, last=runs.c.key)
    return paged(connection, statement.order_by(logs.c.position), paging)

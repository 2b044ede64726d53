"""
What runs are made of, read from the rows as the wire classes.

Each function reads one table for many runs at a time, so that a list of runs costs a
few statements however long it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias, TypeVar

import msgspec
import sqlalchemy as sa
from msgspec import UNSET

from rigbridge.model import LogLevel, MeasurementOutcome, PhaseOutcome
from rigbridge.wire import ListedAttachment, WireLog, WireMeasurement, WirePhase
from rigbridge_store.reading.large_values import LargeValues
from rigbridge_store.tables.schema import (
    attachments,
    logs,
    measurements,
    phases,
    specifications,
    test_points,
)

__all__ = ["Row", "read_attachments", "read_logs", "read_phases"]

Row: TypeAlias = sa.Row[*tuple[Any, ...]]
"""A row of any columns."""

_T = TypeVar("_T")

_RUNS: sa.BindParameter[int] = sa.bindparam("runs", expanding=True)
# SQLite may be built to take no more than 999 parameters in a statement.
_CHUNK = 500

_MEASUREMENTS = (
    sa.select(
        measurements.c.run_key,
        measurements.c.phase_position,
        measurements.c.position,
        test_points.c.name,
        measurements.c.outcome,
        measurements.c.number,
        measurements.c.value,
        specifications.c.units,
        specifications.c.lower_limit,
        specifications.c.upper_limit,
        specifications.c.validators,
        specifications.c.docstring,
    )
    .select_from(
        measurements.join(
            test_points, measurements.c.point_key == test_points.c.key
        ).outerjoin(
            specifications, measurements.c.specification_key == specifications.c.key
        )
    )
    .where(measurements.c.run_key.in_(_RUNS))
    .order_by(
        measurements.c.run_key, measurements.c.phase_position, measurements.c.position
    )
)
_PHASES = (
    sa.select(
        phases.c.run_key,
        phases.c.position,
        phases.c.name,
        phases.c.outcome,
        phases.c.start_time_millis,
        phases.c.end_time_millis,
        phases.c.docstring,
    )
    .where(phases.c.run_key.in_(_RUNS))
    .order_by(phases.c.run_key, phases.c.position)
)
_LOGS = (
    sa.select(
        logs.c.run_key,
        logs.c.level,
        logs.c.timestamp,
        logs.c.message,
        logs.c.source_file,
        logs.c.line_number,
    )
    .where(logs.c.run_key.in_(_RUNS))
    .order_by(logs.c.run_key, logs.c.position)
)
_ATTACHMENTS = (
    sa.select(
        attachments.c.run_key,
        attachments.c.id,
        attachments.c.name,
        attachments.c.mime_type,
        attachments.c.size,
        attachments.c.sha256,
        attachments.c.stored,
    )
    .where(attachments.c.run_key.in_(_RUNS))
    .order_by(attachments.c.key)
)


def _rows(
    connection: sa.Connection,
    statement: sa.Select[*tuple[Any, ...]],
    runs: Sequence[int],
) -> Iterator[Row]:
    for start in range(0, len(runs), _CHUNK):
        some = runs[start : start + _CHUNK]
        yield from connection.execute(statement, {"runs": some})


def _or_unset(value: _T | None) -> _T | msgspec.UnsetType:
    # Left out of the answer: null would be another statement than nothing.
    return UNSET if value is None else value


def _decoded(text: str | None) -> Any:
    # The kind is known by who wrote the row; a check here would cost each measurement.
    return UNSET if text is None else msgspec.json.decode(text)


def _millis(value: float) -> int | float:
    # Written as a double, which is exact within the years that are allowed.
    # Most senders give whole milliseconds, and a client compares what it sent.
    return int(value) if value.is_integer() else value


def read_phases(
    connection: sa.Connection, runs: Sequence[int]
) -> dict[int, list[WirePhase]]:
    """Read the phases of runs with their measurements, by the runs' keys."""
    # Measurements first, so that each phase is made once, with its own.
    measured: dict[tuple[int, int], list[WireMeasurement]] = defaultdict(list)
    large = LargeValues(connection)
    for row in _rows(connection, _MEASUREMENTS, runs):
        run, phase, position, name, outcome, number, value, *specified = row
        units, lower, upper, checks, text = specified
        if value is not None:
            value = large.text(value, run=run, phase=phase, position=position)
        measured[run, phase].append(
            WireMeasurement(
                name=name,
                outcome=MeasurementOutcome(outcome),
                measured_value=_or_unset(number) if value is None else _decoded(value),
                units=_decoded(units),
                lower_limit=_decoded(lower),
                upper_limit=_decoded(upper),
                validators=_decoded(checks),
                docstring=_or_unset(text),
            )
        )
    found: dict[int, list[WirePhase]] = defaultdict(list)
    for run, position, name, outcome, begin, end, text in _rows(
        connection, _PHASES, runs
    ):
        found[run].append(
            WirePhase(
                name=name,
                outcome=PhaseOutcome(outcome),
                start_time_millis=_millis(begin),
                end_time_millis=_millis(end),
                measurements=measured.get((run, position), []),
                docstring=_or_unset(text),
            )
        )
    return found


def read_logs(
    connection: sa.Connection, runs: Sequence[int]
) -> dict[int, list[WireLog]]:
    """Read the log lines of runs, by the runs' keys."""
    found: dict[int, list[WireLog]] = defaultdict(list)
    for run, level, timestamp, message, source_file, line in _rows(
        connection, _LOGS, runs
    ):
        found[run].append(
            WireLog(
                level=LogLevel(level),
                timestamp=timestamp,
                message=message,
                source_file=source_file,
                line_number=line,
            )
        )
    return found


def read_attachments(
    connection: sa.Connection, runs: Sequence[int]
) -> dict[int, list[ListedAttachment]]:
    """Read what is known of the files of runs, by the runs' keys."""
    found: dict[int, list[ListedAttachment]] = defaultdict(list)
    for run, public, name, mime_type, size, sha256, stored in _rows(
        connection, _ATTACHMENTS, runs
    ):
        # A reference names a file of which the store has no bytes.
        url = f"/api/v1/attachments/{public}/download" if stored else None
        found[run].append(
            ListedAttachment(
                id=public,
                name=name,
                mime_type=mime_type,
                size=size,
                sha256=sha256,
                download_url=url,
            )
        )
    return found

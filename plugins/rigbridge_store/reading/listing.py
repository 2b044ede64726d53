"""Runs as the list call of v1 answers them, newest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec
import sqlalchemy as sa

from rigbridge.machine.close_names import folded
from rigbridge.wire import (
    CreateRun,
    ListedBatch,
    ListedPart,
    ListedProcedure,
    ListedRevision,
    ListedRun,
    ListedStation,
    ListedUnit,
    ListedUser,
    ListedVersion,
)
from rigbridge_store.fields import known
from rigbridge_store.reading.conditions import Condition
from rigbridge_store.reading.details import (
    Row,
    read_attachments,
    read_logs,
    read_phases,
)
from rigbridge_store.tables.schema import (
    batches,
    parts,
    procedure_versions,
    procedures,
    revisions,
    runs,
    station_names,
    stations,
    units,
    users,
)
from rigbridge_store.tables.values import iso_from_micros, iso_from_span

__all__ = [
    "COLUMNS",
    "IDENTIFIED",
    "JOINED",
    "MADE_BY",
    "creators",
    "of_unit",
    "one_run",
    "operators",
    "recent",
]

_T = TypeVar("_T")

# Two aliases: a run has a user who made it, and another who ran it.
creators = users.alias("creators")
operators = users.alias("operators")

IDENTIFIED = (
    parts.c.id.label("part_id"),
    parts.c.number.label("part_number"),
    parts.c.name.label("part_name"),
    revisions.c.id.label("revision_id"),
    revisions.c.number.label("revision_number"),
    batches.c.id.label("batch_id"),
    batches.c.number.label("batch_number"),
)
"""The columns that tell of which part, revision and batch something is."""

MADE_BY = (
    creators.c.id.label("creator_id"),
    creators.c.name.label("creator_name"),
    creators.c.email.label("creator_email"),
    stations.c.id.label("station_id"),
    stations.c.name.label("station_name"),
)
"""The columns that tell which user or station, one at most, made something."""

COLUMNS = (
    runs.c.key,
    runs.c.id,
    runs.c.created_at,
    runs.c.started_at,
    runs.c.ended_at,
    runs.c.duration,
    runs.c.outcome,
    runs.c.docstring,
    runs.c.procedure_key,
    runs.c.head,
    procedures.c.id.label("procedure_id"),
    procedures.c.name.label("procedure_name"),
    procedure_versions.c.id.label("version_id"),
    procedure_versions.c.tag.label("version_tag"),
    units.c.id.label("unit_id"),
    units.c.serial_number.label("unit_serial_number"),
    *IDENTIFIED,
    operators.c.id.label("operator_id"),
    operators.c.name.label("operator_name"),
    operators.c.email.label("operator_email"),
    *MADE_BY,
    station_names.c.name.label("tested_at"),
)
"""What a row of the list holds, of the tables that ``JOINED`` joins."""

JOINED = (
    runs.join(procedures, runs.c.procedure_key == procedures.c.key)
    .join(units, runs.c.unit_key == units.c.key)
    .outerjoin(procedure_versions, runs.c.version_key == procedure_versions.c.key)
    .outerjoin(parts, runs.c.part_key == parts.c.key)
    .outerjoin(revisions, runs.c.revision_key == revisions.c.key)
    .outerjoin(batches, runs.c.batch_key == batches.c.key)
    .outerjoin(operators, runs.c.operator_key == operators.c.key)
    .outerjoin(creators, runs.c.creator_user_key == creators.c.key)
    .outerjoin(stations, runs.c.creator_station_key == stations.c.key)
    .outerjoin(station_names, runs.c.station_name_key == station_names.c.key)
)
"""The runs with everything that names them: procedure, unit, part, people."""

_ALL = sa.select(*COLUMNS).select_from(JOINED)
_OF_UNIT = _ALL.where(units.c.serial_key == sa.bindparam("serial_key")).order_by(
    # A report that was imported late is no newer for that.
    sa.func.coalesce(runs.c.started_at, runs.c.created_at).desc(),
    runs.c.key.desc(),
)
_ONE = _ALL.where(runs.c.id == sa.bindparam("id"))


def of_unit(
    connection: sa.Connection,
    serial_number: str,
    procedures_allowed: frozenset[int] | None,
) -> tuple[list[ListedRun], int]:
    """
    List the runs of a unit.

    Args:
        connection: the transaction.
        serial_number: compared without regard to case.
        procedures_allowed: the procedures whose runs may be seen; None for all.

    Returns:
        The runs, and how many were left out as not to be seen.
    """
    rows = connection.execute(_OF_UNIT, {"serial_key": folded(serial_number)}).all()
    # Filtered here and not in SQL: the caller must tell "none" from "none allowed".
    seen = [
        row
        for row in rows
        if procedures_allowed is None or row.procedure_key in procedures_allowed
    ]
    return _listed(connection, seen), len(rows) - len(seen)


def recent(
    connection: sa.Connection, limit: int, conditions: Iterable[Condition] = ()
) -> list[ListedRun]:
    """List the runs that were stored last, the last one first."""
    # By key: the last one stored may be of years ago.
    wanted = _ALL.where(*conditions).order_by(runs.c.key.desc()).limit(limit)
    return _listed(connection, connection.execute(wanted).all())


def one_run(connection: sa.Connection, run_id: str) -> ListedRun | None:
    """Give one run as the list would show it, or None."""
    rows = connection.execute(_ONE, {"id": run_id.lower()}).all()
    return next(iter(_listed(connection, rows)), None)


def _listed(connection: sa.Connection, rows: Sequence[Row]) -> list[ListedRun]:
    keys = [row.key for row in rows]
    # A statement for each table, however many runs the page has.
    phases = read_phases(connection, keys)
    logs = read_logs(connection, keys)
    attachments = read_attachments(connection, keys)
    return [
        ListedRun(
            id=row.id,
            created_at=iso_from_micros(row.created_at),
            started_at=iso_from_micros(row.started_at),
            ended_at=iso_from_micros(row.ended_at),
            duration=iso_from_span(row.duration or 0),
            outcome=row.outcome,
            docstring=row.docstring,
            created_by_user=_or_none(
                ListedUser,
                row.creator_id,
                name=row.creator_name,
                email=row.creator_email,
            ),
            created_by_station=_or_none(
                ListedStation, row.station_id, name=row.station_name
            ),
            operated_by=_or_none(
                ListedUser,
                row.operator_id,
                name=row.operator_name,
                email=row.operator_email,
            ),
            procedure=ListedProcedure(
                id=row.procedure_id,
                name=row.procedure_name,
                version=_or_none(ListedVersion, row.version_id, tag=row.version_tag),
            ),
            unit=_unit(row),
            station=row.tested_at,
            phases=phases.get(row.key, []),
            logs=logs.get(row.key, []),
            attachments=attachments.get(row.key, []),
            # The tables say what is in a unit now; the run, what it was sent with.
            sub_units=list(
                known(msgspec.json.decode(row.head, type=CreateRun).sub_units) or ()
            ),
        )
        for row in rows
    ]


def _unit(row: Row) -> ListedUnit:
    return ListedUnit(
        id=row.unit_id,
        serial_number=row.unit_serial_number,
        part=_or_none(
            ListedPart,
            row.part_id,
            number=row.part_number,
            name=row.part_name,
            revision=_or_none(
                ListedRevision, row.revision_id, number=row.revision_number
            ),
        ),
        batch=_or_none(ListedBatch, row.batch_id, number=row.batch_number),
    )


def _or_none(
    kind: Callable[..., _T], public: str | None, **fields: object
) -> _T | None:
    """Describe what a run refers to; None where the joined row is absent."""
    return None if public is None else kind(id=public, **fields)

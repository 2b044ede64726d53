"""Units found by filters, and changed one by one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa

from rigbridge.errors import NotFoundError
from rigbridge.model import RunOutcome
from rigbridge_store.intake.catalog import CatalogSession
from rigbridge_store.intake.units import create_unit
from rigbridge_store.reading.conditions import (
    Condition,
    id_in,
    metadata_matches,
    moment_between,
    procedure_keys,
    text_contained,
    text_in,
)
from rigbridge_store.reading.listing import creators
from rigbridge_store.reading.lists.paging import Page, Paging, ordered, paged
from rigbridge_store.refusals import FieldIssue, conflict, not_found
from rigbridge_store.tables.schema import (
    attachments,
    batches,
    parts,
    procedures,
    revisions,
    runs,
    stations,
    unit_metadata,
    unit_sub_units,
    units,
)
from rigbridge_store.tables.values import folded

__all__ = [
    "UnitFilter",
    "children_of",
    "files_of_unit",
    "find_units",
    "first_run",
    "last_runs",
    "new_unit",
    "parents_of",
    "rename_unit",
    "require_part",
    "require_revision",
    "require_revision_of",
    "require_unit",
    "seen_by",
    "units_of_batch",
]

_CHUNK = 500

_FROM = (
    units.outerjoin(parts, units.c.part_key == parts.c.key)
    .outerjoin(revisions, units.c.revision_key == revisions.c.key)
    .outerjoin(batches, units.c.batch_key == batches.c.key)
    .outerjoin(creators, units.c.creator_user_key == creators.c.key)
    .outerjoin(stations, units.c.creator_station_key == stations.c.key)
)
_SELECT: sa.Select[*tuple[Any, ...]] = sa.select(
    units.c.key,
    units.c.id,
    units.c.serial_number,
    units.c.created_at,
    units.c.sample,
    units.c.by_run,
    units.c.creator_station_key,
    units.c.part_key,
    units.c.revision_key,
    parts.c.id.label("part_id"),
    parts.c.number.label("part_number"),
    parts.c.name.label("part_name"),
    revisions.c.id.label("revision_id"),
    revisions.c.number.label("revision_number"),
    batches.c.id.label("batch_id"),
    batches.c.number.label("batch_number"),
    creators.c.id.label("creator_id"),
    creators.c.name.label("creator_name"),
    creators.c.email.label("creator_email"),
    stations.c.id.label("station_id"),
    stations.c.name.label("station_name"),
).select_from(_FROM)

# v2 knows runs that have ended.
_ENDED = runs.c.outcome != RunOutcome.RUNNING.value


def _newest(column: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
    newest = runs.alias("newest_runs")
    return (
        sa.select(newest.c.key)
        .where(
            newest.c.unit_key == column, newest.c.outcome != RunOutcome.RUNNING.value
        )
        .order_by(
            sa.func.coalesce(newest.c.started_at, newest.c.created_at).desc(),
            newest.c.key.desc(),
        )
        .limit(1)
        .correlate(units)
        .scalar_subquery()
    )


def _of_newest(column: sa.ColumnElement[Any], join: sa.Join) -> sa.ScalarSelect[Any]:
    return (
        sa.select(column)
        .select_from(join)
        .where(runs.c.key == _newest(units.c.key))
        .correlate(units)
        .scalar_subquery()
    )


_RUNS_OF_PROCEDURES = runs.join(procedures, runs.c.procedure_key == procedures.c.key)
_SORTED: Mapping[str, sa.ColumnElement[Any]] = {
    "serial_number": units.c.serial_key,
    "created_at": units.c.created_at,
    "part_number": sa.func.coalesce(parts.c.number_key, ""),
    "last_run_at": sa.func.coalesce(
        _of_newest(
            sa.func.coalesce(runs.c.started_at, runs.c.created_at), _RUNS_OF_PROCEDURES
        ),
        0,
    ),
    "last_run_procedure": sa.func.coalesce(
        _of_newest(procedures.c.name_key, _RUNS_OF_PROCEDURES), ""
    ),
}


@attrs.frozen(kw_only=True)
class UnitFilter:
    """
    What units must be like; None demands nothing.

    ``procedure_ids``, ``outcomes`` and the moments of start are demands on one run of
    the unit: on its newest with ``latest_only``, else on any.
    """

    search_query: str | None = None
    ids: Sequence[str] | None = None
    serial_numbers: Sequence[str] | None = None
    part_numbers: Sequence[str] | None = None
    revision_numbers: Sequence[str] | None = None
    batch_numbers: Sequence[str] | None = None
    procedure_ids: Sequence[str] | None = None
    outcomes: Sequence[str] | None = None
    started_after: datetime | None = None
    started_before: datetime | None = None
    latest_only: bool = False
    run_count_min: int | None = None
    run_count_max: int | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    created_by_user_ids: Sequence[str] | None = None
    created_by_station_ids: Sequence[str] | None = None
    exclude_units_with_parent: bool = False
    samples: Sequence[str] | None = None
    metadata: str | None = None


def seen_by(allowed: Collection[int] | None, station: int | None) -> list[Condition]:
    """Demand a unit with a run that may be seen, or of the station's own making."""
    if allowed is None:
        return []
    has_run = sa.exists().where(
        runs.c.unit_key == units.c.key, runs.c.procedure_key.in_(list(allowed))
    )
    return [sa.or_(has_run, units.c.creator_station_key == station)]


def find_units(
    connection: sa.Connection,
    wanted: UnitFilter,
    paging: Paging,
    *,
    seen: Sequence[Condition],
    by: str,
    order: str,
) -> Page:
    """
    List units.

    Raises:
        BadRequestError: a metadata demand that is none.
    """
    statement = _SELECT.where(
        *seen,
        *text_contained(
            wanted.search_query,
            units.c.serial_key,
            parts.c.number_key,
            batches.c.number_key,
        ),
        *id_in(units.c.id, wanted.ids),
        *text_in(units.c.serial_key, wanted.serial_numbers),
        *text_in(parts.c.number_key, wanted.part_numbers),
        *text_in(revisions.c.number_key, wanted.revision_numbers),
        *text_in(batches.c.number_key, wanted.batch_numbers),
        *moment_between(
            units.c.created_at, wanted.created_after, wanted.created_before
        ),
        *id_in(creators.c.id, wanted.created_by_user_ids),
        *id_in(stations.c.id, wanted.created_by_station_ids),
        *_of_runs(wanted),
        *_counted(wanted.run_count_min, wanted.run_count_max),
        *metadata_matches(units.c.key, unit_metadata, wanted.metadata),
    )
    if wanted.samples is not None:
        statement = statement.where(units.c.sample.in_(list(wanted.samples)))
    if wanted.exclude_units_with_parent:
        statement = statement.where(
            ~sa.exists().where(unit_sub_units.c.child_key == units.c.key)
        )
    statement = ordered(statement, _SORTED, by=by, order=order, last=units.c.key)
    return paged(connection, statement, paging)


def _of_runs(wanted: UnitFilter) -> list[Condition]:
    demands: list[Condition] = moment_between(
        runs.c.started_at, wanted.started_after, wanted.started_before
    )
    if wanted.outcomes is not None:
        demands.append(runs.c.outcome.in_(list(wanted.outcomes)))
    if wanted.procedure_ids is not None:
        known = procedure_keys(wanted.procedure_ids)
        demands.append(runs.c.procedure_key.in_(known))
    if not demands:
        return []
    if wanted.latest_only:
        demands.append(runs.c.key == _newest(units.c.key))
    return [sa.exists().where(runs.c.unit_key == units.c.key, _ENDED, *demands)]


def _counted(least: int | None, most: int | None) -> list[Condition]:
    if least is None and most is None:
        return []
    count = (
        sa.select(sa.func.count())
        .where(runs.c.unit_key == units.c.key, _ENDED)
        .correlate(units)
        .scalar_subquery()
    )
    conditions: list[Condition] = []
    if least is not None:
        conditions.append(count >= least)
    if most is not None:
        conditions.append(count <= most)
    return conditions


def require_unit(
    connection: sa.Connection, serial_number: str, seen: Sequence[Condition] = ()
) -> Any:
    """
    Find a unit by its serial number, without regard to case.

    Raises:
        NotFoundError: there is none, or none that may be seen.
    """
    row = connection.execute(
        _SELECT.where(units.c.serial_key == folded(serial_number), *seen)
    ).first()
    if row is None:
        raise not_found(f"Unit with serial number {serial_number} does not exist.")
    return row


def _linked(
    connection: sa.Connection,
    keys: Sequence[int],
    here: sa.ColumnElement[Any],
    there: sa.ColumnElement[Any],
) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {key: [] for key in keys}
    for start in range(0, len(keys), _CHUNK):
        some = keys[start : start + _CHUNK]
        statement = (
            _SELECT.add_columns(here.label("linked_to"))
            .join(unit_sub_units, there == units.c.key)
            .where(here.in_(some))
            .order_by(units.c.serial_key)
        )
        for row in connection.execute(statement):
            found[row.linked_to].append(row)
    return found


def children_of(connection: sa.Connection, keys: Sequence[int]) -> dict[int, list[Any]]:
    """List the units built into others, by the keys of those."""
    link = unit_sub_units.c
    return _linked(connection, keys, link.parent_key, link.child_key)


def parents_of(connection: sa.Connection, keys: Sequence[int]) -> dict[int, list[Any]]:
    """List the units that others are built into, by the keys of those."""
    link = unit_sub_units.c
    return _linked(connection, keys, link.child_key, link.parent_key)


_RUN: sa.Select[*tuple[Any, ...]] = sa.select(
    runs.c.key,
    runs.c.id,
    runs.c.unit_key,
    runs.c.created_at,
    runs.c.started_at,
    runs.c.ended_at,
    runs.c.duration,
    runs.c.outcome,
    procedures.c.id.label("procedure_id"),
    procedures.c.name.label("procedure_name"),
).select_from(_RUNS_OF_PROCEDURES)


def last_runs(connection: sa.Connection, keys: Sequence[int]) -> dict[int, Any]:
    """Give the newest run of each unit that has one."""
    found: dict[int, Any] = {}
    for start in range(0, len(keys), _CHUNK):
        newest = sa.select(_newest(units.c.key)).where(
            units.c.key.in_(keys[start : start + _CHUNK])
        )
        for row in connection.execute(_RUN.where(runs.c.key.in_(newest))):
            found[row.unit_key] = row
    return found


def first_run(connection: sa.Connection, unit: int) -> Any:
    """Give the run that was stored first of a unit, or None."""
    statement = _RUN.where(runs.c.unit_key == unit, _ENDED).order_by(runs.c.key)
    return connection.execute(statement.limit(1)).first()


def files_of_unit(connection: sa.Connection, unit: int) -> Sequence[Any]:
    """List the files that belong to a unit itself."""
    return connection.execute(
        sa.select(attachments)
        .where(attachments.c.unit_key == unit)
        .order_by(attachments.c.key)
    ).all()


def require_part(connection: sa.Connection, number: str, path: str) -> Any:
    """
    Find a part by its number.

    Raises:
        NotFoundError: there is none; names the field.
    """
    row = connection.execute(
        sa.select(parts).where(parts.c.number_key == folded(number))
    ).first()
    if row is None:
        raise not_found(
            f"Part with number {number} not found.",
            FieldIssue(path, "does not exist"),
        )
    return row


def require_revision(
    connection: sa.Connection, part: int, number: str, path: str
) -> Any:
    """
    Find a revision of a part by its number.

    Raises:
        NotFoundError: there is none; names the field.
    """
    row = connection.execute(
        sa.select(revisions).where(
            revisions.c.part_key == part, revisions.c.number_key == folded(number)
        )
    ).first()
    if row is None:
        raise not_found(
            f"Revision with number {number} not found.",
            FieldIssue(path, "does not exist"),
        )
    return row


def require_revision_of(
    connection: sa.Connection, part_number: str, number: str
) -> tuple[Any, Any]:
    """
    Find a revision by its own number and that of its part.

    Returns:
        The rows of the part and of the revision.

    Raises:
        NotFoundError: there is no such part, or it has no such revision.
    """
    try:
        part = require_part(connection, part_number, "part_number")
        return part, require_revision(connection, part.key, number, "revision_number")
    except NotFoundError as error:
        raise not_found(
            f"Revision {number} of part {part_number} not found.", *error.issues
        ) from error


def new_unit(
    connection: sa.Connection,
    catalog: CatalogSession,
    serial_number: str,
    values: dict[str, Any],
) -> Any:
    """
    Create a unit for itself.

    Raises:
        ConflictError: there is one of that serial number.
    """
    _require_free(connection, serial_number, "serial_number")
    return create_unit(connection, catalog, serial_number, values)


def _require_free(connection: sa.Connection, serial_number: str, path: str) -> None:
    taken = sa.select(units.c.key).where(units.c.serial_key == folded(serial_number))
    if connection.execute(taken).first() is not None:
        raise conflict(
            f"A unit with serial number {serial_number} already exists.",
            FieldIssue(path, "is taken by another unit"),
        )


def rename_unit(
    connection: sa.Connection, unit: int, old: str, new: str, path: str
) -> None:
    """
    Give a unit another serial number.

    Raises:
        ConflictError: another unit has it.
    """
    if folded(old) != folded(new):
        _require_free(connection, new, path)
    connection.execute(
        units.update()
        .where(units.c.key == unit)
        .values(serial_number=new, serial_key=folded(new))
    )


def units_of_batch(
    connection: sa.Connection, batch: int, seen: Sequence[Condition]
) -> Sequence[Any]:
    """List the units of a batch, the newest first."""
    return connection.execute(
        _SELECT.where(units.c.batch_key == batch, *seen).order_by(units.c.key.desc())
    ).all()

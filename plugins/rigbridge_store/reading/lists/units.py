"""Units found by filters, and what belongs to them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, ClassVar, Literal

import attrs
import sqlalchemy as sa

from rigbridge.machine.close_names import folded
from rigbridge_store.access.principals import Principal
from rigbridge_store.access.sight import (
    UNIT_FILE_SEEN,
    UNIT_SEEN,
    Sight,
    of_seen_procedure,
)
from rigbridge_store.files.uploads import Target
from rigbridge_store.reading.conditions import (
    Condition,
    id_in,
    metadata_matches,
    procedure_keys,
    text_in,
)
from rigbridge_store.reading.details import Row
from rigbridge_store.reading.listing import IDENTIFIED, MADE_BY, creators
from rigbridge_store.reading.lists.query import (
    Column,
    Outcome,
    RowPage,
    SampleOrProduct,
    SortedQuery,
    among,
    at_least,
    at_most,
    containing,
    from_moment,
    parameter,
    read_page,
    restricts,
    until_moment,
    utc,
)
from rigbridge_store.reading.lists.runs import ENDED, sampled
from rigbridge_store.reading.searching import units_with_text
from rigbridge_store.refusals import not_found
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

__all__ = [
    "UnitQuery",
    "children_of",
    "files_of_unit",
    "find_units",
    "first_run",
    "last_runs",
    "parents_of",
    "require_unit",
    "unit_target",
    "units_of_batch",
    "units_of_revision",
    "units_of_serials",
]

_CHUNK = 500

_SELECT: sa.Select[*tuple[object, ...]] = sa.select(
    units.c.key,
    units.c.id,
    units.c.serial_number,
    units.c.serial_key,
    units.c.created_at,
    units.c.sample,
    units.c.by_run,
    units.c.part_key,
    *IDENTIFIED,
    *MADE_BY,
).select_from(
    units.outerjoin(parts, units.c.part_key == parts.c.key)
    .outerjoin(revisions, units.c.revision_key == revisions.c.key)
    .outerjoin(batches, units.c.batch_key == batches.c.key)
    .outerjoin(creators, units.c.creator_user_key == creators.c.key)
    .outerjoin(stations, units.c.creator_station_key == stations.c.key)
)


def _newest_run() -> sa.ScalarSelect[int]:
    newest = runs.alias("newest_runs")
    return (
        sa.select(newest.c.key)
        .where(
            newest.c.unit_key == units.c.key,
            newest.c.outcome != "RUNNING",
            of_seen_procedure(newest.c.procedure_key),
        )
        .order_by(
            sa.func.coalesce(newest.c.started_at, newest.c.created_at).desc(),
            newest.c.key.desc(),
        )
        .limit(1)
        .correlate(units)
        .scalar_subquery()
    )


_RUNS_OF_PROCEDURES = runs.join(procedures, runs.c.procedure_key == procedures.c.key)


def _of_newest(column: Column) -> sa.ScalarSelect[Any]:
    return (
        sa.select(column)
        .select_from(_RUNS_OF_PROCEDURES)
        .where(runs.c.key == _newest_run())
        .correlate(units)
        .scalar_subquery()
    )


# Counted when it is asked for: a column would have to be kept right by each write.
_RUN_COUNT = (
    sa.select(sa.func.count())
    .where(
        runs.c.unit_key == units.c.key, ENDED, of_seen_procedure(runs.c.procedure_key)
    )
    .correlate(units)
    .scalar_subquery()
)


_SEARCHED = (units.c.serial_key, parts.c.number_key, batches.c.number_key)


def _without_parent(wanted: object) -> list[Condition]:
    has_parent = sa.exists().where(unit_sub_units.c.child_key == units.c.key)
    return [~has_parent] if wanted else []


@attrs.frozen(kw_only=True)
class UnitQuery(SortedQuery):
    """
    The parameters of ``GET /v2/units``.

    ``procedure_ids``, ``outcomes`` and the moments of start are demands on one run of
    the unit: on its newest with ``latest_only``, else on any.
    """

    search_query: str | None = parameter(
        description="Within serial, part or batch number."
    )
    ids: list[str] | None = restricts(id_in, units.c.id)
    serial_numbers: list[str] | None = restricts(text_in, units.c.serial_key)
    part_numbers: list[str] | None = restricts(text_in, parts.c.number_key)
    revision_numbers: list[str] | None = restricts(text_in, revisions.c.number_key)
    batch_numbers: list[str] | None = restricts(text_in, batches.c.number_key)
    procedure_ids: list[str] | None = None
    outcomes: list[Outcome] | None = None
    started_after: datetime | None = None
    started_before: datetime | None = None
    latest_only: bool = parameter(
        default=False, description="Demand it of the newest run, not of any."
    )
    run_count_min: int | None = restricts(at_least, _RUN_COUNT, ge=0, le=2**53)
    run_count_max: int | None = restricts(at_most, _RUN_COUNT, ge=0, le=2**53)
    created_after: datetime | None = restricts(from_moment, units.c.created_at)
    created_before: datetime | None = restricts(until_moment, units.c.created_at)
    created_by_user_ids: list[str] | None = restricts(id_in, creators.c.id)
    created_by_station_ids: list[str] | None = restricts(id_in, stations.c.id)
    exclude_units_with_parent: bool = restricts(_without_parent, default=False)
    samples: list[SampleOrProduct] | None = restricts(sampled)
    sorts: ClassVar = {
        "serial_number": units.c.serial_key,
        "created_at": units.c.created_at,
        "part_number": sa.func.coalesce(parts.c.number_key, ""),
        "last_run_at": sa.func.coalesce(
            _of_newest(sa.func.coalesce(runs.c.started_at, runs.c.created_at)), 0
        ),
        "last_run_procedure": sa.func.coalesce(_of_newest(procedures.c.name_key), ""),
    }
    sort_by: Literal[
        "serial_number",
        "created_at",
        "last_run_at",
        "part_number",
        "last_run_procedure",
    ] = "created_at"
    metadata: str | None = restricts(
        metadata_matches,
        units.c.key,
        unit_metadata,
        description='JSON: demands by name, `{"line": {"in": ["A"]}}`.',
    )
    include_metadata: bool = False

    def conditions(self) -> list[Condition]:
        """Give the conditions, those on one run of the unit together."""
        demands: list[Condition] = []
        if self.started_after is not None:
            demands += from_moment(runs.c.started_at, utc(self.started_after))
        if self.started_before is not None:
            demands += until_moment(runs.c.started_at, utc(self.started_before))
        if self.outcomes is not None:
            demands += among(runs.c.outcome, self.outcomes)
        if self.procedure_ids is not None:
            demands.append(runs.c.procedure_key.in_(procedure_keys(self.procedure_ids)))
        if demands and self.latest_only:
            demands.append(runs.c.key == _newest_run())
        # Together, since one run has to meet them all, not one run each.
        found = super().conditions()
        if demands:
            of_unit = runs.c.unit_key == units.c.key
            seen = of_seen_procedure(runs.c.procedure_key)
            found.append(sa.exists().where(of_unit, ENDED, seen, *demands))
        return found


def find_units(
    connection: sa.Connection, wanted: UnitQuery, principal: Principal
) -> RowPage:
    """
    List units.

    Raises:
        BadRequestError: a metadata demand that is none.
    """
    text = wanted.search_query
    searched = containing(connection, text, units_with_text, *_SEARCHED)
    statement = _SELECT.where(UNIT_SEEN, *searched, *wanted.conditions())
    statement = statement.order_by(*wanted.order(units.c.key))
    sight = Sight.of(connection, principal)
    return read_page(connection, statement, wanted, units.c.key, sight)


def require_unit(
    connection: sa.Connection, serial_number: str, principal: Principal
) -> Row:
    """
    Find a unit by its serial number, without regard to case.

    Raises:
        NotFoundError: there is none, or none that may be seen.
    """
    row = connection.execute(
        _SELECT.where(units.c.serial_key == folded(serial_number), UNIT_SEEN),
        Sight.of(connection, principal).parameters,
    ).first()
    if row is None:
        raise not_found(f"Unit with serial number {serial_number} does not exist.")
    return row


def unit_target(
    serial_number: str, principal: Principal
) -> Callable[[sa.Connection], Target]:
    """Give what finds the unit that an upload will belong to, for its caller."""
    return lambda connection: Target(
        unit=require_unit(connection, serial_number, principal).key
    )


def _linked(
    connection: sa.Connection,
    keys: Sequence[int],
    principal: Principal,
    here: Column,
    there: Column,
) -> dict[int, list[Row]]:
    sight = Sight.of(connection, principal)
    found: dict[int, list[Row]] = {key: [] for key in keys}
    # In parts, since a statement takes a limited number of parameters.
    for start in range(0, len(keys), _CHUNK):
        statement = (
            _SELECT.add_columns(here.label("linked_to"))
            .join(unit_sub_units, there == units.c.key)
            .where(here.in_(keys[start : start + _CHUNK]), UNIT_SEEN)
            .order_by(units.c.serial_key)
        )
        for row in connection.execute(statement, sight.parameters):
            found[row.linked_to].append(row)
    return found


def children_of(
    connection: sa.Connection, keys: Sequence[int], principal: Principal
) -> dict[int, list[Row]]:
    """List the units built into others that may be seen, by the keys of those."""
    link = unit_sub_units.c
    return _linked(connection, keys, principal, link.parent_key, link.child_key)


def parents_of(
    connection: sa.Connection, keys: Sequence[int], principal: Principal
) -> dict[int, list[Row]]:
    """List the units that others are built into, likewise."""
    link = unit_sub_units.c
    return _linked(connection, keys, principal, link.child_key, link.parent_key)


_RUN: sa.Select[*tuple[object, ...]] = sa.select(
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


def last_runs(
    connection: sa.Connection, keys: Sequence[int], principal: Principal
) -> dict[int, Row]:
    """Give the newest run that may be seen of each unit that has one."""
    sight = Sight.of(connection, principal)
    found: dict[int, Row] = {}
    for start in range(0, len(keys), _CHUNK):
        # One statement for many units, not one for each.
        some = units.c.key.in_(keys[start : start + _CHUNK])
        newest = sa.select(_newest_run()).where(some)
        newest_of_some = _RUN.where(runs.c.key.in_(newest))
        for row in connection.execute(newest_of_some, sight.parameters):
            found[row.unit_key] = row
    return found


def first_run(connection: sa.Connection, unit: int, principal: Principal) -> Row | None:
    """Give the run that was stored first of a unit, of those that may be seen."""
    seen = of_seen_procedure(runs.c.procedure_key)
    # By key, the order of storing: what a report says of its time does not count.
    statement = _RUN.where(runs.c.unit_key == unit, ENDED, seen).order_by(runs.c.key)
    return connection.execute(
        statement.limit(1), Sight.of(connection, principal).parameters
    ).first()


def files_of_unit(
    connection: sa.Connection, unit: int, principal: Principal
) -> Sequence[Row]:
    """List the files that belong to a unit itself, those that may be seen."""
    statement = sa.select(attachments).where(
        attachments.c.unit_key == unit, UNIT_FILE_SEEN
    )
    sight = Sight.of(connection, principal)
    return connection.execute(
        statement.order_by(attachments.c.key), sight.parameters
    ).all()


def units_of_batch(
    connection: sa.Connection, batch: int, principal: Principal
) -> Sequence[Row]:
    """List the units of a batch that may be seen, the newest first."""
    return _newest_of(connection, units.c.batch_key == batch, principal)


def units_of_revision(
    connection: sa.Connection, revision: int, principal: Principal
) -> Sequence[Row]:
    """List the units of a revision that may be seen, the newest first."""
    return _newest_of(connection, units.c.revision_key == revision, principal)


def _newest_of(
    connection: sa.Connection, condition: Condition, principal: Principal
) -> Sequence[Row]:
    statement = _SELECT.where(condition, UNIT_SEEN).order_by(units.c.key.desc())
    return connection.execute(
        statement, Sight.of(connection, principal).parameters
    ).all()


def units_of_serials(
    connection: sa.Connection, serial_numbers: Collection[str]
) -> list[Row]:
    """Find units by their serial numbers, in that order; those that there are."""
    if not serial_numbers:
        return []
    wanted = [folded(number) for number in serial_numbers]
    rows = connection.execute(_SELECT.where(units.c.serial_key.in_(wanted)))
    found = {row.serial_key: row for row in rows}
    return [found[number] for number in wanted if number in found]

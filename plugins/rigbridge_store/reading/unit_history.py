"""One unit: what it is, what it is built of and into, and every run of it."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import sqlalchemy as sa

from rigbridge.machine.close_names import folded
from rigbridge_store.reading.conditions import NEWEST_FIRST, Condition
from rigbridge_store.reading.run_search import Cursor, RunPage, search_runs
from rigbridge_store.reading.searching import RunSearch
from rigbridge_store.refusals import not_found
from rigbridge_store.tables.schema import (
    batches,
    parts,
    procedures,
    revisions,
    run_moment,
    runs,
    unit_sub_units,
    units,
)

__all__ = ["ProcedureState", "UnitHistory", "read_unit", "unit_key"]

_UNIT = (
    sa.select(
        units.c.key,
        units.c.serial_number.label("serial"),
        units.c.created_at,
        parts.c.number.label("part"),
        parts.c.name.label("part_name"),
        revisions.c.number.label("revision"),
        batches.c.number.label("batch"),
    )
    .select_from(
        units.outerjoin(parts, units.c.part_key == parts.c.key)
        .outerjoin(revisions, units.c.revision_key == revisions.c.key)
        .outerjoin(batches, units.c.batch_key == batches.c.key)
    )
    .where(units.c.serial_key == sa.bindparam("serial_key"))
)


@attrs.frozen(kw_only=True)
class ProcedureState:
    """
    Where a unit stands with one procedure.

    Attributes:
        runs: how often the unit went through it.
        outcome: the verdict of the last time.
        moment: when that was, in microseconds.
    """

    procedure_id: str
    procedure: str
    runs: int
    outcome: str
    moment: int


@attrs.frozen(kw_only=True)
class UnitHistory:
    """
    A unit.

    Attributes:
        part, part_name, revision, batch: what it is, each or None.
        created_at: when the store heard of it, in microseconds.
        sub_units: serial numbers of what is built into it.
        parents: serial numbers of what it is built into.
        states: where it stands with each procedure, by the procedure's name.
        page: a page of its runs, newest first.
    """

    serial: str
    part: str | None
    part_name: str | None
    revision: str | None
    batch: str | None
    created_at: int
    sub_units: Sequence[str]
    parents: Sequence[str]
    states: Sequence[ProcedureState]
    page: RunPage


def unit_key(connection: sa.Connection, serial: str) -> int:
    """
    Find the row of a unit; the case of the number does not matter.

    Raises:
        NotFoundError: there is none of that number.
    """
    return int(_unit(connection, serial)["key"])


def read_unit(
    connection: sa.Connection,
    serial: str,
    *,
    limit: int,
    after: Cursor | None = None,
    before: Cursor | None = None,
) -> UnitHistory:
    """
    Read a unit and a page of its runs; the case of the number does not matter.

    Raises:
        NotFoundError: there is none of that number.
    """
    known = dict(_unit(connection, serial))
    key = known.pop("key")
    # By its key, so that the search need not look up the number again.
    whole = RunSearch(unit_key=key)
    links = unit_sub_units.c
    return UnitHistory(
        **known,
        sub_units=_relatives(connection, links.parent_key == key, links.child_key),
        parents=_relatives(connection, links.child_key == key, links.parent_key),
        states=_states(connection, key),
        page=search_runs(connection, whole, limit=limit, after=after, before=before),
    )


def _unit(connection: sa.Connection, serial: str) -> sa.RowMapping:
    row = connection.execute(_UNIT, {"serial_key": folded(serial)}).mappings().first()
    if row is None:
        raise not_found(f"Unit with serial number {serial} does not exist.")
    return row


def _relatives(
    connection: sa.Connection, of_unit: Condition, relative: sa.ColumnElement[int]
) -> Sequence[str]:
    statement = (
        sa.select(units.c.serial_number)
        .join(unit_sub_units, relative == units.c.key)
        .where(of_unit)
        .order_by(units.c.serial_key)
    )
    return connection.execute(statement).scalars().all()


def _states(connection: sa.Connection, unit: int) -> Sequence[ProcedureState]:
    procedure = runs.c.procedure_key
    # Windows give the last run of each procedure and the number of all in one pass.
    ranked = (
        sa.select(
            runs.c.procedure_key,
            runs.c.outcome,
            run_moment.label("moment"),
            sa.func.row_number()
            .over(partition_by=procedure, order_by=NEWEST_FIRST)
            .label("rank"),
            sa.func.count().over(partition_by=procedure).label("runs"),
        )
        .where(runs.c.unit_key == unit)
        .subquery()
    )
    statement = (
        sa.select(
            procedures.c.id.label("procedure_id"),
            procedures.c.name.label("procedure"),
            ranked.c.runs,
            ranked.c.outcome,
            ranked.c.moment,
        )
        .join(ranked, ranked.c.procedure_key == procedures.c.key)
        .where(ranked.c.rank == 1)
        .order_by(procedures.c.name_key, procedures.c.key)
    )
    rows = connection.execute(statement).mappings()
    return [ProcedureState(**row) for row in rows]

"""Runs found by filters."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import partial
from typing import ClassVar, Literal

import attrs
import sqlalchemy as sa

from rigbridge.machine.close_names import folded
from rigbridge.model import RunOutcome
from rigbridge_store.access.permissions import sees_procedure, visible_procedures
from rigbridge_store.access.principals import Principal
from rigbridge_store.files.stored_files import require_run
from rigbridge_store.files.uploads import Target
from rigbridge_store.reading import listing
from rigbridge_store.reading.conditions import (
    Condition,
    id_in,
    metadata_matches,
    procedure_keys,
    text_in,
)
from rigbridge_store.reading.details import Row
from rigbridge_store.reading.lists.query import (
    Column,
    Outcome,
    RowPage,
    SampleOrProduct,
    SortedQuery,
    among,
    containing,
    from_moment,
    lasting_at_least,
    lasting_at_most,
    parameter,
    read_page,
    restricts,
    until_moment,
    visible,
)
from rigbridge_store.reading.searching import runs_with_text
from rigbridge_store.refusals import not_found
from rigbridge_store.tables.schema import (
    batches,
    parts,
    procedure_versions,
    procedures,
    revisions,
    run_metadata,
    run_slots,
    runs,
    stations,
    units,
    users,
)
from rigbridge_store.tables.values import canonical_uuid

__all__ = [
    "ENDED",
    "RUNS_AND_SLOTS",
    "QueryOfRuns",
    "QueryOfTimedRuns",
    "RunQuery",
    "find_run",
    "find_runs",
    "of_procedures",
    "page_of_runs",
    "require_visible_run",
    "run_ids",
    "run_target",
    "sampled",
]

RUNS_AND_SLOTS = listing.JOINED.outerjoin(run_slots, run_slots.c.run_key == runs.c.key)
"""The runs with everything that names them, and their places in executions."""

_SELECT: sa.Select[*tuple[object, ...]] = sa.select(
    *listing.COLUMNS,
    runs.c.operator_name.label("declared_operator"),
    run_slots.c.execution_id,
    run_slots.c.slot_key,
    run_slots.c.slot_name,
    units.c.sample.label("unit_sample"),
).select_from(RUNS_AND_SLOTS)

ENDED = runs.c.outcome != RunOutcome.RUNNING.value
"""v2 knows runs that have ended; v1 shows the others as well."""


_SEARCHED = (
    units.c.serial_key,
    parts.c.number_key,
    procedures.c.name_key,
    batches.c.number_key,
)


def sampled(samples: Sequence[str]) -> list[Condition]:
    """Demand a unit that is one of some kinds of sample, or a product."""
    # A product is no sample.
    unmarked = [units.c.sample.is_(None)] if "production" in samples else []
    return [sa.or_(units.c.sample.in_(list(samples)), *unmarked)]


def of_procedures(references: Sequence[str]) -> list[Condition]:
    """Demand one of some procedures, by their ids or identifiers."""
    named = procedure_keys(references)
    if len(references) == 1:
        # The index has the runs of one in the order of time.
        return [runs.c.procedure_key == named.limit(1).scalar_subquery()]
    # With several the index of procedures gives no order of time: the sum keeps it out.
    return [(runs.c.procedure_key + 0).in_(named)]


def _operated_by(names: Sequence[str]) -> list[Condition]:
    operators = users.alias("named_operators")
    known = sa.select(operators.c.key).where(
        operators.c.name_key.in_([folded(name) for name in names])
    )
    # Some runs name a user, others a person without an account.
    return [sa.or_(runs.c.operator_name.in_(names), runs.c.operator_key.in_(known))]


@attrs.frozen(kw_only=True)
class QueryOfRuns(SortedQuery):
    """
    What the lists of runs and of what is in them have in common.

    Texts are compared without regard to case, bounds are included.
    """

    procedure_versions: list[str] | None = restricts(
        text_in, procedure_versions.c.tag_key
    )
    deployment_ids: list[str] | None = parameter(
        description="This store knows no deployments: any id matches nothing."
    )
    environments: list[Literal["production", "preview", "development"]] | None = (
        parameter(description="Runs here are of no deployment: matches nothing.")
    )
    serial_numbers: list[str] | None = restricts(text_in, units.c.serial_key)
    part_numbers: list[str] | None = restricts(text_in, parts.c.number_key)
    revision_numbers: list[str] | None = restricts(text_in, revisions.c.number_key)
    batch_numbers: list[str] | None = restricts(text_in, batches.c.number_key)
    created_by_station_ids: list[str] | None = restricts(id_in, stations.c.id)
    created_by_user_ids: list[str] | None = restricts(id_in, listing.creators.c.id)


@attrs.frozen(kw_only=True)
class QueryOfTimedRuns(QueryOfRuns):
    """What all of them but that of log lines take."""

    duration_min: str | None = restricts(
        lasting_at_least, runs.c.duration, description="An ISO 8601 duration."
    )
    duration_max: str | None = restricts(
        lasting_at_most, runs.c.duration, description="An ISO 8601 duration."
    )
    operated_by_ids: list[str] | None = restricts(id_in, listing.operators.c.id)
    operated_by_names: list[str] | None = restricts(_operated_by)


@attrs.frozen(kw_only=True)
class RunQuery(QueryOfTimedRuns):
    """The parameters of ``GET /v2/runs``."""

    search_query: str | None = parameter(
        description="Within serial, part or batch number or procedure name, or the "
        "beginning of an id.",
    )
    ids: list[str] | None = restricts(id_in, runs.c.id)
    outcomes: list[Outcome] | None = restricts(among, runs.c.outcome)
    procedure_ids: list[str] | None = restricts(of_procedures)
    execution_ids: list[str] | None = restricts(among, run_slots.c.execution_id)
    slot_keys: list[str] | None = restricts(among, run_slots.c.slot_key)
    slot_names: list[str] | None = restricts(among, run_slots.c.slot_name)
    samples: list[SampleOrProduct] | None = restricts(sampled)
    started_after: datetime | None = restricts(from_moment, runs.c.started_at)
    started_before: datetime | None = restricts(until_moment, runs.c.started_at)
    ended_after: datetime | None = restricts(from_moment, runs.c.ended_at)
    ended_before: datetime | None = restricts(until_moment, runs.c.ended_at)
    created_after: datetime | None = restricts(from_moment, runs.c.created_at)
    created_before: datetime | None = restricts(until_moment, runs.c.created_at)
    sorts: ClassVar = {
        "started_at": sa.func.coalesce(runs.c.started_at, runs.c.created_at),
        # Rows are numbered as they are created, and a key needs no further index.
        "created_at": runs.c.key,
        # SQLite sorts NULL before all values, PostgreSQL after them.
        "duration": sa.func.coalesce(runs.c.duration, 0),
        "outcome": runs.c.outcome,
        "serial_number": units.c.serial_key,
        "part_number": sa.func.coalesce(parts.c.number_key, ""),
        "revision_number": sa.func.coalesce(revisions.c.number_key, ""),
    }
    sort_by: Literal[
        "started_at",
        "created_at",
        "duration",
        "outcome",
        "serial_number",
        "part_number",
        "revision_number",
    ] = "started_at"
    metadata: str | None = restricts(
        metadata_matches,
        runs.c.key,
        run_metadata,
        description='JSON: demands by name, `{"line": {"in": ["A"]}}`.',
    )
    include_metadata: bool = False
    include_sequences: bool = False


def page_of_runs(
    connection: sa.Connection,
    statement: sa.Select[*tuple[object, ...]],
    wanted: QueryOfRuns,
    principal: Principal,
    *then: Column,
) -> RowPage:
    """
    Read a page of a list of runs, or of what is in them.

    Args:
        connection: the transaction.
        statement: selects from the runs and what they refer to.
        principal: who asks; a station sees the procedures that it is linked to.

    Raises:
        BadRequestError: a duration or a metadata demand that is none.
    """
    if wanted.deployment_ids is not None or wanted.environments is not None:
        # Without a statement: nothing could match.
        return RowPage()
    # What is in one run has the same key, so that its place makes the order complete.
    statement = statement.where(
        ENDED,
        *visible(runs.c.procedure_key, visible_procedures(connection, principal)),
        *wanted.conditions(),
    ).order_by(*wanted.order(runs.c.key), *then)
    return read_page(connection, statement, wanted, runs.c.key)


def find_runs(
    connection: sa.Connection, wanted: RunQuery, principal: Principal
) -> RowPage:
    """List runs that have ended; raises as :func:`page_of_runs`."""
    find = partial(runs_with_text, by_procedure=True)
    searched = containing(connection, wanted.search_query, find, *_SEARCHED)
    statement = _SELECT.where(*searched)
    return page_of_runs(connection, statement, wanted, principal)


def find_run(connection: sa.Connection, run_id: str) -> Row | None:
    """Find one run that has ended, or None."""
    # Any text may stand in the address; what is no id names nothing.
    uuid = canonical_uuid(run_id)
    if uuid is None:
        return None
    return connection.execute(_SELECT.where(runs.c.id == uuid, ENDED)).first()


def require_visible_run(
    connection: sa.Connection, run_id: str, principal: Principal, missing: str
) -> Row:
    """
    Find one run that has ended.

    Args:
        connection: the transaction.

    Raises:
        NotFoundError: there is none that may be seen.
    """
    row = find_run(connection, run_id)
    # Not told apart: whether a run exists is nothing that a stranger may learn.
    if row is None or not sees_procedure(connection, principal, row.procedure_key):
        raise not_found(f"{missing} does not exist.")
    return row


def run_target(run_id: str, principal: Principal) -> Callable[[sa.Connection], Target]:
    """Give what finds the run that an upload will belong to, for its caller."""
    return lambda connection: Target(run=require_run(connection, run_id, principal))


def run_ids(connection: sa.Connection, texts: Collection[str]) -> list[str]:
    """Give the ids of those runs that there are, each once, in the order asked for."""
    found = [row.id for text in texts if (row := find_run(connection, text))]
    return list(dict.fromkeys(found))

"""Runs found by filters."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa

from rigbridge.model import RunOutcome
from rigbridge_store.reading import listing
from rigbridge_store.reading.conditions import (
    Condition,
    duration_between,
    id_in,
    metadata_matches,
    moment_between,
    procedure_keys,
    text_contained,
    text_in,
)
from rigbridge_store.reading.lists.paging import Page, Paging, ordered, paged
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
from rigbridge_store.tables.values import canonical_uuid, folded

__all__ = ["RunFilter", "find_run", "find_runs", "run_conditions"]

_FROM = listing.JOINED.outerjoin(run_slots, run_slots.c.run_key == runs.c.key)
_SELECT: sa.Select[Any] = sa.select(
    *listing.COLUMNS,
    runs.c.operator_name.label("declared_operator"),
    run_slots.c.execution_id,
    run_slots.c.slot_key,
    run_slots.c.slot_name,
    units.c.sample.label("unit_sample"),
).select_from(_FROM)

_SORTED = {
    "started_at": sa.func.coalesce(runs.c.started_at, runs.c.created_at),
    # Rows are numbered as they are created, and a key needs no further index.
    "created_at": runs.c.key,
    "duration": sa.func.coalesce(runs.c.duration, 0),
    "outcome": runs.c.outcome,
    "serial_number": units.c.serial_key,
    "part_number": sa.func.coalesce(parts.c.number_key, ""),
    "revision_number": sa.func.coalesce(revisions.c.number_key, ""),
}

# v2 knows runs that have ended; v1 shows the others as well.
_ENDED = runs.c.outcome != RunOutcome.RUNNING.value


@attrs.frozen(kw_only=True)
class RunFilter:
    """
    What runs must be like; None demands nothing.

    Texts are compared without regard to case, bounds are included. ``metadata`` is
    JSON as :func:`rigbridge_store.reading.conditions.metadata_matches` reads it.
    """

    search_query: str | None = None
    ids: Sequence[str] | None = None
    outcomes: Sequence[str] | None = None
    procedure_ids: Sequence[str] | None = None
    procedure_versions: Sequence[str] | None = None
    execution_ids: Sequence[str] | None = None
    slot_keys: Sequence[str] | None = None
    slot_names: Sequence[str] | None = None
    serial_numbers: Sequence[str] | None = None
    samples: Sequence[str] | None = None
    part_numbers: Sequence[str] | None = None
    revision_numbers: Sequence[str] | None = None
    batch_numbers: Sequence[str] | None = None
    duration_min: str | None = None
    duration_max: str | None = None
    started_after: datetime | None = None
    started_before: datetime | None = None
    ended_after: datetime | None = None
    ended_before: datetime | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    created_by_user_ids: Sequence[str] | None = None
    created_by_station_ids: Sequence[str] | None = None
    operated_by_ids: Sequence[str] | None = None
    operated_by_names: Sequence[str] | None = None
    metadata: str | None = None


def run_conditions(
    wanted: RunFilter, allowed: Collection[int] | None
) -> list[Condition]:
    """
    Give the conditions of a filter, for a statement that joins what runs refer to.

    Raises:
        BadRequestError: a duration or metadata demand that is none.
    """
    conditions: list[Condition] = [_ENDED]
    if allowed is not None:
        conditions.append(runs.c.procedure_key.in_(list(allowed)))
    if wanted.outcomes is not None:
        conditions.append(runs.c.outcome.in_(list(wanted.outcomes)))
    return [
        *conditions,
        *text_contained(
            wanted.search_query,
            units.c.serial_key,
            parts.c.number_key,
            procedures.c.name_key,
            batches.c.number_key,
            # Ids are lower case, as folded texts are.
            runs.c.id,
        ),
        *id_in(runs.c.id, wanted.ids),
        *_of_procedures(wanted.procedure_ids),
        *text_in(procedure_versions.c.tag_key, wanted.procedure_versions),
        *_plain(run_slots.c.execution_id, wanted.execution_ids),
        *_plain(run_slots.c.slot_key, wanted.slot_keys),
        *_plain(run_slots.c.slot_name, wanted.slot_names),
        *text_in(units.c.serial_key, wanted.serial_numbers),
        *_sampled(wanted.samples),
        *text_in(parts.c.number_key, wanted.part_numbers),
        *text_in(revisions.c.number_key, wanted.revision_numbers),
        *text_in(batches.c.number_key, wanted.batch_numbers),
        *duration_between(runs.c.duration, wanted.duration_min, wanted.duration_max),
        *moment_between(runs.c.started_at, wanted.started_after, wanted.started_before),
        *moment_between(runs.c.ended_at, wanted.ended_after, wanted.ended_before),
        *moment_between(runs.c.created_at, wanted.created_after, wanted.created_before),
        *id_in(listing.creators.c.id, wanted.created_by_user_ids),
        *id_in(stations.c.id, wanted.created_by_station_ids),
        *id_in(listing.operators.c.id, wanted.operated_by_ids),
        *_operated_by(wanted.operated_by_names),
        *metadata_matches(runs.c.key, run_metadata, wanted.metadata),
    ]


def _plain(
    column: sa.ColumnElement[Any], texts: Sequence[str] | None
) -> list[Condition]:
    return [] if texts is None else [column.in_(list(texts))]


def _sampled(samples: Sequence[str] | None) -> list[Condition]:
    if samples is None:
        return []
    # A product is no sample.
    unmarked = [units.c.sample.is_(None)] if "production" in samples else []
    return [sa.or_(units.c.sample.in_(list(samples)), *unmarked)]


def _of_procedures(references: Sequence[str] | None) -> list[Condition]:
    if references is None:
        return []
    named = procedure_keys(references)
    if len(references) == 1:
        # The index has the runs of one in the order of time.
        return [runs.c.procedure_key == named.limit(1).scalar_subquery()]
    return [(runs.c.procedure_key + 0).in_(named)]


def _operated_by(names: Sequence[str] | None) -> list[Condition]:
    if names is None:
        return []
    operators = users.alias("named_operators")
    known = sa.select(operators.c.key).where(
        operators.c.name_key.in_([folded(name) for name in names])
    )
    return [
        sa.or_(
            runs.c.operator_name.in_(list(names)),
            runs.c.operator_key.in_(known),
        )
    ]


def find_runs(
    connection: sa.Connection,
    wanted: RunFilter,
    paging: Paging,
    *,
    allowed: Collection[int] | None,
    by: str,
    order: str,
) -> Page:
    """
    List runs that have ended.

    Raises:
        BadRequestError: a duration or metadata demand that is none.
    """
    statement = _SELECT.where(*run_conditions(wanted, allowed))
    statement = ordered(statement, _SORTED, by=by, order=order, last=runs.c.key)
    return paged(connection, statement, paging)


def find_run(connection: sa.Connection, run_id: str) -> Any:
    """Find one run that has ended, or None."""
    uuid = canonical_uuid(run_id)
    if uuid is None:
        return None
    return connection.execute(_SELECT.where(runs.c.id == uuid, _ENDED)).first()

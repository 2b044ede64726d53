"""Parts, revisions and batches: found by filters, or by their numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar, Literal

import attrs
import sqlalchemy as sa

from rigbridge.errors import NotFoundError
from rigbridge.machine.close_names import folded
from rigbridge_store.access.principals import Principal
from rigbridge_store.access.sight import (
    BATCH_SEEN,
    PART_SEEN,
    UNIT_SEEN,
    Sight,
    of_seen_procedure,
)
from rigbridge_store.reading.conditions import (
    Condition,
    id_in,
    metadata_matches,
    procedure_keys,
    text_in,
)
from rigbridge_store.reading.details import Row
from rigbridge_store.reading.listing import MADE_BY, creators
from rigbridge_store.reading.lists.query import (
    RowPage,
    SortedQuery,
    from_moment,
    read_page,
    restricts,
    searches,
    until_moment,
)
from rigbridge_store.refusals import FieldIssue, not_found
from rigbridge_store.tables.schema import (
    batches,
    part_metadata,
    parts,
    revisions,
    runs,
    stations,
    units,
)

__all__ = [
    "BatchQuery",
    "PartQuery",
    "find_batches",
    "find_parts",
    "require_batch",
    "require_part",
    "require_part_revision",
    "require_revision",
    "require_revision_of",
    "revisions_of",
]


def _with_creator(table: sa.Table, *more: Any) -> sa.Select[*tuple[Any, ...]]:
    """Select rows with the user or the station, one at most, that made them."""
    return sa.select(
        table,
        *MADE_BY,
        *more,
    ).select_from(
        table.outerjoin(creators, table.c.creator_user_key == creators.c.key).outerjoin(
            stations, table.c.creator_station_key == stations.c.key
        )
    )


_PARTS = _with_creator(parts)
_REVISIONS = _with_creator(revisions)
_BATCHES = _with_creator(
    batches,
    # Of the units that may be seen: the whole number would tell of the others.
    sa.select(sa.func.count())
    .where(units.c.batch_key == batches.c.key, UNIT_SEEN)
    .correlate(batches)
    .scalar_subquery()
    .label("unit_count"),
)


def _used_by(references: Iterable[str]) -> list[Condition]:
    """Demand a part of which a procedure has a run."""
    known = procedure_keys(references)
    return [
        sa.exists().where(
            runs.c.part_key == parts.c.key,
            runs.c.procedure_key.in_(known),
            # A station must not learn from a list of parts which procedures there are.
            of_seen_procedure(runs.c.procedure_key),
        )
    ]


@attrs.frozen(kw_only=True)
class PartQuery(SortedQuery):
    """The parameters of ``GET /v2/parts``."""

    search_query: str | None = searches(
        parts.c.number_key,
        # A name has no folded copy, since nothing finds a part by it.
        sa.func.lower(sa.func.coalesce(parts.c.name, "")),
        description="Within the number.",
    )
    procedure_ids: list[str] | None = restricts(_used_by)
    sorts: ClassVar = {
        "name": sa.func.coalesce(parts.c.name, parts.c.number),
        "number": parts.c.number_key,
        "created_at": sa.func.coalesce(parts.c.created_at, 0),
    }
    sort_by: Literal["name", "number", "created_at"] = "created_at"
    metadata: str | None = restricts(
        metadata_matches,
        parts.c.key,
        part_metadata,
        description="JSON: demands by name.",
    )
    include_metadata: bool = False


@attrs.frozen(kw_only=True)
class BatchQuery(SortedQuery):
    """The parameters of ``GET /v2/batches``; numbers of parts are those of one unit."""

    ids: list[str] | None = restricts(id_in, batches.c.id)
    numbers: list[str] | None = restricts(text_in, batches.c.number_key)
    created_after: datetime | None = restricts(from_moment, batches.c.created_at)
    created_before: datetime | None = restricts(until_moment, batches.c.created_at)
    search_query: str | None = searches(
        batches.c.number_key,
        description="Within the number.",
    )
    part_numbers: list[str] | None = None
    revision_numbers: list[str] | None = None
    sorts: ClassVar = {
        "number": batches.c.number_key,
        "created_at": sa.func.coalesce(batches.c.created_at, 0),
    }
    sort_by: Literal["number", "created_at"] = "created_at"

    def conditions(self) -> list[Condition]:
        """Give the conditions, those on one unit of the batch together."""
        # One unit must be of the part and of the revision, not two of one each.
        of_unit = [
            *text_in(parts.c.number_key, self.part_numbers),
            *text_in(revisions.c.number_key, self.revision_numbers),
        ]
        found = super().conditions()
        if of_unit:
            joined = units.outerjoin(parts, units.c.part_key == parts.c.key).outerjoin(
                revisions, units.c.revision_key == revisions.c.key
            )
            holding = (
                sa.select(units.c.key)
                .select_from(joined)
                .where(units.c.batch_key == batches.c.key, UNIT_SEEN, *of_unit)
            )
            found.append(holding.correlate(batches).exists())
        return found


def find_parts(
    connection: sa.Connection, wanted: PartQuery, principal: Principal
) -> RowPage:
    """
    List parts; a station sees those of its procedures, or of none.

    Raises:
        BadRequestError: a metadata demand that is none.
    """
    statement = _PARTS.where(PART_SEEN, *wanted.conditions())
    statement = statement.order_by(*wanted.order(parts.c.key))
    sight = Sight.of(connection, principal)
    return read_page(connection, statement, wanted, parts.c.key, sight)


def find_batches(
    connection: sa.Connection, wanted: BatchQuery, principal: Principal
) -> RowPage:
    """List batches likewise, each with the number of its units that may be seen."""
    statement = _BATCHES.where(BATCH_SEEN, *wanted.conditions())
    statement = statement.order_by(*wanted.order(batches.c.key))
    sight = Sight.of(connection, principal)
    return read_page(connection, statement, wanted, batches.c.key, sight)


def revisions_of(
    connection: sa.Connection, keys: Sequence[int]
) -> dict[int, list[Row]]:
    """List the revisions of parts, by the keys of those."""
    found: dict[int, list[Row]] = {key: [] for key in keys}
    statement = sa.select(revisions).where(revisions.c.part_key.in_(list(keys)))
    for row in connection.execute(statement.order_by(revisions.c.key)):
        found[row.part_key].append(row)
    return found


def require_batch(connection: sa.Connection, number: str, principal: Principal) -> Row:
    """
    Find a batch by its number.

    Raises:
        NotFoundError: there is none that may be seen.
    """
    row = connection.execute(
        _BATCHES.where(batches.c.number_key == folded(number), BATCH_SEEN),
        Sight.of(connection, principal).parameters,
    ).first()
    if row is None:
        raise not_found(f"Batch with number {number} not found.")
    return row


def require_part(
    connection: sa.Connection, number: str, path: str, principal: Principal
) -> Row:
    """
    Find a part by its number.

    Raises:
        NotFoundError: there is none that may be seen; names the field.
    """
    row = connection.execute(
        _PARTS.where(parts.c.number_key == folded(number), PART_SEEN),
        Sight.of(connection, principal).parameters,
    ).first()
    if row is None:
        raise not_found(
            f"Part with number {number} not found.", FieldIssue(path, "does not exist")
        )
    return row


def require_revision(
    connection: sa.Connection, part: int, number: str, path: str
) -> Row:
    """
    Find a revision of a part by its number.

    Raises:
        NotFoundError: there is none; names the field.
    """
    row = connection.execute(
        _REVISIONS.where(
            revisions.c.part_key == part, revisions.c.number_key == folded(number)
        )
    ).first()
    if row is None:
        raise not_found(
            f"Revision with number {number} not found.",
            FieldIssue(path, "does not exist"),
        )
    return row


def require_part_revision(
    connection: sa.Connection, part_number: str, number: str, principal: Principal
) -> tuple[Row, Row]:
    """
    Find a part, and a revision of it, by their numbers.

    Raises:
        NotFoundError: there is none; names the field.
    """
    part = require_part(connection, part_number, "part_number", principal)
    return part, require_revision(connection, part.key, number, "revision_number")


def require_revision_of(
    connection: sa.Connection, part_number: str, number: str, principal: Principal
) -> tuple[Row, Row]:
    """
    Find a revision by its own number and that of its part.

    Returns:
        The rows of the part and of the revision.

    Raises:
        NotFoundError: there is no such part, or it has no such revision.
    """
    try:
        return require_part_revision(connection, part_number, number, principal)
    except NotFoundError as error:
        raise not_found(
            f"Revision {number} of part {part_number} not found.", *error.issues
        ) from error

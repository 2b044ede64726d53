"""Units: found or created by their serial numbers, and what is built into them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import sqlalchemy as sa

from rigbridge.errors import NotFoundError
from rigbridge.machine.close_names import folded
from rigbridge.wire import WireSubUnit
from rigbridge_store.access.sight import UNIT_SEEN, UNIT_SHARED, Sight
from rigbridge_store.intake.catalog import CatalogSession
from rigbridge_store.intake.policies import CreationPolicy
from rigbridge_store.refusals import FieldIssue, bad_request, forbidden, not_found
from rigbridge_store.tables.rows import RowFinder, insert_row
from rigbridge_store.tables.schema import unit_sub_units, units
from rigbridge_store.tables.values import new_id, now_micros

__all__ = [
    "FoundUnit",
    "add_sub_units",
    "create_unit",
    "find_unit",
    "require_sole",
    "set_sub_units",
]

_FIND = RowFinder(
    sa.select(
        units.c.key,
        units.c.id,
        units.c.part_key,
        units.c.revision_key,
        units.c.batch_key,
    ).where(units.c.serial_key == sa.bindparam("serial_key")),
    ("serial_key",),
)
_CHILDREN = sa.select(unit_sub_units.c.child_key).where(
    unit_sub_units.c.parent_key.in_(sa.bindparam("parents", expanding=True))
)
_HOLDER = (
    sa.select(unit_sub_units.c.parent_key, unit_sub_units.c.told_at, units.c.serial_key)
    .join_from(unit_sub_units, units, unit_sub_units.c.parent_key == units.c.key)
    .where(unit_sub_units.c.child_key == sa.bindparam("child"))
)
_SERIAL = sa.select(units.c.serial_key).where(units.c.key == sa.bindparam("unit"))
_TELL_AGAIN = (
    unit_sub_units.update()
    .where(
        unit_sub_units.c.child_key == sa.bindparam("child"),
        unit_sub_units.c.told_at < sa.bindparam("moment"),
    )
    .values(told_at=sa.bindparam("moment"))
)
_TAKE_OUT = unit_sub_units.delete().where(
    unit_sub_units.c.child_key == sa.bindparam("child")
)


@attrs.frozen(kw_only=True)
class FoundUnit:
    """
    A unit as the store knows it.

    Attributes:
        part_key, revision_key, batch_key: what it is, as far as known.
    """

    key: int
    id: str
    part_key: int | None
    revision_key: int | None
    batch_key: int | None


def find_unit(
    connection: sa.Connection, serial_number: str, sight: Sight | None = None
) -> FoundUnit | None:
    """Find a unit without regard to case; with ``sight`` only one that is seen."""
    row = _FIND.first(connection, folded(serial_number))
    if row is None:
        return None
    # Seen and not only found: a station must not learn which serial numbers others
    # test.
    if sight is not None and not _is(connection, UNIT_SEEN, row[0], sight):
        return None
    key, public, part, revision, batch = row
    return FoundUnit(
        key=key, id=public, part_key=part, revision_key=revision, batch_key=batch
    )


def _is(
    connection: sa.Connection,
    condition: sa.ColumnElement[bool],
    unit: int,
    sight: Sight,
) -> bool:
    statement = sa.select(units.c.key).where(units.c.key == unit, condition)
    return connection.execute(statement, sight.parameters).first() is not None


def require_sole(connection: sa.Connection, unit: int, name: str, sight: Sight) -> None:
    """
    Check that nobody else relies on what a unit is.

    Raises:
        ForbiddenError: it has runs that the caller may not see.
    """
    if _is(connection, UNIT_SHARED, unit, sight):
        raise forbidden(
            f"Unit {name} has runs of procedures that the station is not linked to, "
            "so that it cannot be changed. Use the key of a user."
        )


def create_unit(
    connection: sa.Connection,
    catalog: CatalogSession,
    serial_number: str,
    values: Mapping[str, int | None],
    *,
    by_run: bool = False,
) -> FoundUnit:
    """
    Create a unit.

    Args:
        connection: the transaction.
        by_run: whether a run brings it along.
    """
    public = new_id()
    key = insert_row(
        connection,
        units,
        {
            "id": public,
            "serial_number": serial_number,
            "serial_key": folded(serial_number),
            "by_run": by_run,
            **catalog.origin(units),
            **values,
        },
    )
    catalog.newest_unit = max(catalog.newest_unit, key)
    return FoundUnit(key=key, id=public, **values)


def add_sub_units(
    connection: sa.Connection,
    catalog: CatalogSession,
    parent: FoundUnit,
    members: Sequence[WireSubUnit],
    policy: CreationPolicy,
    *,
    told_at: int | None = None,
) -> None:
    """
    Build units into another, beside those that are there already.

    Each leaves the unit that it was in before, which must be within reach: a board
    that another station has tested can be built in, but not taken out elsewhere.

    Archives bring runs in any order: the newest tells where a unit is, and of two that
    started at once the one of the unit with the greater number.

    Args:
        connection: the transaction.
        policy: whether units that are missing are created.
        told_at: when the run started that says so; None for now, whatever any run says.

    Raises:
        NotFoundError: a sub-unit does not exist, or is not to be taken.
        BadRequestError: a unit would come to contain itself.
    """
    sight = catalog.sight
    moment = now_micros() if told_at is None else told_at
    for index, member in enumerate(members):
        path = f"sub_units[{index}].serial_number"
        child = _sub_unit(connection, catalog, member.serial_number, path, policy)
        holder = connection.execute(_HOLDER, {"child": child}).first()
        if holder is not None and holder.parent_key == parent.key:
            connection.execute(_TELL_AGAIN, {"child": child, "moment": moment})
            continue
        if (
            holder is not None
            and told_at is not None
            and (holder.told_at, holder.serial_key)
            > (told_at, connection.execute(_SERIAL, {"unit": parent.key}).scalar_one())
        ):
            continue
        # Asked before each link, since the links before it count.
        if parent.key == child or parent.key in _descendants(connection, child):
            text = f"Sub-unit {member.serial_number} would make a cycle."
            raise bad_request(text, FieldIssue(path, "contains the unit itself"))
        # Refused in the words for a unit that does not exist: that it does is not told.
        if not _may_be_taken(connection, child, sight):
            raise _unknown_sub_unit(member.serial_number, path)
        # A unit is in one place: it leaves the unit that it was in before.
        connection.execute(_TAKE_OUT, {"child": child})
        connection.execute(
            unit_sub_units.insert(),
            {"parent_key": parent.key, "child_key": child, "told_at": moment},
        )


def set_sub_units(
    connection: sa.Connection,
    catalog: CatalogSession,
    serial_number: str,
    parent: FoundUnit,
    members: Sequence[WireSubUnit],
) -> None:
    """
    Say what is built into a unit, and nothing else is.

    Raises:
        NotFoundError: a sub-unit does not exist.
        BadRequestError: a unit would come to contain itself.
        ForbiddenError: one would be taken out that others rely on.
    """
    add_sub_units(connection, catalog, parent, members, CreationPolicy())
    wanted = [folded(member.serial_number) for member in members]
    gone = unit_sub_units.delete().where(
        unit_sub_units.c.parent_key == parent.key,
        unit_sub_units.c.child_key.not_in(
            sa.select(units.c.key).where(units.c.serial_key.in_(wanted))
        ),
    )
    if connection.execute(gone).rowcount:
        # Asked afterwards: the transaction takes the deletion back.
        require_sole(connection, parent.key, serial_number, catalog.sight)


def _sub_unit(
    connection: sa.Connection,
    catalog: CatalogSession,
    serial_number: str,
    path: str,
    policy: CreationPolicy,
) -> int:
    found = find_unit(connection, serial_number)
    if found is not None:
        return found.key
    if policy.create_missing:
        values = {"part_key": None, "revision_key": None, "batch_key": None}
        return create_unit(connection, catalog, serial_number, values, by_run=True).key
    raise _unknown_sub_unit(serial_number, path)


def _unknown_sub_unit(serial_number: str, path: str) -> NotFoundError:
    return not_found(
        f"Sub-unit with serial number {serial_number} does not exist. "
        "Create its run first.",
        FieldIssue(path, "does not exist"),
    )


def _may_be_taken(connection: sa.Connection, child: int, sight: Sight) -> bool:
    """Whether the unit that another is in may be changed; true where it is in none."""
    others = (
        sa.select(units.c.key)
        .join(unit_sub_units, unit_sub_units.c.parent_key == units.c.key)
        .where(
            unit_sub_units.c.child_key == child,
            sa.or_(sa.not_(UNIT_SEEN), UNIT_SHARED),
        )
    )
    return connection.execute(others, sight.parameters).first() is None


def _descendants(connection: sa.Connection, unit: int) -> set[int]:
    seen: set[int] = set()
    level = [unit]
    while level:
        # Level by level, with one query for each.
        below = connection.execute(_CHILDREN, {"parents": level}).scalars().all()
        level = [key for key in below if key not in seen]
        seen.update(level)
    return seen

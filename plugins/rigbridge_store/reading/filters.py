"""What a search for runs asks for, and the conditions that follow from it."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import sqlalchemy as sa

from rigbridge_store.fields import folded
from rigbridge_store.reading.periods import Period
from rigbridge_store.tables.schema import (
    parts,
    procedures,
    runs,
    stations,
    units,
)

__all__ = ["ANYTHING", "RunFilter", "matches_text", "run_conditions"]

ANYTHING = "*"
"""Stands for any characters in a text that is searched for."""

_ESCAPE = "\\"
_FEW = 10_000


@attrs.frozen(kw_only=True)
class RunFilter:
    """
    A search for runs; what is None or blank restricts nothing.

    Texts are matched from their beginning, without regard to case; an asterisk in
    them stands for anything.

    Attributes:
        serial: the unit's serial number.
        part: the part's number.
        procedure: the procedure's id, whole.
        station: the name of the station that sent the run, whole.
        outcome: the verdict (``FAIL``).
        period: when the run was.
        unit_key: the row of the unit, or None.
    """

    serial: str = ""
    part: str = ""
    procedure: str = ""
    station: str = ""
    outcome: str = ""
    period: Period = attrs.field(factory=Period)
    unit_key: int | None = None


def matches_text(column: sa.ColumnElement[str], text: str) -> sa.ColumnElement[bool]:
    """
    Match a folded column with what a person typed.

    Args:
        column: holds folded texts.
        text: matched from the beginning; an asterisk stands for anything.
    """
    literal = folded(text.strip())
    if ANYTHING not in literal:
        # Folded columns sort by code points, and an index is reached for by a range.
        return sa.and_(column >= literal, column < literal + chr(0x10FFFF))
    for special in (_ESCAPE, "%", "_"):
        literal = literal.replace(special, _ESCAPE + special)
    return column.like(literal.replace(ANYTHING, "%") + "%", escape=_ESCAPE)


def run_conditions(
    connection: sa.Connection, search: RunFilter
) -> Sequence[sa.ColumnElement[bool]]:
    """Give what a run fulfils that the search looks for."""
    found = search.period.conditions()
    if search.unit_key is not None:
        found.append(runs.c.unit_key == search.unit_key)
    if search.serial.strip():
        found.append(_of_units(connection, search.serial))
    if search.part.strip():
        matching = sa.select(parts.c.key).where(
            matches_text(parts.c.number_key, search.part)
        )
        found.append(_of_parts(connection, matching))
    if search.procedure.strip():
        procedure = sa.select(procedures.c.key).where(
            procedures.c.id == search.procedure.strip().lower()
        )
        found.append(runs.c.procedure_key == procedure.scalar_subquery())
    if search.station.strip():
        station = sa.select(stations.c.key).where(
            stations.c.name_key == folded(search.station.strip())
        )
        found.append(runs.c.creator_station_key == station.scalar_subquery())
    if search.outcome.strip():
        found.append(runs.c.outcome == search.outcome.strip().upper())
    return found


def _of_parts(
    connection: sa.Connection, matching: sa.Select[int]
) -> sa.ColumnElement[bool]:
    keys = connection.execute(matching).scalars().all()
    if len(keys) == 1:
        # The index has these in the order of time.
        return runs.c.part_key == keys[0]
    if _are_few(connection, runs.c.part_key.in_(keys)):
        return runs.c.part_key.in_(keys)
    # No index helps with a sum.
    return (runs.c.part_key + 0).in_(keys)


def _of_units(connection: sa.Connection, serial: str) -> sa.ColumnElement[bool]:
    matching = sa.select(units.c.key).where(matches_text(units.c.serial_key, serial))
    few = connection.execute(matching.limit(_FEW + 1)).scalars().all()
    if len(few) <= _FEW and _are_few(connection, runs.c.unit_key.in_(few)):
        return runs.c.unit_key.in_(few)
    return sa.exists(matching.where(units.c.key == runs.c.unit_key).correlate(runs))


def _are_few(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> bool:
    """
    Tell whether runs are so few that a page is filled soonest by gathering them.

    Of more than that, a page is filled sooner by going through all runs in the order
    of time and looking at each one.
    """
    some = sa.select(runs.c.key).where(condition).limit(_FEW + 1).subquery()
    counted = sa.select(sa.func.count()).select_from(some)
    return int(connection.execute(counted).scalar_one()) <= _FEW

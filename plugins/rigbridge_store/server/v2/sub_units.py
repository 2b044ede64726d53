"""The units built into others, as v2 shows them."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from rigbridge_store.server.v2.run_answers import ShownSubUnit
from rigbridge_store.tables.schema import parts, units
from rigbridge_store.tables.values import folded

__all__ = ["show_sub_units"]


def show_sub_units(
    connection: sa.Connection, serial_numbers: Sequence[str]
) -> list[ShownSubUnit]:
    """Show units by their serial numbers, in that order."""
    if not serial_numbers:
        return []
    wanted = [folded(number) for number in serial_numbers]
    rows = connection.execute(
        sa.select(
            units.c.id,
            units.c.serial_number,
            units.c.serial_key,
            parts.c.number,
            parts.c.name,
        )
        .select_from(units.outerjoin(parts, units.c.part_key == parts.c.key))
        .where(units.c.serial_key.in_(wanted))
    )
    found = {
        row.serial_key: ShownSubUnit(
            id=row.id,
            serial_number=row.serial_number,
            part_number=row.number or "",
            part_name=row.name,
        )
        for row in rows
    }
    return [found[number] for number in wanted if number in found]

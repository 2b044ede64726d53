"""The owners of API keys: users and stations."""

from __future__ import annotations

import attrs
import sqlalchemy as sa

from rigbridge.hosting import KeyKind
from rigbridge_store.refusals import conflict
from rigbridge_store.tables.schema import stations
from rigbridge_store.tables.values import canonical_uuid, folded

__all__ = ["Principal", "find_station"]


@attrs.frozen(kw_only=True)
class Principal:
    """
    The owner of a key.

    Attributes:
        kind: a user may use every procedure, a station those it is linked to.
        key: the row of the user or station.
        id: its public id.
        name: its name, for a reader.
        unrestricted: a station that may use every procedure all the same.
    """

    kind: KeyKind
    key: int
    id: str
    name: str
    unrestricted: bool = False

    @property
    def is_station(self) -> bool:
        """Whether it is a station."""
        return self.kind is KeyKind.STATION

    @property
    def is_restricted(self) -> bool:
        """Whether only linked procedures are within reach."""
        return self.is_station and not self.unrestricted


def find_station(connection: sa.Connection, reference: str) -> int | None:
    """
    Find a station that is in use by its id, or by its name in any case.

    Returns:
        Its key, or None where there is none.

    Raises:
        ConflictError: several have that name.
    """
    text = reference.strip()
    rows = connection.execute(
        sa.select(stations.c.key, stations.c.id).where(
            stations.c.removed_at.is_(None),
            sa.or_(
                stations.c.id == (canonical_uuid(text) or text),
                stations.c.name_key == folded(text),
            ),
        )
    ).all()
    # Names are not unique: one rig is replaced by another under the same name.
    if len(rows) > 1:
        ids = ", ".join(sorted(row.id for row in rows))
        raise conflict(f"Several stations are named {text}. Name one by its ID: {ids}.")
    return int(rows[0].key) if rows else None

"""
The owners of API keys: users and stations.

No table is needed here, since a process that only prepares runs knows none. Who owns a
key is looked up in :mod:`rigbridge_store.access.keys`.
"""

from __future__ import annotations

import attrs

from rigbridge.hosting import KeyKind

__all__ = ["Principal"]


@attrs.frozen(kw_only=True)
class Principal:
    """
    The owner of a key.

    Attributes:
        kind: a user may use every procedure, a station those it is linked to.
        key: the row of the user or station.
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

"""Who asks: the owner of an API key."""

from __future__ import annotations

from enum import StrEnum

import attrs

__all__ = ["Principal", "PrincipalKind"]


class PrincipalKind(StrEnum):
    """The two kinds of key."""

    USER = "user"
    STATION = "station"


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

    kind: PrincipalKind
    key: int
    id: str
    name: str
    unrestricted: bool = False

    @property
    def is_station(self) -> bool:
        """Whether it is a station."""
        return self.kind is PrincipalKind.STATION

    @property
    def is_restricted(self) -> bool:
        """Whether only linked procedures are within reach."""
        return self.is_station and not self.unrestricted

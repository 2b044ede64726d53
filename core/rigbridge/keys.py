"""The kinds of API keys that a run store knows."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["KeyKind"]


class KeyKind(StrEnum):
    """Whom an API key stands for: a user, or a station with linked procedures."""

    USER = "user"
    STATION = "station"

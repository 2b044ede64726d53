"""Every v2 call."""

from __future__ import annotations

from litestar.handlers import HTTPRouteHandler

from rigbridge_store.server.v2 import (
    batches,
    changing_units,
    details,
    files,
    importing,
    parts,
    people,
    procedures,
    runs,
    units,
)

__all__ = ["HANDLERS"]

HANDLERS: tuple[HTTPRouteHandler, ...] = (
    *runs.HANDLERS,
    *procedures.HANDLERS,
    *files.HANDLERS,
    *units.HANDLERS,
    *changing_units.HANDLERS,
    *parts.HANDLERS,
    *batches.HANDLERS,
    *people.HANDLERS,
    *details.HANDLERS,
    *importing.HANDLERS,
)
"""The handlers that need a key, relative to ``/api/v2``."""

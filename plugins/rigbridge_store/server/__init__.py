"""
The store over HTTP: the v1 and v2 contracts, their OpenAPI document, and our additions.

Needs ``rigbridge[server]``; importing this package without it raises an error that
says how to install it.
"""

from __future__ import annotations

from rigbridge.errors import AdapterUnavailableError

try:
    import litestar as _litestar
    import uvicorn as _uvicorn
except ImportError as error:
    raise AdapterUnavailableError(error.name or "litestar", extra="server") from error

from rigbridge_store.server.app import create_app
from rigbridge_store.server.running import StoreServer, serve_store
from rigbridge_store.server.settings import ServerSettings

__all__ = ["ServerSettings", "StoreServer", "create_app", "serve_store"]

del _litestar, _uvicorn

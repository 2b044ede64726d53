"""The calls of the v1 contract."""

from rigbridge_store.server.calls import handlers_in
from rigbridge_store.server.v1 import files, runs

__all__ = ["HANDLERS"]

HANDLERS = handlers_in(runs, files)
"""The handlers that need a key, relative to ``/api/v1``."""

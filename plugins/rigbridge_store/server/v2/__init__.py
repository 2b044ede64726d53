"""
The v2 calls, with the bodies that the typed models of ``tofupilot.v2`` define.

A v2 run becomes a run of the model like any other: what v1 has no field for (structured
validators, aggregations, axes, sequences) is kept in attributes and metadata, so that
exports and pages know it as well, and v2 gives it back as it came.
"""

from rigbridge_store.server.calls import handlers_in
from rigbridge_store.server.v2 import (
    batches,
    details,
    files,
    imports,
    parts,
    procedures,
    runs,
    stations,
    units,
)

__all__ = ["HANDLERS"]

HANDLERS = handlers_in(
    runs, procedures, files, units, parts, batches, stations, details, imports
)
"""The handlers that need a key, relative to ``/api/v2``."""

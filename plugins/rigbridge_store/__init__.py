"""
The embedded run store: one service layer, with doors in process and over HTTP.

- :class:`RunStore` is the service: validation, persistence, keys and uploads,
- :mod:`rigbridge_store.destination` is its door in process,
- :mod:`rigbridge_store.server` is its HTTP door, and needs ``rigbridge[server]``.
"""

from rigbridge_store.access.principals import Principal, PrincipalKind
from rigbridge_store.intake.policies import CreationPolicy, PartNumbers
from rigbridge_store.results import CreatedRun, StoredBlob, StoredFile, UploadTicket
from rigbridge_store.store import RunStore

__all__ = [
    "CreatedRun",
    "CreationPolicy",
    "PartNumbers",
    "Principal",
    "PrincipalKind",
    "RunStore",
    "StoredBlob",
    "StoredFile",
    "UploadTicket",
]

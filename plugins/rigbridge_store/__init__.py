"""
The embedded run store: one service layer, used in process and over HTTP.

- :class:`RunStore` is the service: validation, persistence, keys and uploads,
- :mod:`rigbridge_store.destination` is its door in process,
- :mod:`rigbridge_store.server` is its HTTP door, and needs ``rigbridge[server]``.
"""

from typing import TYPE_CHECKING

from rigbridge.machine.deferred import deferred_names

if TYPE_CHECKING:
    from rigbridge.hosting import KeyKind
    from rigbridge_store.access.principals import Principal
    from rigbridge_store.intake.policies import CreationPolicy, PartNumbers
    from rigbridge_store.results import (
        CreationResult,
        StoredContent,
        StoredFile,
        UploadTicket,
    )
    from rigbridge_store.store import RunStore

__all__ = [
    "CreationPolicy",
    "CreationResult",
    "KeyKind",
    "PartNumbers",
    "Principal",
    "RunStore",
    "StoredContent",
    "StoredFile",
    "UploadTicket",
]

__getattr__ = deferred_names(
    __name__,
    {
        "access.principals": "KeyKind Principal",
        "intake.policies": "CreationPolicy PartNumbers",
        "results": "CreationResult StoredContent StoredFile UploadTicket",
        "store": "RunStore",
    },
)

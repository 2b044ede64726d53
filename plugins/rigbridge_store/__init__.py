"""
The embedded run store: one service layer, with doors in process and over HTTP.

- :class:`RunStore` is the service: validation, persistence, keys and uploads,
- :mod:`rigbridge_store.destination` is its door in process,
- :mod:`rigbridge_store.server` is its HTTP door, and needs ``rigbridge[server]``.
"""

from typing import TYPE_CHECKING

from rigbridge.hosting import KeyKind
from rigbridge_store.access.principals import Principal
from rigbridge_store.intake.policies import CreationPolicy, PartNumbers
from rigbridge_store.results import (
    CreationResult,
    StoredContent,
    StoredFile,
    UploadTicket,
)

if TYPE_CHECKING:
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


def __getattr__(name: str) -> object:
    # A process that only prepares runs imports no table.
    if name != "RunStore":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from rigbridge_store.store import RunStore  # noqa: PLC0415 - see above

    globals()[name] = RunStore
    return RunStore

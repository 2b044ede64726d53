"""
A run store of the v1 contract on loopback that fails on demand, for tests.

It needs no test framework: :class:`RunStoreServer` is a context manager.
"""

from rigbridge.testing.run_store.faults import (
    CreateShape,
    Dialect,
    Fault,
    ListShape,
    Operation,
)
from rigbridge.testing.run_store.records import (
    ReceivedRequest,
    ReceivedUpload,
    StoredRun,
)
from rigbridge.testing.run_store.server import RunStoreServer

__all__ = [
    "CreateShape",
    "Dialect",
    "Fault",
    "ListShape",
    "Operation",
    "ReceivedRequest",
    "ReceivedUpload",
    "RunStoreServer",
    "StoredRun",
]

"""
The pytest plugin of rigbridge.

It offers the fixture ``run_store_server``.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rigbridge.testing.run_store.server import RunStoreServer

__all__ = ["run_store_server"]


@pytest.fixture
def run_store_server() -> Generator[RunStoreServer, None, None]:
    """Run a store of the v1 contract on loopback that fails on demand."""
    # Every pytest of an installation loads this plugin; few need the server.
    from rigbridge.testing.run_store.server import (
        RunStoreServer,
    )

    with RunStoreServer() as server:
        yield server

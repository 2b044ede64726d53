"""A run store that fails on demand, and runs for it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from rigbridge.client import Client
from rigbridge.client.destination import HTTPDestination
from rigbridge.destinations import DestinationSettings
from rigbridge.testing.run_store.server import RunStoreServer

Serve: TypeAlias = Callable[..., RunStoreServer]
Connect: TypeAlias = Callable[..., Client]
Reach: TypeAlias = Callable[..., HTTPDestination]


@pytest.fixture(autouse=True)
def in_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the data folder that settings name as ``Path()`` be the test's own."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(name="connect")
def _connect(opened: ExitStack) -> Connect:
    """Make clients of a store, and close them with the test."""

    def connect(server: RunStoreServer, **options: Any) -> Client:
        settings = {"timeout": 5.0, "api_key": server.api_key, **options}
        return opened.enter_context(Client(server.url, **settings))

    return connect


@pytest.fixture(name="client")
def _client(connect: Connect, server: RunStoreServer) -> Client:
    return connect(server)


@pytest.fixture(name="reach")
def _reach(opened: ExitStack) -> Reach:
    """Make destinations of a store, and close them with the test."""

    def reach(server: RunStoreServer, **options: Any) -> HTTPDestination:
        settings = {
            "timeout": 5.0,
            "api_key": server.api_key,
            "concurrency": 1,  # what is not about it sees one request after the other
            **options,
        }
        destination = HTTPDestination(
            DestinationSettings(data=Path(), url=server.url, **settings)
        )
        opened.callback(destination.close)
        return destination

    return reach

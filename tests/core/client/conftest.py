"""A run store that fails on demand, and runs for it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

import pytest

from rigbridge.client import Client
from rigbridge.client.destination import HTTPDestination
from rigbridge.destinations import DestinationSettings
from rigbridge.model import Attachment, ProcedureRef, Run, RunOutcome, Unit
from rigbridge.testing.run_store_faults import Dialect
from rigbridge.testing.run_store_server import RunStoreServer

Serve: TypeAlias = Callable[..., RunStoreServer]
Connect: TypeAlias = Callable[..., Client]
Reach: TypeAlias = Callable[..., HTTPDestination]

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(name="opened")
def _opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture(name="serve")
def _serve(opened: ExitStack) -> Serve:
    """Start stores of any dialect, and stop them with the test."""

    def serve(**dialect: Any) -> RunStoreServer:
        return opened.enter_context(RunStoreServer(Dialect(**dialect)))

    return serve


@pytest.fixture(name="server")
def _server(serve: Serve) -> RunStoreServer:
    return serve()


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
        settings = {"timeout": 5.0, "api_key": server.api_key, **options}
        destination = HTTPDestination(
            DestinationSettings(data=Path(), url=server.url, **settings)
        )
        opened.callback(destination.close)
        return destination

    return reach


@pytest.fixture(name="make_run")
def _make_run() -> Callable[..., Run]:
    """Make runs that v1 carries whole, each with a start of its own."""
    start = datetime(2026, 3, 4, 5, 6, 7, 891_000, tzinfo=UTC)
    numbers = count()

    def make_run(**fields: Any) -> Run:
        given = {
            "id": uuid4(),
            "outcome": RunOutcome.PASS,
            "procedure": ProcedureRef(name="Final test"),
            "unit": Unit(serial_number="SN-0001"),
            "started_at": start + timedelta(seconds=next(numbers)),
            **fields,
        }
        return Run(**given)

    return make_run


@pytest.fixture(name="make_file")
def _make_file() -> Callable[..., Attachment]:
    """Make attachments of bytes in memory."""

    def make_file(name: str, content: bytes, **fields: Any) -> Attachment:
        given = {"size": len(content), "opener": lambda: io.BytesIO(content), **fields}
        return Attachment(name=name, **given)

    return make_file

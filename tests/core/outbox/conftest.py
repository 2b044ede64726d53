"""An outbox before a run store that fails on demand."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from rigbridge.client.destination import HTTPDestination
from rigbridge.destinations import DestinationSettings
from rigbridge.model import Attachment, ProcedureRef, Run, RunOutcome, Unit
from rigbridge.outbox import Outbox
from rigbridge.testing.run_store_faults import Dialect
from rigbridge.testing.run_store_server import RunStoreServer

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(name="opened")
def _opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture(name="serve")
def _serve(opened: ExitStack) -> Callable[..., RunStoreServer]:
    """Start stores of any dialect, and stop them with the test."""

    def serve(**dialect: Any) -> RunStoreServer:
        return opened.enter_context(RunStoreServer(Dialect(**dialect)))

    return serve


@pytest.fixture(name="server")
def _server(serve: Callable[..., RunStoreServer]) -> RunStoreServer:
    return serve()


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


@pytest.fixture(name="open_outbox")
def _open_outbox(opened: ExitStack, folder: Path) -> Callable[..., Outbox]:
    """Open the outbox of the test's folder, and close it with the test."""

    def open_outbox(server: RunStoreServer, **options: Any) -> Outbox:
        settings = DestinationSettings(
            data=folder,
            url=server.url,
            **{"api_key": server.api_key, "timeout": 5.0, **options},
        )
        return opened.enter_context(
            Outbox.open(folder, partial(HTTPDestination, settings))
        )

    return open_outbox


@pytest.fixture(name="outbox")
def _outbox(open_outbox: Callable[..., Outbox], server: RunStoreServer) -> Outbox:
    return open_outbox(server)


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

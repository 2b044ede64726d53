"""An outbox before a run store that fails on demand."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rigbridge.client.destination import HTTPDestination
from rigbridge.destinations import DestinationSettings
from rigbridge.outbox import Outbox
from rigbridge.testing.run_store.server import RunStoreServer


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
            **{"api_key": server.api_key, "timeout": 60.0, **options},
        )
        return opened.enter_context(
            Outbox.open(folder, partial(HTTPDestination, settings))
        )

    return open_outbox


@pytest.fixture(name="outbox")
def _outbox(open_outbox: Callable[..., Outbox], server: RunStoreServer) -> Outbox:
    return open_outbox(server)

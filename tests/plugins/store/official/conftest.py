"""
A server, and the official v2 client with a user's and a station's key.

One server of each kind serves all tests, so the names of a test's rows are its own:
``unique`` makes them.
"""

from __future__ import annotations

import importlib
import itertools
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from rigbridge_store import RunStore

_numbers = itertools.count(1)

STARTED = datetime(2026, 1, 15, 10, 35, tzinfo=UTC)


@attrs.frozen(kw_only=True)
class Official:
    """
    What the tests share.

    Attributes:
        store: the store behind the server.
        url: the server's origin.
        user: the official client with the key of a user.
        station: the same with the key of a station, which is linked to the procedure.
        procedure: the id of a procedure.
        errors: the official client's classes of errors.
        keys: the keys of both.
    """

    store: RunStore
    url: str
    user: Any
    station: Any
    procedure: str
    errors: Any
    keys: dict[str, str]

    def client(self, key: str) -> Any:
        """Make another client."""
        return _client(self.url, key)

    def run(self, client: Any = None, **changes: Any) -> str:
        """Create a run; the keyword arguments replace those of a plain one."""
        values: dict[str, Any] = {
            "serial_number": unique("SN"),
            "procedure_id": self.procedure,
            "part_number": "PCB-1",
            "outcome": "PASS",
            "started_at": STARTED,
            "ended_at": STARTED + timedelta(minutes=5),
            **changes,
        }
        values = {name: value for name, value in values.items() if value is not ...}
        return str((client or self.user).runs.create(**values).id)

    def unit(self, client: Any = None) -> tuple[str, str]:
        """Create a unit of a part of its own; give its id and its serial number."""
        client = client or self.user
        part, serial = unique("PART"), unique("UNIT")
        client.parts.create(number=part, revision_number="B")
        made = client.units.create(
            serial_number=serial, part_number=part, revision_number="B"
        )
        return str(made.id), serial


def unique(text: str) -> str:
    """Make a name that no other test uses."""
    return f"{text}-{next(_numbers)}"


def _client(url: str, key: str) -> Any:
    sdk = importlib.import_module("tofupilot.v2")
    return sdk.TofuPilot(api_key=key, server_url=f"{url}/api")


@pytest.fixture(scope="session", autouse=True)
def _silent() -> Iterator[None]:
    """Keep the client from calling home; read when it is first imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISABLE_TELEMETRY", "true")
        yield


@pytest.fixture(name="unique", scope="session")
def unique_() -> Callable[[str], str]:
    """Give what makes names that no other test uses."""
    return unique


@pytest.fixture(scope="session")
def official(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    serving: Callable[..., Any],
) -> Iterator[Official]:
    """
    Serve a store to both clients, on SQLite unless a test asks for both databases.

    Those ask whose answers the database makes, as it filters and sorts; the others are
    about bodies, and what they write is tested on both beside this folder.
    """
    database = None
    if getattr(request, "param", "sqlite") == "postgresql":
        database = request.getfixturevalue("new_database")()
    folder = tmp_path_factory.mktemp("official")
    with RunStore.open(folder / "data", database=database) as store:
        keys = {
            "user": store.create_user_key("Jane", email="jane@example.com"),
            "station": store.create_station_key("Line 1"),
        }
        with serving(store, keys["user"]) as api:
            url = str(api.base_url).rstrip("/")
            user = _client(url, keys["user"])
            procedure = str(user.procedures.create(name="Function Test").id)
            store.administration.link_station("Line 1", procedure)
            yield Official(
                store=store,
                url=url,
                user=user,
                station=_client(url, keys["station"]),
                procedure=procedure,
                errors=importlib.import_module("tofupilot.v2.errors"),
                keys=keys,
            )


@pytest.fixture
def bare(official: Official) -> Iterator[httpx.Client]:
    """Give a bare client with the user's key."""
    headers = {"Authorization": f"Bearer {official.keys['user']}"}
    with httpx.Client(base_url=official.url, headers=headers, timeout=30) as client:
        yield client


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Make a file to send."""
    path = tmp_path / "scope.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + os.urandom(64))
    return path

"""Stores, servers and bodies for the tests of the embedded store."""

from __future__ import annotations

import copy
import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest
import sqlalchemy as sa

from rigbridge.wire import CreateRun, decode, encode, from_builtins, to_builtins
from rigbridge_store import RunStore
from rigbridge_store.server import ServerSettings, StoreServer, app
from rigbridge_store.tables.schema import metadata

BodyMaker: TypeAlias = Callable[..., CreateRun]
"""Makes the body of a create call; keyword arguments replace its keys."""

JSONMaker: TypeAlias = Callable[..., dict[str, Any]]
"""Makes the same as JSON values."""

Serving: TypeAlias = Callable[..., Any]
"""Serves a store within a with statement; gives a client that shows a key."""


def _document(**changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = {
        "unit_under_test": {"serial_number": "SN-1", "part_number": "PCB-1"},
        "run_passed": True,
        "procedure_name": "Function Test",
        "started_at": "2024-01-15T10:35:00Z",
        "duration": "PT2M30S",
        "phases": [
            {
                "name": "Power",
                "outcome": "PASS",
                "start_time_millis": 1705314900000,
                "end_time_millis": 1705314901500,
                "measurements": [
                    {
                        "name": "Voltage",
                        "outcome": "PASS",
                        "measured_value": 3.3,
                        "units": "V",
                        "lower_limit": 3,
                        "upper_limit": 3.6,
                    }
                ],
            }
        ],
    }
    document.update(changes)
    return {key: value for key, value in document.items() if value is not ...}


@pytest.fixture(scope="session", autouse=True)
def _routes_are_built_once() -> Iterator[None]:
    """
    Build the routes of the server once a process.

    The framework takes 0.3 s for them, and a thousand tests have a server each. What an
    application holds for its store is that of its own copy.
    """
    built = functools.cache(app.build_routes)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(app, "build_routes", lambda size: copy.copy(built(size)))
        yield


@pytest.fixture(scope="session", autouse=True)
def _tables_are_spelled_once() -> Iterator[None]:
    """
    Spell the tables of a new store once a process and kind of database.

    That takes a third of what a small test of a store does, a thousand times.
    """
    create_all = metadata.create_all

    @functools.cache
    def spelled(name: str) -> list[str]:
        found: list[str] = []

        def keep(statement: Any, *_: object, **__: object) -> None:
            found.append(str(statement.compile(dialect=engine.dialect)))

        engine = sa.create_mock_engine(f"{name}://", keep)
        create_all(engine, checkfirst=False)
        return found

    def create(connection: sa.Connection, **options: Any) -> None:
        if options:
            # A migration makes them as it was written for.
            create_all(connection, **options)
            return
        dialect = connection.dialect
        for statement in spelled(f"{dialect.name}+{dialect.driver}"):
            connection.exec_driver_sql(statement)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(metadata, "create_all", create)
        yield


@pytest.fixture
def make_json() -> JSONMaker:
    """Give the maker of create bodies as JSON values; ``...`` takes a key away."""
    return _document


@pytest.fixture
def make_body() -> BodyMaker:
    """Give the maker of create bodies; ``...`` takes a key away."""

    def make(**changes: Any) -> CreateRun:
        return from_builtins(_document(**changes), CreateRun)

    return make


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Name a data folder that is not there yet."""
    return tmp_path / "store data"


@pytest.fixture
def store(data: Path, database: str | None) -> Iterator[RunStore]:
    """Open a new store."""
    with RunStore.open(data, database=database) as opened:
        yield opened


@contextmanager
def _serving(
    store: RunStore, key: str | None = None, **settings: Any
) -> Iterator[httpx.Client]:
    server = StoreServer(store, port=0, settings=ServerSettings(**settings))
    up = threading.Event()
    thread = threading.Thread(target=server.run, args=(lambda _: up.set(),))
    thread.start()
    try:
        assert up.wait(30), "the server did not come up"
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=server.url, headers=headers, timeout=30) as client:
            yield client
    finally:
        server.stop()
        thread.join(30)
        assert not thread.is_alive(), "the server did not stop"


@pytest.fixture(scope="session")
def serving() -> Serving:
    """Serve a store on a real socket of this machine, in a thread."""
    return _serving


@pytest.fixture
def api(store: RunStore) -> Iterator[httpx.Client]:
    """Serve the store, and give a client with a user's key."""
    with _serving(store, store.create_user_key("Jane")) as client:
        yield client


@pytest.fixture
def as_json() -> Callable[[Any], Any]:
    """Give what turns a wire object into JSON values."""
    return to_builtins


@pytest.fixture
def through_json() -> Callable[[CreateRun], CreateRun]:
    """Give what sends a body through JSON and back."""
    return lambda body: decode(encode(body), CreateRun)

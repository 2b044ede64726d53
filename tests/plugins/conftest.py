"""
A real PostgreSQL for the tests of the store.

It is started from the binaries of this machine (Debian: ``postgresql``) at a port, in a
folder and, where the tests run as root, as a user of its own, once a test session; each
test gets a database of its own, copied from one whose tables are there already.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rigbridge_store.tables.database import StoreDatabase

_USER = "postgres"
_TEMPLATE = "template_of_stores"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "timezone": "Asia/Kolkata",  # no time may depend on it
}
_ROOM = 2 << 30
_numbers = itertools.count()


def _binaries() -> Path:
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: int(path.parts[-3]),
    )
    found = installed[-1] if installed else shutil.which("initdb")
    if found is None:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    return Path(found).parent


def _memory() -> str | None:
    """
    Name a folder in memory for the cluster, if the machine has one with room.

    Each database is 300 files, and some disks take milliseconds to delete one.
    """
    memory = Path("/dev/shm")  # noqa: S108 - a name of mkdtemp's in it
    if not memory.is_dir() or shutil.disk_usage(memory).free < _ROOM:
        return None
    return str(memory)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


def _user() -> dict[str, Any]:
    """Tell as whom the server runs; it refuses to be root."""
    if os.geteuid() != 0:
        return {}
    try:
        owner = pwd.getpwnam(_USER)
    except KeyError:
        pytest.skip(f"PostgreSQL does not run as root, and there is no user {_USER}")
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """Run a server; give the address of its databases, without their names."""
    binaries, user = _binaries(), _user()
    folder = Path(tempfile.mkdtemp(prefix="rigbridge-postgresql-", dir=_memory()))
    cluster = folder / "cluster"
    port = _free_port()
    try:
        if user:
            os.chown(folder, user["user"], user["group"])
        subprocess.run(
            [
                *(binaries / "initdb", "--pgdata", cluster, "--username", _USER),
                *("--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8"),
                "--no-sync",
            ],
            check=True,
            capture_output=True,
            cwd=folder,
            **user,
        )
        settings = {**_SETTINGS, "port": port, "unix_socket_directories": folder}
        options = [f"--{name}={value}" for name, value in settings.items()]
        log = folder / "log"
        with (
            log.open("wb") as output,
            subprocess.Popen(
                [binaries / "postgres", "-D", cluster, *options],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                **user,
            ) as server,
        ):
            try:
                address = f"postgresql://{_USER}@127.0.0.1:{port}"
                _wait_for(address, server, log)
                yield address
            finally:
                # Nothing of it is kept, so it need not leave in order.
                server.send_signal(signal.SIGQUIT)
                server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(f"{address}/postgres").close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                words = log.read_text(errors="replace")
                raise RuntimeError(f"PostgreSQL did not start: {words}") from None
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="session")
def administer(postgresql_server: str) -> Callable[[str], None]:
    """Give what runs a statement beside all databases of stores."""

    def run(statement: str) -> None:
        with psycopg.connect(f"{postgresql_server}/postgres", autocommit=True) as admin:
            admin.execute(statement.encode())

    return run


@pytest.fixture(scope="session")
def new_database(
    postgresql_server: str,
    administer: Callable[[str], None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., str]:
    """Give what makes a database, with the tables of a store or empty."""

    def make(*, empty: bool = False) -> str:
        name = f"store_{next(_numbers)}"
        source = "template0" if empty else _TEMPLATE
        administer(f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY file_copy")
        return f"{postgresql_server}/{name}"

    administer(f"CREATE DATABASE {_TEMPLATE} TEMPLATE template0")
    folder = tmp_path_factory.mktemp("template")
    StoreDatabase(folder, f"{postgresql_server}/{_TEMPLATE}").close()
    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """
    Give the address of a new database, or None for a file in the data folder.

    A test runs once with each, unless it chooses: what is about the file says
    ``@pytest.mark.parametrize("database", ["sqlite"], indirect=True)``.
    """
    if request.param == "sqlite":
        yield None
        return
    make: Callable[..., str] = request.getfixturevalue("new_database")
    address = make()
    yield address
    # At once, since six hundred of them would fill the memory.
    name = address.rpartition("/")[2]
    request.getfixturevalue("administer")(f"DROP DATABASE {name} WITH (FORCE)")

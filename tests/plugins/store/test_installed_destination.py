"""The local destination as it is installed, and opened by its name."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rigbridge.configuration import Configuration
from rigbridge.destinations import DestinationSettings, ReadableDestination
from rigbridge.destinations.selection import RunSelection
from rigbridge.errors import ConfigurationError
from rigbridge.hosting import HostedDestination, KeyKind
from rigbridge.model import Attachment
from rigbridge.opening import open_destination
from rigbridge_store.destination import LocalDestination

_START = datetime(2024, 1, 15, 10, 35, 0, 123456, tzinfo=UTC)


@pytest.fixture
def local(data: Path) -> Iterator[LocalDestination]:
    """Make a destination of a new folder."""
    destination = LocalDestination(DestinationSettings(data=data))
    yield destination
    destination.close()


def test_what_reads_makes_no_store(data: Path) -> None:
    """A misspelled folder is refused by everything that only reads or changes."""
    local = LocalDestination(DestinationSettings(data=data))
    calls: list[Callable[[], object]] = [
        lambda: local.list_runs("SN"),
        lambda: local.recent_runs(1),
        lambda: local.get_run("x"),
        lambda: local.open_attachment("x"),
        lambda: local.attach("x", Attachment(name="a")),
        local.list_keys,
        lambda: local.revoke_key("x"),
        lambda: local.link_station("a", "b"),
        lambda: next(iter(local.read_runs(RunSelection()))),
        lambda: local.back_up(data / "copy"),
        local.check,
        lambda: local.prune(_START),
    ]
    for call in calls:
        with pytest.raises(ConfigurationError, match="there is no store"):
            call()
    assert not data.exists()


class TestContract:
    """What the destination is."""

    def test_plugin(self, data: Path) -> None:
        """The configuration opens it under the name ``local``."""
        destination = open_destination(
            Configuration(destination_settings=DestinationSettings(data=data))
        )
        assert isinstance(destination, LocalDestination)
        assert isinstance(destination, ReadableDestination)
        assert isinstance(destination, HostedDestination)

    def test_lazy(self, data: Path) -> None:
        """Nothing is made before the first call."""
        destination = LocalDestination(DestinationSettings(data=data))
        destination.close()
        assert not data.exists()

    def test_closed_twice(self, local: LocalDestination) -> None:
        """It may be closed twice, and used again after."""
        local.create_key(KeyKind.USER, "Jane")
        local.close()
        local.close()
        assert local.recent_runs(1) == []

    def test_keys(self, local: LocalDestination) -> None:
        """It makes keys of both kinds, and links stations."""
        user = local.create_key(KeyKind.USER, "Jane")
        station = local.create_key(KeyKind.STATION, "Line 1")
        local.link_station("Line 1", "Battery")
        assert not local.store.authenticate(user).is_station
        assert local.store.authenticate(station).is_station

    def test_core_without_the_server(self) -> None:
        """Importing the destination imports no HTTP library."""
        script = (
            "import sys, rigbridge_store.destination;"
            "print([n for n in ('litestar', 'uvicorn', 'httpx') if n in sys.modules])"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, check=True, text=True
        )
        assert done.stdout.strip() == "[]"

    def test_server_without_its_library(self) -> None:
        """Importing the server without its library says how to install it."""
        script = (
            "import sys; sys.modules['litestar'] = None;"
            "from rigbridge.errors import AdapterUnavailableError\n"
            "try: import rigbridge_store.server\n"
            "except AdapterUnavailableError as error: print(error)"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, check=True, text=True
        )
        assert "'litestar' is not installed" in done.stdout
        assert "pip install 'rigbridge[server]'" in done.stdout

"""The API key stays a secret: everything a whole exercise leaves behind is searched."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from rigbridge.client import Client
from rigbridge.client.async_destination import AsyncHTTPDestination
from rigbridge.client.destination import HTTPDestination
from rigbridge.configuration import load_configuration
from rigbridge.destinations import DestinationSettings
from rigbridge.errors import ConfigurationError, RigbridgeError
from rigbridge.model import Attachment, Run
from rigbridge.outbox import Outbox
from rigbridge.testing.run_store.faults import Dialect, Fault, Operation
from rigbridge.testing.run_store.server import RunStoreServer

MakeRun = Callable[..., Run]
MakeFile = Callable[..., Attachment]

_KEY = "tp-5ecret-0f-the-station"
# Faults that are over at once, and whose errors may quote what was sent.
_FAULTS = [
    fault
    for fault in Fault
    if not fault.value.startswith("slow")
    and fault not in (Fault.EXPIRED_UPLOAD_URL, Fault.TRUNCATED_UPLOAD)
]


@pytest.fixture(name="store", params=[Dialect(), Dialect(old_errors=True)])
def _store(request: pytest.FixtureRequest) -> Iterator[RunStoreServer]:
    with RunStoreServer(request.param, api_key=_KEY) as server:
        yield server


@pytest.fixture(name="everything")
def _everything(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Collect what is shown; every library logs all that it has to say."""
    caplog.set_level(logging.DEBUG)
    return []


def _record(everything: list[str], error: BaseException) -> None:
    everything += [str(error), repr(error), *traceback.format_exception(error)]
    everything += [repr(vars(error))]


def _settings(store: RunStoreServer, key: str = _KEY) -> DestinationSettings:
    return DestinationSettings(data=Path(), url=store.url, api_key=key, timeout=60.0)


def _written(folder: Path) -> Iterator[bytes]:
    return (path.read_bytes() for path in folder.rglob("*") if path.is_file())


class TestKey:
    """Where it is not to be found."""

    def test_nothing_that_a_delivery_leaves_behind_holds_it(
        self,
        store: RunStoreServer,
        make_run: MakeRun,
        make_file: MakeFile,
        everything: list[str],
        tmp_path: Path,
        *,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        """Not the logs, the output, the errors, the outbox, or what the store got."""
        settings = _settings(store)
        outbox = Outbox.open(tmp_path / "outbox", partial(HTTPDestination, settings))
        destination = HTTPDestination(settings)
        everything += [repr(settings), repr(destination), repr(vars(destination))]
        for fault in _FAULTS:
            store.inject(fault, on=Operation.CREATE)
            run = make_run(attachments=[make_file("a", b"1")])
            outbox.submit(run)
            try:
                destination.submit(run)
            except RigbridgeError as error:
                _record(everything, error)
        store.heal()
        assert outbox.flush(60) == 0
        everything += [repr(entry) for entry in outbox.entries()]
        outbox.close()
        destination.close()
        assert store.runs
        everything += [caplog.text, *capfd.readouterr()]
        everything += [repr(run.body) for run in store.runs]
        everything += [request.target for request in store.requests]
        assert _KEY not in "\n".join(everything)
        files = list(_written(tmp_path))
        assert files
        assert not any(_KEY.encode() in content for content in files)

    def test_only_calls_to_the_store_carry_it(
        self, store: RunStoreServer, make_run: MakeRun, make_file: MakeFile
    ) -> None:
        """Each call has it in its one header, and no PUT to a granted address has."""
        destination = HTTPDestination(_settings(store))
        destination.submit(make_run(attachments=[make_file("a", b"1")]))
        destination.close()
        for request in store.requests:
            holders = [name for name, value in request.headers.items() if _KEY in value]
            expected = [] if request.operation == Operation.STORE else ["authorization"]
            assert holders == expected

    def test_a_key_that_the_store_quotes_is_blotted_out(
        self,
        store: RunStoreServer,
        make_run: MakeRun,
        everything: list[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """A refused key is shown neither by the blocking client nor by the other."""
        wrong = "wr0ng-and-still-secret"

        async def send() -> None:
            """Send with a key that is refused."""
            destination = AsyncHTTPDestination(_settings(store, wrong))
            try:
                await destination.submit(make_run())
            finally:
                await destination.close()

        with pytest.raises(RigbridgeError) as caught:
            asyncio.run(send())
        _record(everything, caught.value)
        with (
            Client(store.url, wrong) as client,
            pytest.raises(RigbridgeError) as caught,
        ):
            client.list_runs("SN")
        _record(everything, caught.value)
        assert "[API key]" in str(caught.value)
        assert wrong not in "\n".join([*everything, caplog.text])

    def test_the_grant_of_an_upload_is_not_logged(
        self,
        store: RunStoreServer,
        make_run: MakeRun,
        make_file: MakeFile,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """The address lets anyone write for a minute, so it is a secret as well."""
        caplog.set_level(logging.INFO)
        destination = HTTPDestination(_settings(store))
        destination.submit(make_run(attachments=[make_file("a", b"1")]))
        destination.close()
        assert store.uploads[0].content == b"1"
        assert store.uploads[0].grant not in caplog.text

    def test_a_configuration_does_not_show_it(
        self, tmp_path: Path, everything: list[str]
    ) -> None:
        """Nor does a refusal of a file that holds one."""
        made = load_configuration(
            environment={
                "RIGBRIDGE_TO": "https://store.example.com",
                "RIGBRIDGE_API_KEY": _KEY,
            }
        )
        everything += [repr(made), repr(made.destination_settings)]
        path = tmp_path / "rigbridge.toml"
        path.write_text(f'api_key = "{_KEY}"')
        with pytest.raises(ConfigurationError) as caught:
            load_configuration(file=path, environment={})
        _record(everything, caught.value)
        assert _KEY not in "\n".join(everything)

"""The client for programs with an event loop, against a real server that fails."""

from __future__ import annotations

import asyncio
import inspect
import io
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import IO, TypeVar

import pytest

from rigbridge.client import AsyncClient, Client
from rigbridge.client.async_destination import AsyncHTTPDestination
from rigbridge.client.destination import HTTPDestination
from rigbridge.destinations import (
    Destination,
    DestinationSettings,
    Progress,
    ReadableDestination,
)
from rigbridge.destinations.administration import AdministeredDestination
from rigbridge.destinations.contract import ReplacingDestination, ShowingDestination
from rigbridge.errors import (
    ConfigurationError,
    ConflictError,
    DeliveryError,
    NoAnswerError,
    NotFoundError,
    PermanentError,
    ServerUnavailableError,
    TooLargeError,
    UnauthorizedError,
    UnexpectedAnswerError,
)
from rigbridge.model import Attachment, Run
from rigbridge.testing.run_store.faults import Fault, ListShape, Operation
from rigbridge.testing.run_store.server import RunStoreServer
from rigbridge.wire import CreateRun, WireUnit

Serve = Callable[..., RunStoreServer]
MakeRun = Callable[..., Run]
MakeFile = Callable[..., Attachment]

_T = TypeVar("_T")


def _body(serial_number: str = "SN-1") -> CreateRun:
    return CreateRun(
        unit_under_test=WireUnit(serial_number=serial_number),
        run_passed=True,
        procedure_name="Final test",
    )


def _opener(content: bytes) -> Callable[[], IO[bytes]]:
    return lambda: io.BytesIO(content)


def _use(server: RunStoreServer, action: Callable[[AsyncClient], Awaitable[_T]]) -> _T:
    async def use() -> _T:
        async with AsyncClient(server.url, server.api_key, timeout=60.0) as client:
            return await action(client)

    return asyncio.run(use())


class TestTwins:
    """Both kinds of client are the same to their user."""

    @pytest.mark.parametrize(
        ("blocking", "awaited"),
        [(Client, AsyncClient), (HTTPDestination, AsyncHTTPDestination)],
    )
    def test_they_have_the_same_methods(self, blocking: type, awaited: type) -> None:
        """Each method of the one is there in the other, with the same parameters."""

        def methods(kind: type) -> dict[str, list[str]]:
            return {
                name: list(inspect.signature(member).parameters)
                for name, member in inspect.getmembers(kind, inspect.isfunction)
                if not name.startswith("_") or name == "__init__"
            }

        # What reads a store and looks after it is there for commands, which wait.
        commands = {
            name
            for protocol in (
                AdministeredDestination,
                ReadableDestination,
                ReplacingDestination,
                ShowingDestination,
            )
            for name in methods(protocol)
        } - methods(Destination).keys()
        offered = methods(blocking)
        assert {name: offered[name] for name in offered.keys() - commands} == methods(
            awaited
        )
        assert inspect.iscoroutinefunction(inspect.getattr_static(awaited, "close"))


class TestCalls:
    """Each call once."""

    def test_a_run_with_a_file_goes_through_all_calls(
        self, server: RunStoreServer
    ) -> None:
        """Created, listed, given a file, its unit described, deleted."""

        async def everything(client: AsyncClient) -> None:
            """Make each call."""
            created = await client.create_run(_body(), idempotency_key=None)
            await client.create_run(_body("SN-2"), idempotency_key=None)
            upload = await client.upload("a.bin", None, None, _opener(bytes(600_000)))
            await client.link(str(created.id), [upload])
            (listed,) = await client.list_runs("SN-1")
            assert listed.id == created.id
            assert server.attachments(listed.id) == [("a.bin", bytes(600_000))]
            await client.update_unit("SN-1", ["SN-2"])
            report = await client.upload("r.json", None, 2, _opener(b"{}"))
            await client.import_report(report, "OPENHTF")
            assert await client.capabilities() is None
            await client.delete_run(listed.id)

        _use(server, everything)
        assert len(server.runs) == 2
        assert server.sub_units == {"SN-1": ["SN-2"]}

    @pytest.mark.parametrize("shape", ListShape)
    def test_every_shape_of_a_list_is_read(
        self, serve: Serve, shape: ListShape
    ) -> None:
        """Page by page where the store pages."""
        server = serve(listing=shape)

        async def fill_and_list(client: AsyncClient) -> int:
            """Fill more than a page."""
            for _ in range(60):
                await client.create_run(_body(), idempotency_key=None)
            return len(await client.list_runs("sn-1"))

        assert _use(server, fill_and_list) == 60

    @pytest.mark.parametrize("dialect", [{"update": False}, {"sync": False}])
    def test_linking_finds_the_call_that_there_is(
        self, serve: Serve, dialect: dict[str, bool]
    ) -> None:
        """It is found out once."""
        server = serve(**dialect)

        async def link_twice(client: AsyncClient) -> None:
            """Link two files, one after the other."""
            created = await client.create_run(_body(), idempotency_key=None)
            for name in ("a", "b"):
                upload = await client.upload(name, None, 1, _opener(b"1"))
                await client.link(str(created.id), [upload])

        _use(server, link_twice)
        assert server.attachments(server.runs[0].id) == [("a", b"1"), ("b", b"1")]

    def test_an_expired_address_is_asked_for_again(
        self, server: RunStoreServer
    ) -> None:
        """The file is sent from its start to the new address."""
        server.inject(Fault.EXPIRED_UPLOAD_URL, on=Operation.STORE)
        _use(server, lambda client: client.upload("a", None, 3, _opener(b"abc")))
        assert [upload.content for upload in server.uploads] == [None, b"abc"]

    @pytest.mark.parametrize(
        ("fault", "kind"),
        [
            (Fault.RESET, NoAnswerError),
            (Fault.CUT_ANSWER_AFTER, NoAnswerError),
            (Fault.UNAUTHORIZED, UnauthorizedError),
            (Fault.NOT_FOUND, NotFoundError),
            (Fault.CONFLICT, ConflictError),
            (Fault.TOO_LARGE, TooLargeError),
            (Fault.TOO_MANY_DATE, ServerUnavailableError),
            (Fault.BAD_GATEWAY_HTML, ServerUnavailableError),
            (Fault.WRONG_JSON_AFTER, UnexpectedAnswerError),
            (Fault.REDIRECT, UnexpectedAnswerError),
        ],
    )
    def test_failures_have_the_same_types(
        self, server: RunStoreServer, fault: Fault, kind: type[DeliveryError]
    ) -> None:
        """An error is decided by its type alone, whichever client met it."""
        server.inject(fault, on=Operation.CREATE)
        with pytest.raises(kind):
            _use(
                server, lambda client: client.create_run(_body(), idempotency_key=None)
            )

    def test_an_unreadable_file_is_named(self, server: RunStoreServer) -> None:
        """A missing file is told apart from a failing network."""

        def opener() -> IO[bytes]:
            raise FileNotFoundError(2, "No such file or directory")

        async def send(client: AsyncClient) -> None:
            """Send with and without a known size."""
            for size in (None, 5):
                with pytest.raises(PermanentError, match=r"a\.bin: cannot be read"):
                    await client.upload("a.bin", None, size, opener)

        _use(server, send)
        assert all(upload.content is None for upload in server.uploads)


class TestDestination:
    """Whole runs."""

    def _settings(self, server: RunStoreServer) -> DestinationSettings:
        return DestinationSettings(data=Path(), url=server.url, api_key=server.api_key)

    def test_a_run_is_stored_once_with_its_files(
        self, server: RunStoreServer, make_run: MakeRun, make_file: MakeFile
    ) -> None:
        """The same run again is found, and one more file can be added."""

        async def twice() -> None:
            """Send the same run twice."""
            destination = AsyncHTTPDestination(self._settings(server))
            run = make_run(attachments=[make_file("a", b"1")])
            first = await destination.submit(run)
            second = await destination.submit(run)
            assert (first.created, second.created) == (True, False)
            await destination.attach(first.stored_id, make_file("late", b"2"))
            assert len(await destination.list_runs("SN-0001")) == 1
            await destination.close()

        asyncio.run(twice())
        assert ("late", b"2") in server.attachments(server.runs[0].id)

    def test_progress_may_be_kept_by_a_coroutine(
        self, server: RunStoreServer, make_run: MakeRun, make_file: MakeFile
    ) -> None:
        """The next step waits until what is awaited is done."""
        kept: list[Progress] = []

        async def keep(progress: Progress) -> None:
            """Take a while."""
            await asyncio.sleep(0.01)
            kept.append(progress)

        async def send() -> None:
            """Send a run with two files."""
            destination = AsyncHTTPDestination(self._settings(server))
            run = make_run(attachments=[make_file("a", b"1"), make_file("b", b"2")])
            await destination.resume(run, Progress(), keep)
            await destination.close()

        asyncio.run(send())
        assert kept[0].sent
        assert [file.linked for file in kept[-1].files] == [True, True]

    def test_it_needs_an_address(self) -> None:
        """Without an address it says where to give one."""
        with pytest.raises(ConfigurationError, match="RIGBRIDGE_TO"):
            AsyncHTTPDestination(DestinationSettings(data=Path()))


class TestWholeRuns:
    """Submitting runs and attaching files."""

    def test_a_run_arrives_with_its_files(
        self,
        server: RunStoreServer,
        make_run: MakeRun,
        make_file: MakeFile,
        tmp_path: Path,
    ) -> None:
        """Submitted, given a further file, and listed."""
        run = make_run(attachments=[make_file("a", b"1")])
        (tmp_path / "b.txt").write_bytes(b"2")

        async def everything(client: AsyncClient) -> None:
            """Make each call."""
            run_id = await client.submit(run)
            await client.attach(run_id, str(tmp_path / "b.txt"))
            (found,) = await client.runs(run.unit.serial_number or "")
            assert found.id == run_id
            assert server.attachments(run_id) == [("a", b"1"), ("b.txt", b"2")]

        _use(server, everything)

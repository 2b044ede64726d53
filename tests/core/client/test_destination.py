"""Runs on their way to a run store that fails on demand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from rigbridge.client.destination import HTTPDestination
from rigbridge.destinations import (
    Destination,
    DestinationSettings,
    Progress,
    ReadableDestination,
    ResumableDestination,
)
from rigbridge.errors import (
    ConfigurationError,
    ConflictError,
    DeliveryError,
    NoAnswerError,
    RunProblemsError,
    ServerUnavailableError,
    TooLargeError,
    UnauthorizedError,
)
from rigbridge.model import Attachment, ProcedureRef, Run, Unit
from rigbridge.testing.run_store.faults import (
    CreateShape,
    Fault,
    ListShape,
    Operation,
)
from rigbridge.testing.run_store.server import RunStoreServer

Serve = Callable[..., RunStoreServer]

Reach = Callable[..., HTTPDestination]

MakeRun = Callable[..., Run]

MakeFile = Callable[..., Attachment]

_LOST_ANSWERS = [
    Fault.RESET_AFTER,
    Fault.CUT_ANSWER_AFTER,
    Fault.BAD_GATEWAY_HTML_AFTER,
    Fault.GATEWAY_TIMEOUT_AFTER,
    Fault.WRONG_JSON_AFTER,
]


class _Kept:
    """Keeps progress as an outbox does."""

    def __init__(self) -> None:
        self.steps: list[Progress] = [Progress()]

    def __call__(self, progress: Progress) -> None:
        self.steps.append(progress)

    @property
    def last(self) -> Progress:
        return self.steps[-1]


class TestContract:
    """What kind of destination it is."""

    def test_it_is_a_resumable_destination(
        self, server: RunStoreServer, reach: Reach
    ) -> None:
        """It fits the protocols; reading back is up to the store that it reaches."""
        destination = reach(server)
        assert isinstance(destination, Destination)
        assert isinstance(destination, ResumableDestination)
        assert isinstance(destination, ReadableDestination)

    def test_it_needs_an_address(self) -> None:
        """Without an address it says where to give one."""
        with pytest.raises(ConfigurationError, match="RIGBRIDGE_TO"):
            HTTPDestination(DestinationSettings(data=Path()))

    def test_its_key_is_not_shown(self, server: RunStoreServer, reach: Reach) -> None:
        """Neither it nor its settings show the key."""
        destination = reach(server)
        assert server.api_key not in f"{destination!r} {vars(destination)!r}"

    def test_it_lists_runs(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """The runs of a unit come back, whatever the case of its serial number."""
        destination = reach(server)
        receipt = destination.submit(make_run())
        assert [run.id for run in destination.list_runs("sn-0001")] == [
            receipt.stored_id
        ]


class TestSubmit:
    """Bringing a run to the store."""

    def test_a_run_with_its_files_arrives(
        self,
        server: RunStoreServer,
        reach: Reach,
        make_run: MakeRun,
        make_file: MakeFile,
    ) -> None:
        """Every file is linked to the run, in order and byte by byte."""
        files = [("a.txt", b"alpha"), ("b.bin", bytes(1000)), ("empty", b"")]
        run = make_run(attachments=[make_file(*file) for file in files])
        receipt = reach(server).submit(run)
        assert receipt.created
        assert receipt.attached == ("a.txt", "b.bin", "empty")
        assert not receipt.failures
        (stored,) = server.runs
        assert stored.id == receipt.stored_id
        assert stored.idempotency_key == str(run.id)
        assert server.attachments(stored.id) == files

    def test_the_sender_is_named(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """The store learns who sent a run."""
        reach(server).submit(make_run())
        assert server.runs[0].body["client"] == "rigbridge"

    @pytest.mark.parametrize("shape", CreateShape)
    def test_url_and_warnings_come_back(
        self, serve: Serve, reach: Reach, make_run: MakeRun, shape: CreateShape
    ) -> None:
        """A person gets the link and the store's remarks, where it gives them."""
        server = serve(create=shape)
        receipt = reach(server).submit(make_run())
        assert receipt.stored_id == server.runs[0].id
        if shape in (CreateShape.ID_WITH_201, CreateShape.URL_ONLY):
            assert receipt.url is not None
            assert receipt.stored_id in receipt.url
        if shape is CreateShape.ID_WITH_201:
            assert receipt.warnings == ("part_name is ignored",)

    def test_a_run_that_no_store_takes_is_not_sent(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """All problems of a run are told before anything is sent."""
        with pytest.raises(RunProblemsError) as caught:
            reach(server).submit(make_run(unit=Unit()))
        assert "serial number" in str(caught.value)
        assert not server.requests

    @pytest.mark.parametrize("listed", [True, False])
    @pytest.mark.parametrize("idempotent", [True, False])
    @pytest.mark.parametrize("shape", ListShape)
    def test_the_same_run_twice_is_stored_once(
        self,
        serve: Serve,
        reach: Reach,
        make_run: MakeRun,
        shape: ListShape,
        *,
        idempotent: bool,
        listed: bool,
    ) -> None:
        """A second destination that knows nothing of the first finds the run."""
        server = serve(
            listing=shape,
            idempotent=idempotent,
            capabilities={"idempotency_key": True} if idempotent else None,
            listed_attachments=listed,
        )
        run = make_run()
        first = reach(server).submit(run)
        second = reach(server).submit(run)
        assert second.stored_id == first.stored_id
        assert len(server.runs) == 1
        assert second.created is idempotent

    def test_files_that_the_store_lists_are_not_sent_again(
        self, serve: Serve, reach: Reach, make_run: MakeRun, make_file: MakeFile
    ) -> None:
        """A store that names the files of a run gets only the missing ones."""
        server = serve(listed_attachments=True)
        run = make_run(attachments=[make_file("a", b"1"), make_file("b", b"22")])
        server.inject(Fault.TOO_LARGE, on=Operation.STORE)
        first = reach(server).submit(run)
        assert first.attached == ("b",)
        second = reach(server).submit(run)
        assert second.attached == ("a", "b")
        assert server.attachments(first.stored_id) == [("b", b"22"), ("a", b"1")]

    @pytest.mark.parametrize("fault", _LOST_ANSWERS)
    @pytest.mark.parametrize("shape", ListShape)
    def test_a_lost_answer_is_found_again(
        self,
        serve: Serve,
        reach: Reach,
        make_run: MakeRun,
        make_file: MakeFile,
        *,
        fault: Fault,
        shape: ListShape,
    ) -> None:
        """A create that arrived without an answer is not sent again."""
        server = serve(listing=shape)
        server.inject(fault, on=Operation.CREATE)
        receipt = reach(server).submit(make_run(attachments=[make_file("a", b"1")]))
        assert receipt.stored_id == server.runs[0].id
        assert receipt.created
        assert receipt.attached == ("a",)
        assert server.count(Operation.CREATE) == 1

    def test_a_timeout_is_found_again(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """An answer that comes too late is looked up."""
        server.inject(Fault.SLOW_ANSWER_AFTER, on=Operation.CREATE, seconds=60)
        receipt = reach(server, timeout=0.2).submit(make_run())
        assert receipt.stored_id == server.runs[0].id

    @pytest.mark.parametrize("fault", [Fault.RESET, Fault.BAD_GATEWAY_HTML])
    def test_a_create_that_did_not_arrive_is_an_error(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun, fault: Fault
    ) -> None:
        """Sending again is left to whoever retries."""
        server.inject(fault, on=Operation.CREATE)
        with pytest.raises((NoAnswerError, ServerUnavailableError)):
            reach(server).submit(make_run())
        assert not server.runs
        assert server.count(Operation.CREATE) == 1

    def test_a_look_up_that_fails_is_noted_in_the_error(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """The first error stays the error, the second is told with it."""
        destination = reach(server)
        kept = _Kept()
        server.inject(Fault.RESET_AFTER, on=Operation.CREATE)
        # Before the create, and after it.
        server.inject(Fault.FORBIDDEN, on=Operation.LIST, times=2)
        with pytest.raises(NoAnswerError) as caught:
            destination.resume(make_run(), Progress(), kept)
        assert "403" in caught.value.__notes__[0]
        assert kept.last.sent

    def test_a_key_that_is_used_up_is_a_conflict(
        self, serve: Serve, reach: Reach, make_run: MakeRun
    ) -> None:
        """Another run under the same id is refused by the store, and told."""
        server = serve(idempotent=True, capabilities={"idempotency_key": True})
        run = make_run()
        destination = reach(server)
        destination.submit(run)
        other = attrs.evolve(run, procedure=ProcedureRef(name="Other"))
        with pytest.raises(ConflictError):
            destination.submit(other)
        assert len(server.runs) == 1

    def test_a_later_version_of_us_finds_its_run(
        self, serve: Serve, reach: Reach, make_run: MakeRun, monkeypatch: Any
    ) -> None:
        """A body that differs by our version only is the same run."""
        server = serve(idempotent=True, capabilities={"idempotency_key": True})
        run = make_run()
        first = reach(server).submit(run)
        monkeypatch.setattr("rigbridge.__version__", "99")
        second = reach(server).submit(run)
        assert second.stored_id == first.stored_id
        assert not second.created


class TestFiles:
    """Each file's fate is told."""

    def test_one_refused_file_does_not_keep_the_others(
        self, serve: Serve, reach: Reach, make_run: MakeRun, make_file: MakeFile
    ) -> None:
        """The file that is too large is named with the server's words."""
        server = serve(max_upload=3)
        run = make_run(
            attachments=[
                make_file("a", b"123"),
                make_file("big", b"1234"),
                make_file("c", b"3"),
            ]
        )
        receipt = reach(server).submit(run)
        assert receipt.attached == ("a", "c")
        (failure,) = receipt.failures
        assert failure.name == "big"
        assert isinstance(failure.error, TooLargeError)
        assert "No more than 3 bytes" in str(failure.error)

    @pytest.mark.parametrize(
        ("fault", "kind"),
        [
            (Fault.RESET, NoAnswerError),
            (Fault.TOO_MANY_SECONDS, ServerUnavailableError),
            (Fault.UNAUTHORIZED, UnauthorizedError),
        ],
    )
    def test_a_store_out_of_reach_is_not_tried_for_every_file(
        self,
        server: RunStoreServer,
        reach: Reach,
        make_run: MakeRun,
        make_file: MakeFile,
        *,
        fault: Fault,
        kind: type[DeliveryError],
    ) -> None:
        """All files are told to have failed, after one attempt."""
        run = make_run(attachments=[make_file(name, b"1") for name in "abc"])
        server.inject(fault, on=Operation.INITIALIZE)
        receipt = reach(server).submit(run)
        assert [failure.name for failure in receipt.failures] == ["a", "b", "c"]
        assert {type(failure.error) for failure in receipt.failures} == {kind}
        assert server.count(Operation.INITIALIZE) == 1

    def test_the_culprit_among_links_is_found(
        self,
        server: RunStoreServer,
        reach: Reach,
        make_run: MakeRun,
        make_file: MakeFile,
    ) -> None:
        """Where linking all at once is refused, each is linked by itself."""
        run = make_run(attachments=[make_file(name, b"1") for name in "abc"])
        # All at once, by itself, and after it was sent anew.
        server.inject(Fault.CONFLICT, on=Operation.UPDATE, times=3)
        receipt = reach(server).submit(run)
        assert receipt.attached == ("b", "c")
        assert [failure.name for failure in receipt.failures] == ["a"]
        assert isinstance(receipt.failures[0].error, ConflictError)

    def test_a_file_that_cannot_be_read_is_told(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun, tmp_path: Path
    ) -> None:
        """A file that is gone is a failure of that file."""
        path = tmp_path / "a.txt"
        path.write_text("x")
        attachment = Attachment.from_file(path)
        path.unlink()
        receipt = reach(server).submit(make_run(attachments=[attachment]))
        assert "cannot be read" in str(receipt.failures[0].error)

    def test_attach_adds_a_file_once(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun, tmp_path: Path
    ) -> None:
        """The same file twice is linked once."""
        path = tmp_path / "a.txt"
        path.write_text("x")
        attachment = Attachment.from_file(path)
        destination = reach(server)
        stored_id = destination.submit(make_run()).stored_id
        destination.attach(stored_id, attachment)
        destination.attach(stored_id, attachment)
        assert server.attachments(stored_id) == [("a.txt", b"x")]

    def test_attach_needs_bytes(self, server: RunStoreServer, reach: Reach) -> None:
        """A mere reference cannot be attached."""
        with pytest.raises(ConfigurationError, match="no bytes"):
            reach(server).attach("r1", Attachment(name="a.txt"))

"""The destination ``http`` against a real server that fails on demand."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rigbridge.client.destination import HTTPDestination
from rigbridge.convert import load
from rigbridge.destinations import (
    Destination,
    DestinationSettings,
    Progress,
    ReadableDestination,
    ResumableDestination,
    Sidecar,
)
from rigbridge.errors import (
    ConfigurationError,
    ConflictError,
    DeliveryError,
    NoAnswerError,
    PermanentError,
    RunProblemsError,
    ServerUnavailableError,
    TooLargeError,
    UnauthorizedError,
    UnexpectedAnswerError,
)
from rigbridge.model import Attachment, ProcedureRef, Run, Unit
from rigbridge.reporting import ConversionReport, Disposition
from rigbridge.testing.run_store_faults import (
    CreateShape,
    Dialect,
    Fault,
    ListShape,
    Operation,
)
from rigbridge.testing.run_store_server import RunStoreServer
from rigbridge.testing.strategies import runs
from rigbridge.wire import CreateRun, from_builtins

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
        """It fits the protocols, except for reading back what v1 cannot give."""
        destination = reach(server)
        assert isinstance(destination, Destination)
        assert isinstance(destination, ResumableDestination)
        assert not isinstance(destination, ReadableDestination)

    def test_it_needs_an_address(self) -> None:
        """Without an address it says where to give one."""
        with pytest.raises(ConfigurationError, match="RIGBRIDGE_TO"):
            HTTPDestination(DestinationSettings(data=Path()))

    def test_its_key_is_not_shown(self, server: RunStoreServer, reach: Reach) -> None:
        """Neither it nor its settings show the key."""
        destination = reach(server)
        assert server.api_key not in f"{destination!r} {destination._settings!r}"

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
        server.inject(Fault.FORBIDDEN, on=Operation.LIST)
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
        server.inject(Fault.CONFLICT, on=Operation.UPDATE, times=2)
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


class TestResume:
    """Going on where an attempt was cut."""

    def test_each_step_is_kept_before_the_next(
        self,
        server: RunStoreServer,
        reach: Reach,
        make_run: MakeRun,
        make_file: MakeFile,
    ) -> None:
        """The steps are: announced, created, each file sent, all linked."""
        kept = _Kept()
        run = make_run(attachments=[make_file("a", b"1"), make_file("b", b"2")])
        reach(server).resume(run, Progress(), kept)
        _, announced, created, first, second, linked = kept.steps
        assert announced.sent
        assert announced.stored_id is None
        assert created.stored_id == server.runs[0].id
        assert [file.position for file in first.files] == [0]
        assert [file.linked for file in second.files] == [False, False]
        assert [file.linked for file in linked.files] == [True, True]

    def test_cut_after_any_step_it_ends_the_same(
        self, serve: Serve, reach: Reach, make_run: MakeRun, make_file: MakeFile
    ) -> None:
        """Whichever step was the last that was kept, nothing is doubled."""
        run = make_run(attachments=[make_file("a", b"1"), make_file("b", b"2")])
        for steps in range(1, 6):
            server = serve()

            class PowerCutError(Exception):
                """The process ends here."""

            kept = _Kept()

            def keep(
                progress: Progress, kept: _Kept = kept, steps: int = steps
            ) -> None:
                kept(progress)
                if len(kept.steps) > steps:
                    raise PowerCutError

            with pytest.raises(PowerCutError):
                reach(server).resume(run, Progress(), keep)
            progress = attrs.evolve(kept.last, not_before=None)
            receipt = reach(server).resume(run, progress, kept)
            assert receipt.attached == ("a", "b")
            (stored,) = server.runs
            assert server.attachments(stored.id) == [("a", b"1"), ("b", b"2")]

    def test_the_first_attempt_asks_nothing(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """A run that was certainly never sent costs one request."""
        reach(server).resume(make_run(), Progress(), _Kept())
        assert [request.operation for request in server.requests] == ["create"]

    @pytest.mark.parametrize(
        "fault",
        [Fault.BAD_REQUEST, Fault.UNAUTHORIZED, Fault.TOO_MANY_SECONDS, Fault.REDIRECT],
    )
    def test_a_refused_create_leaves_no_doubt(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun, fault: Fault
    ) -> None:
        """After a clear refusal the run counts as never sent."""
        kept = _Kept()
        server.inject(fault, on=Operation.CREATE)
        with pytest.raises(DeliveryError):
            reach(server).resume(make_run(), Progress(), kept)
        assert not kept.last.sent
        assert kept.last.not_before is None

    def test_a_refused_connection_leaves_no_doubt(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """What never left this machine counts as never sent."""
        kept = _Kept()
        with server.refusing(), pytest.raises(NoAnswerError):
            reach(server).resume(make_run(), Progress(), kept)
        assert not kept.last.sent

    def test_a_server_that_may_be_at_work_is_given_time(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """After a timeout the create is looked up, and not sent again too early."""
        run, kept = make_run(), _Kept()
        destination = reach(server, timeout=0.3)
        server.inject(Fault.SLOW_WORK, on=Operation.CREATE, seconds=0.45)
        with pytest.raises(NoAnswerError):
            destination.resume(run, Progress(), kept)
        with pytest.raises(NoAnswerError, match="still be at work") as caught:
            destination.resume(run, kept.last, kept)
        assert caught.value.retry_after is not None
        assert 0 < caught.value.retry_after <= 0.3
        while not server.runs:
            time.sleep(0.01)
        receipt = destination.resume(run, kept.last, kept)
        assert receipt.stored_id == server.runs[0].id
        assert server.count(Operation.CREATE) == 1

    def test_a_create_that_never_arrived_is_sent_again(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """Once the look-up shows that it is not there, it is sent."""
        run, kept = make_run(), _Kept()
        destination = reach(server)
        server.inject(Fault.RESET, on=Operation.CREATE)
        with pytest.raises(NoAnswerError):
            destination.resume(run, Progress(), kept)
        destination.resume(run, kept.last, kept)
        assert len(server.runs) == 1
        assert server.count(Operation.CREATE) == 2

    def test_a_clock_that_was_set_back_does_not_stop_it(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """A waiting time that lies years ahead is none."""
        destination = reach(server)
        progress = Progress(
            store=f"{server.origin}/api", sent=True, not_before=time.time() + 1e8
        )
        destination.resume(make_run(), progress, _Kept())
        assert len(server.runs) == 1

    def test_a_run_without_start_is_left_to_a_person(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """Where nobody can tell whether it arrived, it is neither lost nor doubled."""
        run, kept = make_run(started_at=None), _Kept()
        destination = reach(server)
        server.inject(Fault.RESET_AFTER, on=Operation.CREATE)
        with pytest.raises(NoAnswerError):
            destination.resume(run, Progress(), kept)
        with pytest.raises(PermanentError, match="no start time"):
            destination.resume(run, kept.last, kept)
        assert kept.last.unresolved
        assert len(server.runs) == 1

    def test_an_idempotent_store_needs_no_start(
        self, serve: Serve, reach: Reach, make_run: MakeRun
    ) -> None:
        """A store that knows the key answers a repetition with the first run."""
        server = serve(idempotent=True, capabilities={"idempotency_key": True})
        run, kept = make_run(started_at=None), _Kept()
        destination = reach(server)
        server.inject(Fault.RESET_AFTER, on=Operation.CREATE)
        with pytest.raises(NoAnswerError):
            destination.resume(run, Progress(), kept)
        assert destination.resume(run, kept.last, kept).stored_id == server.runs[0].id
        assert len(server.runs) == 1

    def test_another_store_begins_anew(
        self, serve: Serve, reach: Reach, make_run: MakeRun
    ) -> None:
        """What one store knows means nothing to another."""
        run, kept = make_run(), _Kept()
        reach(serve()).resume(run, Progress(), kept)
        other = serve()
        receipt = reach(other).resume(run, kept.last, kept)
        assert receipt.stored_id == other.runs[0].id

    def test_a_refused_file_is_not_tried_again(
        self, serve: Serve, reach: Reach, make_run: MakeRun, make_file: MakeFile
    ) -> None:
        """A refusal stays, with its words, until a person says otherwise."""
        server = serve(max_upload=1)
        run, kept = make_run(attachments=[make_file("big", b"22")]), _Kept()
        destination = reach(server)
        destination.resume(run, Progress(), kept)
        asked = server.count(Operation.INITIALIZE)
        receipt = destination.resume(run, kept.last, kept)
        assert "No more than 1 bytes" in str(receipt.failures[0].error)
        assert server.count(Operation.INITIALIZE) == asked

    def test_an_upload_that_is_gone_is_sent_again(
        self,
        server: RunStoreServer,
        reach: Reach,
        make_run: MakeRun,
        make_file: MakeFile,
    ) -> None:
        """A store may forget uploads that were not linked in time."""
        run, kept = make_run(attachments=[make_file("a", b"1")]), _Kept()
        destination = reach(server)
        server.inject(Fault.UNAVAILABLE, on=Operation.UPDATE)
        assert destination.resume(run, Progress(), kept).failures
        server.contents.uploads.clear()
        assert destination.resume(run, kept.last, kept).attached == ("a",)
        assert server.attachments(server.runs[0].id) == [("a", b"1")]


_RICH = {"metadata": {"line": 4}, "station": "ST-1"}


class TestSidecar:
    """When and how the sidecar travels."""

    def _sidecar(self, server: RunStoreServer) -> dict[str, Any] | None:
        files = dict(server.attachments(server.runs[0].id))
        content = files.get("rigbridge.json")
        return None if content is None else json.loads(content)

    def test_a_plain_run_needs_none(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """Where v1 carries everything, no file is added."""
        reach(server).submit(make_run())
        assert self._sidecar(server) is None

    def test_what_v1_lacks_travels_as_a_file(
        self,
        server: RunStoreServer,
        reach: Reach,
        make_run: MakeRun,
        make_file: MakeFile,
    ) -> None:
        """Body and sidecar together restore the run."""
        run = make_run(attachments=[make_file("a", b"1")], **_RICH)
        receipt = reach(server).submit(run)
        assert receipt.attached == ("a", "rigbridge.json")
        (upload,) = [u for u in server.uploads if u.name == "rigbridge.json"]
        assert upload.media_type == "application/json"
        body = from_builtins(server.runs[0].body, CreateRun)
        assert load(body, run_id=uuid4(), sidecar=self._sidecar(server)) == run

    def test_our_store_takes_it_in_the_body(
        self, serve: Serve, reach: Reach, make_run: MakeRun
    ) -> None:
        """A store that says so gets the sidecar inline, and no file."""
        server = serve(**attrs.asdict(Dialect.ours()))
        run = make_run(**_RICH)
        receipt = reach(server).submit(run)
        assert receipt.attached == ()
        body = from_builtins(server.runs[0].body, CreateRun)
        assert isinstance(body.rigbridge, dict)
        assert load(body, run_id=uuid4(), sidecar=body.rigbridge) == run

    def test_always_means_always(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """The setting ``always`` sends a sidecar that adds nothing."""
        run = make_run()
        reach(server, sidecar=Sidecar.ALWAYS).submit(run)
        body = from_builtins(server.runs[0].body, CreateRun)
        sidecar = self._sidecar(server)
        assert sidecar is not None
        assert load(body, run_id=uuid4(), sidecar=sidecar) == run

    @pytest.mark.parametrize("ours", [True, False])
    def test_never_accounts_for_each_loss(
        self, serve: Serve, reach: Reach, make_run: MakeRun, *, ours: bool
    ) -> None:
        """The setting ``never`` drops, and says what and where."""
        server = serve(**attrs.asdict(Dialect.ours())) if ours else serve()
        report = ConversionReport()
        run = make_run(attachments=[Attachment(name="far.bin")], **_RICH)
        receipt = reach(server, sidecar=Sidecar.NEVER).submit(run, report)
        assert receipt.attached == ()
        assert "rigbridge" not in server.runs[0].body
        dropped = [
            (entry.item, entry.place.path)
            for entry in report.entries
            if entry.disposition is Disposition.DROPPED
        ]
        assert ("station", "$.station") in dropped
        assert ("attachment", "$.attachments[0]") in dropped
        assert any(item == "metadata" or "metadata" in str(p) for item, p in dropped)

    def test_a_file_without_bytes_is_kept_by_reference(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """It is recorded, described in the sidecar, and no failure."""
        report = ConversionReport()
        run = make_run(attachments=[Attachment(name="far.bin", media_type="x/y")])
        receipt = reach(server).submit(run, report)
        assert receipt.attached == ("rigbridge.json",)
        assert not receipt.failures
        (entry,) = report.entries
        assert entry.rule == "has no bytes, kept by reference in the sidecar"
        assert entry.detail == "far.bin"
        sidecar = self._sidecar(server)
        assert sidecar is not None
        assert sidecar["attachments"][0]["name"] == "far.bin"
        assert sidecar["report"]["coerced"][0]["item"] == "attachment"

    def test_a_sidecar_that_is_refused_is_told(
        self, serve: Serve, reach: Reach, make_run: MakeRun
    ) -> None:
        """The sidecar is a file like any other."""
        receipt = reach(serve(max_upload=1)).submit(make_run(**_RICH))
        assert [failure.name for failure in receipt.failures] == ["rigbridge.json"]


class TestWholeRuns:
    """Any run arrives whole."""

    @settings(
        max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(run=runs(), inline=st.booleans())
    def test_any_run_is_restored_from_what_is_stored(
        self, run: Run, *, inline: bool
    ) -> None:
        """From the body and the sidecar of any run, the same run is made."""
        dialect = Dialect.ours() if inline else Dialect()
        with RunStoreServer(dialect) as server:
            destination = HTTPDestination(
                DestinationSettings(data=Path(), url=server.url, api_key=server.api_key)
            )
            destination.submit(run)
            destination.close()
            (stored,) = server.runs
            files = dict(server.attachments(stored.id))
        body = from_builtins(stored.body, CreateRun)
        content = files.get("rigbridge.json")
        sidecar = json.loads(content) if content else body.rigbridge or None
        restored = load(body, run_id=run.id, sidecar=sidecar)
        assert restored == run

    def test_a_success_that_is_none_is_told(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """A portal that answers everything with a page is no store."""
        server.inject(Fault.WRONG_JSON_AFTER, on=Operation.CREATE)
        server.inject(Fault.WRONG_JSON_AFTER, on=Operation.LIST, times=2)
        kept = _Kept()
        with pytest.raises(UnexpectedAnswerError, match="no JSON"):
            reach(server).resume(make_run(), Progress(), kept)
        assert kept.last.sent

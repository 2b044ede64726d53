"""Handing runs over to the outbox."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import attrs
import pytest
from hypothesis import HealthCheck, given, settings

from rigbridge.destinations import (
    Receipt,
)
from rigbridge.errors import (
    ConfigurationError,
    OutboxBusyError,
    SourceUnreadableError,
)
from rigbridge.model import Attachment, Run
from rigbridge.model.report import ConversionReport
from rigbridge.outbox import Outbox
from rigbridge.testing.adapters.strategies import runs
from rigbridge.testing.run_store.server import RunStoreServer
from rigbridge.wire import ListedRun

OpenOutbox = Callable[..., Outbox]

MakeRun = Callable[..., Run]

MakeFile = Callable[..., Attachment]


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let waits of our own be short; what a server asks for stays."""
    monkeypatch.setattr("rigbridge.outbox.policy.BASE_DELAY", 0.001)


def _contents(folder: Path) -> list[Path]:
    return [path for path in (folder / "content").rglob("*") if path.is_file()]


class TestSubmit:
    """Handing over."""

    def test_a_run_is_safe_without_any_network(
        self, server: RunStoreServer, open_outbox: OpenOutbox, make_run: MakeRun
    ) -> None:
        """What was handed over is there after the process ended without a word."""
        run = make_run()
        first = open_outbox(server)
        assert first.submit(run) == run.id
        del first
        second = open_outbox(server)
        assert [entry.id for entry in second.entries()] == [run.id]
        assert not server.requests

    def test_everything_of_a_run_is_kept(
        self, outbox: Outbox, make_run: MakeRun, tmp_path: Path
    ) -> None:
        """The run comes back equal, its files with their bytes, its report in full."""
        path = tmp_path / "a.txt"
        path.write_text("alpha")
        report = ConversionReport()
        report.coerced("limit", "clipped")
        files = [Attachment.from_file(path), Attachment(name="far.bin")]
        run = make_run(attachments=files, metadata={"line": 4})
        outbox.submit(run, report)
        path.unlink()
        kept, kept_report = outbox.run(run.id)
        assert kept == run
        assert kept.attachments[0].opener is not None
        with kept.attachments[0].opener() as stream:
            assert stream.read() == b"alpha"
        assert not kept.attachments[1].embedded
        assert kept_report.as_document() == report.as_document()

    @settings(
        max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(run=runs(storable=False))
    def test_any_run_is_kept(self, outbox: Outbox, run: Run) -> None:
        """Also runs that no store would take are kept whole."""
        outbox.submit(run)
        kept, _ = outbox.run(run.id)
        outbox.drop(run.id)
        assert kept == run

    def test_handing_over_again_is_no_other_content(
        self,
        outbox: Outbox,
        make_run: MakeRun,
        make_file: MakeFile,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """A caller that was killed and begins again meets no warning, a change does."""
        run = make_run(attachments=[make_file("a", b"alpha")])
        outbox.submit(run)
        outbox.submit(run)
        assert not caplog.records
        outbox.submit(attrs.evolve(run, attachments=(make_file("a", b"beta"),)))
        assert "with other content" in caplog.text

    def test_the_same_run_is_queued_once(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun
    ) -> None:
        """Neither while it waits nor after its delivery is it queued again."""
        run = make_run()
        outbox.submit(run)
        outbox.submit(run)
        assert outbox.flush(60) == 0
        outbox.submit(run)
        assert outbox.flush(60) == 0
        assert len(server.runs) == 1
        assert outbox.status().delivered == 1

    def test_another_run_under_the_same_id_is_told(
        self, outbox: Outbox, make_run: MakeRun, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Content that is not taken is not left out silently."""
        run = make_run()
        outbox.submit(run)
        assert "other content" not in caplog.text
        outbox.submit(attrs.evolve(run, station="ST-2"))
        assert "other content" in caplog.text
        assert outbox.run(run.id)[0] == run

    def test_a_file_that_cannot_be_read_is_told_at_once(
        self, outbox: Outbox, make_run: MakeRun, tmp_path: Path
    ) -> None:
        """Nothing is queued without its files."""
        path = tmp_path / "gone.txt"
        path.write_text("x")
        attachment = Attachment.from_file(path)
        path.unlink()
        with pytest.raises(SourceUnreadableError, match=r"gone\.txt"):
            outbox.submit(make_run(attachments=[attachment]))
        assert outbox.status().waiting == 0

    def test_a_file_that_vanishes_meanwhile_is_kept_anew(
        self,
        outbox: Outbox,
        folder: Path,
        make_run: MakeRun,
        make_file: MakeFile,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Another process may remove a shared file right before it is referred to."""
        keep = outbox._contents.keep
        calls: list[int] = []

        def keep_and_lose(run: Run, report: ConversionReport) -> Run:
            kept = keep(run, report)
            calls.append(1)
            if len(calls) == 1:
                outbox._contents.remove(str(kept.attachments[0].sha256))
            return kept

        monkeypatch.setattr(outbox._contents, "keep", keep_and_lose)
        outbox.submit(make_run(attachments=[make_file("a", b"1")]))
        assert len(calls) == 2
        assert len(_contents(folder)) == 1

    def test_what_an_interrupted_hand_over_left_is_removed(
        self,
        server: RunStoreServer,
        open_outbox: OpenOutbox,
        folder: Path,
        make_run: MakeRun,
        make_file: MakeFile,
    ) -> None:
        """Files without an entry are swept when the outbox is opened."""
        outbox = open_outbox(server)
        outbox.submit(make_run(attachments=[make_file("a", b"1")]))
        orphan = folder / "content" / ("ab" + "0" * 62)
        orphan.write_bytes(b"x")
        outbox.close()
        open_outbox(server)
        assert len(_contents(folder)) == 1
        assert not orphan.exists()

    def test_a_folder_that_cannot_be_used_is_named(self, tmp_path: Path) -> None:
        """A wrong folder is a wrong setting."""
        (tmp_path / "file").write_text("")
        with pytest.raises(ConfigurationError, match="outbox"):
            Outbox.open(tmp_path / "file", lambda: _Scripted([]))


class _Scripted:
    """A destination that does what the script says, for cases no server has."""

    def __init__(self, script: list[Receipt | BaseException]) -> None:
        self._script = script
        self.closed = False

    def submit(self, run: Run, report: ConversionReport | None = None) -> Receipt:
        assert report is not None, run
        step = self._script.pop(0)
        if isinstance(step, BaseException):
            raise step
        return step

    def attach(self, stored_id: str, attachment: Attachment) -> None:
        pytest.fail(f"{attachment.name} is attached to {stored_id}")

    def list_runs(self, serial_number: str) -> Sequence[ListedRun]:
        pytest.fail(f"the runs of {serial_number} are listed")

    def close(self) -> None:
        self.closed = True


def test_unknown_runs_are_named(outbox: Outbox) -> None:
    """Asking for a run that is not there says so."""
    for ask in (outbox.run, outbox.retry, outbox.drop):
        with pytest.raises(ConfigurationError, match="holds no run"):
            ask(uuid4())


class TestPatience:
    """Others hold the outbox while a run is handed over."""

    def test_another_process_that_holds_it(
        self, outbox: Outbox, make_run: MakeRun, folder: Path
    ) -> None:
        """Who cannot wait is told so, nothing is queued, and later it succeeds."""
        run = make_run()
        database = sqlite3.connect(folder / "outbox.sqlite", isolation_level=None)
        with closing(database) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(OutboxBusyError, match="others hold the outbox"):
                outbox.submit(run, patience=0.01)
            other.execute("ROLLBACK")
        assert outbox.entries() == []
        outbox.submit(run, patience=0.01)
        assert [entry.id for entry in outbox.entries()] == [run.id]

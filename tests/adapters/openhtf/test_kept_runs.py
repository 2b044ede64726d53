"""Runs that could not be queued find their way into the outbox by themselves."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import rigbridge_openhtf
from rigbridge.kept import UnsentFolder
from rigbridge.outbox import Outbox
from rigbridge_openhtf import OutputCallback

htf = pytest.importorskip("openhtf")

_NOBODY = "http://127.0.0.1:9"


@pytest.fixture(name="callback")
def _callback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Make a callback that has little patience and whose store is gone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("rigbridge_openhtf.live.run_queue._PATIENCE", 0.05)
    callback = rigbridge_openhtf.output_callback(
        data=tmp_path / "data", to=_NOBODY, api_key="key"
    )
    yield callback
    callback.close()


@contextmanager
def _held(outbox: Path) -> Iterator[None]:
    """Hold an outbox as another process would that is stopped in mid-transaction."""
    database = sqlite3.connect(outbox / "outbox.sqlite", isolation_level=None)
    with closing(database) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def _phase(test: Any) -> None:
    test.attach("trace.csv", b"1,2\n")


def _queued(callback: OutputCallback, folder: Path) -> set[UUID]:
    """Close the callback, which ends its threads, and list what is queued."""
    callback.close()
    with Outbox.open(folder, lambda: pytest.fail("nothing is to be sent")) as outbox:
        return {entry.id for entry in outbox.entries()}


class TestBusyOutbox:
    """Another process holds the outbox and does not let go."""

    def test_the_test_does_not_wait_for_it(
        self, run_test: Callable[..., Any], callback: Any, tmp_path: Path
    ) -> None:
        """The run is kept in a file while the outbox is held, and that is counted."""
        record = run_test(_phase)
        callback.prepare()
        with _held(tmp_path / "data/outbox"):
            callback(record)
            (kept,) = (tmp_path / "data/unsent").glob("*.json")
        assert UnsentFolder(tmp_path / "data").errors().count == 1
        assert UUID(kept.stem) not in _queued(callback, tmp_path / "data/outbox")

    def test_the_next_record_brings_it_along(
        self, run_test: Callable[..., Any], callback: Any, tmp_path: Path
    ) -> None:
        """Both are queued in the end, with their attachments, and no file is left."""
        first, second = run_test(_phase), run_test(_phase)
        callback.prepare()
        with _held(tmp_path / "data/outbox"):
            callback(first)
            (kept,) = (tmp_path / "data/unsent").glob("*.json")
        callback(second)
        last = callback.last_run_id
        folder = tmp_path / "data/outbox"
        assert _queued(callback, folder) == {UUID(kept.stem), last}
        assert not list((tmp_path / "data/unsent").glob("*.json"))
        with Outbox.open(folder, lambda: pytest.fail("likewise")) as outbox:
            run, _ = outbox.run(UUID(kept.stem))
        (attachment,) = run.attachments
        assert attachment.opener is not None
        with attachment.opener() as stream:
            assert stream.read() == b"1,2\n"

    def test_a_first_record_does_not_wait_either(
        self, run_test: Callable[..., Any], callback: Any, tmp_path: Path
    ) -> None:
        """An outbox is opened while it is held: what it tidies up then is left."""
        record = run_test(_phase)
        with Outbox.open(tmp_path / "data/outbox", lambda: pytest.fail("likewise")):
            pass
        with _held(tmp_path / "data/outbox"):
            callback(record)
            assert callback.queue is not None
            assert list((tmp_path / "data/unsent").glob("*.json"))


def test_a_folder_that_cannot_be_read_does_not_undo_a_hand_over(
    run_test: Callable[..., Any],
    callback: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The run is queued, nothing else is claimed, and the failure is logged."""

    def fail(_: UnsentFolder) -> bool:
        raise PermissionError("not for you")

    monkeypatch.setattr(UnsentFolder, "holds_runs", fail)
    callback(run_test(_phase))
    assert "cannot be seen" in caplog.text
    assert not (tmp_path / "data/unsent").exists()
    assert _queued(callback, tmp_path / "data/outbox") == {callback.last_run_id}

"""What the system refuses is an error of ours, and costs no run."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import attrs
import pytest

import rigbridge
from rigbridge.errors import (
    FileUnreadableError,
    OutboxUnusableError,
    PermanentError,
    SourceUnreadableError,
)
from rigbridge.model import Attachment, Run
from rigbridge.outbox import EntryState, Outbox
from rigbridge.outbox.content import ContentFolder
from rigbridge.outbox.incoming import IncomingFolder, write_run
from rigbridge.testing.run_store.server import RunStoreServer

OpenOutbox = Callable[..., Outbox]

MakeRun = Callable[..., Run]

CALLS: dict[str, Callable[[Outbox, Run], object]] = {
    "submit": lambda outbox, run: outbox.submit(attrs.evolve(run, id=uuid4())),
    "flush": lambda outbox, _: outbox.flush(1.0),
    "status": lambda outbox, _: outbox.status(),
    "entries": lambda outbox, _: outbox.entries(),
    "entry": lambda outbox, run: outbox.entry(run.id),
    "run": lambda outbox, run: outbox.run(run.id),
    "retry": lambda outbox, run: outbox.retry(run.id),
    "move": lambda outbox, _: outbox.move("local", "http://127.0.0.1:9"),
    "drop": lambda outbox, run: outbox.drop(run.id),
    "prune": lambda outbox, _: outbox.prune(),
}


@contextmanager
def taken_away(folder: Path) -> Iterator[None]:
    """Take a folder away, as a drive or a share may go, and bring it back."""
    away = folder.with_name("away")
    folder.rename(away)
    yield
    assert not folder.exists(), "it was made anew where the drive is mounted"
    away.rename(folder)


@pytest.mark.parametrize("name", CALLS)
def test_a_folder_that_is_gone(
    name: str,
    server: RunStoreServer,
    folder: Path,
    open_outbox: OpenOutbox,
    make_run: MakeRun,
) -> None:
    """Each call says what is wrong with which folder; all goes on once it is back."""
    outbox = open_outbox(server)
    run = make_run()
    outbox.submit(run)
    with taken_away(folder), pytest.raises(OutboxUnusableError) as caught:
        CALLS[name](outbox, run)
    assert caught.value.source == str(folder)
    assert "stays there" in str(caught.value.remedy)
    assert outbox.flush(60) == 0
    assert len(server.runs) == 1


def test_a_run_is_kept_elsewhere_while_the_data_folder_is_gone(
    tmp_path: Path, make_run: MakeRun
) -> None:
    """It is not written where the drive was mounted, and sent once that is back."""
    data = tmp_path / "data"
    incoming = IncomingFolder(data)
    incoming.prepare()
    run = make_run()
    with rigbridge.open_outbox(data=data, to="local") as outbox:
        outbox.start()
        with taken_away(data):
            path = write_run(incoming, run, destination="local")
            assert not path.is_relative_to(data)
            with pytest.raises(OutboxUnusableError):
                outbox.flush(60)
        assert outbox.flush(60) == 0
        assert [entry.id for entry in outbox.entries([EntryState.DONE])] == [run.id]


def test_a_file_that_cannot_be_removed_holds_nobody_up(
    server: RunStoreServer,
    outbox: Outbox,
    make_run: MakeRun,
    make_file: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those behind its run are sent as well; the file goes with the next opening."""

    def refuse(_: ContentFolder, sha256: str) -> None:
        raise OSError(errno.EBUSY, "in use", sha256)

    for number in range(3):
        outbox.submit(make_run(attachments=(make_file("a.txt", b"%d" % number),)))
    with monkeypatch.context() as held:
        held.setattr(ContentFolder, "remove", refuse)
        assert outbox.flush(60) == 0
    assert len(server.runs) == 3


def broken() -> IO[bytes]:
    """Raise what a caller's own code may raise."""
    raise RuntimeError("no instrument")


@pytest.mark.parametrize(
    ("opener", "words"),
    [
        pytest.param(lambda: io.StringIO("text"), "gives no bytes", id="text"),
        pytest.param(broken, "no instrument", id="raises"),
    ],
)
def test_an_opener_that_gives_no_bytes(
    tmp_path: Path,
    server: RunStoreServer,
    make_run: MakeRun,
    opener: Callable[[], IO[bytes]],
    words: str,
) -> None:
    """Outbox, session and client name the file, and do not read for ever."""
    attachment = Attachment(name="scope.png", opener=opener)
    run = make_run(attachments=(attachment,))
    given: dict[str, Any] = {"to": server.url, "data": tmp_path, "send": False}
    with (
        rigbridge.open_outbox(**given) as outbox,
        pytest.raises(SourceUnreadableError, match=words),
    ):
        outbox.submit(run)
    with (
        rigbridge.Session(**given) as session,
        pytest.raises(FileUnreadableError, match=words),
    ):
        session.submit(run)
    with (
        rigbridge.Client(server.url, server.api_key) as client,
        pytest.raises(PermanentError, match=words),
    ):
        client.submit(run)

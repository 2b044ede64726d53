"""Forks while other threads hold locks, or are at work on a database."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from rigbridge.client.memory.ledger import DeliveryLedger
from rigbridge.destinations import Progress
from rigbridge.machine.forks import ForkedLock
from rigbridge.outbox.queue.database import OutboxDatabase
from rigbridge.outbox.queue.schema import migrate

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs forks")


def in_child(act: Callable[[], object]) -> int:
    """Do something in the child of a fork; a child that hangs is ended by an alarm."""
    child = os.fork()
    if not child:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(60)
        try:
            act()
        except BaseException:  # noqa: BLE001 - no test of the parent may go on here
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_lock_that_a_thread_of_the_parent_holds_is_free_in_the_child() -> None:
    """There it would never be released."""
    lock = ForkedLock()
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            over.wait(120)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(120)

    def use() -> None:
        with lock:
            pass

    assert in_child(use) == 0
    over.set()
    thread.join()
    use()


def test_a_fork_waits_for_who_writes_to_a_ledger_in_memory() -> None:
    """Both sides have what was written, and can go on."""
    ledger = DeliveryLedger("https://store.example.com")
    run_id = uuid4()
    over = threading.Event()

    def write() -> None:
        while not over.is_set():
            ledger.keep(run_id, Progress(stored_id="r1"))

    ledger.keep(run_id, Progress(stored_id="r1"))
    thread = threading.Thread(target=write)
    thread.start()

    def look() -> None:
        progress = ledger.progress(run_id)
        assert progress is not None
        assert progress.stored_id == "r1"
        ledger.keep(uuid4(), Progress(stored_id="r2"))

    codes = [in_child(look) for _ in range(30)]
    over.set()
    thread.join()
    assert codes == [0] * 30


def test_a_fork_waits_for_who_opens_an_outbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite keeps its locks in memory: a child of a fork amid one has it for ever."""
    path = tmp_path / "outbox.sqlite"
    begun = threading.Event()

    def slowly(connection: sqlite3.Connection, path: Path) -> None:
        migrate(connection, path)
        connection.execute("BEGIN EXCLUSIVE")
        begun.set()
        time.sleep(0.05)
        connection.execute("COMMIT")

    monkeypatch.setattr("rigbridge.outbox.queue.database.migrate", slowly)
    thread = threading.Thread(target=lambda: OutboxDatabase(path).close())
    thread.start()
    assert begun.wait(60)
    assert in_child(lambda: OutboxDatabase(path).close()) == 0
    thread.join()

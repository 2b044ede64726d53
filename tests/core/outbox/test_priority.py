"""Those who hand over come first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from rigbridge.model import Run
from rigbridge.outbox import Outbox
from rigbridge.outbox.sending.priority import HandOverPriority
from rigbridge.testing.run_store.server import RunStoreServer

MakeRun = Callable[..., Run]


def _giving_way(priority: HandOverPriority) -> threading.Thread:
    thread = threading.Thread(target=priority.wait, daemon=True)
    thread.start()
    return thread


class TestHandOverPriority:
    """A thread that sends, and those who hand over."""

    def test_sending_waits_until_the_last_has_finished(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Several may hand over at once, and one may begin within another."""
        monkeypatch.setattr("rigbridge.outbox.sending.priority._PATIENCE", 60.0)
        priority = HandOverPriority()
        with priority.handing_over():
            with priority.handing_over():
                sender = _giving_way(priority)
            sender.join(0.05)
            assert sender.is_alive()
        sender.join(30)
        assert not sender.is_alive()

    def test_sending_does_not_wait_for_long(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A file of gigabytes takes its time; others' runs go out meanwhile."""
        monkeypatch.setattr("rigbridge.outbox.sending.priority._PATIENCE", 0.01)
        priority = HandOverPriority()
        with priority.handing_over():
            sender = _giving_way(priority)
            sender.join(30)
            assert not sender.is_alive()

    def test_an_error_gives_the_way_free(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whatever becomes of a hand-over, sending goes on."""
        monkeypatch.setattr("rigbridge.outbox.sending.priority._PATIENCE", 3600.0)
        priority = HandOverPriority()
        with pytest.raises(OSError, match="disk"), priority.handing_over():
            raise OSError("disk")
        sender = _giving_way(priority)
        sender.join(60)
        assert not sender.is_alive()


class TestHandingOver:
    """An outbox that sends in the background."""

    def test_nothing_is_sent_while_somebody_prepares_a_run(
        self,
        server: RunStoreServer,
        outbox: Outbox,
        make_run: MakeRun,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The store hears of a run only after the one who handed it over is done."""
        monkeypatch.setattr("rigbridge.outbox.sending.priority._PATIENCE", 60.0)
        outbox.start()
        with outbox.handing_over():
            outbox.submit(make_run())
            time.sleep(0.1)
            assert not server.requests
        assert outbox.flush(60) == 0
        assert len(server.runs) == 1

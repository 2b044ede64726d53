"""The thread that sends what waits, while the program goes on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from rigbridge.errors import RigbridgeError
from rigbridge.machine.threads import end_with_process

__all__ = ["Sender"]

_LOGGER = logging.getLogger("rigbridge.outbox")
_IDLE = 5.0
"""Seconds after which to look for what another process handed over."""
_SHORTEST = 0.05
_PAUSE = 30.0


class Sender:
    """
    Sends until it is stopped; a daemon, so that it never keeps a program from ending.

    ``trouble`` says why it could not do its work the last time, or is None.

    Args:
        deliver_due: delivers what is due; False if that is nothing.
        seconds_until_due: gives the seconds until something is due, or None.
    """

    def __init__(
        self,
        deliver_due: Callable[[], bool],
        seconds_until_due: Callable[[], float | None],
    ) -> None:
        self._deliver_due = deliver_due
        self._seconds_until_due = seconds_until_due
        self.trouble: str | None = None
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name="rigbridge-outbox", daemon=True
        )

    def start(self) -> None:
        """Begin."""
        self._thread.start()
        end_with_process(self._thread, self.tell_to_stop)

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def wake(self) -> None:
        """Have it look at once."""
        self._wake.set()

    def tell_to_stop(self) -> None:
        """Have it end at the next step."""
        self._stop.set()
        self._wake.set()

    def join(self, grace: float) -> None:
        """Wait until it has ended, but no longer than some seconds."""
        # An observer may close the outbox from the thread that sends.
        if self._thread is not threading.current_thread():
            self._thread.join(grace)

    def _run(self) -> None:
        while not self._stop.is_set():
            # Cleared before the step: a wake during it is not lost.
            self._wake.clear()
            if not self._step() and not self._stop.is_set():
                self._wake.wait(self._idle())

    def _step(self) -> bool:
        try:
            delivered = self._deliver_due()
        except RigbridgeError as error:
            self.trouble = str(error)
            _LOGGER.error("nothing can be sent: %s", error)  # noqa: TRY400 - the text says it all
        except Exception as error:
            self.trouble = f"{type(error).__name__}: {error}"
            # A full disk or the like: the thread must outlive it.
            _LOGGER.exception("sending failed, it goes on in %.0f s", _PAUSE)
        else:
            self.trouble = None
            return delivered
        # Waits on the stop, not the wake: hand-overs must not hasten a failing loop.
        self._stop.wait(_PAUSE)
        return False

    def _idle(self) -> float:
        try:
            due = self._seconds_until_due()
        except Exception:
            _LOGGER.exception("the outbox cannot be read")
            return _IDLE
        # An entry that is due may still wait for others: no loop without a pause.
        return _IDLE if due is None else max(_SHORTEST, min(due, _IDLE))

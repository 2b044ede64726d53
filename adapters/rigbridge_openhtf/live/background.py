"""
The outbox of a callback: opened and emptied by a thread of its own.

The callback only writes into the folder ``incoming``. This thread takes that into the
queue and sends it. The child of a fork has no such thread: it leaves the sending to the
process that it comes from, as long as that one lives.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from rigbridge.errors import RigbridgeError
from rigbridge.machine.threads import end_with_process
from rigbridge.outbox import Outbox

__all__ = ["BackgroundOutbox"]

_LOGGER = logging.getLogger("rigbridge.openhtf")
_OPENING = 1.0
"""Seconds that somebody who asks how many runs wait may have to wait for it."""


class BackgroundOutbox:
    """
    An outbox that is opened when there is time for it.

    Args:
        given: one of the caller's own, who opens and closes it.
    """

    def __init__(self, make: Callable[[], Outbox], *, given: Outbox | None) -> None:
        self._make = make
        self._given = given
        self._made_by = os.getpid()
        self._forget()

    def _forget(self) -> None:
        self._pid = os.getpid()
        self._outbox: Outbox | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        # What a fork of another process left is neither used nor closed here.
        self._lock = threading.Lock()

    def _own(self) -> None:
        """Begin anew in the child of a fork."""
        if self._pid != os.getpid():
            self._inherited = self._outbox
            self._forget()

    def begin(self) -> None:
        """Begin to open the outbox in a thread, unless that was begun."""
        self._own()
        if self._given is not None:
            self._outbox = self._given
            self._ready.set()
            return
        with self._lock:
            if self._thread is not None:
                return
            self._thread = threading.Thread(
                target=self._open, name="rigbridge-opening", daemon=True
            )
            try:
                self._thread.start()
            except RuntimeError:
                # The interpreter ends: no thread starts any more.
                self._open()
            else:
                end_with_process(self._thread, lambda: None)

    def _open(self) -> None:
        try:
            outbox = self._make()
            # Starts the thread that sends.
            outbox.start()
            self._outbox = outbox
        except RigbridgeError as error:
            _LOGGER.error("what is handed over waits: %s", error)  # noqa: TRY400 - the text says it all
        except Exception:
            _LOGGER.exception("what is handed over waits: the outbox cannot be opened")
        finally:
            self._ready.set()

    def opened(self, patience: float) -> Outbox | None:
        """
        Give the outbox, once it is open; None if it cannot be opened.

        Args:
            patience: seconds to wait for that at most.
        """
        self.begin()
        self._ready.wait(patience)
        return self._outbox

    @property
    def is_elsewhere(self) -> bool:
        """Whether another process sends for this one, which is a child of it."""
        # A grandchild, or one whose parent has gone, sends for itself.
        return os.name != "nt" and os.getppid() == self._made_by

    def handing_over(self) -> AbstractContextManager[None]:
        """Have the thread of this process wait while somebody waits for a hand-over."""
        if self._pid != os.getpid() or self._outbox is None:
            return contextlib.nullcontext()
        return self._outbox.handing_over()

    def wake(self) -> None:
        """Have the thread look at once; starts one only where nobody else sends."""
        if self._pid == os.getpid():
            if self._outbox is not None:
                self._outbox.wake()
        elif not self.is_elsewhere:
            self.begin()

    def flush(self, deadline: float) -> int | None:
        """
        Wait until everything is sent, at most some seconds.

        Returns:
            How many runs still wait; None where nobody here can tell.
        """
        end = time.monotonic() + deadline
        # Also one who does not wait is told how many wait.
        outbox = self.opened(max(deadline, _OPENING))
        if outbox is None:
            return None
        # A store that is known to be silent is left to the next minute.
        return outbox.flush(max(0.0, end - time.monotonic()), insist=False)

    def close(self) -> None:
        """Release files and threads; what waits stays."""
        if self._pid != os.getpid():
            return
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            # One that is being opened would stay open.
            with contextlib.suppress(RuntimeError):
                thread.join()
        outbox, self._outbox = self._outbox, None
        self._ready.clear()
        if outbox is not None and outbox is not self._given:
            outbox.close()

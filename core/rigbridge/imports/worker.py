"""
The worker process of an import: what it receives, what it answers, when it ends.

It is a new interpreter, not a copy of this one, since a copy may hold locks of threads
that it does not have. Frames of pickled objects come by its standard input and go by
its standard output; what code of others prints goes to standard error. A worker does
not outlive its parent: its input ends with it, and a thread waits for that.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from typing import IO, Any

from rigbridge.imports.blocks import ReadSettings, read_batch
from rigbridge.imports.detection import AdapterSet
from rigbridge.imports.frames import packed, read_frame, unpacked, write_frame

__all__ = ["serve", "worker_command"]

_KILLED_WITH_PARENT = 1
"""The number of the call PR_SET_PDEATHSIG of Linux."""


def worker_command() -> list[str]:
    """Give the command that starts a worker, with the modules that this process has."""
    code = (
        f"import sys; sys.path[:] = {sys.path!r}; "
        f"from rigbridge.imports.worker import serve; serve({os.getpid()})"
    )
    # Safe path: a folder of reports may hold a file named like a module.
    return [sys.executable, "-P", "-c", code]


def serve(parent: int) -> None:
    """Read batches until nobody sends any more; never returns."""
    # The parent decides what becomes of the work in hand when somebody presses Ctrl-C.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        # Held back by the parent until here; what adapters start must not inherit that.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    _end_with(parent)
    tasks, answers = _private_streams()
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def receive() -> None:
        while (frame := read_frame(tasks)) is not None:
            # Read without pause, so that the end of the input is seen while a batch is
            # in hand.
            waiting.put(frame)
        # At once, whatever the other thread is at: nobody would take its answer.
        os._exit(0)

    threading.Thread(target=receive, name="rigbridge-tasks", daemon=True).start()

    def answer(content: object) -> None:
        write_frame(answers, packed(content))

    adapters: AdapterSet = unpacked(waiting.get())
    # They load while the parent opens its store.
    _ = adapters.unusable
    settings = ReadSettings(adapters=adapters, **unpacked(waiting.get()))
    # Says that the adapters were loaded: a worker that dies before that cannot start at
    # all.
    answer(None)
    while True:
        batch = unpacked(waiting.get())
        for block in read_batch(batch, settings):
            answer(block)
        answer(None)


def _private_streams() -> tuple[IO[bytes], IO[bytes]]:
    """Take the standard streams over, and leave harmless ones in their places."""
    tasks, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    # Code of others may read from standard input or print; neither may touch the
    # frames.
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return tasks, answers


def _end_with(parent: int) -> None:
    """Have Linux kill this process with its parent, even while it hangs in C code."""
    if sys.platform != "linux":
        return
    import ctypes  # needed on Linux only

    ctypes.CDLL(None).prctl(_KILLED_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)  # it died before that

"""
Batches to blocks in several processes, and what happens when one of them dies.

Each worker has a batch in hand and at most one more waiting, so that it never idles. A
thread takes its answers into a queue of few places; when that is full the pipe fills,
and the worker waits: nobody holds more than the writer can follow.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from typing import IO, TypeAlias, cast

import attrs

from rigbridge.errors import ConfigurationError, SourceError
from rigbridge.imports.batches import Batch
from rigbridge.imports.blocks import (
    Block,
    ReadSettings,
    SourcePart,
    read_batch,
)
from rigbridge.imports.detection import AdapterSet
from rigbridge.imports.frames import packed, read_frame, unpacked, write_frame
from rigbridge.imports.results import begun
from rigbridge.imports.worker import worker_command

__all__ = ["blocks_of", "default_jobs"]

_MOST_ATTEMPTS = 3
"""Processes that may die over one source before it is left out."""

_LOADED = "adapters"
"""The one of the settings that a process has before it gets the others."""

_Answers: TypeAlias = "queue.Queue[tuple[_Worker, bytes | None]]"


def default_jobs() -> int:
    """Give the number of processors that this process may use."""
    # A container or a scheduler may allow this process fewer processors than the
    # machine has.
    if sys.platform == "linux":
        count: int | None = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count()
    return count or 1


def blocks_of(
    batches: Iterable[Batch],
    adapters: AdapterSet,
    settings: Callable[[], ReadSettings],
    jobs: int | None = None,
) -> Generator[Block]:
    """
    Read batches, in several processes where that is worth it.

    Closing the generator ends the processes.

    Args:
        batches: what to read; taken one by one, as there is room for them.
        settings: gives how to read, with these adapters; called once the processes
            have been started.
        jobs: how many processes read; 1 is this one, and None as many as there are
            processors, or this one where there is little to read.

    Yields:
        Blocks, of one source in order, of several as they come.
    """
    waiting = iter(batches)
    if jobs is None:
        # A new process takes longer to start than this one to read a batch or two.
        first = list(islice(waiting, 2))
        jobs = default_jobs() if len(first) == 2 else 1
        waiting = _chained(first, waiting)
    # A frozen program has no interpreter to start.
    if jobs == 1 or not sys.executable or getattr(sys, "frozen", False):
        here = settings()
        for batch in waiting:
            yield from read_batch(batch, here)
        return
    pool = _Pool(waiting, adapters, jobs)
    try:
        pool.start()
        yield from pool.blocks(settings())
    finally:
        pool.close()


def _chained(first: list[Batch], rest: Iterator[Batch]) -> Iterator[Batch]:
    yield from first
    yield from rest


@contextmanager
def _interrupts_held() -> Generator[None]:
    """
    Hold Ctrl-C back while a process is started, which inherits that.

    It ignores Ctrl-C once it can; until then one would end it, with a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Worker:
    """A process, and what it has been given."""

    def __init__(self, adapters: bytes, answers: _Answers) -> None:
        with _interrupts_held():
            self.process = subprocess.Popen(  # noqa: S603 - this interpreter itself
                worker_command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        self.batches: deque[Batch] = deque()
        self.ended: set[int] = set()
        self.is_ready = False
        self._answers = answers
        self._is_closed = False
        self._send(adapters)
        # A daemon: it may be blocked in a read when the program ends.
        threading.Thread(
            target=self._receive, name="rigbridge-import", daemon=True
        ).start()

    @property
    def is_free(self) -> bool:
        """Whether it should get a batch: nothing waits behind a large one."""
        if not self.batches:
            return True
        return len(self.batches) == 1 and not self.batches[0].is_large

    def begin(self, settings: bytes) -> None:
        """Let it read what it has been given."""
        self._send(settings)
        for batch in self.batches:
            self._send(packed(batch))

    def give(self, batch: Batch) -> None:
        self.batches.append(batch)
        self._send(packed(batch))

    def _send(self, frame: bytes) -> None:
        # One that is gone is noticed by the end of its answers.
        with suppress(OSError):
            write_frame(cast("IO[bytes]", self.process.stdin), frame)

    def _receive(self) -> None:
        stream = cast("IO[bytes]", self.process.stdout)
        frame: bytes | None = b""
        while frame is not None and not self._is_closed:
            try:
                frame = read_frame(stream)
            except (OSError, ValueError):
                frame = None
            # The queue may be full when nobody takes from it any more.
            while not self._is_closed:
                with suppress(queue.Full):
                    self._answers.put((self, frame), timeout=1)
                    break

    def close(self) -> None:
        """End the process, whatever it is at."""
        self._is_closed = True
        # Killed and not asked: it may be deep in C code, and nothing that it holds is
        # worth waiting for.
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            # What was not sent any more is of no use.
            with suppress(OSError, ValueError):
                cast("IO[bytes]", stream).close()


class _Pool:
    """
    Several workers on the same batches.

    Args:
        adapters: the adapters to choose from, which the processes load at once.
        jobs: how many processes.
    """

    def __init__(
        self, batches: Iterator[Batch], adapters: AdapterSet, jobs: int
    ) -> None:
        self._batches = batches
        self._adapters = packed(adapters)
        self._settings = b""
        self._jobs = jobs
        # Two places for each worker. More would only hold more blocks in memory.
        self._answers: _Answers = queue.Queue(maxsize=2 * jobs)
        self._workers: list[_Worker] = []
        # What a worker has died over, or left behind.
        self._again: deque[Batch] = deque()
        self._failed_starts = 0

    def start(self) -> None:
        """Start a process for each of the first batches; none begins to read."""
        for batch in islice(self._batches, self._jobs):
            worker = _Worker(self._adapters, self._answers)
            worker.batches.append(batch)
            self._workers.append(worker)

    def blocks(self, settings: ReadSettings) -> Iterator[Block]:
        self._settings = packed(
            attrs.asdict(
                settings, recurse=False, filter=lambda field, _: field.name != _LOADED
            )
        )
        for worker in self._workers:
            worker.begin(self._settings)
        self._assign()
        while any(worker.batches for worker in self._workers):
            worker, frame = self._answers.get()
            if frame is None:
                yield from self._died(worker)
            else:
                block = unpacked(frame)
                if block is None:
                    self._ended(worker)
                else:
                    parts = cast("Block", block).parts
                    worker.ended.update(part.number for part in parts if part.result)
                    yield block
            self._assign()

    def _ended(self, worker: _Worker) -> None:
        """Note that a worker is ready, or done with a batch."""
        if worker.is_ready:
            worker.batches.popleft()
            worker.ended.clear()
        worker.is_ready = True
        self._failed_starts = 0

    def _assign(self) -> None:
        """Give batches to workers that should have one, the idle ones first."""
        while True:
            free = [worker for worker in self._workers if worker.is_free]
            worker = min(free, key=lambda worker: len(worker.batches), default=None)
            may_start = len(self._workers) < self._jobs
            if (worker is None or worker.batches) and may_start:
                worker = None
            elif worker is None:
                return
            batch = self._again.popleft() if self._again else next(self._batches, None)
            if batch is None:
                return
            if worker is None:
                worker = _Worker(self._adapters, self._answers)
                worker.begin(self._settings)
                self._workers.append(worker)
            worker.give(batch)

    def _died(self, worker: _Worker) -> Iterator[Block]:
        """Take back what a worker has not read, and name what it died over."""
        self._workers.remove(worker)
        code = worker.process.wait()
        worker.close()
        # It died while it loaded its modules: none of its batches is to blame.
        if not worker.is_ready:
            self._again.extend(worker.batches)
            self._failed_starts += 1
            if self._failed_starts == _MOST_ATTEMPTS:
                raise ConfigurationError(
                    f"processes that read reports do not start (exit code {code})",
                    remedy="see above why, or import with --jobs 1",
                )
            return
        if not worker.batches:
            return
        batch = worker.batches.popleft()
        # Only the first batch was in hand. Those behind it were not touched.
        self._again.extend(worker.batches)
        attempts = batch.attempts + 1
        for number, found in batch.sources:
            # What it had ended before it died is complete and stored.
            if number in worker.ended:
                continue
            if len(batch.sources) == 1 and attempts == _MOST_ATTEMPTS:
                result = attrs.evolve(begun(found), errors=(_fatal(found.uri, code),))
                # Nothing is void: what was given of it by then is stored.
                part = SourcePart(number=number, begins=False, result=result)
                yield Block(parts=(part,))
                continue
            # Alone, so that it is known next time which of them it is.
            again = Batch(sources=((number, found),), attempts=attempts)
            self._again.append(again)

    def close(self) -> None:
        for worker in self._workers:
            worker.close()
        self._workers.clear()


def _fatal(uri: str, code: int) -> SourceError:
    how = f"exit code {code}"
    if code < 0:
        with suppress(ValueError):
            how = signal.Signals(-code).name
    return SourceError(
        f"reading it ended the process, {_MOST_ATTEMPTS} times ({how})",
        source=uri,
        remedy="it may need more memory than there is; look at it apart from the rest",
    )

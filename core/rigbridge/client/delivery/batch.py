"""Many deliveries at a time, as many as the latency and the server allow."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
)

from rigbridge.client.transport.concurrency import ConcurrencyLimit
from rigbridge.destinations import Consignment, Outcome, Receipt
from rigbridge.errors import RunWaitsError

__all__ = ["PATIENCE", "deliver_many", "deliver_many_async"]

PATIENCE = 60.0
"""Seconds that a server's wish for a pause is followed, unless told otherwise."""


def deliver_many(
    consignments: Iterable[Consignment],
    send: Callable[[Consignment], Receipt],
    limit: ConcurrencyLimit,
    patience: float,
) -> Generator[Outcome, None, None]:
    """
    Send in threads; see :meth:`HTTPDestination.submit_many`.

    Args:
        limit: tells how many may be under way.
        patience: seconds that the server's wish for a pause is followed.
    """
    threads = _SenderThreads(send)
    waiting = iter(consignments)
    next_one = next(waiting, None)
    try:
        while next_one is not None or threads.busy:
            # Without patience a queue keeps the pause, where a person can override it.
            pause = limit.pause if patience else 0.0
            if (
                next_one is None
                or threads.busy >= limit.width
                or (pause and threads.busy)
            ):
                yield threads.next_outcome()
                # The files of each run share the width, see file_width.
                limit.runs = threads.busy
                continue
            # Given back unsent: a pause of an hour belongs to the queue.
            if pause > patience:
                yield Outcome(consignment=next_one, error=_postponed(pause))
            elif pause:
                time.sleep(pause)
                continue
            elif not threads.busy and (limit.width == 1 or not limit.is_known):
                # Handing over to another thread and back costs more than it brings.
                limit.runs = 1
                yield _outcome(send, next_one)
            else:
                limit.runs = threads.busy + 1
                threads.start(next_one)
            next_one = next(waiting, None)
    finally:
        threads.join()
        limit.runs = 0


class _SenderThreads:
    """Threads that wait for work; as many as were busy at once."""

    def __init__(self, send: Callable[[Consignment], Receipt]) -> None:
        self._send = send
        self._work: queue.SimpleQueue[Consignment | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self.busy = 0

    def start(self, consignment: Consignment) -> None:
        """Have a thread send it; without one, as the interpreter ends, do it here."""
        if self.busy == len(self._threads):
            thread = threading.Thread(
                # A daemon: an interpreter that ends must not wait for a server that
                # does not answer.
                target=self._serve,
                name="rigbridge-delivery",
                daemon=True,
            )
            try:
                thread.start()
            except RuntimeError:
                # Python 3.12 refuses new threads while the interpreter shuts down.
                self.busy += 1
                self._done.put(_outcome(self._send, consignment))
                return
            self._threads.append(thread)
        self.busy += 1
        self._work.put(consignment)

    def _serve(self) -> None:
        while (consignment := self._work.get()) is not None:
            self._done.put(_outcome(self._send, consignment))

    def next_outcome(self) -> Outcome:
        """Wait for the next that ends."""
        outcome = self._done.get()
        self.busy -= 1
        return outcome

    def join(self) -> None:
        """Wait for what is under way."""
        # One None for each thread: every thread takes exactly one and ends.
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads:
            thread.join()


def _outcome(
    send: Callable[[Consignment], Receipt], consignment: Consignment
) -> Outcome:
    try:
        return Outcome(consignment=consignment, receipt=send(consignment))
    except Exception as error:  # noqa: BLE001 - one run's error is told, not raised
        return Outcome(consignment=consignment, error=error)


async def deliver_many_async(
    consignments: Iterable[Consignment],
    send: Callable[[Consignment], Awaitable[Receipt]],
    limit: ConcurrencyLimit,
    patience: float,
) -> AsyncGenerator[Outcome, None]:
    """Send in tasks; see :meth:`AsyncHTTPDestination.submit_many`."""
    tasks: set[asyncio.Task[Outcome]] = set()
    waiting = iter(consignments)
    next_one = next(waiting, None)
    try:
        while next_one is not None or tasks:
            # Without patience a queue keeps the pause, where a person can override it.
            pause = limit.pause if patience else 0.0
            if next_one is None or len(tasks) >= limit.width or (pause and tasks):
                ended, tasks = await asyncio.wait(
                    tasks, return_when=asyncio.FIRST_COMPLETED
                )
                limit.runs = len(tasks)
                for task in ended:
                    yield task.result()
                continue
            if pause > patience:
                yield Outcome(consignment=next_one, error=_postponed(pause))
            elif pause:
                await asyncio.sleep(pause)
                continue
            else:
                limit.runs = len(tasks) + 1
                tasks.add(asyncio.create_task(_outcome_async(send, next_one)))
                # The first answer tells whether the store is far; before it, the width
                # is a guess.
                if not limit.is_known:
                    await asyncio.wait(tasks)
            next_one = next(waiting, None)
    finally:
        if tasks:
            # Waited for and not cancelled: a create that is cut off leaves a run in
            # doubt.
            await asyncio.wait(tasks)
        limit.runs = 0


async def _outcome_async(
    send: Callable[[Consignment], Awaitable[Receipt]], consignment: Consignment
) -> Outcome:
    try:
        return Outcome(consignment=consignment, receipt=await send(consignment))
    except Exception as error:  # noqa: BLE001 - one run's error is told, not raised
        return Outcome(consignment=consignment, error=error)


def _postponed(pause: float) -> RunWaitsError:
    return RunWaitsError(
        "was not sent, since the server asked for a pause", retry_after=pause
    )

"""Run a function on many items in threads: new ones, or ones that wait for work."""

from __future__ import annotations

import atexit
import functools
import itertools
import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

__all__ = [
    "WaitingThreads",
    "end_with_process",
    "prepare_for_the_end",
    "run_in_threads",
    "start_in_threads",
]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

# Longer than a step on the disk takes, too short to be noticed by who waits.
_GRACE = 0.5
_ending: dict[threading.Thread, Callable[[], None]] = {}

# Longer than a thread takes to wake up, much shorter than it waits for the interpreter.
_TURN = 0.0002


@functools.cache
def prepare_for_the_end() -> None:
    """
    Let threads end before the interpreter does; called before own exit handlers.

    Exit handlers run in the reverse order of their registration. Who flushes at the end
    needs the threads, so that they must be told to stop after it.
    """
    atexit.register(_end_threads)


def end_with_process(thread: threading.Thread, stop: Callable[[], None]) -> None:
    """
    Have a daemon told to stop when the process ends, and waited for a moment.

    A thread that is within SQLite or a digest while the interpreter is taken down may
    end the process with a fault. One that waits for a network longer than the moment is
    left, so that it keeps no program from ending.

    Args:
        thread: it has been started.
        stop: tells it to stop.
    """
    prepare_for_the_end()
    for ended in [each for each in list(_ending) if not each.is_alive()]:
        _ending.pop(ended, None)
    _ending[thread] = stop


def _end_threads() -> None:
    alive = [
        (thread, stop) for thread, stop in list(_ending.items()) if thread.is_alive()
    ]
    for _, stop in alive:
        stop()
    end = time.monotonic() + _GRACE
    for thread, _ in alive:
        thread.join(max(0.0, end - time.monotonic()))


def start_in_threads(
    items: Sequence[_Item],
    run: Callable[[_Item], _Result],
    width: int,
    *,
    name: str = "rigbridge-worker",
) -> Callable[[], list[_Result]]:
    """
    Start to run a function on each item, in threads.

    An interpreter that ends starts no threads; the caller does all the work then.

    Args:
        width: how many threads at most.

    Returns:
        A function to be called once, in the end. It does itself what no thread has
        begun, waits for the rest, and returns or raises as :func:`run_in_threads`.
    """
    results: dict[int, _Result] = {}
    # Lists and dicts are changed without a lock: one operation of them is atomic.
    errors: list[BaseException] = []
    numbers = itertools.count()

    def work() -> None:
        # next() of a count is atomic, so no two threads take the same item.
        while not errors and (number := next(numbers)) < len(items):
            try:
                results[number] = run(items[number])
            except BaseException as error:  # noqa: BLE001 - raised where all is joined
                errors.append(error)

    threads: list[threading.Thread] = []
    for _ in range(min(width, len(items))):
        # Daemons: a worker that hangs on a disk must not keep the program from ending.
        thread = threading.Thread(target=work, name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError:
            break  # the interpreter ends
        threads.append(thread)

    def finish() -> list[_Result]:
        # The caller takes items too, so that the work is done even where no thread
        # could start.
        work()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        return [results[number] for number in range(len(items))]

    return finish


def run_in_threads(
    items: Sequence[_Item],
    run: Callable[[_Item], _Result],
    width: int,
    *,
    name: str = "rigbridge-worker",
) -> list[_Result]:
    """
    Run a function on each item, in threads and in the calling thread.

    Args:
        width: how many at once.

    Returns:
        What came of each, in the order of the items.

    Raises:
        BaseException: the first that was raised, once all that began have ended;
            nothing begins after it.
    """
    # One thread fewer: the caller is one of them.
    return start_in_threads(items, run, min(width, len(items)) - 1, name=name)()


class WaitingThreads:
    """
    Threads that wait for work, for one who must not start any.

    They are daemons. In the child of a fork there are none: the caller then does all
    the work itself, one item after the other.

    Args:
        width: how many.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._pid: int | None = None
        # Without a lock of Python's own, which a fork could leave locked for ever.
        self._works: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    def start(self) -> None:
        """Start the threads; nothing to do where they wait already."""
        if self._pid is not None:
            return
        self._pid = os.getpid()
        for _ in range(self._width):
            thread = threading.Thread(
                target=self._serve, name="rigbridge-waiting", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:
                return  # the interpreter ends

    def _serve(self) -> None:
        while True:
            self._works.get()()

    def let_begin(self) -> None:
        """
        Let the threads have the interpreter for a moment.

        Python lets a thread that wakes up wait for 5 ms while another one computes. The
        caller who has begun some work, and computes then, gives it a start with this.
        """
        if self._pid == os.getpid():
            time.sleep(_TURN)

    def begin(
        self, items: Sequence[_Item], run: Callable[[_Item], _Result]
    ) -> Callable[[], list[_Result]]:
        """
        Have the threads begin to run a function on each item.

        Returns:
            A function to be called once, in the end: it does itself what no thread has
            begun, waits for the rest, and gives the results in the order of the items,
            or raises the first error once nothing is under way any more.
        """
        results: dict[int, _Result] = {}
        errors: list[BaseException] = []
        numbers = itertools.count()
        ended: queue.SimpleQueue[None] = queue.SimpleQueue()

        def work() -> None:
            # next() of a count is atomic, so no two threads take the same item.
            while (number := next(numbers)) < len(items):
                try:
                    results[number] = run(items[number])
                except Exception as error:  # noqa: BLE001 - raised where all is joined
                    errors.append(error)
                finally:
                    ended.put(None)

        if self._pid == os.getpid():
            for _ in range(min(self._width, len(items))):
                self._works.put(work)

        def finish() -> list[_Result]:
            work()
            for _ in items:
                ended.get()
            if errors:
                raise errors[0]
            return [results[number] for number in range(len(items))]

        return finish

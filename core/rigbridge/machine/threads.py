"""Run a function on many items in threads, which end with the work."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

__all__ = ["run_in_threads", "start_in_threads"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


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
        items: the items.
        run: the function.
        width: how many threads at most.
        name: the name of the threads.

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
        items: the items.
        run: the function.
        width: how many at once.
        name: the name of the threads.

    Returns:
        What came of each, in the order of the items.

    Raises:
        BaseException: the first that was raised, once all that began have ended;
            nothing begins after it.
    """
    # One thread fewer: the caller is one of them.
    return start_in_threads(items, run, min(width, len(items)) - 1, name=name)()

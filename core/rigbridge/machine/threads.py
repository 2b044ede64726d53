"""Work side by side in threads that live no longer than what they do."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

__all__ = ["begin_beside", "run_beside"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def begin_beside(
    items: Sequence[_Item],
    run: Callable[[_Item], _Result],
    width: int,
    *,
    name: str = "rigbridge-worker",
) -> Callable[[], list[_Result]]:
    """
    Begin to do something with each of some items, in threads beside the caller.

    A thread that the interpreter does not give any more, because it ends, is done
    without.

    Args:
        items: the items.
        run: what to do with one.
        width: how many threads at most.
        name: the name of the threads.

    Returns:
        What the caller is to call in the end, once: it does itself what has not begun
        by then, waits for the rest, and gives or raises what :func:`run_beside` does.
    """
    results: dict[int, _Result] = {}
    errors: list[BaseException] = []
    numbers = itertools.count()

    def work() -> None:
        while not errors and (number := next(numbers)) < len(items):
            try:
                results[number] = run(items[number])
            except BaseException as error:  # noqa: BLE001 - raised where all is joined
                errors.append(error)

    helpers: list[threading.Thread] = []
    for _ in range(min(width, len(items))):
        helper = threading.Thread(target=work, name=name, daemon=True)
        try:
            helper.start()
        except RuntimeError:
            break
        helpers.append(helper)

    def finish() -> list[_Result]:
        work()
        for helper in helpers:
            helper.join()
        if errors:
            raise errors[0]
        return [results[number] for number in range(len(items))]

    return finish


def run_beside(
    items: Sequence[_Item],
    run: Callable[[_Item], _Result],
    width: int,
    *,
    name: str = "rigbridge-worker",
) -> list[_Result]:
    """
    Do something with each of some items, the calling thread among those that work.

    A thread that the interpreter does not give any more, because it ends, is done
    without.

    Args:
        items: the items.
        run: what to do with one.
        width: how many at once.
        name: the name of the threads.

    Returns:
        What came of each, in the order of the items.

    Raises:
        BaseException: the first that was raised, once all that began have ended;
            nothing begins after it.
    """
    return begin_beside(items, run, min(width, len(items)) - 1, name=name)()

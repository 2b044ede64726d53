"""Work side by side in threads that live no longer than the call."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

__all__ = ["run_beside"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


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
    for _ in range(min(width, len(items)) - 1):
        helper = threading.Thread(target=work, name=name, daemon=True)
        try:
            helper.start()
        except RuntimeError:
            break
        helpers.append(helper)
    work()
    for helper in helpers:
        helper.join()
    if errors:
        raise errors[0]
    return [results[number] for number in range(len(items))]

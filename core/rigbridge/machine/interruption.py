"""
Work that is brought to its end although the operator presses Ctrl-C.

Python raises :class:`KeyboardInterrupt` wherever the main thread happens to be. What
must not be lost then is done once more, from its beginning, and the interrupt is raised
afterwards. So the work must do no harm when it is done twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

__all__ = ["brought_to_end"]

_Result = TypeVar("_Result")
# Somebody who presses it that often does not mean to wait.
_PATIENCE = 8


def brought_to_end(work: Callable[[], _Result]) -> _Result:
    """
    Do some work to its end, also when an interrupt comes meanwhile.

    Args:
        work: the work; is begun anew after an interrupt, so a repetition must do no
            harm.

    Returns:
        What the work gave.

    Raises:
        KeyboardInterrupt: the operator pressed Ctrl-C; the work is done.
        SystemExit: a handler of a signal raised it; likewise.
    """
    interrupts: list[BaseException] = []
    while len(interrupts) < _PATIENCE:
        try:
            result = work()
        # What a signal handler raises; an error of the work itself goes on at once.
        except (KeyboardInterrupt, SystemExit) as error:
            interrupts.append(error)
        else:
            if not interrupts:
                return result
            break
    raise interrupts[0]

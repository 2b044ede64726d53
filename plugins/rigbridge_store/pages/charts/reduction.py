"""Many points to those that are seen: the lowest and the highest of each stretch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

__all__ = ["seen_points"]


def seen_points(values: Sequence[float], stretches: int) -> Iterator[int | None]:
    """
    Choose the points that give a line its outline.

    Of each stretch the lowest and the highest point are chosen, in their order, so
    that no peak is lost, however narrow. What is not finite interrupts the line.

    Args:
        values: what is drawn, in order.
        stretches: how many stretches there are; few points are all chosen.

    Yields:
        Indices in ascending order, and None where the line is interrupted.
    """
    count = len(values)
    if count <= 2 * stretches:
        for index, value in enumerate(values):
            yield index if math.isfinite(value) else None
        return
    for stretch in range(stretches):
        begin = stretch * count // stretches
        end = (stretch + 1) * count // stretches
        chosen = [index for index in range(begin, end) if math.isfinite(values[index])]
        if not chosen:
            yield None
            continue
        lowest = min(chosen, key=values.__getitem__)
        highest = max(chosen, key=values.__getitem__)
        yield from sorted({lowest, highest})
        if len(chosen) < end - begin:
            # Where within the stretch is finer than what can be seen.
            yield None

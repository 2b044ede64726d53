"""Sources in batches: what one process reads at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from rigbridge.sources import FoundSource

__all__ = ["LARGE", "Batch", "batches_of"]

MOST_SOURCES = 32
"""How many sources one batch holds."""

LARGE = 4 << 20
"""How many bytes one batch holds; a source of that size is a batch of its own."""


@attrs.frozen(kw_only=True)
class Batch:
    """
    Sources that one process reads, one after the other.

    Attributes:
        sources: the sources, each with its number within the import.
        attempts: how many processes have died while they read it.
    """

    sources: tuple[tuple[int, FoundSource], ...]
    attempts: int = 0

    @property
    def is_large(self) -> bool:
        """Whether it takes so long that nothing should wait behind it."""
        return sum(found.size or 0 for _, found in self.sources) >= LARGE


def batches_of(sources: Iterable[FoundSource]) -> Iterator[Batch]:
    """
    Put sources into batches.

    A large source is given at once and alone, so that the small ones beside it do not
    wait for it.
    """
    waiting: list[tuple[int, FoundSource]] = []
    size = 0
    for number, found in enumerate(sources):
        length = found.size or 0
        # Alone, whatever waits: it is also what a process may die over, and then
        # nothing else is suspected.
        if length >= LARGE:
            yield Batch(sources=((number, found),))
            continue
        if waiting and (len(waiting) == MOST_SOURCES or size + length > LARGE):
            yield Batch(sources=tuple(waiting))
            waiting, size = [], 0
        waiting.append((number, found))
        size += length
    if waiting:
        yield Batch(sources=tuple(waiting))

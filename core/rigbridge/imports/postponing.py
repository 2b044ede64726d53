"""Holds assemblies on the disk until the units that they contain are stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar

from rigbridge.destinations import PreparedItem
from rigbridge.imports.frames import packed, unpacked

__all__ = ["PostponedItems"]

_Note = TypeVar("_Note")


class PostponedItems(Generic[_Note]):
    """
    Keeps prepared runs in the order in which they came, with a note on each.

    Args:
        folder: where; its owner removes it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "postponed"
        self._entries: list[tuple[_Note, Path]] = []
        self._count = 0

    def keep(self, note: _Note, item: PreparedItem) -> None:
        """
        Keep a run; a memory would not hold the assemblies of years.

        Raises:
            OSError: the disk does not take it.
        """
        self._folder.mkdir(exist_ok=True)
        path = self._folder / str(self._count)
        self._count += 1
        path.write_bytes(packed(item))
        self._entries.append((note, path))

    def groups(self, size: int) -> Iterator[list[tuple[_Note, PreparedItem]]]:
        """Take out what is kept; what is kept meanwhile is for the next time."""
        # Taken out before they are given: an assembly that must wait again is kept for
        # the next round.
        entries, self._entries = self._entries, []
        for start in range(0, len(entries), size):
            group: list[tuple[_Note, PreparedItem]] = []
            for note, path in entries[start : start + size]:
                group.append((note, unpacked(path.read_bytes())))
                path.unlink()
            yield group

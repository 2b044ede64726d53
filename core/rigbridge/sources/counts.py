"""What a scan passes over, counted, so that it can be said."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import attrs

from rigbridge.machine.folders import path_text

__all__ = ["ScanCounts"]


@attrs.define
class ScanCounts:
    """
    What a scan passed over.

    Attributes:
        excluded: files and members of archives that the patterns leave out.
        excluded_folders: folders that they leave out, with all that is in them.
        special: pipes, sockets and devices, which are no reports.
        example: the first of these, and what it is; None if there is none.
    """

    excluded: int = 0
    excluded_folders: int = 0
    special: int = 0
    example: str | None = None

    def note_special(self, path: Path, state: os.stat_result) -> None:
        """Count what is no regular file."""
        self.special += 1
        if self.example is None:
            kinds = {
                stat.S_IFIFO: "a pipe",
                stat.S_IFSOCK: "a socket",
                stat.S_IFBLK: "a device",
                stat.S_IFCHR: "a device",
            }
            kind = kinds.get(stat.S_IFMT(state.st_mode), "no regular file")
            self.example = f"{path_text(path)} is {kind}"

    def as_document(self) -> dict[str, object]:
        """Give the counts as JSON values."""
        return attrs.asdict(self)

    def excluded_words(self) -> str:
        """Say how much the patterns left out; nothing where that is nothing."""
        counts = ((self.excluded, "file"), (self.excluded_folders, "folder"))
        words = [
            f"{count} {kind}{'s'[: count != 1]}" for count, kind in counts if count
        ]
        return f"; {' and '.join(words)} left out by patterns" if words else ""

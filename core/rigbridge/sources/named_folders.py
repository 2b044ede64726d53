"""The folders that were named: a share may go while what is below it is read."""

from __future__ import annotations

from pathlib import Path

from rigbridge.errors import SourceUnreadableError
from rigbridge.machine.folders import path_text
from rigbridge.sources.folders import folder_identity
from rigbridge.sources.found import FoundSource

__all__ = ["NamedFolders"]


class NamedFolders:
    """
    Tells the end of a folder from that of a file in it.

    Without that, each file below it would be one that failed, and an entry in the
    ledger.
    """

    def __init__(self) -> None:
        self._last: Path | None = None
        self._began: dict[Path, tuple[int, int] | None] = {}
        self._errors: dict[Path, SourceUnreadableError] = {}

    def error(self, found: FoundSource) -> SourceUnreadableError | None:
        """Note a source that is to be read; gives why not, if its folder has gone."""
        root = found.root
        # One object for all files of a folder: comparing paths takes longer.
        if root is not None and root is not self._last:
            self._last = root
            self._began.setdefault(root, folder_identity(root))
        return self._errors.get(root) if root is not None and self._errors else None

    def look(self, found: FoundSource) -> SourceUnreadableError | None:
        """Look whether the folder of a source is there, which could not be read."""
        root = found.root
        if root is None or root in self._errors:
            return None if root is None else self._errors[root]
        # By identity: where a share was mounted, an empty folder is left.
        here = folder_identity(root)
        if here is not None and here == self._began.get(root, here):
            return None
        self._errors[root] = SourceUnreadableError(
            "is not there any more, and no file below it can be read",
            source=path_text(root),
            remedy="bring it back (a share may have to be mounted again), then repeat "
            "the same command: it goes on with the files that are left",
        )
        return self._errors[root]

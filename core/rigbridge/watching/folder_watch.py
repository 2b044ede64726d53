"""One folder that is watched: which files are new, and complete."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import attrs

from rigbridge.errors import (
    HeldError,
    RetriableError,
    RigbridgeError,
)
from rigbridge.imports import SourceResult
from rigbridge.sources import FolderWalk, FoundSource, ScanCounts
from rigbridge.watching.rules import WatchRule

__all__ = ["FolderWatch", "WatchState"]

_LOGGER = logging.getLogger("rigbridge.watching")
_TICK = 0.5
_POLL = 5.0
_RESCAN = 60.0
_RETRY = 30.0
# A file that has not changed for so long when we start is not being written.
_OLD = 60.0

ImportFiles = Callable[
    [Iterable[FoundSource], Callable[[], bool]], Iterator[SourceResult]
]


@attrs.define
class WatchState:
    """
    How it stands with a watched folder.

    Attributes:
        present: whether it is there.
        imported: files that were imported since the start.
        waiting: files that are not complete yet, or are tried again later.
        last_file: the file that was imported last.
    """

    folder: str
    present: bool = False
    imported: int = 0
    failed: int = 0
    waiting: int = 0
    last_file: str | None = None
    last_error: str | None = None


class FolderWatch:
    """
    Watches one folder and hands over files once they are complete.

    The system's word of a change only says where to look, since it may be lost: the
    whole folder is looked at once a minute as well. A folder that vanishes is waited
    for.

    Args:
        import_files: imports files; is given what tells it to end.
    """

    def __init__(
        self,
        rule: WatchRule,
        import_files: ImportFiles,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rule = rule
        self._import = import_files
        self._clock = clock
        # Numbers, not names: a folder may hold millions that were imported long ago.
        self._done: set[int] = set()
        self._waiting: dict[bytes, tuple[FoundSource, float]] = {}
        self._started = False
        self.state = WatchState(folder=str(rule.folder))

    def run(self, stop: threading.Event) -> None:
        """Watch until told to stop."""
        while not stop.is_set():
            try:
                self._run(stop)
            except Exception:
                # A service goes on: the next look finds what was left.
                _LOGGER.exception("watching %s is begun anew", self._rule.folder)
            stop.wait(_TICK if self.state.present else _POLL)

    def _run(self, stop: threading.Event) -> None:
        if not self.look():
            return
        self.import_complete(stop.is_set)
        for changed in self._changes(stop):
            if changed is None or any(map(os.path.isdir, changed)):
                if not self.look():
                    return
            else:
                self._look_at(changed)
            self.import_complete(stop.is_set)

    def _changes(self, stop: threading.Event) -> Iterator[Sequence[str] | None]:
        """Give what changed, at least every half second; None for nobody knows what."""
        if self._rule.polls:
            while not stop.wait(min(_POLL, max(self._rule.settle, _TICK))):
                yield None
            return
        import watchfiles  # loads a library of its own

        # At first at once: nothing was said before the system knew that we listen.
        due = self._clock()
        # Only the names: its filter would hide files that look like an editor's.
        for changes in watchfiles.watch(
            self._rule.folder,
            watch_filter=None,
            stop_event=stop,
            debounce=int(_TICK * 1000),
            rust_timeout=int(_TICK * 1000),
            yield_on_timeout=True,
            raise_interrupt=False,
            force_polling=False,
            ignore_permission_denied=True,
        ):
            is_due = self._clock() >= due or not self._rule.folder.is_dir()
            if is_due:
                due = self._clock() + _RESCAN
            # A new folder is listened to a moment after its first files come.
            if any(os.path.isdir(path) for _, path in changes):  # noqa: PTH112
                due = min(due, self._clock() + self._rule.settle)
            yield None if is_due else [path for _, path in changes]

    def look(self) -> bool:
        """Look at the whole folder; False where it is not there."""
        self.state.present = self._rule.folder.is_dir()
        if not self.state.present:
            self._waiting.clear()
            self.state.waiting = 0
            return False
        here: set[bytes] = set()
        walk = FolderWalk(self._rule.selection, ScanCounts())
        for found in walk.below(self._rule.folder):
            if found.is_refused:
                continue
            if self._note(found):
                here.add(found.key)
        for key in self._waiting.keys() - here:
            del self._waiting[key]
        self._started = True
        return True

    def _look_at(self, paths: Iterable[str]) -> None:
        walk = FolderWalk(self._rule.selection, ScanCounts())
        for path in paths:
            found = walk.one(self._rule.folder, Path(path))
            if found is not None:
                self._note(found)

    def _note(self, found: FoundSource) -> bool:
        """Note a file; True where it waits."""
        if _mark(found) in self._done or found.size is None:
            return False
        known = self._waiting.get(found.key)
        if known is None or _mark(known[0]) != _mark(found):
            since = self._clock()
            if not self._started and time.time() - (found.mtime_ns or 0) / 1e9 > _OLD:
                since -= self._rule.settle
            self._waiting[found.key] = found, since
        return True

    def import_complete(self, stop: Callable[[], bool]) -> None:
        """Import the files that are complete."""
        ready = [
            found
            for found, since in self._waiting.values()
            if self._clock() - since >= self._rule.settle and _is_closed(found)
        ]
        self.state.waiting = len(self._waiting) - len(ready)
        if not ready:
            return
        # What changed since it was looked at waits again.
        same = {found.uri: found for found in ready if _is_unchanged(found)}
        failed: set[str] = set()
        for result in self._import(same.values(), stop):
            uri = result.source.partition("!/")[0]
            self._note_result(result)
            if not _is_final(result) or (result.errors and not _opens(same[uri])):
                failed.add(uri)
        if stop():
            return
        for uri, found in same.items():
            if uri in failed:
                self._waiting[found.key] = found, self._clock() + _RETRY
            else:
                self._waiting.pop(found.key, None)
                self._done.add(_mark(found))
        self.state.waiting = len(self._waiting)

    def _note_result(self, result: SourceResult) -> None:
        if result.skipped:
            return
        if result.succeeded:
            self.state.imported += 1
            self.state.last_file = result.source
            return
        self.state.failed += result.tried
        error: RigbridgeError | None = next(iter(result.errors), None)
        # Once: of a folder that is gone each file says the same.
        if error is not None and self.state.last_error != str(error):
            self.state.last_error = str(error)
            _LOGGER.warning("%s", error)


def _mark(found: FoundSource) -> int:
    return hash((found.key, found.size, found.mtime_ns))


def _is_final(result: SourceResult) -> bool:
    return result.tried and not any(
        isinstance(error, (RetriableError, HeldError)) for error in result.errors
    )


def _opens(found: FoundSource) -> bool:
    # It may be open in another program, or gone and come back: neither changes its size
    # or its time, by which a new file would be told.
    try:
        with Path(os.fsdecode(found.key)).open("rb") as stream:
            stream.read(1)
    except OSError:
        return False
    return True


def _is_unchanged(found: FoundSource) -> bool:
    with suppress(OSError):
        state = Path(os.fsdecode(found.key)).stat()
        return (state.st_size, state.st_mtime_ns) == (found.size, found.mtime_ns)
    return False


def _is_closed(found: FoundSource) -> bool:
    """Tell whether nobody writes to a file, where the system knows."""
    if os.name != "nt" or found.path is None:
        return True
    try:
        # Refused there while somebody holds the file open for writing.
        found.path.rename(found.path)
    except OSError:
        return False
    return True

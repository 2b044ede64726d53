"""Which sources an import passes over, since an earlier one is done with them."""

from __future__ import annotations

import time
from collections.abc import Callable

from rigbridge.ledger.entry import KnownSource
from rigbridge.ledger.ledger import Ledger
from rigbridge.ledger.paths import parted

__all__ = ["GRANULARITY", "LedgerLookup"]

GRANULARITY = 2_000_000_000
"""
Nanoseconds within which a file may change without a change of its time: FAT counts in
steps of two seconds, and the clock of a file server is not ours.
"""

_GROUP = 500
_LEAST = 8
_MOST = 2000


class LedgerLookup:
    """
    Finds what an import need not read again.

    A source that was imported completely is passed over, whatever the settings are now.
    One that failed, or whose runs were refused, is passed over as long as nothing has
    changed that may help it: neither the file nor the settings.

    Args:
        ledger: the ledger.
        destination: the name of the destination of the import.
        settings: the digest of the settings in force.
        again: pass over nothing.
    """

    def __init__(
        self, ledger: Ledger, destination: str, settings: str, *, again: bool = False
    ) -> None:
        self.ledger = ledger
        self.destination = destination
        self.settings = settings
        self._again = again
        self._ahead = _ReadAhead(ledger, destination)
        self._seen: list[bytes] = []
        self._seen_ns = time.time_ns()

    def finished(
        self,
        path: bytes,
        size: int,
        mtime_ns: int,
        digest: Callable[[], str | None],
    ) -> KnownSource | None:
        """
        Find a source that need not be read again.

        Args:
            path: as :func:`ledger_path` gives it.
            size: in bytes.
            mtime_ns: when it was modified, in nanoseconds of Unix time.
            digest: gives the SHA-256 of its content in hex, or None. It is called only
                where the source was modified so shortly before it was read that its
                size and its time would not show another change.

        Returns:
            What came of it, and the key of its entry; None where it has to be read.
        """
        if self._again:
            return None
        entry = self._ahead.find(path)
        if entry is None or entry.size != size or entry.mtime_ns != mtime_ns:
            return None
        if not entry.verdict.is_complete and entry.settings != self.settings:
            return None
        if mtime_ns + GRANULARITY > entry.seen_ns:
            if entry.digest is None or digest() != entry.digest.hex():
                return None
            # From now on its time can be trusted, unless it is that of this moment.
            self._seen.append(path)
            if len(self._seen) >= _GROUP:
                self.flush()
        return entry

    def same_content(self, path: bytes, digest: str) -> bytes | None:
        """
        Find another source of the same content that was imported completely.

        Args:
            path: the source that is to be imported; it is not found itself.
            digest: the SHA-256 of its content in hex.
        """
        if self._again:
            return None
        found = self.ledger.with_content(digest, self.destination)
        return None if found == path else found

    def flush(self) -> None:
        """Note what was looked at again; to be called at the end."""
        self.ledger.see_again(self._seen, self._seen_ns)
        self._seen = []


class _ReadAhead:
    """
    Finds sources by their paths, asked for in the order of their names.

    One question of the database takes as long as a dozen further rows of its answer. So
    more and more are read at once, as long as the next name is among them.
    """

    def __init__(self, ledger: Ledger, destination: str) -> None:
        self._ledger = ledger
        self._destination = destination
        self._changes = ledger.changes
        self._folder = b""
        # What is known of the names from the first to the last; None is the end.
        self._rows: dict[bytes, KnownSource] = {}
        self._first = b""
        self._last: bytes | None = b""
        self._limit = _LEAST

    def find(self, path: bytes) -> KnownSource | None:
        folder, name = parted(path)
        # What this import itself records is found, too.
        is_same = folder == self._folder and self._changes == self._ledger.changes
        if not is_same or name < self._first:
            self._read(path, _LEAST)
        elif self._last is not None and name > self._last:
            self._read(path, min(4 * self._limit, _MOST))
        return self._rows.get(name)

    def _read(self, path: bytes, limit: int) -> None:
        self._changes = self._ledger.changes
        self._folder, self._first = parted(path)
        self._limit = limit
        self._rows = dict(self._ledger.following(path, self._destination, limit))
        self._last = next(reversed(self._rows)) if len(self._rows) >= limit else None

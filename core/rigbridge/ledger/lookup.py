"""Finds the sources that an import can skip, since an earlier one has finished them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rigbridge.ledger.entry import DOUBTED, KnownSource, storable_time
from rigbridge.ledger.ledger import Ledger

__all__ = ["GRANULARITY", "LedgerLookup"]

GRANULARITY = 2_000_000_000
"""
Nanoseconds within which a file may change without a change of its time: FAT counts in
steps of two seconds, and the clock of a file server is not ours.
"""

_GROUP = 500


class LedgerLookup:
    """
    Finds what an import need not read again.

    A source that was imported completely is passed over, whatever the settings are now.
    One that failed, or whose runs were refused, is passed over as long as nothing has
    changed that may help it: neither the file nor the settings.

    Args:
        settings: the digest of the settings in force.
    """

    def __init__(
        self, ledger: Ledger, destination: str, settings: str, *, again: bool = False
    ) -> None:
        self.ledger = ledger
        self.destination = destination
        self.settings = settings
        self._again = again
        self._expected: set[bytes] = set()
        self._known: dict[bytes, KnownSource] = {}
        self._seen: list[tuple[bytes, int]] = []
        self._seen_ns = time.time_ns()

    def expect(self, paths: Sequence[bytes]) -> None:
        """
        Look up sources together that are asked for next.

        Args:
            paths: as :func:`ledger_path` gives them; some hundred at most.
        """
        self._expected = set(paths)
        self._known = self.ledger.known(paths, self.destination)

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
                where time and size do not decide: the time is another one, as of a
                file that was copied back, or the source was modified so shortly before
                it was read that they would not show another change.

        Returns:
            What came of it, and the key of its entry; None where it has to be read.
        """
        if self._again:
            return None
        mtime_ns = storable_time(mtime_ns)
        entry = self._found(path)
        # One that is in doubt has a time that no file has.
        if entry is None or entry.size != size or entry.mtime_ns == DOUBTED:
            return None
        if not entry.verdict.is_complete and entry.settings != self.settings:
            return None
        # One look at the entry, and no byte of the file, is what makes a second import
        # quick. But the file may have been written again after it was read, within the
        # same step of its clock: then only its content tells.
        if entry.mtime_ns != mtime_ns or mtime_ns + GRANULARITY > entry.seen_ns:
            if entry.digest is None or digest() != entry.digest.hex():
                return None
            # From now on its time can be trusted, unless it is that of this moment.
            self._seen.append((path, mtime_ns))
            if len(self._seen) >= _GROUP:
                self.flush()
        return entry

    def imported_before(self, path: bytes) -> KnownSource | None:
        """
        Find what is known of a source that has to be read, if its runs are stored.

        Args:
            path: one that was asked for with :meth:`expect`.
        """
        entry = self._known.get(path)
        return entry if entry is not None and entry.verdict.is_complete else None

    def _found(self, path: bytes) -> KnownSource | None:
        if path not in self._expected:
            # Also one that comes twice, which this import may have noted meanwhile.
            self.expect((path,))
        self._expected.discard(path)
        return self._known.get(path)

    def flush(self) -> None:
        """Note what was looked at again; to be called at the end."""
        self.ledger.see_again(self._seen, self._seen_ns)
        self._seen = []

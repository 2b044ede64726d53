"""The ledger: look-up by path, size and time, by content; entries in groups."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self
from uuid import UUID

from rigbridge.ledger.account import Account
from rigbridge.ledger.database import LedgerDatabase
from rigbridge.ledger.entry import (
    DOUBTED,
    KnownSource,
    LedgerEntry,
    LedgerRun,
    RunStatus,
    Verdict,
)
from rigbridge.ledger.paths import parted
from rigbridge.ledger.rows import ENTRY_QUERY, SourceRows

__all__ = ["Ledger"]

_FILE = "ledger.sqlite"

_PAGE = 1000


class Ledger:
    """
    What was imported into where, by the file.

    It raises nothing for a fault of its own file: :attr:`problems` says what is wrong,
    and an import goes on. Safe for threads, and for several processes on one folder.
    Made by :meth:`open`.
    """

    def __init__(self, database: LedgerDatabase) -> None:
        self._database = database
        self._rows = SourceRows()
        # Keys that are remembered are those of one file.
        database.when_opened = self._rows.forget

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the ledger of a data folder; nothing is made before the first entry."""
        return cls(LedgerDatabase(folder / _FILE))

    @property
    def path(self) -> Path:
        """The file."""
        return self._database.path

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong with the ledger itself, each in a sentence for a person."""
        return tuple(self._database.problems)

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._database.close()

    def known(
        self, paths: Iterable[bytes], destination: str
    ) -> dict[bytes, KnownSource]:
        """
        Give what is needed to pass over sources, with one question for each folder.

        Args:
            paths: the sources, as :func:`ledger_path` gives them; some hundred at most.

        Returns:
            What is known, by the path; a source that is not noted is missing.
        """
        # By folder, since paths are stored in two halves and the index begins with the
        # folder.
        folders: dict[bytes, list[bytes]] = {}
        for path in paths:
            folder, name = parted(path)
            folders.setdefault(folder, []).append(name)

        def find(connection: sqlite3.Connection) -> dict[bytes, KnownSource]:
            return {
                folder + name: known
                for folder, names in folders.items()
                for name, known in self._rows.known(
                    connection, folder, names, destination
                )
            }

        empty: dict[bytes, KnownSource] = {}
        return self._database.read(find, empty)

    def entry(self, key: int) -> LedgerEntry | None:
        """Read a whole entry by its key; None where it has gone."""

        def read(connection: sqlite3.Connection) -> LedgerEntry | None:
            row = connection.execute(
                f"{ENTRY_QUERY} WHERE s.key = ?", (key,)
            ).fetchone()
            return None if row is None else self._rows.read(connection, row)

        return self._database.read(read, None)

    def with_content(self, digest: str, destination: str) -> bytes | None:
        """
        Find a source of the same content that was imported completely.

        Args:
            digest: the SHA-256 of the stored bytes, in hex.

        Returns:
            The first such source, as :func:`ledger_path` gives it.
        """
        content = bytes.fromhex(digest)

        def find(connection: sqlite3.Connection) -> bytes | None:
            row = connection.execute(
                "SELECT f.path, s.name FROM source s JOIN folder f ON f.key = s.folder"
                # The index is on the first eight bytes; the whole digest is compared in
                # the few rows that they give.
                " WHERE substr(s.digest, 1, 8) = ? AND s.digest = ? AND s.verdict = ?"
                " AND s.destination = (SELECT key FROM destination WHERE name = ?)"
                " ORDER BY s.key LIMIT 1",
                (content[:8], content, Verdict.IMPORTED.value, destination),
            ).fetchone()
            return None if row is None else row[0] + row[1]

        return self._database.read(find, None)

    def record(self, entries: Iterable[LedgerEntry]) -> bool:
        """
        Note what came of sources, in one transaction; their runs must be durable.

        An entry of the same path makes way. Where the file holds something else now,
        the old entry is kept beside it, since its runs are still stored.

        Returns:
            Whether they are noted; False where the ledger cannot be used.
        """
        group = list(entries)
        if not group:
            return self._database.is_usable

        def write(connection: sqlite3.Connection) -> None:
            try:
                for entry in group:
                    self._rows.write(connection, entry)
            except BaseException:
                # What is rolled back takes its keys along.
                self._rows.forget()
                raise

        return self._database.write(write)

    def see_again(self, sources: Iterable[tuple[bytes, int]], seen_ns: int) -> None:
        """
        Note that sources were looked at again and hold what they held.

        Args:
            sources: each as :func:`ledger_path` gives it, and when it was modified.
            seen_ns: when their size and time were asked for.
        """
        rows = [(mtime_ns, seen_ns, *parted(path)) for path, mtime_ns in sources]

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "UPDATE source SET mtime_ns = ?, seen_ns = ? WHERE folder ="
                " (SELECT key FROM folder WHERE path = ?) AND name = ?"
                " AND is_current IS NOT NULL",
                rows,
            )

        if rows:
            self._database.write(write)

    def doubt(self, paths: Iterable[bytes], destination: str) -> None:
        """
        Have sources read again by the next import, whatever becomes of this one.

        Where a run is replaced, there is a moment in which the store holds neither.

        Args:
            paths: the sources, as :func:`ledger_path` gives them.
        """
        rows = [(DOUBTED, *parted(path), destination) for path in paths]

        def write(connection: sqlite3.Connection) -> None:
            # No file was ever changed then. All else stays: it is still the account.
            connection.executemany(
                "UPDATE source SET mtime_ns = ? WHERE folder ="
                " (SELECT key FROM folder WHERE path = ?) AND name = ?"
                " AND is_current IS NOT NULL AND destination ="
                " (SELECT key FROM destination WHERE name = ?)",
                rows,
            )

        # Where no ledger is, there is nothing to doubt, and none is to be made.
        if rows and self.path.is_file():
            self._database.write(write)

    def doubt_all(self, destination: str) -> int:
        """
        Have every source of a destination read again, since what it held is gone.

        Returns:
            How many sources; those that are in doubt already do not count.
        """
        counted = 0

        def write(connection: sqlite3.Connection) -> None:
            nonlocal counted
            # The entries stay: they tell what was there, also of files that were moved.
            counted = connection.execute(
                "UPDATE source SET mtime_ns = ?1 WHERE mtime_ns != ?1"
                " AND is_current IS NOT NULL AND destination ="
                " (SELECT key FROM destination WHERE name = ?2)",
                (DOUBTED, destination),
            ).rowcount

        if self.path.is_file():
            self._database.write(write)
        return counted

    def newest_run(self, destination: str) -> tuple[str, bytes] | None:
        """Give the run that was stored last, by the id of the store, and its source."""

        def read(connection: sqlite3.Connection) -> tuple[str, bytes] | None:
            row = connection.execute(
                "SELECT r.stored_id, r.id, f.path, s.name FROM source s"
                " JOIN run r ON r.source = s.key JOIN folder f ON f.key = s.folder"
                " WHERE s.destination = (SELECT key FROM destination WHERE name = ?)"
                " AND r.status NOT IN (?, ?) ORDER BY s.key DESC LIMIT 1",
                (
                    destination,
                    *(each.value for each in RunStatus if not each.is_stored),
                ),
            ).fetchone()
            if row is None:
                return None
            return row[0] or str(UUID(bytes=row[1])), row[2] + row[3]

        return self._database.read(read, None)

    def store_file(self, destination: str) -> str | None:
        """Tell how an import left the file of a store, as it was noted."""

        def read(connection: sqlite3.Connection) -> str | None:
            query = "SELECT store_file FROM destination WHERE name = ?"
            row = connection.execute(query, (destination,)).fetchone()
            return None if row is None else row[0]

        return self._database.read(read, None)

    def note_store_file(self, destination: str, state: str | None) -> None:
        """Note how an import leaves the file of a store; None for one in doubt."""

        def write(connection: sqlite3.Connection) -> None:
            query = "UPDATE destination SET store_file = ? WHERE name = ?"
            connection.execute(query, (state, destination))

        if self.path.is_file():
            self._database.write(write)

    def settle(self, run: LedgerRun, destination: str) -> None:
        """Note that a run from quarantine is stored by now."""
        # By run and not by path: the same run may have come from several files.
        where = (
            "SELECT s.key FROM source s JOIN destination d ON d.key = s.destination"
            " JOIN run r ON r.source = s.key WHERE d.name = ? AND r.id = ?"
        )

        def write(connection: sqlite3.Connection) -> None:
            found = connection.execute(where, (destination, run.id.bytes)).fetchall()
            for (key,) in found:
                self._rows.settle(connection, key, run)

        if self.path.is_file():
            self._database.write(write)

    def destinations(self) -> tuple[str, ...]:
        """Name the destinations that anything was imported into."""

        def read(connection: sqlite3.Connection) -> tuple[str, ...]:
            rows = connection.execute("SELECT name FROM destination ORDER BY name")
            return tuple(name for (name,) in rows)

        return self._database.read(read, ())

    def entries(
        self, destination: str | None = None, verdict: Verdict | None = None
    ) -> Iterator[LedgerEntry]:
        """
        Go through the entries, in the order of their recording.

        What a file held before it was changed has an entry, too.

        Args:
            destination: of this destination only.
            verdict: of this verdict only.
        """
        page = self._page(0, destination, verdict)
        while page:
            yield from (entry for _, entry in page)
            page = self._page(page[-1][0], destination, verdict)

    def account(self, destination: str) -> Account:
        """Add up what came of all that was imported into a destination."""

        def read(connection: sqlite3.Connection) -> Account:
            return Account.read(connection, destination, self._rows.amounts)

        return self._database.read(read, Account(destination=destination))

    def _page(
        self, after: int, destination: str | None, verdict: Verdict | None
    ) -> list[tuple[int, LedgerEntry]]:
        # Page by page: an open cursor keeps the log from being written back.
        # By key and not by offset: entries that are written meanwhile neither shift nor
        # repeat a page.
        def read(connection: sqlite3.Connection) -> list[tuple[int, LedgerEntry]]:
            rows = connection.execute(
                f"{ENTRY_QUERY} WHERE s.key > ? AND (? IS NULL OR d.name = ?)"
                " AND (? IS NULL OR s.verdict = ?) ORDER BY s.key LIMIT ?",
                (after, destination, destination, verdict, verdict, _PAGE),
            ).fetchall()
            return [(row[0], self._rows.read(connection, row)) for row in rows]

        empty: list[tuple[int, LedgerEntry]] = []
        return self._database.read(read, empty)

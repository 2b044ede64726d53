"""The rows of an entry; values that many entries share are stored once, under a key."""

from __future__ import annotations

import sqlite3
import sys
from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import attrs

from rigbridge.ledger.entry import (
    VERDICTS,
    Amounts,
    KnownSource,
    LedgerEntry,
    LedgerProblem,
    LedgerRun,
    RunStatus,
    Verdict,
)
from rigbridge.ledger.paths import parted

__all__ = ["ENTRY_QUERY", "SourceRows"]

ENTRY_QUERY = """
    SELECT s.key, f.path, s.name, d.name, s.size, s.mtime_ns, s.seen_ns,
        s.digest, a.name, a.version, t.digest, s.verdict, s.same_as, s.amounts
    FROM source s
    JOIN folder f ON f.key = s.folder
    JOIN destination d ON d.key = s.destination
    JOIN settings t ON t.key = s.settings
    LEFT JOIN adapter a ON a.key = s.adapter
"""
"""Gives what :meth:`SourceRows.read` reads; conditions follow."""

_RUNS = (
    "SELECT id, status, measurements, attachments, stored_id FROM run"
    " WHERE source = ? ORDER BY position"
)
_PROBLEMS = (
    "SELECT kind, message, place, remedy FROM problem WHERE source = ?"
    " ORDER BY position"
)
_KNOWN = (
    "SELECT name, key, size, mtime_ns, seen_ns, verdict, settings, digest FROM source"
    " WHERE folder = ? AND is_current IS NOT NULL AND destination ="
    " (SELECT key FROM destination WHERE name = ?) AND name IN (%s)"
)
_SHARED: Mapping[str, tuple[str, ...]] = {
    "destination": ("name",),
    "settings": ("digest",),
    "adapter": ("name", "version"),
    "reason": ("disposition", "item", "rule"),
}
# Counts are stored in four bytes; a count beyond that is told as the largest.
_MOST = (1 << 32) - 1
_MOST_FOLDERS = 1000


class SourceRows:
    """Reads and writes entries, and remembers the keys of what they share."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, tuple[str, ...]], int] = {}
        self._reasons: dict[int, tuple[str, str, str]] = {}
        self._folders: dict[bytes, int] = {}
        self._settings: dict[int, str] = {}

    def forget(self) -> None:
        """Forget the keys, which belong to a file that went or were rolled back."""
        self._keys.clear()
        self._reasons.clear()
        self._settings.clear()
        self._folders.clear()

    def known(
        self,
        connection: sqlite3.Connection,
        folder: bytes,
        names: Sequence[bytes],
        destination: str,
    ) -> Iterator[tuple[bytes, KnownSource]]:
        """Give what is known of files of a folder, by the name of each."""
        at = self._folder_key(connection, folder)
        if at is None:
            return
        query = _KNOWN % ", ".join("?" * len(names))
        rows = connection.execute(query, (at, destination, *names))
        # Every file of an import comes by here: no joins.
        for name, key, size, mtime_ns, seen_ns, verdict, settings, digest in rows:
            yield (
                name,
                KnownSource(
                    key=key,
                    size=size,
                    mtime_ns=mtime_ns,
                    seen_ns=seen_ns,
                    verdict=VERDICTS[verdict],
                    settings=self._settings_of(connection, settings),
                    digest=digest,
                ),
            )

    def _settings_of(self, connection: sqlite3.Connection, key: int) -> str:
        known = self._settings.get(key)
        if known is None:
            query = "SELECT digest FROM settings WHERE key = ?"
            known = str(connection.execute(query, (key,)).fetchone()[0])
            self._settings[key] = known
        return known

    def _folder_key(self, connection: sqlite3.Connection, folder: bytes) -> int | None:
        key = self._folders.get(folder)
        if key is None:
            row = connection.execute(
                "SELECT key FROM folder WHERE path = ?", (folder,)
            ).fetchone()
            if row is None:
                # Not remembered: another process may note the folder a moment later.
                return None
            key = self._keep_folder(folder, int(row[0]))
        return key

    def _keep_folder(self, folder: bytes, key: int) -> int:
        # Sources come folder by folder; an archive may have a million of them.
        if len(self._folders) >= _MOST_FOLDERS:
            self._folders.clear()
        self._folders[folder] = key
        return key

    def read(self, connection: sqlite3.Connection, row: tuple[Any, ...]) -> LedgerEntry:
        """Make an entry of a row of ``ENTRY_QUERY``, with all that belongs to it."""
        key, folder, name, destination, size, mtime_ns, seen_ns, digest = row[:8]
        adapter, version, settings, verdict, same_as, amounts = row[8:]
        return LedgerEntry(
            path=folder + name,
            destination=destination,
            size=size,
            mtime_ns=mtime_ns,
            seen_ns=seen_ns,
            digest=None if digest is None else digest.hex(),
            adapter=adapter,
            adapter_version=version,
            settings=settings,
            verdict=Verdict(verdict),
            same_as=same_as,
            runs=tuple(_runs(connection, key)),
            problems=tuple(
                LedgerProblem(kind=kind, message=message, place=place, remedy=remedy)
                for kind, message, place, remedy in connection.execute(
                    _PROBLEMS, (key,)
                )
            ),
            amounts=dict(self.amounts(connection, amounts)),
        )

    def write(self, connection: sqlite3.Connection, entry: LedgerEntry) -> None:
        """Write an entry, in the place of the one of its path."""
        folder, name = parted(entry.path)
        digest = None if entry.digest is None else bytes.fromhex(entry.digest)
        at = (
            self._folder_of(connection, folder),
            name,
            self._key(connection, "destination", entry.destination),
        )
        # Before the insert: the unique index allows one current entry for each path.
        runs = self._replaced(connection, at, digest, entry.runs)
        adapter = None
        if entry.adapter is not None:
            version = entry.adapter_version or ""
            adapter = self._key(connection, "adapter", entry.adapter, version)
        key = connection.execute(
            "INSERT INTO source (folder, name, destination, size, mtime_ns, seen_ns,"
            " digest, adapter, settings, verdict, amounts, same_as, is_current)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
            (
                *at,
                entry.size,
                entry.mtime_ns,
                entry.seen_ns,
                digest,
                adapter,
                self._key(connection, "settings", entry.settings),
                entry.verdict.value,
                self._packed(connection, entry.amounts),
                entry.same_as,
            ),
        ).lastrowid
        connection.executemany(
            "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    key,
                    position,
                    run.id.bytes,
                    run.status.value,
                    run.measurements,
                    run.attachments,
                    run.stored_id,
                )
                for position, run in enumerate(runs)
            ],
        )
        connection.executemany(
            "INSERT INTO problem VALUES (?, ?, ?, ?, ?, ?)",
            [
                (key, position, *attrs.astuple(problem))
                for position, problem in enumerate(entry.problems)
            ],
        )

    @staticmethod
    def settle(connection: sqlite3.Connection, key: int, run: LedgerRun) -> None:
        """Note that a run of a source has left quarantine, and what that completes."""
        connection.execute(
            "UPDATE run SET status = ?, stored_id = ?, measurements = ?,"
            " attachments = ? WHERE source = ? AND id = ?",
            (
                run.status.value,
                run.stored_id,
                run.measurements,
                run.attachments,
                key,
                run.id.bytes,
            ),
        )
        left = connection.execute(
            "SELECT count(*) FROM run WHERE source = ? AND status = ?",
            (key, RunStatus.QUARANTINED.value),
        ).fetchone()[0]
        completed = connection.execute(
            "UPDATE source SET verdict = ? WHERE key = ? AND verdict = ? AND ? = 0",
            (Verdict.IMPORTED.value, key, Verdict.QUARANTINED.value, left),
        )
        if completed.rowcount:
            connection.execute("DELETE FROM problem WHERE source = ?", (key,))

    def amounts(
        self, connection: sqlite3.Connection, packed: bytes
    ) -> Iterator[tuple[tuple[str, str, str], int]]:
        """Give what was counted, of the form in which it is stored."""
        # Unsigned numbers of four bytes on all systems that CPython supports.
        pairs = array("I")
        pairs.frombytes(packed)
        _turn(pairs)
        for key, count in zip(pairs[::2], pairs[1::2], strict=True):
            if key not in self._reasons:
                self._reasons[key] = connection.execute(
                    "SELECT disposition, item, rule FROM reason WHERE key = ?", (key,)
                ).fetchone() or ("unknown", "element", "")
            yield self._reasons[key], count

    def _packed(self, connection: sqlite3.Connection, amounts: Amounts) -> bytes:
        pairs = array("I")
        for reason, count in amounts.items():
            pairs.append(self._key(connection, "reason", *reason))
            pairs.append(min(count, _MOST))
        _turn(pairs)
        return pairs.tobytes()

    def _replaced(
        self,
        connection: sqlite3.Connection,
        at: tuple[int, bytes, int],
        digest: bytes | None,
        runs: tuple[LedgerRun, ...],
    ) -> tuple[LedgerRun, ...]:
        """
        Make room for an entry; gives its runs, with those that stay stored.

        A run that an import has brought into the store stays one that was created,
        also when a later one has found it there.
        """
        old = connection.execute(
            "SELECT key, digest FROM source WHERE folder = ? AND name = ?"
            " AND destination = ? AND is_current IS NOT NULL",
            at,
        ).fetchone()
        if old is None:
            return runs
        stored = [run for run in _runs(connection, old[0]) if run.status.is_stored]
        seen = {run.id for run in runs}
        gone = [run for run in stored if run.id not in seen]
        created = {run.id for run in stored if run.status is RunStatus.CREATED}
        kept = tuple(
            attrs.evolve(run, status=RunStatus.CREATED)
            if run.status is RunStatus.KNOWN and run.id in created
            else run
            for run in runs
        )
        # The file holds something else now, while the store still has the old runs. Not
        # so a log that has grown: what it held before is part of the new entry.
        if old[1] != digest and gone:
            connection.execute(
                "UPDATE source SET is_current = NULL WHERE key = ?", (old[0],)
            )
            return runs  # those of before are counted with their own entry
        for statement in (
            "DELETE FROM run WHERE source = ?",
            "DELETE FROM problem WHERE source = ?",
            "DELETE FROM source WHERE key = ?",
        ):
            connection.execute(statement, (old[0],))
        # What another version of the adapter made of it is stored all the same.
        return (*kept, *gone)

    def _folder_of(self, connection: sqlite3.Connection, folder: bytes) -> int:
        key = self._folder_key(connection, folder)
        if key is None:
            add = "INSERT INTO folder (path) VALUES (?)"
            added = connection.execute(add, (folder,))
            key = self._keep_folder(folder, added.lastrowid or 0)
        return key

    def _key(self, connection: sqlite3.Connection, table: str, *values: str) -> int:
        """Give the key of what many entries share; it is noted at its first use."""
        known = self._keys.get((table, values))
        if known is not None:
            return known
        columns = _SHARED[table]
        where = " AND ".join(f"{column} = ?" for column in columns)
        # Looked up first: another process may have noted it.
        find = f"SELECT key FROM {table} WHERE {where}"  # noqa: S608 - names of our own
        row = connection.execute(find, values).fetchone()
        if row is None:
            named, marks = ", ".join(columns), ", ".join("?" for _ in columns)
            add = f"INSERT INTO {table} ({named}) VALUES ({marks})"  # noqa: S608 - likewise
            key = connection.execute(add, values).lastrowid or 0
        else:
            key = int(row[0])
        self._keys[table, values] = key
        return key


def _runs(connection: sqlite3.Connection, key: int) -> Iterator[LedgerRun]:
    rows = connection.execute(_RUNS, (key,))
    for run, status, measurements, attachments, stored_id in rows:
        yield LedgerRun(
            id=UUID(bytes=run),
            status=RunStatus(status),
            measurements=measurements,
            attachments=attachments,
            stored_id=stored_id,
        )


def _turn(pairs: array[int]) -> None:
    """Turn numbers between the order of this machine and that of the file."""
    if sys.byteorder != "little":
        pairs.byteswap()

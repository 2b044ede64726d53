"""Upkeep of a store that is in use: backup, check, pruning."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from rigbridge.destinations import RunSize
from rigbridge.destinations.selection import RunSelection
from rigbridge.errors import ConfigurationError, DeliveryError
from rigbridge.hosting import BackupResult, CheckResult, PruneResult
from rigbridge.machine.folders import read_chunks
from rigbridge_store.files.contents import ContentStore, DiskContents
from rigbridge_store.files.sweeping import sweep_contents, sweep_uploads
from rigbridge_store.reading.selecting import counted_runs, selected_runs
from rigbridge_store.reading.soundness import damaged_rows
from rigbridge_store.results import StoredContent
from rigbridge_store.tables.database import StoreDatabase
from rigbridge_store.tables.schema import attachments, runs, uploads

__all__ = ["Upkeep"]

_HEAL = "(send or import the file again, which replaces it, or restore a backup)"


class Upkeep:
    """
    Keeps a store in order while it is in use.

    Args:
        delete: deletes the run of an id, and tells how many contents went with it.
    """

    def __init__(
        self,
        database: StoreDatabase,
        contents: ContentStore,
        delete: Callable[[str], int],
    ) -> None:
        self._database = database
        self._contents = contents
        self._delete = delete

    def back_up(self, folder: Path) -> BackupResult:
        """
        Copy a running SQLite store to a folder.

        The tables are copied first, as they are at one moment, then the contents that
        they refer to. A second backup into the same folder copies only what is new.

        Raises:
            ConfigurationError: the folder cannot be used, or the tables are kept by a
                database server.
        """
        return _back_up(self._database, self._contents, folder)

    def check(self, *, contents: bool = True) -> CheckResult:
        """Look for damage: in the tables, and in the contents that they refer to."""
        return _check(self._database, self._contents, whole=contents)

    def run_sizes(self) -> Iterator[RunSize]:
        """Go through all runs, in the order stored, with how much of each is held."""
        return counted_runs(self._database)

    def prune(self, before: datetime, *, dry_run: bool = False) -> PruneResult:
        """Delete old runs, and the contents that nothing refers to."""
        count = contents = 0
        # One by one: a single transaction of years would keep every writer waiting.
        for _, run_id in selected_runs(self._database, RunSelection(until=before)):
            if not dry_run:
                contents += self._delete(run_id)
            count += 1
        if not dry_run:
            contents += sweep_uploads(self._database, self._contents)
            contents += sweep_contents(self._database, self._contents)
        return PruneResult(runs=count, contents=contents)


def _count_runs(database: StoreDatabase) -> int:
    """Count the runs of a store."""
    with database.reading() as connection:
        return int(
            connection.execute(
                sa.select(sa.func.count()).select_from(runs)
            ).scalar_one()
        )


def _back_up(
    database: StoreDatabase, contents: ContentStore, folder: Path
) -> BackupResult:
    path = database.path
    if path is None:
        raise ConfigurationError(
            "the tables are kept by a database server",
            source=database.shown,
            remedy="back them up with the server's own tool, such as pg_dump",
        )
    if path.parent.resolve() == folder.resolve():
        raise ConfigurationError(
            "the backup's folder is the store's own",
            source=str(folder),
            remedy="choose another folder",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Tables first: what they name is there already, since bytes are stored before
        # the row that names them.
        _copy_tables(path, folder / path.name)
        target = DiskContents(folder)
    except (OSError, sqlite3.Error) as error:
        raise ConfigurationError(
            f"the backup cannot be written: {error}",
            source=str(folder),
            remedy="choose another folder, or free the disk",
        ) from error
    copy = StoreDatabase(folder)
    try:
        needed = _needed(copy)
        count = _count_runs(copy)
        # The copy has every byte of the original, and nobody writes to it.
        damaged = [*_table_problems(copy)]
    finally:
        copy.close()
    copied = 0
    missing: list[str] = []
    for digest, size in needed.items():
        # Copied by an earlier backup.
        if target.holds(StoredContent(sha256=digest, size=size)):
            continue
        try:
            stream = contents.open(digest)
        except FileNotFoundError:
            missing.append(digest)
            continue
        with stream:
            stored = target.store(read_chunks(stream))
        if stored.sha256 != digest:
            # Kept under the digest of what it has become, it would be of no use.
            target.remove(stored.sha256, untouched_for=0)
            damaged.append(f"attachment {digest}: its bytes have changed {_HEAL}")
            continue
        copied += 1
    return BackupResult(
        runs=count,
        contents=len(needed),
        copied=copied,
        missing=tuple(missing),
        damaged=tuple(damaged),
    )


def _copy_tables(path: Path, target: Path) -> None:
    """Copy a database that others write to, and put the copy in place at once."""
    partial = target.with_name(f"{target.name}.partial")
    partial.unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(path)) as source,
        closing(sqlite3.connect(partial)) as copy,
    ):
        # In steps, between which others can write.
        source.backup(copy, pages=1024)
    # SQLite would apply the log of an earlier backup to the new file.
    for leftover in ("-wal", "-shm"):
        target.with_name(target.name + leftover).unlink(missing_ok=True)
    partial.replace(target)


def _needed(database: StoreDatabase) -> dict[str, int]:
    """Give the contents that a store must have, with their lengths."""
    found: dict[str, int] = {}
    with database.reading() as connection:
        rows = connection.execute(
            sa.select(attachments.c.sha256, attachments.c.size).where(
                attachments.c.stored, attachments.c.sha256.is_not(None)
            )
        )
        found.update((digest, size or 0) for digest, size in rows)
    return found


def _check(
    database: StoreDatabase, contents: ContentStore, *, whole: bool
) -> CheckResult:
    problems = list(_table_problems(database))
    needed = _needed(database)
    for digest, size in needed.items():
        problem = _content_problem(contents, digest, size, whole=whole)
        if problem is not None:
            problems.append(f"attachment {digest}: {problem} {_HEAL}")
    # Uploads that are not linked yet refer to contents, too.
    with database.reading() as connection:
        waiting = set(connection.execute(sa.select(uploads.c.sha256)).scalars())
    unused = sum(
        digest not in needed and digest not in waiting for digest in contents.digests()
    )
    return CheckResult(
        runs=_count_runs(database),
        contents=len(needed),
        unused=unused,
        problems=tuple(problems),
    )


def _table_problems(database: StoreDatabase) -> list[str]:
    found: list[str] = []
    if database.path is not None:
        # A server checks its own pages, and enforces what refers to what.
        found += _page_problems(database)
    with database.reading() as connection:
        found += damaged_rows(connection)
    return found


def _page_problems(database: StoreDatabase) -> list[str]:
    found: list[str] = []
    with database.reading() as connection:
        found.extend(
            f"tables: {line}"
            for (line,) in connection.exec_driver_sql("PRAGMA integrity_check")
            if line != "ok"
        )
        found.extend(
            f"table {table}: row {row} refers to no row of {other}"
            for table, row, other, _ in connection.exec_driver_sql(
                "PRAGMA foreign_key_check"
            )
        )
    return found


def _content_problem(
    contents: ContentStore, digest: str, size: int, *, whole: bool
) -> str | None:
    if not whole:
        held = contents.holds(StoredContent(sha256=digest, size=size))
        return None if held else "is missing, or of another length"
    try:
        with contents.open(digest) as stream:
            found, length = hashlib.sha256(), 0
            for chunk in read_chunks(stream):
                found.update(chunk)
                length += len(chunk)
    except FileNotFoundError:
        return "is missing"
    except (OSError, DeliveryError) as error:
        return f"cannot be read: {error}"
    if length != size:
        return f"has {length} bytes instead of {size}"
    return None if found.hexdigest() == digest else "its bytes have changed"

"""
A damaged database is set aside, and what can be read of it goes into a new one.

The damaged file stays beside the new one until a person removes it. Until then nothing
is swept from the folder of attachments, since what refers to them may be in that file.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import msgspec

from rigbridge.machine.folders import make_file

__all__ = ["is_damage", "salvage", "set_aside"]

_LOGGER = logging.getLogger("rigbridge.outbox")
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
# Each probe is a search in a damaged tree: bounded, or opening takes hours.
_MOST_PROBES = 100_000
_SIDE_FILES = ("", "-wal", "-shm")
_PATIENCE = 30.0

_Row: TypeAlias = dict[str, Any]
"""Columns by name, or a document: what they hold is checked where it is used."""


@attrs.define
class _Found:
    """What can be read of the damaged database."""

    rows: dict[int, _Row] = attrs.field(factory=dict[int, _Row])
    past_runs: dict[bytes, bytes | None] = attrs.field(
        factory=dict[bytes, bytes | None]
    )
    last: int = 0


def is_damage(error: sqlite3.Error) -> bool:
    """Whether an error says that the file is damaged, or no database at all."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DAMAGE


def set_aside(path: Path) -> list[Path]:
    """List the damaged databases that were set aside, the oldest first."""
    return sorted(
        file
        for file in path.parent.glob(f"{path.name}.damaged-*")
        if not file.name.endswith(_SIDE_FILES[1:])
    )


def salvage(
    path: Path, is_sound: Callable[[], bool], make: Callable[[], sqlite3.Connection]
) -> None:
    """
    Replace a damaged database by a new one with what can be read of it.

    Processes that find the damage at once do it once.

    Args:
        path: the database.
        is_sound: tells whether it is sound by now.
        make: makes the new one, and gives a connection to it.

    Raises:
        OSError: the file cannot be moved.
        sqlite3.Error: the new one cannot be made.
    """
    lock_path = path.with_name(f"{path.name}.lock")
    make_file(lock_path)
    with closing(sqlite3.connect(lock_path, timeout=_PATIENCE)) as lock:
        # A lock in a file of its own, since the database itself is moved. It ends with
        # the process that holds it, unlike a lock file.
        lock.execute("BEGIN EXCLUSIVE")
        # Another process may have replaced it while this one waited.
        if is_sound():
            return
        aside = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
        # The log first and the database last: a database without its log would be
        # opened as if nothing were missing.
        for suffix in reversed(_SIDE_FILES):
            file = path.with_name(path.name + suffix)
            if file.exists():
                file.rename(aside.with_name(aside.name + suffix))
        _LOGGER.critical(
            "the outbox's database %s is damaged and set aside as %s", path, aside
        )
        connection = make()
        found = _read(aside)
        kept = _restore(connection, found)
        _LOGGER.critical(
            "%d entries were recovered from %s, %d or more could not be read; keep the"
            " file until you know that nothing is missing",
            kept,
            aside,
            max(0, found.last - kept),
        )


def _read(aside: Path) -> _Found:
    found = _Found()
    try:
        with closing(sqlite3.connect(aside)) as damaged:
            damaged.row_factory = sqlite3.Row
            # From both ends up to the damage, then one by one in between.
            for order in ("ASC", "DESC"):
                _take(found, _scan(damaged, order))
                _take_past_runs(found, damaged, order)
            found.last = max(found.rows, default=0)
            known = set(found.rows)
            for number in range(1, min(found.last, _MOST_PROBES)):
                if number not in known:
                    _take(found, _probe(damaged, number))
    except sqlite3.Error as error:
        _LOGGER.critical("nothing can be read from %s: %s", aside, error)
    return found


def _take(found: _Found, rows: Iterator[_Row]) -> None:
    try:
        for row in rows:
            found.rows[row["sequence"]] = row
    except sqlite3.Error as error:
        _LOGGER.error("the damaged part begins: %s", error)  # noqa: TRY400 - expected


def _take_past_runs(found: _Found, damaged: sqlite3.Connection, order: str) -> None:
    query = f"SELECT run_id, progress FROM past_run ORDER BY run_id {order}"  # noqa: S608 - constants
    try:
        for row in damaged.execute(query):
            found.past_runs[row["run_id"]] = row["progress"]
    except sqlite3.Error as error:
        _LOGGER.error("the damaged part of the past runs begins: %s", error)  # noqa: TRY400 - expected


def _scan(damaged: sqlite3.Connection, order: str) -> Iterator[_Row]:
    # NOT INDEXED: an index may be damaged where the table itself is not.
    query = f"SELECT * FROM entry NOT INDEXED ORDER BY sequence {order}"  # noqa: S608 - constants
    for row in damaged.execute(query):
        yield dict(row)


def _probe(damaged: sqlite3.Connection, number: int) -> Iterator[_Row]:
    query = "SELECT * FROM entry NOT INDEXED WHERE sequence = ?"
    for row in damaged.execute(query, (number,)):
        yield dict(row)


def _restore(connection: sqlite3.Connection, found: _Found) -> int:
    known = {row[1] for row in connection.execute("PRAGMA table_info(entry)")}
    kept = 0
    # All at once: a crash in between leaves an empty queue, and the aside file.
    connection.execute("BEGIN IMMEDIATE")
    for sequence in sorted(found.rows):
        row = found.rows[sequence]
        try:
            document = _document(row)
        except (msgspec.DecodeError, TypeError, KeyError, AttributeError) as error:
            _LOGGER.critical("run %s is unreadable: %s", row.get("run_id"), error)
            continue
        # The damaged file may come from a version with other columns.
        values = {key: value for key, value in row.items() if key in known}
        # Its sender lost the database: the entry is as good as put back.
        if values["state"] == "sending":
            values["state"] = "pending"
        columns = ", ".join(values)
        marks = ", ".join("?" for _ in values)
        kept += connection.execute(
            f"INSERT OR IGNORE INTO entry ({columns}) VALUES ({marks})",  # noqa: S608 - names of our own columns
            list(values.values()),
        ).rowcount
        _restore_references(connection, values["run_id"], document)
    connection.executemany(
        "INSERT OR IGNORE INTO past_run (run_id, progress) VALUES (?, ?)",
        found.past_runs.items(),
    )
    connection.execute("COMMIT")
    return kept


def _document(row: _Row) -> _Row:
    """Read the run of a row; {} for a delivered one."""
    msgspec.json.decode(row["progress"])
    if row["state"] == "done":
        return {}
    document = msgspec.json.decode(row["document"], type=_Row)
    # A damaged page may give a row the document of another.
    if document["id"] != row["run_id"]:
        raise KeyError(row["run_id"])
    return document


def _restore_references(
    connection: sqlite3.Connection, run_id: str, document: _Row
) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO content (run_id, sha256) VALUES (?, ?)",
        [
            (run_id, item["sha256"])
            for item in document.get("attachments", ())
            if item["sha256"] is not None
        ],
    )
    connection.executemany(
        "INSERT OR IGNORE INTO part (run_id, serial_key) VALUES (?, ?)",
        [
            (run_id, item["serial_number"].casefold())
            for item in document.get("sub_units", ())
        ],
    )

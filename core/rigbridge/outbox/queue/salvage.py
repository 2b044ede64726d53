"""
What can be read of a damaged database is written into a new one.

SQLite reads a table of which pages are damaged up to the first of them, from either
end, and any row whose own way through the tree is whole. A file that was cut short is
padded to the length that it says it has; a first page that is lost is replaced by that
of an empty outbox, whose tables begin in the same places.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias, cast
from uuid import UUID

import attrs
import msgspec

from rigbridge.destinations import Progress
from rigbridge.outbox.entries import EntryState
from rigbridge.outbox.queue.schema import migrate
from rigbridge.wire import decode, encode

__all__ = ["salvage", "stated_length"]

_LOGGER = logging.getLogger("rigbridge.outbox")
# Each probe is a search in a damaged tree: bounded, or opening takes hours.
_MOST_PROBES = 100_000
_MAGIC = b"SQLite format 3\x00"
_PAGE_SIZE = slice(16, 18)
_PAGE_COUNT = slice(28, 32)
_SMALLEST_PAGE = 512
_LARGEST_PAGE = 65_536

_Row: TypeAlias = dict[str, Any]
"""Columns by name, or a document: what they hold is checked where it is used."""

# Tables that are taken over row by row as they are, with their keys.
_PLAIN_TABLES = {"past_run": ("run_id", "progress"), "clock": ("boot", "ahead")}


@attrs.define
class _Found:
    """What can be read of the damaged database."""

    rows: dict[int, _Row] = attrs.field(factory=dict[int, _Row])
    others: dict[str, dict[object, object]] = attrs.field(
        factory=dict[str, dict[object, object]]
    )
    forgotten: int = 0
    last: int = 0


def salvage(source: Path, target: Path, aside: Path) -> tuple[int, int]:
    """
    Write what can be read of a damaged database into a new one.

    Args:
        source: a copy of it, with its log beside it; is changed.
        target: the new one, an empty file.
        aside: the copy that stays, for what is said to a person.

    Returns:
        How many entries it holds, and how many at least could not be read.

    Raises:
        OSError: something cannot be written.
        sqlite3.Error: likewise.
    """
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA synchronous = FULL")
        # No log beside it: the file alone is what will be renamed.
        connection.execute("PRAGMA journal_mode = DELETE")
        migrate(connection, target)
        found = _read(source, first_page=_first_page(target))
        kept = _restore(connection, found, aside)
    return kept, max(0, found.last - kept - found.forgotten)


def stated_length(path: Path) -> int | None:
    """Give the bytes that a database says it has; None if it is none."""
    with path.open("rb") as stream:
        head = stream.read(100)
    page = int.from_bytes(head[_PAGE_SIZE], "big")
    # The format has no room for the largest size, and spells it as 1.
    page = _LARGEST_PAGE if page == 1 else page
    if not head.startswith(_MAGIC) or page < _SMALLEST_PAGE:
        return None
    return int.from_bytes(head[_PAGE_COUNT], "big") * page


def _first_page(path: Path) -> bytes:
    with path.open("rb") as stream:
        size = int.from_bytes(stream.read(100)[_PAGE_SIZE], "big")
        stream.seek(0)
        return stream.read(size)


def _read(source: Path, *, first_page: bytes) -> _Found:
    _pad(source, first_page)
    found = _Found()
    try:
        _read_all(source, found)
    except sqlite3.Error as error:
        _LOGGER.error("its first page cannot be read: %s", error)  # noqa: TRY400 - expected
    if not found.rows:
        # Where the tables begin stands on the first page only. With that of an empty
        # outbox, which was made in the same way, the others may be found.
        _replace_first_page(source, first_page)
        try:
            _read_all(source, found)
        except sqlite3.Error as error:
            _LOGGER.critical("nothing can be read from it: %s", error)
    return found


def _pad(source: Path, first_page: bytes) -> None:
    """Give a file the length that it says it has: SQLite reads no shorter one."""
    stated = stated_length(source)
    if stated is None:
        _replace_first_page(source, first_page)
    else:
        _lengthen(source, stated)


def _replace_first_page(source: Path, first_page: bytes) -> None:
    size = len(first_page)
    pages = max(1, -(-source.stat().st_size // size))
    page = bytearray(first_page)
    page[_PAGE_COUNT] = pages.to_bytes(4, "big")
    with source.open("rb+") as stream:
        stream.write(page)
    _lengthen(source, pages * size)


def _lengthen(source: Path, length: int) -> None:
    # A file that says a wrong length is never cut.
    if length > source.stat().st_size:
        with source.open("rb+") as stream:
            stream.truncate(length)


def _read_all(source: Path, found: _Found) -> None:
    with closing(sqlite3.connect(source, isolation_level=None)) as damaged:
        damaged.row_factory = sqlite3.Row
        # A text that is no UTF-8 any more must not cost its whole row.
        damaged.text_factory = _as_text
        damaged.execute("SELECT count(*) FROM sqlite_master").fetchone()
        # From both ends up to the damage, then one by one in between.
        for order in ("ASC", "DESC"):
            # NOT INDEXED: an index may be damaged where the table itself is not.
            every = f"SELECT * FROM entry NOT INDEXED ORDER BY sequence {order}"  # noqa: S608 - constants
            _take(found, damaged, every)
            for table, columns in _PLAIN_TABLES.items():
                known = found.others.setdefault(table, {})
                _take_plain(known, damaged, table, columns, order)
        found.last = max(found.rows, default=0)

        def note(row: sqlite3.Row) -> None:
            found.last = max(found.last, int(row[0]))

        _each(damaged, "SELECT seq FROM sqlite_sequence WHERE name = 'entry'", (), note)
        _each(
            damaged,
            "SELECT forgotten FROM tally",
            (),
            lambda row: _forgotten(found, row),
        )
        for number in range(1, min(found.last, _MOST_PROBES) + 1):
            if number not in found.rows:
                _take(
                    found,
                    damaged,
                    "SELECT * FROM entry NOT INDEXED WHERE sequence = ?",
                    number,
                )


def _take_plain(
    known: dict[object, object],
    damaged: sqlite3.Connection,
    table: str,
    columns: tuple[str, str],
    order: str,
) -> None:
    def take(row: sqlite3.Row) -> None:
        known[row[0]] = row[1]

    key, value = columns
    query = f"SELECT {key}, {value} FROM {table} ORDER BY {key} {order}"  # noqa: S608 - constants
    _each(damaged, query, (), take)


def _as_text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _forgotten(found: _Found, row: sqlite3.Row) -> None:
    found.forgotten = max(found.forgotten, int(row[0]))


def _take(
    found: _Found, damaged: sqlite3.Connection, query: str, *values: object
) -> None:
    def take(row: sqlite3.Row) -> None:
        found.rows[int(row["sequence"])] = dict(row)

    _each(damaged, query, values, take)


def _each(
    damaged: sqlite3.Connection,
    query: str,
    values: tuple[object, ...],
    take: Callable[[sqlite3.Row], object],
) -> None:
    try:
        for row in damaged.execute(query, values):
            take(row)
    # A value of a kind that no column has ends it as a damaged page does.
    except (sqlite3.Error, ValueError, TypeError, OverflowError) as error:
        _LOGGER.debug("%s: the damaged part begins: %s", query, error)


def _restore(connection: sqlite3.Connection, found: _Found, aside: Path) -> int:
    columns = [
        str(row["name"]) for row in connection.execute("PRAGMA table_info(entry)")
    ]
    kept = 0
    connection.execute("BEGIN IMMEDIATE")
    for sequence in sorted(found.rows):
        kept += _restore_entry(connection, found.rows[sequence], columns, aside)
    for table, (key, value) in _PLAIN_TABLES.items():
        connection.executemany(
            f"INSERT OR IGNORE INTO {table} ({key}, {value}) VALUES (?, ?)",  # noqa: S608 - constants
            [(k, v) for k, v in found.others.get(table, {}).items() if k is not None],
        )
    connection.execute("UPDATE tally SET forgotten = ?", (found.forgotten,))
    connection.execute("COMMIT")
    return kept


def _restore_entry(
    connection: sqlite3.Connection, row: _Row, columns: list[str], aside: Path
) -> int:
    try:
        run_id = str(UUID(row["run_id"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        _LOGGER.critical("row %s of %s has no id of a run", row.get("sequence"), aside)
        return 0
    references: list[tuple[str, str]] = []
    parts: list[tuple[str, str]] = []
    values = _sound_columns(row)
    try:
        decode(values["progress"], Progress)
        if values["state"] != EntryState.DONE:
            document = _document(values, run_id)
            references = list(_references(run_id, document))
            parts = list(_parts(run_id, document))
    except (
        msgspec.MsgspecError,
        TypeError,
        KeyError,
        AttributeError,
        ValueError,
    ) as error:
        # Set aside alone, in sight of whoever lists what waits.
        values = {
            **values,
            "state": str(EntryState.PARKED),
            "progress": encode(Progress(sent=True)),
            "reason": f"its entry was damaged ({error}); {aside} holds what is left",
        }
        _LOGGER.critical("run %s of %s is damaged: %s", run_id, aside, error)
    known = {key: value for key, value in values.items() if key in columns}
    marks = ", ".join("?" for _ in known)
    added = connection.execute(
        f"INSERT OR IGNORE INTO entry ({', '.join(known)}) VALUES ({marks})",  # noqa: S608 - names of our own columns
        list(known.values()),
    ).rowcount
    if added:
        connection.executemany(
            "INSERT OR IGNORE INTO content (run_id, sha256) VALUES (?, ?)", references
        )
        connection.executemany(
            "INSERT OR IGNORE INTO part (run_id, serial_key) VALUES (?, ?)", parts
        )
    return added


def _sound_columns(row: Mapping[str, Any]) -> _Row:
    """Give the columns of an entry, those without a usable value as if never sent."""
    values = dict(row)
    if values["state"] not in tuple(EntryState):
        values["state"] = str(EntryState.PARKED)
    # Its sender lost the database: the entry is as good as put back.
    if values["state"] == EntryState.SENDING:
        values["state"] = str(EntryState.PENDING)
    for name in ("due", "submitted_at", "not_before", "attempts", "missing"):
        if not isinstance(values.get(name), (int, float)):
            values[name] = 0
    for name in ("digest", "progress"):
        values[name] = values.get(name) or b""
    return values


def _document(values: _Row, run_id: str) -> _Row:
    document = msgspec.json.decode(values["document"], type=dict[str, Any])
    # A damaged page may give a row the document of another.
    if document["id"] != run_id:
        raise ValueError("it has the document of another run")
    msgspec.json.decode(values["report"])
    return document


def _references(run_id: str, document: _Row) -> Iterator[tuple[str, str]]:
    for item in cast("list[_Row]", document.get("attachments", ())):
        if item["sha256"] is not None:
            yield run_id, str(item["sha256"])


def _parts(run_id: str, document: _Row) -> Iterator[tuple[str, str]]:
    for item in cast("list[_Row]", document.get("sub_units", ())):
        yield run_id, str(item["serial_number"]).casefold()

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
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias, cast
from uuid import UUID

import attrs
import msgspec

from rigbridge.destinations import Progress
from rigbridge.machine.close_names import folded
from rigbridge.outbox.entries import EntryState
from rigbridge.outbox.queue.columns import SchemaTable, tables_of
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

# Entries are mended one by one, and what the last two hold is told by their documents.
# Every other table of the schema, also one that is still to come, is taken as it is.
_MADE_ANEW = frozenset({"entry", "content", "part"})


@attrs.define
class _Entries:
    """
    The entries on their way from the damaged database into the new one.

    One at a time, since years of documents do not fit into memory.

    Attributes:
        connection: the new database, in a transaction.
        aside: the copy that stays, for what is said to a person.
        kept: how many are in the new one.
        last: the highest sequence that there was.
    """

    connection: sqlite3.Connection
    table: SchemaTable
    aside: Path
    seen: set[int] = attrs.field(factory=set[int])
    kept: int = 0
    last: int = 0

    def take(self, row: sqlite3.Row) -> None:
        """Take an entry, unless it was read another way already."""
        sequence = int(row["sequence"])
        if sequence not in self.seen:
            self.seen.add(sequence)
            self.kept += _restore_entry(
                self.connection, dict(row), self.table, self.aside
            )


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
        # Nobody reads it before our caller has synced it and given it its name.
        connection.execute("PRAGMA synchronous = OFF")
        # No log beside it: the file alone is what will be renamed.
        connection.execute("PRAGMA journal_mode = DELETE")
        migrate(connection, target)
        first_page, tables = _first_page(target), tables_of(connection)
        connection.execute("BEGIN IMMEDIATE")
        entries = _Entries(connection, tables["entry"], aside)
        _read(source, entries, tables, first_page=first_page)
        tally = connection.execute("SELECT forgotten FROM tally").fetchone()
        connection.execute("COMMIT")
    missing = entries.last - entries.kept - int(tally["forgotten"])
    return entries.kept, max(0, missing)


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


def _read(
    source: Path,
    entries: _Entries,
    tables: Mapping[str, SchemaTable],
    *,
    first_page: bytes,
) -> None:
    """Take over the entries, and what else there is."""
    _pad(source, first_page)

    def read() -> None:
        with closing(sqlite3.connect(source, isolation_level=None)) as damaged:
            damaged.row_factory = sqlite3.Row
            # A text that is no UTF-8 any more must not cost its whole row.
            damaged.text_factory = _as_text
            try:
                damaged.execute("SELECT count(*) FROM sqlite_master").fetchone()
            except sqlite3.Error as error:
                _LOGGER.error("its tables cannot be found: %s", error)  # noqa: TRY400 - expected
                return
            _read_entries(damaged, entries)
            for table in tables.values():
                if table.name not in _MADE_ANEW:
                    _take_over(damaged, entries.connection, table)

    read()
    if not entries.seen:
        # Where the tables begin stands on the first page only. With that of an empty
        # outbox, which was made in the same way, the others may be found.
        _replace_first_page(source, first_page)
        read()


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


def _read_entries(damaged: sqlite3.Connection, entries: _Entries) -> None:
    # NOT INDEXED: an index may be damaged where the table itself is not.
    every = "SELECT * FROM entry NOT INDEXED"
    # From both ends up to the damage, then one by one in between.
    for order in ("ASC", "DESC"):
        for row in _readable(damaged, f"{every} ORDER BY sequence {order}"):
            entries.take(row)
    entries.last = max(entries.seen, default=0)
    ever = "SELECT seq FROM sqlite_sequence WHERE name = 'entry'"
    for row in _readable(damaged, ever):
        if isinstance(row["seq"], int):
            entries.last = max(entries.last, row["seq"])
    for number in range(1, min(entries.last, _MOST_PROBES) + 1):
        if number not in entries.seen:
            for row in _readable(damaged, f"{every} WHERE sequence = ?", number):
                entries.take(row)


def _take_over(
    damaged: sqlite3.Connection, connection: sqlite3.Connection, table: SchemaTable
) -> None:
    # Through the table and, from both ends, through its key: one may be damaged where
    # the other is not.
    ways = ["NOT INDEXED"]
    if table.key:
        ways += [
            "ORDER BY " + ", ".join(f"{name} {order}" for name in table.key)
            for order in ("ASC", "DESC")
        ]
    for way in ways:
        for row in _readable(damaged, f"SELECT * FROM {table.name} {way}"):  # noqa: S608 - names of our own tables
            values = dict(row)
            if not table.accepts(values):
                continue
            if not table.key:
                # The new one has its single row already.
                connection.execute(f"DELETE FROM {table.name}")  # noqa: S608 - likewise
            _insert(connection, table, values)


def _as_text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _readable(
    damaged: sqlite3.Connection, query: str, *values: object
) -> Iterator[sqlite3.Row]:
    """Give rows up to the first that cannot be read; errors of the caller stay his."""
    try:
        yield from damaged.execute(query, values)
    # A value of a kind that no column has ends it as a damaged page does.
    except (sqlite3.Error, ValueError, TypeError, OverflowError) as error:
        _LOGGER.debug("%s: the damaged part begins: %s", query, error)


def _insert(connection: sqlite3.Connection, table: SchemaTable, values: _Row) -> int:
    names = [column.name for column in table.columns if column.name in values]
    marks = ", ".join("?" for _ in names)
    return connection.execute(
        f"INSERT OR IGNORE INTO {table.name} ({', '.join(names)}) VALUES ({marks})",  # noqa: S608 - names of our own columns
        [values[name] for name in names],
    ).rowcount


def _restore_entry(
    connection: sqlite3.Connection, row: _Row, table: SchemaTable, aside: Path
) -> int:
    try:
        run_id = str(UUID(row["run_id"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        _LOGGER.critical("row %s of %s has no id of a run", row.get("sequence"), aside)
        return 0
    references: list[tuple[str, str]] = []
    parts: list[tuple[str, str]] = []
    claim: tuple[str, str, str] | None = None
    values = _sound_columns(row, table)
    try:
        progress = decode(values["progress"], Progress)
        claim = _claim(values, progress, run_id)
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
    added = _insert(connection, table, values)
    if added:
        connection.executemany(
            "INSERT OR IGNORE INTO content (run_id, sha256) VALUES (?, ?)", references
        )
        connection.executemany(
            "INSERT OR IGNORE INTO part (run_id, serial_key) VALUES (?, ?)", parts
        )
        # The row itself may be lost: another run must not take the stored one for its.
        connection.executemany(
            "INSERT OR IGNORE INTO claim (destination, stored_id, run_id)"
            " VALUES (?, ?, ?)",
            [] if claim is None else [claim],
        )
    return added


def _sound_columns(row: Mapping[str, Any], table: SchemaTable) -> _Row:
    """Give the columns of an entry, those without a usable value as if never sent."""
    values = {
        column.name: row[column.name]
        if column.accepts(row[column.name])
        else column.empty
        for column in table.columns
        if column.name in row
    }
    if values.get("state") not in tuple(EntryState):
        values["state"] = str(EntryState.PARKED)
    # Its sender lost the database: the entry is as good as put back.
    if values["state"] == EntryState.SENDING:
        values["state"] = str(EntryState.PENDING)
    return values


def _claim(
    values: _Row, progress: Progress, run_id: str
) -> tuple[str, str, str] | None:
    # Only runs of stores without idempotency keys have to be found again.
    if progress.stored_id is None or progress.searched is None:
        return None
    return values["destination"] or "", progress.stored_id, run_id


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
        yield run_id, folded(str(item["serial_number"]))

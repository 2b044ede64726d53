"""
Fragments of serial numbers, so that a search need not look at every unit.

Units stand in blocks, by their keys. Of a block that is full, each run of three
characters is one row, with the places of the units whose serial numbers have it. So a
unit costs sixteen bytes and a few microseconds, all at the end of its block; a row of
its own for each fragment would be written all over the file. The units behind the last
full block are few enough to be looked at.

Both databases hold the same rows. The ready-made indexes of three characters differ
between them: that of SQLite takes a part of every commit, and that of PostgreSQL is an
extension which a server may lack.
"""

from __future__ import annotations

import sys
from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

import sqlalchemy as sa

from rigbridge_store.tables.rows import RowWriter
from rigbridge_store.tables.schema import serial_fragments, units
from rigbridge_store.tables.values import Row

__all__ = [
    "BLOCK",
    "FRAGMENT",
    "full_blocks",
    "index_full_blocks",
    "index_renamed",
    "reopen_last_block",
    "units_with",
]

BLOCK = 1 << 14
"""How many keys of units a block has; its places fit into two bytes."""

FRAGMENT = 3
"""How many characters are found by the index; shorter texts are not."""

_AT_ONCE = 500
# More bytes of places than that are of a fragment that very many units have.
_MANY = 1_000_000
# Each further fragment rules out little.
_COMPARED = 3
# No fragment: a row of every full block, also of one whose units are gone.
_FULL = ""

_ROWS = RowWriter(serial_fragments, ("block", "fragment", "places"))
_NEWEST = sa.select(sa.func.coalesce(sa.func.max(units.c.key), 0))


def full_blocks(connection: sa.Connection) -> int:
    """Tell how many blocks are indexed, from the first one on."""
    last: int | None = connection.execute(
        sa.select(sa.func.max(serial_fragments.c.block))
    ).scalar()
    return 0 if last is None else last + 1


def index_full_blocks(connection: sa.Connection) -> int:
    """
    Index the blocks that have become full.

    Args:
        connection: a transaction that no other writer runs beside: in one beside it a
            unit of an earlier key may still come.

    Returns:
        How many blocks are indexed.
    """
    done: int = connection.execute(_NEWEST).scalar_one() // BLOCK
    for block in range(full_blocks(connection), done):
        _index(connection, block)
    return done


def index_renamed(connection: sa.Connection, unit: int) -> None:
    """Let a unit be found by its new serial number, in a transaction as above."""
    block = unit // BLOCK
    if block < full_blocks(connection):
        connection.execute(
            serial_fragments.delete().where(serial_fragments.c.block == block)
        )
        _index(connection, block)


def reopen_last_block(connection: sa.Connection) -> None:
    """Leave the last block to be indexed anew, since SQLite gives keys out again."""
    newest = connection.execute(_NEWEST).scalar_one()
    connection.execute(
        serial_fragments.delete().where(serial_fragments.c.block >= newest // BLOCK)
    )


def _index(connection: sa.Connection, block: int) -> None:
    first = block * BLOCK
    places: defaultdict[str, list[int]] = defaultdict(list)
    found = connection.execute(
        sa.select(units.c.key, units.c.serial_key)
        .where(units.c.key >= first, units.c.key < first + BLOCK)
        .order_by(units.c.key)
    )
    for key, serial in found:
        for fragment in _fragments(serial):
            places[fragment].append(key - first)
    rows: list[Row] = [(block, _FULL, b"")]
    rows += [(block, text, _packed(places[text])) for text in sorted(places)]
    _ROWS.write(connection, rows)


def _fragments(text: str) -> set[str]:
    return {text[start : start + FRAGMENT] for start in range(len(text) - FRAGMENT + 1)}


def _packed(listed: list[int]) -> bytes:
    places = array("H", listed)
    # The file may be read by a machine of another byte order.
    if sys.byteorder == "big":
        places.byteswap()
    return places.tobytes()


def _unpacked(packed: bytes) -> array[int]:
    places = array("H", packed)
    if sys.byteorder == "big":
        places.byteswap()
    return places


def units_with(
    connection: sa.Connection,
    texts: Iterable[str],
    matching: sa.ColumnElement[bool],
    most: int,
) -> list[int] | None:
    """
    Find units by texts within their serial numbers.

    Args:
        connection: the transaction.
        texts: folded; at least one of them as long as :data:`FRAGMENT`.
        matching: demands what is wanted of a unit that has them all.
        most: how many units may be found.

    Returns:
        Their keys; None if there are more, or so many that finding out costs more than
        looking at one unit after another.
    """
    wanted = {fragment for text in texts for fragment in _fragments(text)}
    blocks = range(full_blocks(connection))
    select = sa.select(units.c.key).where(matching)
    behind = select.where(units.c.key >= len(blocks) * BLOCK).limit(most + 1)
    found = list(connection.execute(behind).scalars())
    rarest = _rarest(connection, blocks, wanted)
    if rarest is None or len(found) > most:
        return None
    candidates = iter(_candidates(connection, blocks, rarest))
    while some := _next(candidates):
        found += connection.execute(select.where(units.c.key.in_(some))).scalars()
        if len(found) > most:
            return None
    return found


def _next(keys: Iterator[int]) -> list[int]:
    return [key for key, _ in zip(keys, range(_AT_ONCE), strict=False)]


def _rarest(
    connection: sa.Connection, blocks: Collection[int], wanted: Collection[str]
) -> list[str] | None:
    """Choose the fragments that fewest units have; none if nothing has them all."""
    counted = connection.execute(
        sa.select(
            serial_fragments.c.fragment,
            sa.func.sum(sa.func.length(serial_fragments.c.places)),
        )
        # By number, each a step into the index: a range of blocks would be read from
        # end to end.
        .where(
            serial_fragments.c.block.in_(blocks),
            serial_fragments.c.fragment.in_(wanted),
        )
        .group_by(serial_fragments.c.fragment)
    )
    sizes: dict[str, int] = {fragment: int(size) for fragment, size in counted}
    if len(sizes) < len(wanted):
        return []
    rarest = sorted(sizes, key=sizes.__getitem__)[:_COMPARED]
    return None if sizes[rarest[0]] > _MANY else rarest


def _candidates(
    connection: sa.Connection, blocks: Collection[int], fragments: Collection[str]
) -> Iterator[int]:
    """Go through the units that have all of some fragments."""
    if not fragments:
        return
    rows = connection.execute(
        sa.select(serial_fragments.c.block, serial_fragments.c.places)
        .where(
            serial_fragments.c.block.in_(blocks),
            serial_fragments.c.fragment.in_(fragments),
        )
        .order_by(serial_fragments.c.block)
    )
    found: defaultdict[int, list[array[int]]] = defaultdict(list)
    for block, packed in rows:
        found[block].append(_unpacked(packed))
    for block, lists in found.items():
        if len(lists) == len(fragments):
            for place in sorted(set(lists[0]).intersection(*lists[1:])):
                yield block * BLOCK + place

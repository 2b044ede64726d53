"""Units are found by what their serial numbers hold, in full blocks and behind them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from rigbridge.hosting import KeyKind
from rigbridge.wire import CreateRun, WireUnit
from rigbridge_store import RunStore
from rigbridge_store.access.principals import Principal
from rigbridge_store.intake.changes import UNIT, delete_unit, rename
from rigbridge_store.reading.lists.runs import RunQuery, find_runs
from rigbridge_store.reading.lists.units import UnitQuery, find_units
from rigbridge_store.reading.run_search import search_runs
from rigbridge_store.reading.searching import RunSearch
from rigbridge_store.tables.fragments import BLOCK, full_blocks, units_with
from rigbridge_store.tables.schema import serial_fragments, units

_FULL = BLOCK + 5
_MOST = 100


def _serial(number: int) -> str:
    return f"sn-{number:06d}"


def _run_of(serial: str) -> CreateRun:
    return CreateRun(
        unit_under_test=WireUnit(serial_number=serial, part_number="P-1"),
        procedure_name="Final",
        run_passed=True,
    )


@pytest.fixture(name="store", params=["sqlite", "postgresql"], scope="module")
def _store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunStore]:
    """A store with one full block of units, and a few behind it."""
    folder: Path = tmp_path_factory.mktemp("fragments")
    database = None
    if request.param == "postgresql":
        database = request.getfixturevalue("new_database")()
    with RunStore.open(folder, database=database) as store:
        with store.writing() as (connection, _):
            rows = [
                {
                    "key": number,
                    "id": str(number),
                    "serial_number": _serial(number),
                    "serial_key": _serial(number),
                    "created_at": 0,
                }
                for number in range(1, _FULL + 1)
            ]
            connection.execute(units.insert(), rows)
            if database is not None:
                name = sa.func.pg_get_serial_sequence("units", "key")
                connection.execute(sa.select(sa.func.setval(name, _FULL)))
        # The write path notices that a block is full.
        store.create_run(_run_of("Last-One"))
        yield store


def _found(store: RunStore, text: str) -> list[str] | None:
    with store.reading() as connection:
        keys = units_with(connection, [text], units.c.serial_key.contains(text), _MOST)
        if keys is None:
            return None
        named = sa.select(units.c.serial_key).where(units.c.key.in_(keys))
        return sorted(connection.execute(named).scalars())


def test_a_full_block_is_indexed_by_the_run_that_comes_after_it(
    store: RunStore,
) -> None:
    """Nobody has to ask for it."""
    with store.reading() as connection:
        assert full_blocks(connection) == 1


@pytest.mark.parametrize("text", ["00772", "077", "sn-0161", "-01638", "7720", "x1y"])
def test_the_index_finds_what_a_look_at_every_unit_finds(
    store: RunStore, text: str
) -> None:
    """In the block, behind it, and across both."""
    expected = sorted(
        _serial(number) for number in range(1, _FULL + 1) if text in _serial(number)
    )
    assert _found(store, text) == (expected if len(expected) <= _MOST else None)


def test_a_unit_behind_the_last_full_block_is_found(store: RunStore) -> None:
    """It is in no index yet."""
    assert _found(store, "st-on") == ["last-one"]


def test_a_unit_with_a_new_serial_number_is_found_by_that_alone(
    store: RunStore,
) -> None:
    """Its block is indexed anew."""
    with store.writing() as (connection, _):
        row = connection.execute(sa.select(units).where(units.c.key == 300)).one()
        rename(connection, UNIT, row, "Renamed-Unit", "serial_number")
    assert _found(store, "named-un") == ["renamed-unit"]
    assert _found(store, _serial(300)) == []


def test_a_deleted_unit_is_not_found(store: RunStore) -> None:
    """The index still names its key."""
    with store.writing() as (connection, _):
        delete_unit(connection, 400, _serial(400))
    assert _found(store, _serial(400)) == []


def test_runs_are_found_by_a_fragment_of_a_serial_number(store: RunStore) -> None:
    """Also by two, with anything in between."""
    store.create_run(_run_of(_serial(500)))
    for search in (RunSearch(text="000500"), RunSearch(serial="*-00*500")):
        with store.reading() as connection:
            page = search_runs(connection, search, limit=5)
        assert [row.serial for row in page.rows] == [_serial(500)]


@pytest.mark.parametrize(
    ("text", "of_unit", "of_run"),
    [
        ("ST-ON", True, True),
        # Short of three characters, it is looked for in each.
        ("t-", True, True),
        ("00772", False, False),
        ("nowhere", False, False),
        # Of the part; of the procedure.
        ("p-1", True, True),
        ("inal", False, True),
    ],
)
def test_the_lists_of_v2_find_a_text_within_names_by_the_same_index(
    store: RunStore, text: str, of_unit: bool, of_run: bool
) -> None:
    """The unit that was tested is found by what its names hold, and so is its run."""
    anybody = Principal(kind=KeyKind.USER, key=1, id="1", name="Jane")
    with store.reading() as connection:
        listed = find_units(connection, UnitQuery(search_query=text), anybody).rows
        ran = find_runs(connection, RunQuery(search_query=text), anybody).rows
    serials = [
        {row.serial_number for row in listed},
        {row.unit_serial_number for row in ran},
    ]
    assert ["Last-One" in found for found in serials] == [of_unit, of_run]
    assert bool(listed) == (of_unit or text == "00772")


def test_a_short_text_is_looked_for_at_the_beginning_of_a_number(
    store: RunStore,
) -> None:
    """Two characters are in most numbers somewhere."""
    with store.reading() as connection:
        begin, within = (
            search_runs(connection, RunSearch(text=text), limit=5).rows
            for text in ("la", "ne")
        )
    assert [row.serial for row in begin] == ["Last-One"]
    assert not within


def test_keys_that_are_given_out_again_are_not_looked_up_in_an_old_index(
    store: RunStore,
) -> None:
    """A block that is full no longer is taken out of the index."""
    with store.writing() as (connection, _):
        # Those behind the block, and the last one in it.
        gone = sa.select(units.c.key).where(
            units.c.key >= BLOCK - 1, units.c.serial_key != "last-one"
        )
        for key in connection.execute(gone).scalars().all():
            delete_unit(connection, key, _serial(key))
        assert full_blocks(connection) == 1
        connection.execute(sa.text("DELETE FROM runs"))
        last = sa.select(units.c.key).where(units.c.serial_key == "last-one")
        delete_unit(connection, connection.execute(last).scalar_one(), "Last-One")
        assert full_blocks(connection) == 0
        assert connection.execute(sa.select(serial_fragments)).first() is None

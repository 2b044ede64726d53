"""What a station sees of units: its own, and those of its procedures."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import pytest
import sqlalchemy as sa

from rigbridge.errors import ForbiddenError
from rigbridge.wire import CreateRun, InitializeUpload
from rigbridge_store import Principal, RunStore
from rigbridge_store.access.sight import Sight
from rigbridge_store.files.linking import link_uploads_to_unit
from rigbridge_store.intake import changes
from rigbridge_store.intake.units import find_unit, require_sole
from rigbridge_store.reading.lists.catalog import PartQuery, find_parts
from rigbridge_store.reading.lists.units import files_of_unit, require_unit
from rigbridge_store.tables.schema import units

BodyMaker = Callable[..., CreateRun]


@pytest.fixture(name="station")
def _station(store: RunStore) -> Principal:
    """Give a station that is linked to the procedure ``Mine``."""
    principal = store.authenticate(store.create_station_key("Rig"))
    store.administration.link_station("Rig", "Mine")
    return principal


def test_a_unit_of_its_own(store: RunStore, station: Principal) -> None:
    """What a station created it sees before anything was tested of it."""
    other = store.authenticate(store.create_station_key("Other"))
    with store.writing(station) as (connection, catalog):
        changes.create(connection, catalog, changes.UNIT, "OWN")
    with store.reading() as connection:
        assert find_unit(connection, "own", Sight.of(connection, station)) is not None
        assert find_unit(connection, "own", Sight.of(connection, other)) is None


def test_a_part_of_its_own(
    store: RunStore, station: Principal, make_body: BodyMaker
) -> None:
    """It sees a part that it created, though only others have tested such."""
    other = store.authenticate(store.create_station_key("Other"))
    with store.writing(station) as (connection, catalog):
        changes.create(connection, catalog, changes.PART, "OWN")
    unit = {"serial_number": "SN-1", "part_number": "OWN"}
    store.create_run(make_body(procedure_name="Theirs", unit_under_test=unit))
    wanted = PartQuery(search_query="own")
    with store.reading() as connection:
        assert len(find_parts(connection, wanted, station).rows) == 1
        assert len(find_parts(connection, wanted, other).rows) == 0


def test_a_file_of_a_unit_that_others_tested_too(
    store: RunStore, station: Principal, make_body: BodyMaker
) -> None:
    """It sees its own file, not that of another; of its own unit it sees all."""
    other = store.authenticate(store.create_station_key("Other"))
    for serial, names in (("SN-1", ("Mine", "Theirs")), ("SN-2", ("Mine",))):
        for name in names:
            unit = {"serial_number": serial, "part_number": "PCB-1"}
            store.create_run(make_body(procedure_name=name, unit_under_test=unit))
        for principal in (station, other):
            ticket = store.uploads.initialize(
                InitializeUpload(name=f"of {principal.name}"), principal=principal
            )
            store.uploads.store(ticket.id, ticket.token, [b"bytes"])
            with store.writing() as (connection, _):
                key = connection.execute(
                    sa.select(units.c.key).where(units.c.serial_number == serial)
                ).scalar_one()
                link_uploads_to_unit(connection, key, [ticket.id])
    found = {}
    with store.reading() as connection:
        for serial in ("SN-1", "SN-2"):
            unit_row = require_unit(connection, serial, station)
            files = files_of_unit(connection, unit_row.key, station)
            found[serial] = sorted(file.name for file in files)
    assert found == {"SN-1": ["of Rig"], "SN-2": ["of Other", "of Rig"]}


@pytest.mark.parametrize(
    ("procedures", "shared"), [(("Mine",), False), (("Mine", "Theirs"), True)]
)
def test_a_unit_that_others_tested_too(
    store: RunStore,
    station: Principal,
    make_body: BodyMaker,
    procedures: tuple[str, ...],
    shared: bool,
) -> None:
    """Only a unit of its own procedures alone may be changed."""
    for name in procedures:
        store.create_run(make_body(procedure_name=name))
    refusal = pytest.raises(ForbiddenError) if shared else nullcontext()
    with store.reading() as connection:
        sight = Sight.of(connection, station)
        unit = find_unit(connection, "SN-1", sight)
        assert unit is not None
        with refusal:
            require_sole(connection, unit.key, "SN-1", sight)

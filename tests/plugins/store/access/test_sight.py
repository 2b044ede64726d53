"""What a station sees of units: its own, and those of its procedures."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import pytest

from rigbridge.errors import ForbiddenError
from rigbridge.wire import CreateRun
from rigbridge_store import Principal, RunStore
from rigbridge_store.access.sight import Sight
from rigbridge_store.intake import changes
from rigbridge_store.intake.units import find_unit, require_sole

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

"""What a unit is: told by its newest run, in whatever order the runs come."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rigbridge.wire import WireUnit
from rigbridge_store import RunStore
from rigbridge_store.intake.placing import UnitPlaces
from rigbridge_store.intake.policies import CreationPolicy

# A unit that becomes another part has a revision of that one: the part tells both.
_PARTS = st.sampled_from([(None, None), ("P", None), ("P", "1"), ("P", "2")])
_TOLD = st.tuples(st.integers(0, 3), _PARTS, st.sampled_from([None, "B1", "B2"]))


def placed(store: RunStore, told: list[Any], *, grouped: bool) -> tuple[Any, ...]:
    """Place runs of one unit, take that back, and give what the unit had become."""
    policy = CreationPolicy()
    with store.writing() as (connection, catalog), connection.begin_nested() as nested:
        for name in ("P", "Q"):
            part = catalog.part(name, None)
            for revision in ("1", "2"):
                catalog.revision(part, revision)
        for batch in ("B1", "B2"):
            catalog.batch(batch)
        places = UnitPlaces(connection, catalog, ["S"])
        for moment, (part_number, revision), batch_number in told:
            unit = WireUnit(
                serial_number="S",
                part_number=part_number,
                revision=revision,
                batch_number=batch_number,
            )
            places.place(unit, policy, moment)
            if not grouped:
                places.write()
                places = UnitPlaces(connection, catalog, ["S"])
        places.write()
        found = UnitPlaces(connection, catalog, ["S"])._units["s"].told
        # Nothing of it is to stay.
        nested.rollback()
    return found


@settings(max_examples=30, deadline=None)
@given(told=st.lists(_TOLD, min_size=1, max_size=5), data=st.data())
def test_the_order_of_arrival_does_not_matter(told: list[Any], data: Any) -> None:
    """All orders, in one group or run by run, leave the unit the same."""
    shuffled = data.draw(st.permutations(told))
    with TemporaryDirectory() as folder, RunStore.open(Path(folder)) as store:
        expected = placed(store, told, grouped=True)
        assert placed(store, list(shuffled), grouped=True) == expected
        assert placed(store, list(shuffled), grouped=False) == expected


def test_an_older_run_changes_nothing() -> None:
    """A run of last year that is imported today does not undo a rework."""
    with TemporaryDirectory() as folder, RunStore.open(Path(folder)) as store:
        newest = [(2, ("P", "2"), "B2")]
        both = [*newest, (1, ("Q", "1"), "B1")]
        assert placed(store, both, grouped=True) == placed(store, newest, grouped=True)

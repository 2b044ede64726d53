"""What runs refer to: procedures, units, parts and people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from rigbridge.errors import BadRequestError, NotFoundError
from rigbridge.wire import CreateRun, ListedPart, ListedRun, WireSubUnit
from rigbridge_store import CreationPolicy, PartNumbers, RunStore

_REQUIRED = CreationPolicy(part_numbers=PartNumbers.REQUIRED)
_LENIENT = CreationPolicy(create_missing=True)

Lister = Callable[..., ListedRun]


@pytest.fixture
def listed(store: RunStore, make_body: Callable[..., CreateRun]) -> Lister:
    """Give what creates a run, and lists it."""

    def create(policy: CreationPolicy = _LENIENT, **changes: Any) -> ListedRun:
        body = make_body(**changes)
        created = store.create_run(body, policy=policy)
        return store.show_run(created.id)

    return create


def _procedure(run: ListedRun) -> str:
    assert run.procedure is not None
    return run.procedure.id


def _part(run: ListedRun) -> ListedPart:
    assert run.unit is not None
    assert run.unit.part is not None
    return run.unit.part


def _unit(**more: str) -> dict[str, str]:
    return {"serial_number": "SN-1", **more}


class TestProcedures:
    """Procedures, by id and by name."""

    def test_by_name(self, listed: Lister) -> None:
        """The same name without regard to case is the same procedure."""
        first = listed(procedure_name="Função Test")
        assert _procedure(listed(procedure_name="FUNÇÃO test")) == _procedure(first)
        assert _procedure(listed(procedure_name="Other")) != _procedure(first)

    def test_by_id(self, listed: Lister) -> None:
        """A procedure that exists is found by its UUID, which wins over the name."""
        first = _procedure(listed())
        run = listed(procedure_id=first.upper(), procedure_name="Other")
        assert _procedure(run) == first

    @pytest.mark.parametrize("reference", ["FVT1", str(UUID(int=7))])
    def test_unknown_id(
        self,
        store: RunStore,
        make_body: Callable[..., CreateRun],
        reference: str,
    ) -> None:
        """An unknown id is refused, with what can be done here."""
        with pytest.raises(NotFoundError) as caught:
            store.create_run(make_body(procedure_id=reference))
        assert caught.value.message == (
            f"Procedure with ID {reference} does not exist. Send procedure_name to "
            "create it with the run, or create it first: POST /api/v2/procedures"
        )

    def test_deleted_behind_our_back(self, store: RunStore, listed: Lister) -> None:
        """What was remembered and is gone is looked up and created anew."""
        first = listed()
        store.delete_run(first.id)
        with store._database.writing() as connection:
            connection.exec_driver_sql("DELETE FROM procedures")
        assert _procedure(listed()) != _procedure(first)

    def test_identifier_is_created_in_process(self, listed: Lister) -> None:
        """A lenient creation makes the procedure of an identifier, once."""
        first = listed(procedure_id="FVT1", procedure_name="Battery")
        again = listed(procedure_id="fvt1", procedure_name=...)
        assert _procedure(again) == _procedure(first)
        assert again.procedure is not None
        assert again.procedure.name == "Battery"

    def test_uuid_is_kept_in_process(self, listed: Lister) -> None:
        """A lenient creation keeps the UUID that a run names its procedure by."""
        uuid = str(uuid4())
        assert _procedure(listed(procedure_id=uuid)) == uuid

    def test_version(self, listed: Lister) -> None:
        """A version belongs to its procedure, whatever its case."""

        def version(run: ListedRun) -> str:
            assert run.procedure is not None
            assert run.procedure.version is not None
            return run.procedure.version.id

        first = version(listed(procedure_version="v1.A"))
        assert version(listed(procedure_version="V1.a")) == first
        other = listed(procedure_version="v1.A", procedure_name="Other")
        assert version(other) != first


class TestUnits:
    """Units, parts, revisions and batches."""

    def test_same_unit(self, store: RunStore, listed: Lister) -> None:
        """A serial number names one unit whatever its case; leading zeros count."""
        listed(unit_under_test={"serial_number": "00ab"})
        listed(unit_under_test={"serial_number": "00AB"})
        listed(unit_under_test={"serial_number": "0AB"})
        runs = store.list_runs("00Ab")
        assert len(runs) == 2
        assert {run.unit.serial_number for run in runs if run.unit} == {"00ab"}

    @pytest.mark.parametrize("again", ["Ger\u00e4t-\u00c9", " gera\u0308t-e\u0301\t"])
    def test_same_to_the_eye(self, store: RunStore, listed: Lister, again: str) -> None:
        """Blanks around a serial number and the form of its accents do not count."""
        listed(unit_under_test={"serial_number": "Ger\u00e4t-\u00e9"})
        listed(unit_under_test={"serial_number": again})
        assert len(store.list_runs(again)) == 2

    def test_same_part(self, listed: Lister) -> None:
        """Parts, revisions and batches match without regard to case."""
        first = listed(unit_under_test=_unit(part_number="p", revision="a"))
        again = listed(unit_under_test=_unit(part_number="P", revision="A"))
        assert _part(first) == _part(again)

    def test_part_number_required(
        self, store: RunStore, make_body: Callable[..., CreateRun]
    ) -> None:
        """A new unit without a part is refused, with what can be done here."""
        body = make_body(unit_under_test=_unit())
        with pytest.raises(BadRequestError) as caught:
            store.create_run(body, policy=_REQUIRED)
        assert caught.value.message == (
            "Part number is required but not provided, and no rule tells it from the "
            "serial number. Provide a part_number; or give the server a rule in "
            '[identity] of its rigbridge.toml, or server.part_number = "optional".'
        )
        assert "unit_under_test.part_number" in caught.value.issues[0]

    def test_known_unit_keeps_its_part(self, listed: Lister) -> None:
        """A unit that is known needs no part number, and keeps what it has."""
        unit = _unit(part_number="P", revision="A", batch_number="B")
        first = listed(_REQUIRED, unit_under_test=unit)
        again = listed(_REQUIRED, unit_under_test=_unit())
        assert again.unit == first.unit

    def test_reworked_unit(self, store: RunStore, listed: Lister) -> None:
        """A new revision holds from now on; earlier runs keep what was tested."""
        old = listed(unit_under_test=_unit(part_number="P", revision="A"))
        listed(unit_under_test=_unit(part_number="P", revision="B"))
        latest = listed(unit_under_test=_unit())
        assert _part(latest).revision != _part(old).revision
        assert _part(store.show_run(old.id)) == _part(old)

    def test_another_part(self, listed: Lister) -> None:
        """A unit that becomes another part loses the revision of the former."""
        listed(unit_under_test=_unit(part_number="P", revision="A"))
        assert _part(listed(unit_under_test=_unit(part_number="Q"))).revision is None


class TestOperators:
    """The users who ran a test."""

    def test_known(self, store: RunStore, listed: Lister) -> None:
        """A user is found by e-mail without regard to case."""
        store.create_user_key("Jane", email="jane@example.com")
        run = listed(CreationPolicy(), operated_by="JANE@example.com")
        assert run.operated_by is not None
        assert run.operated_by.name == "Jane"

    def test_unknown(
        self, store: RunStore, make_body: Callable[..., CreateRun]
    ) -> None:
        """An unknown operator is refused in the words of the contract."""
        with pytest.raises(NotFoundError) as caught:
            store.create_run(make_body(operated_by="who@example.com"))
        assert caught.value.message == (
            "Operator with email who@example.com does not exist. Create the user "
            "first: rigbridge keys create user --name who@example.com"
        )
        assert store.recent_runs(1) == []

    def test_created_in_process(self, listed: Lister) -> None:
        """A lenient creation makes the operator."""
        run = listed(operated_by="new@example.com")
        assert run.operated_by is not None
        assert run.operated_by.email == "new@example.com"


class TestSubUnits:
    """Units within units."""

    @pytest.fixture
    def units(self, listed: Lister) -> None:
        """Create three units."""
        for serial in "ABC":
            listed(unit_under_test={"serial_number": serial})

    @pytest.mark.usefixtures("units")
    def test_listed(self, listed: Lister) -> None:
        """The sub-units of a run are listed as it named them."""
        run = listed(
            CreationPolicy(), sub_units=[{"serial_number": "b"}, {"serial_number": "A"}]
        )
        assert [unit.serial_number for unit in run.sub_units or ()] == ["b", "A"]

    def test_unknown(
        self, store: RunStore, make_body: Callable[..., CreateRun]
    ) -> None:
        """A sub-unit that does not exist is refused with its place."""
        with pytest.raises(NotFoundError) as caught:
            store.create_run(make_body(sub_units=[{"serial_number": "Z"}]))
        assert caught.value.issues == ("sub_units[0].serial_number: does not exist",)

    @pytest.mark.usefixtures("units")
    def test_cycle(self, store: RunStore, make_body: Callable[..., CreateRun]) -> None:
        """A unit that would come to contain itself is refused."""
        for parent, child in ("AB", "BC"):
            store.update_unit(parent, _members(child))
        with pytest.raises(BadRequestError, match="cycle"):
            store.create_run(
                make_body(unit_under_test={"serial_number": "C"}, sub_units=_named("A"))
            )

    @pytest.mark.usefixtures("units")
    def test_itself(self, store: RunStore, make_body: Callable[..., CreateRun]) -> None:
        """A unit is no sub-unit of itself."""
        with pytest.raises(BadRequestError, match="cycle"):
            store.create_run(
                make_body(unit_under_test={"serial_number": "a"}, sub_units=_named("A"))
            )

    @pytest.mark.usefixtures("units")
    def test_replaced(self, store: RunStore) -> None:
        """Updating a unit replaces what is built into it."""
        store.update_unit("A", _members("B"))
        store.update_unit("A", _members("C"))
        store.update_unit("B", _members("A"))

    def test_update_of_an_unknown_unit(self, store: RunStore) -> None:
        """A unit that does not exist cannot be updated."""
        with pytest.raises(NotFoundError, match="Unit with serial number Z"):
            store.update_unit("Z", [])


def _members(*serials: str) -> list[WireSubUnit]:
    return [WireSubUnit(serial_number=serial) for serial in serials]


def _named(*serials: str) -> list[dict[str, str]]:
    return [{"serial_number": serial} for serial in serials]

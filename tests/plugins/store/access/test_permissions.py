"""What a station reaches, and what is said to one that reaches less."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from rigbridge.errors import ConflictError, ForbiddenError, NotFoundError
from rigbridge.wire import CreateRun
from rigbridge_store import Principal, RunStore
from rigbridge_store.access import permissions
from rigbridge_store.access.matrix import Action, Thing, Verb
from rigbridge_store.intake import changes
from rigbridge_store.intake.changes import remove_station
from rigbridge_store.tables.schema import procedures, station_procedures


@pytest.fixture(name="keys")
def _keys(store: RunStore, make_body: Callable[..., CreateRun]) -> list[int]:
    """Create two procedures, and give their keys."""
    for name in ("One", "Two"):
        store.create_run(make_body(procedure_name=name))
    with store.reading() as connection:
        select = sa.select(procedures.c.key).order_by(procedures.c.key)
        return list(connection.execute(select).scalars())


@pytest.fixture(name="connection")
def _connection(
    store: RunStore, keys: list[int], station: Principal
) -> Iterator[sa.Connection]:
    """Open a transaction in which the station is linked to the first procedure."""
    with store.writing() as (connection, _):
        permissions.link_station_to(connection, station.key, keys[0])
        yield connection


@pytest.fixture(name="station")
def _station(store: RunStore) -> Principal:
    return store.authenticate(store.create_station_key("Rig"))


@pytest.fixture(name="user")
def _user(store: RunStore) -> Principal:
    return store.authenticate(store.create_user_key("Jane"))


@pytest.fixture(name="free")
def _free(station: Principal) -> Principal:
    return Principal(
        kind=station.kind,
        key=station.key,
        id=station.id,
        name=station.name,
        unrestricted=True,
    )


class TestReach:
    """Only a restricted station is held back."""

    def test_a_station_reaches_what_it_is_linked_to(
        self, station: Principal, connection: sa.Connection, keys: list[int]
    ) -> None:
        """The other procedure is refused as the caller has named it."""
        permissions.require_link(connection, station, keys[0], "One")
        with pytest.raises(ForbiddenError, match=r"Station Rig .* link Rig 'a b'"):
            permissions.require_link(connection, station, keys[1], "a b")
        assert permissions.visible_procedures(connection, station) == frozenset(
            {keys[0]}
        )

    def test_the_others_reach_everything(
        self,
        user: Principal,
        free: Principal,
        connection: sa.Connection,
        keys: list[int],
    ) -> None:
        """Users, unrestricted stations, and whoever is in the process."""
        for principal in (user, free, None):
            permissions.require_link(connection, principal, keys[1], "x")
            assert permissions.visible_procedures(connection, principal) is None

    def test_a_removed_station_is_not_found(
        self, connection: sa.Connection, station: Principal
    ) -> None:
        """Its name is free for the rig that replaces it."""
        assert permissions.find_station(connection, "rig") == station.key
        remove_station(connection, station.key)
        for reference in ("rig", station.id):
            assert permissions.find_station(connection, reference) is None

    def test_one_of_two_stations_is_named_by_its_id(self, store: RunStore) -> None:
        """Names are not unique; which one is meant is not guessed."""
        with store.writing() as (connection, catalog):
            made = [
                changes.create(connection, catalog, changes.STATION, name)
                for name in ("Rig", "RIG")
            ]
            with pytest.raises(ConflictError, match="Several stations are named rig"):
                permissions.find_station(connection, "rig")
            assert permissions.find_station(connection, made[1][1]) == made[1][0]

    def test_unlinking_takes_one_procedure(
        self, connection: sa.Connection, station: Principal, keys: list[int]
    ) -> None:
        """The other link stays."""
        permissions.link_station_to(connection, station.key, keys[1])
        assert permissions.unlink_station_from(connection, station.key, keys[0])
        assert permissions.linked_procedures(connection, station.key) == {keys[1]}

    def test_linking_twice_is_one_link(
        self, station: Principal, connection: sa.Connection, keys: list[int]
    ) -> None:
        """A second link is no error and no row."""
        permissions.link_station_to(connection, station.key, keys[0])
        count = sa.select(sa.func.count()).select_from(station_procedures)
        assert connection.execute(count).scalar_one() == 1
        permissions.link_station_to(connection, station.key, keys[1])
        linked = permissions.linked_procedures(connection, station.key)
        assert linked == frozenset(keys)


class TestRefusals:
    """The words for what is out of reach."""

    def test_a_station_learns_of_no_procedure(
        self, station: Principal, user: Principal, free: Principal
    ) -> None:
        """It is told that it may not use it, the others that it does not exist."""
        refusal = permissions.unknown_procedure(station, "P-1")
        assert isinstance(refusal, ForbiddenError)
        for principal in (user, free, None):
            refusal = permissions.unknown_procedure(principal, "P-1")
            assert isinstance(refusal, NotFoundError)
            assert "P-1 does not exist" in str(refusal)

    def test_what_only_users_may_do(
        self, station: Principal, user: Principal, free: Principal
    ) -> None:
        """A station may not, unrestricted or not."""
        delete = Action(Verb.DELETE, Thing.RUN)
        for principal in (user, None):
            permissions.require_allowed(principal, delete)
        for principal in (station, free):
            with pytest.raises(ForbiddenError, match="Rig cannot delete runs"):
                permissions.require_allowed(principal, delete)


class TestOwners:
    """Whose a further key is."""

    def test_a_user_is_known_by_name_or_address(self, store: RunStore) -> None:
        """By the name where no address is given, else by the address; in any case."""

        def owner(name: str, email: str | None = None) -> int:
            return store.authenticate(store.create_user_key(name, email=email)).key

        jane = owner("Jane")
        assert owner("JANE") == jane
        assert owner("Joe") != jane
        with_address = owner("Jane", "jane@example.com")
        assert with_address != jane
        assert owner("Somebody", "Jane@Example.com") == with_address
        assert owner("Jane") == jane

    def test_a_key_has_256_bits(self, store: RunStore) -> None:
        """A public part that finds it, and a secret of six bits a character."""
        mark, public, secret = store.create_user_key("Jane").split("_", 2)
        assert (mark, len(public), len(secret)) == ("rb", 12, 43)

"""API keys, and what stations may reach."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs
import pytest
import sqlalchemy as sa

from rigbridge.errors import (
    BadRequestError,
    ForbiddenError,
    NotFoundError,
    UnauthorizedError,
)
from rigbridge.hosting import KeyKind
from rigbridge.wire import CreateRun
from rigbridge_store import Principal, RunStore
from rigbridge_store.access import keys
from rigbridge_store.tables.schema import api_keys, users


class TestKeys:
    """Issuing and verifying."""

    def test_user(self, store: RunStore) -> None:
        """A user's key leads to the user."""
        principal = store.authenticate(store.create_user_key("Jane"))
        assert (principal.kind, principal.name) == (KeyKind.USER, "Jane")

    def test_second_key_of_one_owner(self, store: RunStore) -> None:
        """A second key of the same name belongs to the same owner."""
        owners = {
            store.authenticate(store.create_station_key(name)).id
            for name in ("Line 1", "LINE 1 ")
        }
        assert len(owners) == 1

    def test_address_for_a_name(
        self, store: RunStore, make_body: Callable[..., CreateRun]
    ) -> None:
        """A user whose name is an e-mail address can be named as operator."""
        store.create_user_key("jane@example.com")
        assert store.create_run(make_body(operated_by="jane@example.com")).created

    def test_the_secret_is_not_kept(self, store: RunStore) -> None:
        """The database holds nothing from which a key could be made."""
        key = store.create_user_key("Jane")
        secret = key.split("_", 2)[2]
        with store._database.reading() as connection:
            (row,) = connection.execute(api_keys.select()).all()
        assert all(secret.encode() not in str(value).encode() for value in row)

    @pytest.mark.parametrize("key", ["", "nonsense", "rb_", "rb_00_x", "rb_é_ü", "\0"])
    def test_unknown(self, store: RunStore, key: str) -> None:
        """What was never issued is refused."""
        with pytest.raises(UnauthorizedError):
            store.authenticate(key)

    def test_many_connections_at_once(self, store: RunStore) -> None:
        """A key that many show at once, as after a restart, is good for all."""
        key = store.create_user_key("Jane")
        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(store.authenticate, [key] * 8))
        assert {principal.name for principal in found} == {"Jane"}

    def test_wrong_secret(self, store: RunStore) -> None:
        """The public part of a key alone opens nothing, also after it was verified."""
        key = store.create_user_key("Jane")
        store.authenticate(key)
        with pytest.raises(UnauthorizedError):
            store.authenticate(key[:-1] + ("A" if key[-1] != "A" else "B"))

    @pytest.mark.parametrize("whole", [True, False])
    def test_revoked_key(self, store: RunStore, *, whole: bool) -> None:
        """A revoked key is refused at once, another key of its owner is not."""
        key, other = (store.create_user_key("Jane") for _ in range(2))
        store.authenticate(key)
        record = store.keys.revoke(key if whole else key.split("_")[1])
        assert record.revoked_at is not None
        for _ in range(2):
            with pytest.raises(UnauthorizedError, match="unknown"):
                store.authenticate(key)
        assert store.authenticate(other).name == "Jane"

    def test_revoked_in_another_process(
        self, data: Path, store: RunStore, database: str | None
    ) -> None:
        """A key that one process revokes is refused by all that use the store."""
        key = store.create_station_key("Line 1")
        store.authenticate(key)
        with RunStore.open(data, database=database) as another:
            another.keys.revoke(key)
        with pytest.raises(UnauthorizedError):
            store.authenticate(key)

    def test_revoked_over_http(
        self,
        store: RunStore,
        serving: Callable[..., Any],
        make_json: Callable[..., dict[str, Any]],
    ) -> None:
        """A revoked key reads and writes nothing more at a running server."""
        key = store.create_user_key("Jane")
        with serving(store, key) as api:
            assert api.post("/api/v1/runs", json=make_json()).status_code < 300
            store.keys.revoke(key)
            assert api.post("/api/v1/runs", json=make_json()).status_code == 401
            for path in ("/api/v1/runs?serial_number=SN-1", "/api/v2/whoami"):
                assert api.get(path).status_code == 401
        assert len(store.list_runs("SN-1")) == 1

    def test_deleted_key(self, store: RunStore) -> None:
        """A deleted key is refused at once, although it was verified before."""
        key = store.create_user_key("Jane")
        store.authenticate(key)
        with store._database.writing() as connection:
            connection.execute(api_keys.delete())
        with pytest.raises(UnauthorizedError):
            store.authenticate(key)

    def test_only_an_address_stands_for_a_name(self, store: RunStore) -> None:
        """A name that is none is no address, and one that is given counts."""
        store.create_user_key("Jane")
        store.create_user_key("joe@example.com", email="other@example.com")
        with store.reading() as connection:
            rows = connection.execute(sa.select(users.c.name, users.c.email))
            assert {(row.name, row.email) for row in rows} == {
                ("Jane", None),
                ("joe@example.com", "other@example.com"),
            }

    def test_a_name_is_no_address(self, store: RunStore) -> None:
        """A user known by an address is not the one who has only that name."""
        made = [
            store.create_user_key("Jane", email="jane@example.com"),
            store.create_user_key("Jane"),
            store.create_user_key("JANE"),
        ]
        owners = [store.authenticate(key).id for key in made]
        assert owners[0] != owners[1] == owners[2]

    def test_use_is_noted_again(
        self, store: RunStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """When a key was last used is not when it was first used."""
        monkeypatch.setattr(keys, "_NOTED_SECONDS", 0)
        key = store.create_user_key("Jane")
        used = []
        for _ in range(2):
            store.authenticate(key)
            (record,) = store.keys.records()
            used.append(record.last_used_at)
        assert used[0] is not None
        assert used[1] is not None
        assert used[0] < used[1]

    def test_blank_name(self, store: RunStore) -> None:
        """A key needs an owner."""
        with pytest.raises(BadRequestError):
            store.create_user_key(" ")


@pytest.fixture
def station(store: RunStore) -> Principal:
    """Give a station that is linked to the procedure ``Mine``."""
    principal = store.authenticate(store.create_station_key("Line 1"))
    store.administration.link_station("line 1", "Mine")
    return principal


class TestStations:
    """A station reaches the procedures that it is linked to."""

    def test_create(
        self,
        store: RunStore,
        station: Principal,
        make_body: Callable[..., CreateRun],
        as_json: Callable[..., dict[str, dict[str, str]]],
    ) -> None:
        """It creates runs of a linked procedure, in its own name."""
        body = make_body(procedure_name="mine")
        created = store.create_run(body, principal=station)
        run = as_json(store.show_run(created.id, principal=station))
        assert run["created_by_station"]["name"] == "Line 1"
        assert run["created_by_user"] is None

    def test_create_of_another_procedure(
        self, store: RunStore, station: Principal, make_body: Callable[..., CreateRun]
    ) -> None:
        """It is refused for any other, which is not created either."""
        with pytest.raises(ForbiddenError, match=r"Line 1.*Theirs"):
            store.create_run(make_body(procedure_name="Theirs"), principal=station)
        with store._database.reading() as connection:
            names = connection.exec_driver_sql("SELECT name FROM procedures").scalars()
            assert list(names) == ["Mine"]

    def test_list(
        self, store: RunStore, station: Principal, make_body: Callable[..., CreateRun]
    ) -> None:
        """It sees the runs of its procedures among those of a unit."""
        for name in ("Mine", "Theirs"):
            store.create_run(make_body(procedure_name=name))
        (run,) = store.list_runs("SN-1", principal=station)
        assert run.procedure is not None
        assert run.procedure.name == "Mine"

    def test_list_of_others_only(
        self, store: RunStore, station: Principal, make_body: Callable[..., CreateRun]
    ) -> None:
        """It is refused where all runs of a unit are of other procedures."""
        store.create_run(make_body(procedure_name="Theirs"))
        with pytest.raises(ForbiddenError):
            store.list_runs("SN-1", principal=station)
        assert store.list_runs("unknown", principal=station) == []

    def test_everything_else(
        self, store: RunStore, station: Principal, make_body: Callable[..., CreateRun]
    ) -> None:
        """Another's run and unit are unknown to it, and it deletes nothing."""
        created = store.create_run(make_body(procedure_name="Theirs"))
        with pytest.raises(NotFoundError):
            store.show_run(created.id, principal=station)
        with pytest.raises(NotFoundError):
            store.link_uploads(created.id, [], principal=station)
        with pytest.raises(ForbiddenError):
            store.delete_run(created.id, principal=station)
        with pytest.raises(NotFoundError):
            store.update_unit("SN-1", [], principal=station)

    def test_attachments(
        self,
        store: RunStore,
        station: Principal,
        make_body: Callable[..., CreateRun],
        as_json: Callable[..., dict[str, list[dict[str, str]]]],
    ) -> None:
        """It gets the attachments of its procedures, and of no other."""
        content = store.contents.store([b"trace"])
        found: dict[str, str] = {}
        for name in ("Mine", "Theirs"):
            run = store.create_run(make_body(procedure_name=name)).id
            store.attach_file(run, name="a.txt", mime_type=None, content=content)
            (file,) = as_json(store.show_run(run))["attachments"]
            found[name] = file["id"]
        mine = store.find_attachment(found["Mine"], principal=station)
        assert mine.sha256 == content.sha256
        with pytest.raises(NotFoundError):
            store.find_attachment(found["Theirs"], principal=station)
        anybody = attrs.evolve(station, unrestricted=True)
        assert store.find_attachment(found["Theirs"], principal=anybody).stored

    def test_link_of_an_unknown_station(self, store: RunStore) -> None:
        """A station without a key is unknown."""
        with pytest.raises(NotFoundError, match="Station Line 9 does not exist"):
            store.administration.link_station("Line 9", "Mine")

    def test_link_to_an_unknown_id(self, store: RunStore, station: Principal) -> None:
        """A UUID that no procedure has is no name of a new one."""
        with pytest.raises(NotFoundError, match="does not exist"):
            store.administration.link_station(
                station.id, "550e8400-e29b-41d4-a716-446655440003"
            )

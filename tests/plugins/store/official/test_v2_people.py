"""``client.stations``, ``client.users`` and ``client.identity``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

_NOTHING = "00000000-0000-4000-8000-000000000000"


class TestStations:
    """Create, list, get, get_current, update and remove."""

    def test_life(self, official: Any, unique: Callable[[str], str]) -> None:
        """A station is made, found, changed and removed."""
        stations = official.user.stations
        name, renamed = unique("Station"), unique("Station")
        made = stations.create(
            name=name, procedure_id=official.procedure, metadata={"hall": 3}
        ).id
        shown = stations.get(id=made)
        assert (shown.id, shown.name, shown.api_key) == (made, name, None)
        assert [item.id for item in shown.procedures] == [official.procedure]
        assert shown.metadata == {"hall": 3}
        assert shown.team is None
        changed = stations.update(id=made, name=renamed, metadata={"hall": None})
        assert (changed.id, changed.name) == (made, renamed)
        assert stations.get(id=made).metadata == {}
        assert stations.update(id=made, image_id="", team_id=None).name == renamed
        for kept_nowhere in ({"image_id": "x"}, {"team_id": "x"}):
            with pytest.raises(official.errors.APIError) as caught:
                stations.update(id=made, **kept_nowhere)
            assert caught.value.status_code == 400
        assert stations.remove(id=made).id == made
        assert stations.list(search_query=renamed).data == []
        for call in (stations.get, stations.remove):
            with pytest.raises(official.errors.ErrorNOTFOUND):
                call(id=made)

    def test_key(self, official: Any, unique: Callable[[str], str]) -> None:
        """The public part of a station's key is shown; removed, it is refused."""
        name = unique("Station")
        key = official.store.create_station_key(name)
        (listed,) = official.user.stations.list(search_query=name).data
        shown = official.user.stations.get(id=listed.id)
        assert shown.api_key in key
        assert key not in shown.api_key
        client = official.client(key)
        assert client.stations.get_current().id == listed.id
        official.user.stations.remove(id=listed.id)
        with pytest.raises(official.errors.ErrorUNAUTHORIZED):
            client.stations.get_current()

    def test_list(self, official: Any, unique: Callable[[str], str]) -> None:
        """Stations are found by filters, page by page."""
        text = unique("Listed")
        made = [
            official.user.stations.create(name=f"{text} {letter}", metadata={"l": text})
            for letter in "abc"
        ]
        linked = official.user.stations.create(
            name=f"{text} d", procedure_id=official.procedure
        )

        def found(**filters: Any) -> list[str]:
            return [item.id for item in official.user.stations.list(**filters).data]

        assert found(search_query=text.lower()) == [
            *(item.id for item in made),
            linked.id,
        ]
        assert found(search_query=text, procedure_ids=[official.procedure]) == [
            linked.id
        ]
        assert found(metadata={"l": {"in": [text]}}) == [item.id for item in made]
        page = official.user.stations.list(
            search_query=text, limit=3, include_metadata=True
        )
        assert page.data[0].metadata == {"l": text}
        assert (page.data[0].procedures, page.data[0].procedures_count) == ([], 0)
        rest = official.user.stations.list(
            search_query=text, limit=3, cursor=page.meta.next_cursor
        )
        assert [item.id for item in rest.data] == [linked.id]

    def test_refusals(self, official: Any) -> None:
        """A station needs a name, and what it refers to must exist."""
        with pytest.raises(official.errors.TofuPilotError) as caught:
            official.user.stations.create(name="")
        assert caught.value.status_code == 400
        calls: list[Callable[[], Any]] = [
            lambda: official.user.stations.get(id=_NOTHING),
            lambda: official.user.stations.update(id=_NOTHING, name="x"),
            lambda: official.user.stations.remove(id=_NOTHING),
        ]
        for call in calls:
            with pytest.raises(official.errors.ErrorNOTFOUND):
                call()
        with pytest.raises(official.errors.ErrorFORBIDDEN):
            official.user.stations.get_current()

    def test_station(self, official: Any) -> None:
        """A station sees itself, and no other."""
        current = official.station.stations.get_current()
        assert current.name == "Line 1"
        assert [item.id for item in current.procedures] == [official.procedure]
        assert official.station.stations.get(id=current.id).name == "Line 1"
        with pytest.raises(official.errors.ErrorNOTFOUND):
            official.station.stations.get(id=_NOTHING)
        with pytest.raises(official.errors.ErrorFORBIDDEN):
            official.station.stations.create(name="")
        calls: list[Callable[[], Any]] = [
            lambda: official.station.stations.list(limit=1),
            lambda: official.station.stations.update(id=current.id, name="x"),
            lambda: official.station.stations.remove(id=_NOTHING),
        ]
        for call in calls:
            # Of a class of its own where the release knows that a call can be refused.
            with pytest.raises(official.errors.TofuPilotError) as caught:
                call()
            assert caught.value.status_code == 403

    def test_runs_count(self, official: Any) -> None:
        """A station's procedures tell how many runs it made."""
        before = official.station.stations.get_current().procedures[0].runs_count
        official.run(official.station)
        official.run()
        after = official.station.stations.get_current().procedures[0].runs_count
        assert after == before + 1


class TestUsers:
    """Users, and who a key is."""

    def test_users(self, official: Any) -> None:
        """The users are listed, and one knows itself."""
        listed = official.user.users.list()
        assert ("Jane", "jane@example.com") in [(u.name, u.email) for u in listed]
        current = official.user.users.get_current()
        assert (current.name, current.banned) == ("Jane", False)

    def test_station(self, official: Any) -> None:
        """A station is no user and sees none."""
        assert official.station.users.list() == []
        with pytest.raises(official.errors.ErrorFORBIDDEN):
            official.station.users.get_current()

    def test_current(self, bare: httpx.Client, official: Any) -> None:
        """Clients before 2.22 ask for the caller by a parameter."""
        bare.headers["Authorization"] = f"Bearer {official.keys['user']}"
        (jane,) = bare.get("/api/v2/users", params={"current": "true"}).json()
        assert jane["email"] == "jane@example.com"
        bare.headers["Authorization"] = f"Bearer {official.keys['station']}"
        assert bare.get("/api/v2/users", params={"current": "true"}).json() == []

    def test_whoami(self, official: Any) -> None:
        """Both kinds of key know whose they are."""
        user = official.user.identity.whoami()
        assert (user.type, user.user.email) == ("user", "jane@example.com")
        station = official.station.identity.whoami()
        assert (station.type, station.station.name) == ("station", "Line 1")
        assert station.user is None
        assert user.organization == station.organization

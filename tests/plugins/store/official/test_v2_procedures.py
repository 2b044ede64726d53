"""``client.procedures`` and ``client.procedures.versions``."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest

from rigbridge.errors import ConflictError
from rigbridge_store.intake.changes import delete_procedure
from rigbridge_store.reading.lists.procedures import require_procedure

_NOTHING = "00000000-0000-4000-8000-000000000000"


def _refused(official: Any, call: Callable[[], Any]) -> str:
    """Demand that a station is told that it may not do that."""
    with pytest.raises(official.errors.APIError) as caught:
        call()
    assert caught.value.status_code == 403
    return str(caught.value)


class TestProcedures:
    """Create, get, list, update and delete."""

    def test_life(self, official: Any, unique: Callable[[str], str]) -> None:
        """A procedure is made, found, renamed and deleted with its runs."""
        name = unique("Burn In")
        made = official.user.procedures.create(name=f"  {name} ").id
        run = official.run(procedure_id=made)
        shown = official.user.procedures.get(id=made)
        assert (shown.id, shown.name, shown.runs_count) == (made, name, 1)
        assert [item.id for item in shown.recent_runs] == [run]
        assert shown.stations == []
        assert shown.created_by_user.name == "Jane"
        other = unique("Ünïcode !@#")
        assert official.user.procedures.update(id=made, name=other).id == made
        assert official.user.procedures.get(id=made).name == other
        assert official.user.procedures.delete(id=made).id == made
        calls: list[Callable[[], Any]] = [
            lambda: official.user.procedures.get(id=made),
            lambda: official.user.procedures.delete(id=made),
            lambda: official.user.procedures.update(id=made, name="x"),
            lambda: official.user.runs.get(id=run),
        ]
        for gone in calls:
            with pytest.raises(official.errors.ErrorNOTFOUND):
                gone()

    def test_names_are_free(self, official: Any, unique: Callable[[str], str]) -> None:
        """Several procedures may have one name, as those of v1 know."""
        name = unique("Twice")
        first, second = (
            official.user.procedures.create(name=text).id
            for text in (name, name.upper())
        )
        assert first != second
        official.user.procedures.update(id=second, name=name)
        page = official.user.procedures.list(search_query=name)
        assert [(item.id, item.name) for item in page.data] == [
            (second, name),
            (first, name),
        ]

    @pytest.mark.parametrize("name", ["", "   ", "X" * 1000])
    def test_malformed(self, official: Any, name: str) -> None:
        """A name must be one."""
        with pytest.raises(official.errors.TofuPilotError, match="validation") as made:
            official.user.procedures.create(name=name)
        assert made.value.status_code == 400
        with pytest.raises(official.errors.ErrorBADREQUEST):
            official.user.procedures.update(id=official.procedure, name=name)

    def test_list(self, official: Any, unique: Callable[[str], str]) -> None:
        """Procedures are found by name and time, page by page, the newest first."""
        name = unique("Listed")
        made = [
            official.user.procedures.create(name=f"{name} {number}").id
            for number in range(3)
        ]
        page = official.user.procedures.list(search_query=name.lower(), limit=2)
        assert [item.id for item in page.data] == made[:0:-1]
        assert page.meta.has_more
        rest = official.user.procedures.list(
            search_query=name, limit=2, cursor=page.meta.next_cursor
        )
        assert [item.id for item in rest.data] == [made[0]]
        assert not rest.meta.has_more
        moment = page.data[0].created_at
        found = official.user.procedures.list(
            search_query=name, created_after=moment, created_before=moment
        )
        assert [item.id for item in found.data] == [made[2]]
        late = moment + timedelta(hours=1)
        assert official.user.procedures.list(created_after=late).data == []

    def test_station(self, official: Any) -> None:
        """A station sees its own procedures, and changes none."""
        found = official.station.procedures.list(limit=100)
        assert [item.id for item in found.data] == [official.procedure]
        shown = official.station.procedures.get(id=official.procedure)
        assert "Line 1" in [item.name for item in shown.stations]
        calls: list[Callable[[], Any]] = [
            lambda: official.station.procedures.create(name=""),
            lambda: official.station.procedures.update(id=_NOTHING, name="x"),
            lambda: official.station.procedures.delete(id=_NOTHING),
        ]
        for call in calls:
            assert "cannot" in _refused(official, call)

    def test_station_not_linked(
        self, official: Any, unique: Callable[[str], str]
    ) -> None:
        """A procedure that a station is not linked to is none of its business."""
        other = official.user.procedures.create(name=unique("Other")).id
        with pytest.raises(official.errors.ErrorNOTFOUND):
            official.station.procedures.get(id=other)

    def test_unknown(self, official: Any) -> None:
        """A procedure that is not there is a 404."""
        for reference in (str(uuid.uuid4()), "FVT9"):
            with pytest.raises(official.errors.ErrorNOTFOUND):
                official.user.procedures.get(id=reference)


class TestVersions:
    """Create, get and delete versions."""

    def test_life(self, official: Any, unique: Callable[[str], str]) -> None:
        """A version is made, found in any case and deleted."""
        versions = official.user.procedures.versions
        tag = unique("v")
        made = versions.create(procedure_id=official.procedure, tag=tag).id
        shown = versions.get(procedure_id=official.procedure, tag=tag.upper())
        assert (shown.id, shown.tag, shown.run_count) == (made, tag, 0)
        assert shown.procedure.id == official.procedure
        assert shown.created_by_user.name == "Jane"
        with pytest.raises(official.errors.ErrorCONFLICT, match="already exists"):
            versions.create(procedure_id=official.procedure, tag=tag)
        assert versions.delete(procedure_id=official.procedure, tag=tag).id == made
        for call in (versions.get, versions.delete):
            with pytest.raises(official.errors.ErrorNOTFOUND):
                call(procedure_id=official.procedure, tag=tag)

    def test_used(self, official: Any, unique: Callable[[str], str]) -> None:
        """A version with runs is not deleted."""
        tag = unique("v")
        official.run(procedure_version=tag)
        versions = official.user.procedures.versions
        assert versions.get(procedure_id=official.procedure, tag=tag).run_count == 1
        with pytest.raises(official.errors.ErrorCONFLICT):
            versions.delete(procedure_id=official.procedure, tag=tag)

    @pytest.mark.parametrize("tag", ["", " ", "v" * 61, "a b"])
    def test_malformed(self, official: Any, tag: str) -> None:
        """A tag must be one."""
        with pytest.raises(official.errors.APIError) as caught:
            official.user.procedures.versions.create(
                procedure_id=official.procedure, tag=tag
            )
        assert caught.value.status_code == 400

    def test_unknown(self, official: Any) -> None:
        """The procedure must exist."""
        for reference in (_NOTHING, "no-uuid"):
            with pytest.raises(official.errors.ErrorNOTFOUND):
                official.user.procedures.versions.create(
                    procedure_id=reference, tag="v1"
                )

    def test_station(self, official: Any, unique: Callable[[str], str]) -> None:
        """A station reads versions, and changes none."""
        tag = unique("v")
        official.run(official.station, procedure_version=tag)
        versions = official.station.procedures.versions
        where = {"procedure_id": official.procedure, "tag": tag}
        assert versions.get(**where).created_by_station.name == "Line 1"
        _refused(official, lambda: versions.create(**where))
        _refused(official, lambda: versions.delete(**where))


def test_deletions_at_once(official: Any, unique: Callable[[str], str]) -> None:
    """Two that delete a procedure with runs at once are both told in good order."""
    made = str(official.user.procedures.create(name=unique("Procedure")).id)
    for _ in range(8):
        official.run(procedure_id=made)
    headers = {"Authorization": f"Bearer {official.keys['user']}"}

    def delete(_: int) -> int:
        url = f"{official.url}/api/v2/procedures/{made}"
        return httpx.delete(url, headers=headers, timeout=30).status_code

    with ThreadPoolExecutor(2) as pool:
        statuses = set(pool.map(delete, range(2)))
    assert 200 in statuses
    assert statuses <= {200, 404}


def test_run_meanwhile(official: Any, unique: Callable[[str], str]) -> None:
    """A run that comes while its procedure is deleted stops the deletion by name."""
    made = str(official.user.procedures.create(name=unique("Procedure")).id)
    official.run(procedure_id=made)
    with official.store.writing() as (connection, _):
        row = require_procedure(connection, made)
        with pytest.raises(ConflictError, match="has runs"):
            delete_procedure(connection, row)
    assert official.user.procedures.get(id=made).runs_count == 1

"""``client.runs.list``, ``update`` and ``delete`` of the official v2 client."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

_both = pytest.mark.parametrize("official", ["sqlite", "postgresql"], indirect=True)

_STARTED = datetime(2026, 1, 15, 10, 35, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_NOTHING = "00000000-0000-4000-8000-000000000000"


def _put(url: str, path: Path) -> None:
    answer = httpx.put(
        url, content=path.read_bytes(), headers={"Content-Type": "image/png"}
    )
    assert answer.status_code == 200


def _found(client: Any, **filters: Any) -> list[str]:
    return [run.id for run in client.runs.list(**filters).data]


@pytest.fixture
def pair(official: Any, unique: Callable[[str], str]) -> dict[str, Any]:
    """Make two runs that differ in everything that a list can be filtered by."""
    procedure = str(official.user.procedures.create(name=unique("Paired")).id)
    serial, other = unique("SN"), unique("SN")
    batch, execution = unique("LOT"), unique("execution")
    first = official.run(
        procedure_id=procedure,
        serial_number=serial,
        part_number=unique("PART"),
        revision_number=unique("REV"),
        batch_number=batch,
        procedure_version="1.0",
        operated_by="jane@example.com",
        execution_id=execution,
        slot_key="k1",
        slot_name="Left",
        metadata={"line": "A", "temperature": 21.5, "shielded": True},
    )
    second = official.run(
        procedure_id=procedure,
        serial_number=other,
        part_number=unique("PART"),
        revision_number=unique("REV"),
        batch_number=unique("LOT"),
        procedure_version="2.0",
        operated_by="Somebody",
        outcome="FAIL",
        started_at=_STARTED + _HOUR,
        ended_at=_STARTED + 2 * _HOUR,
        metadata={"line": "B", "temperature": 30, "shielded": False},
    )
    official.user.units.update(serial_number=serial, sample="golden")
    return {
        "procedure": procedure,
        "first": first,
        "second": second,
        "run": official.user.runs.get(id=first),
        "execution": execution,
    }


@_both
class TestList:
    """Filters, order and pages."""

    @pytest.mark.parametrize(
        "make",
        [
            lambda run, _: {"search_query": run.unit.serial_number.lower()},
            lambda run, _: {"search_query": run.unit.part.number[1:]},
            lambda run, _: {"search_query": run.unit.batch.number},
            lambda run, _: {"search_query": run.id[:12]},
            lambda run, _: {"ids": [run.id]},
            lambda *_: {"outcomes": ["PASS", "ERROR"]},
            lambda *_: {"procedure_versions": ["1.0"]},
            lambda _, pair: {"execution_ids": [pair["execution"]]},
            lambda *_: {"slot_keys": ["k1"]},
            lambda *_: {"slot_names": ["Left"]},
            lambda run, _: {"serial_numbers": [run.unit.serial_number.lower()]},
            lambda *_: {"samples": ["golden"]},
            lambda run, _: {"part_numbers": [run.unit.part.number]},
            lambda run, _: {"revision_numbers": [run.unit.part.revision.number]},
            lambda run, _: {"batch_numbers": [run.unit.batch.number]},
            lambda *_: {"duration_min": "PT4M", "duration_max": "PT6M"},
            lambda *_: {"started_before": _STARTED + timedelta(minutes=1)},
            lambda *_: {"ended_before": _STARTED + timedelta(minutes=10)},
            lambda run, _: {"created_before": run.created_at},
            lambda run, _: {"operated_by_ids": [run.operated_by.id]},
            lambda *_: {"operated_by_names": ["Jane"]},
            lambda *_: {"metadata": {"line": {"in": ["A"]}}},
            lambda *_: {"metadata": {"line": {"contains": "a"}}},
            lambda *_: {"metadata": {"temperature": {"gte": 20, "lt": 25}}},
            lambda *_: {"metadata": {"shielded": {"eq": True}}},
        ],
    )
    def test_filters(
        self, official: Any, pair: dict[str, Any], make: Callable[..., Any]
    ) -> None:
        """Each filter finds the one run and not the other."""
        wanted = {"procedure_ids": [pair["procedure"]], **make(pair["run"], pair)}
        assert _found(official.user, **wanted) == [pair["first"]]

    @pytest.mark.parametrize(
        "filters",
        [
            {"started_after": _STARTED + timedelta(minutes=30)},
            {"ended_after": _STARTED + timedelta(minutes=30)},
            {"operated_by_names": ["Somebody"]},
            {"outcomes": ["FAIL"]},
            {"duration_min": "PT30M"},
        ],
    )
    def test_other_filters(
        self, official: Any, pair: dict[str, Any], filters: dict[str, Any]
    ) -> None:
        """These find the other."""
        wanted = {"procedure_ids": [pair["procedure"]], **filters}
        assert _found(official.user, **wanted) == [pair["second"]]

    @pytest.mark.parametrize(
        "filters",
        [
            {"deployment_ids": [str(uuid.uuid4())]},
            {"environments": ["production"]},
            {"serial_numbers": ["nobody"]},
            {"ids": [str(uuid.uuid4())]},
            {"search_query": "nowhere-at-all"},
            {"created_by_user_ids": [str(uuid.uuid4())]},
            {"created_by_station_ids": [str(uuid.uuid4())]},
        ],
    )
    def test_none(
        self, official: Any, pair: dict[str, Any], filters: dict[str, Any]
    ) -> None:
        """What matches nothing is an empty list and no error."""
        wanted = {"procedure_ids": [pair["procedure"]], **filters}
        page = official.user.runs.list(**wanted)
        assert (page.data, page.meta.has_more, page.meta.next_cursor) == (
            [],
            False,
            None,
        )

    @pytest.mark.parametrize(
        "text", ["", "a%_b", "test@x #&=+", "é", "'; DROP TABLE runs; --", "\\", '"']
    )
    def test_any_search(self, official: Any, text: str) -> None:
        """Any text can be searched for."""
        assert isinstance(official.user.runs.list(search_query=text).data, list)

    def test_creators(self, official: Any) -> None:
        """Runs are found by the user or the station that sent them."""
        mine, other = official.run(), official.run(official.station)
        run = official.user.runs.get(id=mine)
        found = _found(
            official.user, created_by_user_ids=[run.created_by_user.id], limit=100
        )
        assert mine in found
        assert other not in found
        run = official.user.runs.get(id=other)
        found = _found(
            official.user, created_by_station_ids=[run.created_by_station.id], limit=100
        )
        assert other in found
        assert mine not in found

    @pytest.mark.parametrize(
        "by",
        [
            "started_at",
            "created_at",
            "duration",
            "serial_number",
            "part_number",
            "revision_number",
        ],
    )
    def test_order(self, official: Any, pair: dict[str, Any], by: str) -> None:
        """Each order goes both ways."""
        wanted = {"procedure_ids": [pair["procedure"]], "sort_by": by}
        ordered = [pair["first"], pair["second"]]
        assert _found(official.user, **wanted, sort_order="asc") == ordered
        assert _found(official.user, **wanted, sort_order="desc") == ordered[::-1]

    def test_default_order(self, official: Any, pair: dict[str, Any]) -> None:
        """The newest comes first."""
        found = _found(official.user, procedure_ids=[pair["procedure"]])
        assert found == [pair["second"], pair["first"]]

    def test_pages(self, official: Any, unique: Callable[[str], str]) -> None:
        """Pages hold every run once, though others are added meanwhile."""
        serial = unique("SN")
        made = {official.run(serial_number=serial) for _ in range(5)}
        found: list[str] = []
        cursor = None
        while True:
            page = official.user.runs.list(
                serial_numbers=[serial], limit=2, cursor=cursor
            )
            found += [run.id for run in page.data]
            if not page.meta.has_more:
                break
            cursor = page.meta.next_cursor
            # Newer than the page before, it would move all others down by one.
            official.run(serial_number=serial)
        assert len(found) == 5
        assert set(found) == made

    def test_counted_pages(self, official: Any, unique: Callable[[str], str]) -> None:
        """A client may count the rows by itself."""
        serial = unique("SN")
        made = [official.run(serial_number=serial) for _ in range(3)]
        wanted = {"serial_numbers": [serial], "sort_by": "created_at"}
        assert _found(official.user, **wanted, limit=1, cursor=1) == [made[1]]

    def test_shown(self, official: Any, pair: dict[str, Any]) -> None:
        """A listed run tells what it is of; metadata come when asked for."""
        (run,) = official.user.runs.list(ids=[pair["first"]]).data
        assert (run.execution_id, run.slot_key) == (pair["execution"], "k1")
        assert run.procedure.version.tag == "1.0"
        assert run.unit.sample == "golden"
        assert run.operated_by.email == "jane@example.com"
        assert run.metadata is None
        (run,) = official.user.runs.list(
            ids=[pair["first"]], include_metadata=True, include_sequences=True
        ).data
        assert run.metadata["line"] == "A"
        assert run.sequences == []

    def test_station(self, official: Any, pair: dict[str, Any]) -> None:
        """A station sees runs of the procedures that it is linked to only."""
        mine = official.run(official.station)
        assert _found(official.station, ids=[mine, pair["first"]]) == [mine]

    @pytest.mark.parametrize(
        "filters",
        [
            {"duration_min": "five"},
            {"limit": 0},
            {"limit": 101},
            {"cursor": -1},
            {"metadata": {name: {"eq": True} for name in "abcdef"}},
        ],
    )
    def test_refused(self, official: Any, filters: dict[str, Any]) -> None:
        """A filter that is none is a 400."""
        with pytest.raises(official.errors.ErrorBADREQUEST):
            official.user.runs.list(**filters)


class TestGet:
    """``client.runs.get``."""

    @pytest.mark.parametrize("reference", [_NOTHING, "no-uuid"])
    def test_unknown(self, official: Any, reference: str) -> None:
        """A run that is not there is a 404."""
        with pytest.raises(official.errors.ErrorNOTFOUND):
            official.user.runs.get(id=reference)


class TestAttachments:
    """Files of runs."""

    def test_update(self, official: Any, picture: Path) -> None:
        """An initialized and sent file is linked by an update, twice is no error."""
        created = official.run()
        granted = official.user.attachments.initialize(name=picture.name)
        _put(granted.upload_url, picture)
        assert official.user.attachments.finalize(id=granted.id).url
        for _ in range(2):
            changed = official.user.runs.update(id=created, attachments=[granted.id])
            assert changed.id == created
        (file,) = official.user.runs.get(id=created).attachments
        assert (file.name, file.size) == (picture.name, picture.stat().st_size)
        assert file.content_type == "image/png"

    @pytest.mark.parametrize("who", ["user", "station"])
    def test_upload(
        self, official: Any, picture: Path, tmp_path: Path, who: str
    ) -> None:
        """The client's own shortcuts send a file and fetch it byte by byte."""
        client = getattr(official, who)
        created = official.run(client)
        client.runs.attachments.upload(id=created, file=picture)
        (file,) = client.runs.get(id=created).attachments
        copy = client.runs.attachments.download(file, dest=tmp_path / "copy")
        assert copy.read_bytes() == picture.read_bytes()

    def test_another_run(self, official: Any, picture: Path) -> None:
        """A file belongs to one run."""
        first, second = official.run(), official.run()
        granted = official.user.attachments.initialize(name=picture.name)
        _put(granted.upload_url, picture)
        official.user.runs.update(id=first, attachments=[granted.id])
        with pytest.raises(official.errors.APIError) as caught:
            official.user.runs.update(id=second, attachments=[granted.id])
        assert caught.value.status_code == 409

    @pytest.mark.parametrize("name", ["", "  ", "n" * 1001])
    def test_names(self, official: Any, name: str) -> None:
        """A file needs a name of some length."""
        with pytest.raises(official.errors.ErrorBADREQUEST):
            official.user.attachments.initialize(name=name)

    def test_unknown(self, official: Any) -> None:
        """Runs and uploads must exist."""
        nothing = str(uuid.uuid4())
        with pytest.raises(official.errors.ErrorNOTFOUND):
            official.user.runs.update(id=nothing, attachments=[])
        with pytest.raises(official.errors.ErrorNOTFOUND):
            official.user.runs.update(id=official.run(), attachments=[nothing])
        with pytest.raises(official.errors.ErrorNOTFOUND):
            official.user.runs.create_attachment(id=nothing, name="a.txt")
        with pytest.raises(official.errors.ErrorNOTFOUND):
            official.user.attachments.finalize(id=nothing)


class TestMetadata:
    """``client.runs.update_metadata``."""

    def test_changes(self, official: Any) -> None:
        """Names are added, replaced and taken away; others stay."""
        created = official.run(metadata={"line": "A", "kept": 1})
        official.user.runs.update_metadata(
            id=created, metadata={"line": None, "new": True, "kept": 2.5}
        )
        run = official.user.runs.get(id=created)
        assert run.metadata == {"new": True, "kept": 2.5}
        assert created in _found(
            official.user, metadata={"new": {"eq": True}}, limit=100
        )

    def test_unknown(self, official: Any) -> None:
        """The run must exist."""
        with pytest.raises(official.errors.ErrorNOTFOUND):
            official.user.runs.update_metadata(id=str(uuid.uuid4()), metadata={})


class TestDelete:
    """``client.runs.delete``."""

    def test_several(self, official: Any) -> None:
        """Runs are deleted for good."""
        made = [official.run() for _ in range(3)]
        assert set(official.user.runs.delete(ids=made).id) == set(made)
        for run in made:
            with pytest.raises(official.errors.ErrorNOTFOUND):
                official.user.runs.get(id=run)
        with pytest.raises(official.errors.ErrorNOTFOUND):
            official.user.runs.delete(ids=made)

    def test_station(self, official: Any) -> None:
        """A station deletes nothing."""
        created = official.run(official.station)
        with pytest.raises(official.errors.APIError) as caught:
            official.station.runs.delete(ids=[created])
        assert caught.value.status_code == 403
        assert official.user.runs.get(id=created).id == created

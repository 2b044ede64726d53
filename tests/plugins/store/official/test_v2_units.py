"""``client.units`` of the official v2 client."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_both = pytest.mark.parametrize("official", ["sqlite", "postgresql"], indirect=True)


def _serials(client: Any, **filters: Any) -> list[str]:
    return [unit.serial_number for unit in client.units.list(**filters).data]


class TestCreate:
    """``client.units.create`` and ``get``."""

    @pytest.mark.parametrize("who", ["user", "station"])
    def test_all(self, official: Any, unique: Callable[[str], str], who: str) -> None:
        """What was sent is what is there, for both kinds of key."""
        client = getattr(official, who)
        part, serial = unique("PART"), unique("UNIT")
        client.parts.create(number=part, name="Board")
        client.parts.revisions.create(part_number=part, number="B")
        made = client.units.create(
            serial_number=serial,
            part_number=part.lower(),
            revision_number="b",
            sample="golden",
            metadata={"colour": "red", "count": 2},
        )
        unit = client.units.get(serial_number=serial.lower())
        assert (unit.id, unit.serial_number, unit.sample) == (
            made.id,
            serial,
            "golden",
        )
        assert (unit.part.number, unit.part.name) == (part, "Board")
        assert unit.part.revision.number == "B"
        assert unit.metadata == {"colour": "red", "count": 2}
        assert (unit.parent, unit.batch, unit.created_during) == (None, None, None)
        assert (unit.children, unit.attachments) == ([], [])
        made_by = unit.created_by_user if who == "user" else unit.created_by_station
        assert made_by.name == ("Jane" if who == "user" else "Line 1")

    @pytest.mark.parametrize("serial", ["", "   ", "S" * 61])
    def test_malformed(
        self, official: Any, unique: Callable[[str], str], serial: str
    ) -> None:
        """A serial number must be one, of at most 60 characters."""
        part = unique("PART")
        official.user.parts.create(number=part, revision_number="A")
        with pytest.raises(official.errors.APIError) as caught:
            official.user.units.create(
                serial_number=serial, part_number=part, revision_number="A"
            )
        assert caught.value.status_code == 400

    def test_longest(self, official: Any, unique: Callable[[str], str]) -> None:
        """60 characters are allowed."""
        part = unique("PART")
        serial = unique("S" * 50).ljust(60, "x")
        official.user.parts.create(number=part, revision_number="A")
        official.user.units.create(
            serial_number=serial, part_number=part, revision_number="A"
        )
        assert official.user.units.get(serial_number=serial).serial_number == serial

    def test_twice(self, official: Any) -> None:
        """A serial number is one unit's, in any case."""
        _, serial = official.unit()
        part = official.user.units.get(serial_number=serial).part
        with pytest.raises(official.errors.ErrorCONFLICT, match="already exists"):
            official.user.units.create(
                serial_number=serial.lower(),
                part_number=part.number,
                revision_number=part.revision.number,
            )

    def test_unknown(self, official: Any, unique: Callable[[str], str]) -> None:
        """Part and revision must exist."""
        part = unique("PART")
        wanted = {"part_number": part, "revision_number": "Z"}
        for _ in range(2):
            with pytest.raises(official.errors.ErrorNOTFOUND, match="Revision"):
                official.user.units.create(serial_number=unique("UNIT"), **wanted)
            # Afterwards it is only the revision that is not there.
            official.user.parts.create(number=part)
            part = unique("PART")

    def test_by_run(self, official: Any, unique: Callable[[str], str]) -> None:
        """A unit that a run brought along tells which."""
        serial = unique("SN")
        run = official.run(serial_number=serial)
        unit = official.user.units.get(serial_number=serial)
        assert unit.created_during.id == run
        assert unit.created_during.procedure.id == official.procedure

    def test_absent(self, official: Any) -> None:
        """A unit that is not there is a 404."""
        with pytest.raises(official.errors.ErrorNOTFOUND):
            official.user.units.get(serial_number="nobody")

    @pytest.mark.parametrize("text", ["SN 1 ü", "a+b&c=d", "..", "日本", "100%"])
    def test_any_number(
        self, official: Any, unique: Callable[[str], str], text: str
    ) -> None:
        """A serial number of any characters can be asked for."""
        serial = unique(text)
        official.run(serial_number=serial)
        assert official.user.units.get(serial_number=serial).serial_number == serial


@_both
class TestList:
    """``client.units.list``."""

    @pytest.fixture
    def unit(self, official: Any, unique: Callable[[str], str]) -> Any:
        """Make a unit by a run, and one beside it."""
        serial = unique("SN")
        official.run(
            serial_number=serial,
            part_number=unique("PART"),
            revision_number=unique("REV"),
            batch_number=unique("LOT"),
            unit_metadata={"serie": serial},
        )
        official.user.units.update(serial_number=serial, sample="failing")
        official.run(outcome="FAIL")
        return official.user.units.get(serial_number=serial)

    @pytest.mark.parametrize(
        "make",
        [
            lambda unit: {"search_query": unit.serial_number.lower()},
            lambda unit: {"search_query": unit.part.number},
            lambda unit: {"search_query": unit.batch.number},
            lambda unit: {"ids": [unit.id]},
            lambda unit: {"serial_numbers": [unit.serial_number.lower()]},
            lambda unit: {"part_numbers": [unit.part.number]},
            lambda unit: {"revision_numbers": [unit.part.revision.number]},
            lambda unit: {"batch_numbers": [unit.batch.number]},
            lambda unit: {
                "created_after": unit.created_at,
                "created_before": unit.created_at,
            },
            lambda unit: {"metadata": {"serie": {"in": [unit.serial_number]}}},
            lambda unit: {
                "samples": ["failing"],
                "outcomes": ["PASS"],
                "latest_only": True,
                "run_count_min": 1,
                "run_count_max": 1,
                "started_after": unit.created_during.started_at,
                "started_before": unit.created_during.started_at,
                "created_by_user_ids": [unit.created_by_user.id],
                "exclude_units_with_parent": True,
                "procedure_ids": [unit.created_during.procedure.id],
                "part_numbers": [unit.part.number],
            },
        ],
    )
    def test_filters(self, official: Any, unit: Any, make: Callable[..., Any]) -> None:
        """Each filter finds the one unit."""
        assert _serials(official.user, **make(unit)) == [unit.serial_number]

    @pytest.mark.parametrize(
        "filters",
        [
            {"outcomes": ["FAIL"]},
            {"samples": ["golden"]},
            {"run_count_min": 2},
            {"run_count_max": 0},
            {"created_by_station_ids": ["00000000-0000-4000-8000-000000000000"]},
        ],
    )
    def test_none(self, official: Any, unit: Any, filters: dict[str, Any]) -> None:
        """These do not."""
        assert _serials(official.user, ids=[unit.id], **filters) == []

    @pytest.mark.parametrize(
        "by",
        [
            "serial_number",
            "created_at",
            "last_run_at",
            "part_number",
            "last_run_procedure",
        ],
    )
    def test_order(self, official: Any, unique: Callable[[str], str], by: str) -> None:
        """Each order goes both ways."""
        batch = unique("LOT")
        for _ in range(2):
            official.run(
                serial_number=unique("SN-A"),
                part_number=unique("PART-A"),
                batch_number=batch,
            )
        wanted = {"batch_numbers": [batch], "sort_by": by}
        up = _serials(official.user, **wanted, sort_order="asc")
        assert up == _serials(official.user, **wanted, sort_order="desc")[::-1]
        assert len(up) == 2

    def test_pages(self, official: Any, unique: Callable[[str], str]) -> None:
        """Pages hold every unit once."""
        batch = unique("LOT")
        made = {unique("SN") for _ in range(3)}
        for serial in made:
            official.run(serial_number=serial, batch_number=batch)
        first = official.user.units.list(batch_numbers=[batch], limit=2)
        assert first.meta.has_more
        second = official.user.units.list(
            batch_numbers=[batch], limit=2, cursor=first.meta.next_cursor
        )
        assert not second.meta.has_more
        assert {unit.serial_number for unit in [*first.data, *second.data]} == made

    def test_shown(self, official: Any, unit: Any) -> None:
        """A listed unit tells its newest run; metadata come when asked for."""
        (shown,) = official.user.units.list(ids=[unit.id]).data
        assert shown.last_run.outcome == "PASS"
        assert shown.last_run.procedure.name == "Function Test"
        assert shown.metadata is None
        (shown,) = official.user.units.list(ids=[unit.id], include_metadata=True).data
        assert shown.metadata == {"serie": unit.serial_number}

    def test_station(self, official: Any, unique: Callable[[str], str]) -> None:
        """A station sees units of its procedures and its own."""
        other = official.user.procedures.create(name=unique("Other")).id
        hidden, seen = unique("SN"), unique("SN")
        official.run(serial_number=hidden, procedure_id=other)
        official.run(serial_number=seen)
        assert _serials(official.station, serial_numbers=[hidden, seen]) == [seen]
        with pytest.raises(official.errors.ErrorNOTFOUND):
            official.station.units.get(serial_number=hidden)


class TestUpdate:
    """``client.units.update``."""

    @pytest.mark.parametrize("who", ["user", "station"])
    def test_all(self, official: Any, unique: Callable[[str], str], who: str) -> None:
        """What is sent changes, what is not stays."""
        client = getattr(official, who)
        made, serial = official.unit(client)
        part, batch, renamed = unique("PART"), unique("LOT"), unique("UNIT")
        client.parts.create(number=part, revision_number="C")
        official.run(client, batch_number=batch)
        changed = client.units.update(
            serial_number=serial,
            new_serial_number=renamed,
            part_number=part,
            revision_number="C",
            batch_number=batch,
            sample="ignored",
            metadata={"colour": "red"},
        )
        assert changed.id == made
        unit = client.units.get(serial_number=renamed)
        assert (unit.id, unit.sample, unit.batch.number) == (made, "ignored", batch)
        assert (unit.part.number, unit.part.revision.number) == (part, "C")
        client.units.update(
            serial_number=renamed,
            batch_number=None,
            sample=None,
            metadata={"colour": None},
        )
        unit = client.units.get(serial_number=renamed)
        assert (unit.sample, unit.batch, unit.metadata) == (None, None, {})
        assert unit.part.number == part
        with pytest.raises(official.errors.ErrorNOTFOUND):
            client.units.get(serial_number=serial)

    def test_taken(self, official: Any) -> None:
        """A serial number of another unit is a conflict."""
        (_, first), (_, second) = official.unit(), official.unit()
        with pytest.raises(official.errors.ErrorCONFLICT, match="already exists"):
            official.user.units.update(
                serial_number=first, new_serial_number=second.lower()
            )

    def test_unknown(self, official: Any) -> None:
        """Unit, part and revision must exist."""
        _, serial = official.unit()
        for wanted in (
            {"serial_number": "nobody", "new_serial_number": "x"},
            {"serial_number": serial, "part_number": "no-part"},
            {"serial_number": serial, "revision_number": "no-revision"},
        ):
            with pytest.raises(official.errors.ErrorNOTFOUND):
                official.user.units.update(**wanted)


class TestChildren:
    """``client.units.add_child`` and ``remove_child``."""

    @pytest.mark.parametrize("who", ["user", "station"])
    def test_life(self, official: Any, who: str) -> None:
        """A unit is built into another, and taken out again."""
        client = getattr(official, who)
        (_, outer), (first_id, first), (second_id, second) = (
            official.unit(client) for _ in range(3)
        )
        for child_id, child in ((first_id, first), (second_id, second)):
            added = client.units.add_child(
                serial_number=outer, child_serial_number=child
            )
            assert added.id == child_id
        unit = client.units.get(serial_number=outer)
        assert [child.serial_number for child in unit.children] == [first, second]
        assert client.units.get(serial_number=first).parent.serial_number == outer
        (listed,) = client.units.list(serial_numbers=[first]).data
        assert listed.parent.serial_number == outer
        assert (
            _serials(client, serial_numbers=[first], exclude_units_with_parent=True)
            == []
        )
        gone = client.units.remove_child(serial_number=outer, child_serial_number=first)
        assert gone.id == first_id
        unit = client.units.get(serial_number=outer)
        assert [child.serial_number for child in unit.children] == [second]
        assert client.units.get(serial_number=first).parent is None

    def test_moved(self, official: Any) -> None:
        """A unit is in one other at most: the last one that it was built into."""
        (_, first), (_, second), (_, child) = (official.unit() for _ in range(3))
        for outer in (first, second):
            official.user.units.add_child(
                serial_number=outer, child_serial_number=child
            )
        assert official.user.units.get(serial_number=first).children == []
        unit = official.user.units.get(serial_number=child)
        assert unit.parent.serial_number == second

    @pytest.mark.parametrize("levels", [1, 2, 4])
    def test_cycle(self, official: Any, levels: int) -> None:
        """No unit comes to contain itself, at whatever depth."""
        chain = [official.unit()[1] for _ in range(levels)]
        for outer, inner in itertools.pairwise(chain):
            official.user.units.add_child(
                serial_number=outer, child_serial_number=inner
            )
        with pytest.raises(official.errors.ErrorBADREQUEST, match="cycle"):
            official.user.units.add_child(
                serial_number=chain[-1], child_serial_number=chain[0]
            )

    def test_no_child(self, official: Any) -> None:
        """What is not built in cannot be taken out."""
        (_, outer), (_, other) = official.unit(), official.unit()
        with pytest.raises(official.errors.ErrorBADREQUEST, match="is not a child of"):
            official.user.units.remove_child(
                serial_number=outer, child_serial_number=other
            )

    def test_unknown(self, official: Any) -> None:
        """Both units must exist."""
        _, serial = official.unit()
        for call in (official.user.units.add_child, official.user.units.remove_child):
            for outer, inner in ((serial, "nobody"), ("nobody", serial)):
                with pytest.raises(official.errors.ErrorNOTFOUND):
                    call(serial_number=outer, child_serial_number=inner)
            for blank in ("", "  "):
                with pytest.raises(official.errors.TofuPilotError):
                    call(serial_number=serial, child_serial_number=blank)
                with pytest.raises(official.errors.TofuPilotError):
                    call(serial_number=blank, child_serial_number=serial)


class TestAttachments:
    """Files of units."""

    @pytest.mark.parametrize("who", ["user", "station"])
    def test_life(self, official: Any, picture: Path, tmp_path: Path, who: str) -> None:
        """A file is sent, fetched byte by byte, and deleted by a user."""
        client = getattr(official, who)
        _, serial = official.unit(client)
        sent = client.units.attachments.upload(serial_number=serial, file=picture)
        (file,) = client.units.get(serial_number=serial).attachments
        assert (file.id, file.name, file.size) == (
            sent,
            picture.name,
            picture.stat().st_size,
        )
        copy = client.units.attachments.download(file, dest=tmp_path / "copy")
        assert copy.read_bytes() == picture.read_bytes()
        gone = official.user.units.attachments.delete(
            serial_number=serial, ids=[file.id]
        )
        assert gone.ids == [file.id]
        assert client.units.get(serial_number=serial).attachments == []

    def test_by_update(self, official: Any, picture: Path) -> None:
        """A file that was initialized alone is linked by an update."""
        _, serial = official.unit()
        granted = official.user.units.create_attachment(
            serial_number=serial, name="a.txt"
        )
        assert granted.upload_url
        with pytest.raises(official.errors.ErrorNOTFOUND):
            official.user.units.create_attachment(serial_number="nobody", name="a")
        with pytest.raises(official.errors.ErrorNOTFOUND):
            official.user.units.delete_attachment(serial_number=serial, ids=["x"])
        run = official.run()
        sent = official.user.runs.attachments.upload(id=run, file=picture)
        with pytest.raises(official.errors.ErrorCONFLICT):
            official.user.units.update(serial_number=serial, attachments=[sent])


class TestDelete:
    """``client.units.delete``."""

    def test_life(self, official: Any) -> None:
        """A unit is deleted, what was built into it stays."""
        (made, outer), (_, inner) = official.unit(), official.unit()
        official.user.units.add_child(serial_number=outer, child_serial_number=inner)
        assert made in official.user.units.delete(serial_numbers=[outer]).id
        with pytest.raises(official.errors.ErrorNOTFOUND):
            official.user.units.get(serial_number=outer)
        assert official.user.units.get(serial_number=inner).parent is None
        with pytest.raises(official.errors.ErrorNOTFOUND):
            official.user.units.delete(serial_numbers=[outer])

    def test_with_runs(self, official: Any, unique: Callable[[str], str]) -> None:
        """A unit with runs is kept, since its runs would be of nothing."""
        serial = unique("SN")
        official.run(serial_number=serial)
        with pytest.raises(official.errors.APIError) as caught:
            official.user.units.delete(serial_numbers=[serial])
        assert caught.value.status_code == 409

    def test_station(self, official: Any) -> None:
        """A station deletes no unit and no file of one."""
        calls: list[Callable[[], Any]] = [
            lambda: official.station.units.delete(serial_numbers=["any"]),
            lambda: official.station.units.delete_attachment(
                serial_number="any", ids=["x"]
            ),
        ]
        for call in calls:
            with pytest.raises(official.errors.APIError) as caught:
                call()
            assert caught.value.status_code == 403

"""``client.parts``, ``client.parts.revisions`` and ``client.batches``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

_both = pytest.mark.parametrize("official", ["sqlite", "postgresql"], indirect=True)


def _refused(official: Any, call: Callable[[], Any]) -> None:
    """Demand that a station is told that it may not do that."""
    with pytest.raises(official.errors.APIError) as caught:
        call()
    assert caught.value.status_code == 403


def _malformed(official: Any, call: Callable[[], Any]) -> str:
    """Demand a 400, which the client has no class for at some calls."""
    with pytest.raises(official.errors.TofuPilotError) as caught:
        call()
    assert caught.value.status_code == 400
    return str(caught.value).lower()


class TestParts:
    """Create, get, list, update and delete."""

    @pytest.mark.parametrize("who", ["user", "station"])
    def test_life(self, official: Any, unique: Callable[[str], str], who: str) -> None:
        """A part is made by anybody, and changed and deleted by users."""
        client = getattr(official, who)
        number, renamed = unique("PART"), unique("PART")
        made = client.parts.create(
            number=number, name="Board", revision_number="B", metadata={"a": 1}
        ).id
        shown = client.parts.get(number=number.lower())
        assert (shown.id, shown.number, shown.name) == (made, number, "Board")
        assert [item.number for item in shown.revisions] == ["B"]
        assert shown.metadata == {"a": 1}
        made_by = shown.created_by_user if who == "user" else shown.created_by_station
        assert made_by.name == ("Jane" if who == "user" else "Line 1")
        changed = official.user.parts.update(
            number=number, new_number=renamed, name="New", metadata={"a": None, "b": 2}
        )
        assert (changed.id, changed.number, changed.name) == (made, renamed, "New")
        assert client.parts.get(number=renamed).metadata == {"b": 2}
        gone = official.user.parts.delete(number=renamed)
        assert gone.id == made
        assert gone.deleted_revision_ids == [shown.revisions[0].id]
        with pytest.raises(official.errors.ErrorNOTFOUND, match="not found"):
            client.parts.get(number=renamed)
        with pytest.raises(official.errors.ErrorNOTFOUND):
            official.user.parts.delete(number=renamed)

    def test_least(self, official: Any, unique: Callable[[str], str]) -> None:
        """A part without a name has its number for one, and no revision yet."""
        number = unique("PART")
        official.user.parts.create(number=number)
        shown = official.user.parts.get(number=number)
        assert (shown.name, shown.revisions, shown.metadata) == (number, [], {})

    @pytest.mark.parametrize(
        "wanted",
        [
            {"number": ""},
            {"number": "P" * 61},
            {"number": "P", "name": "N" * 256},
            {"number": "P", "revision_number": "R" * 61},
        ],
    )
    def test_malformed(self, official: Any, wanted: dict[str, Any]) -> None:
        """Numbers and names must be such, of a bounded length."""
        _malformed(official, lambda: official.user.parts.create(**wanted))

    def test_malformed_change(
        self, official: Any, unique: Callable[[str], str]
    ) -> None:
        """The same holds for changes, and one must be named."""
        number = unique("PART")
        official.user.parts.create(number=number)
        update = official.user.parts.update
        assert "60" in _malformed(
            official, lambda: update(number=number, new_number="X" * 61)
        )
        assert "255" in _malformed(
            official, lambda: update(number=number, name="X" * 256)
        )
        _malformed(official, lambda: update(number=number, new_number=""))
        assert "at least one" in _malformed(official, lambda: update(number=number))

    def test_taken(self, official: Any, unique: Callable[[str], str]) -> None:
        """A number is one part's, in any case; its own is no conflict."""
        first, second = unique("part"), unique("part")
        official.user.parts.create(number=first)
        official.user.parts.create(number=second)
        with pytest.raises(official.errors.ErrorCONFLICT, match="already exists"):
            official.user.parts.create(number=first.upper())
        with pytest.raises(official.errors.ErrorCONFLICT, match="already exists"):
            official.user.parts.update(number=second, new_number=first.upper())
        same = official.user.parts.update(number=first, new_number=first, name="N")
        assert (same.number, same.name) == (first, "N")

    def test_unknown(self, official: Any) -> None:
        """A part that is not there is a 404, a blank number too."""
        with pytest.raises(official.errors.ErrorNOTFOUND):
            official.user.parts.update(number="no-part", name="x")
        with pytest.raises(official.errors.ErrorNOTFOUND):
            official.user.parts.update(number="", name="x")

    def test_used(self, official: Any, unique: Callable[[str], str]) -> None:
        """A part with units is not deleted."""
        number = unique("PART")
        official.run(part_number=number)
        with pytest.raises(official.errors.APIError) as caught:
            official.user.parts.delete(number=number)
        assert caught.value.status_code == 409

    @_both
    def test_list(self, official: Any, unique: Callable[[str], str]) -> None:
        """Parts are found by filters, in any order, page by page."""
        text = unique("LISTED")
        numbers = [f"{text}-{letter}" for letter in "abc"]
        for number in numbers:
            official.user.parts.create(
                number=number, name=f"{text} {number}", metadata={"of": text}
            )
        official.run(part_number=numbers[0])

        def found(**filters: Any) -> list[str]:
            return [part.number for part in official.user.parts.list(**filters).data]

        assert found(search_query=text.lower()) == numbers[::-1]
        for by in ("name", "number", "created_at"):
            wanted = {"search_query": text, "sort_by": by}
            assert found(**wanted, sort_order="asc") == numbers
            assert found(**wanted, sort_order="desc") == numbers[::-1]
        used = found(search_query=text, procedure_ids=[official.procedure])
        assert used == numbers[:1]
        assert found(metadata={"of": {"in": [text]}}) == numbers[::-1]
        page = official.user.parts.list(search_query=text, limit=2)
        assert page.meta.has_more
        assert (
            found(search_query=text, limit=2, cursor=page.meta.next_cursor)
            == (numbers[:1])
        )
        (shown, *_) = official.user.parts.list(
            search_query=text, include_metadata=True
        ).data
        assert shown.metadata == {"of": text}
        assert shown.revisions == []

    def test_station(self, official: Any, unique: Callable[[str], str]) -> None:
        """A station changes and deletes no part."""
        number = unique("PART")
        official.station.parts.create(number=number)
        _refused(
            official, lambda: official.station.parts.update(number=number, name="x")
        )
        _refused(official, lambda: official.station.parts.delete(number="any"))


class TestRevisions:
    """Create, get, update and delete."""

    @pytest.mark.parametrize("who", ["user", "station"])
    def test_life(self, official: Any, unique: Callable[[str], str], who: str) -> None:
        """A revision is made by anybody, and changed and deleted by users."""
        client = getattr(official, who)
        part = unique("PART")
        client.parts.create(number=part, name="Board")
        made = client.parts.revisions.create(
            part_number=part, number="B", metadata={"a": 1}
        ).id
        where = {"part_number": part.lower(), "revision_number": "b"}
        shown = client.parts.revisions.get(**where)
        assert (shown.id, shown.number, shown.part.number) == (made, "B", part)
        assert (shown.units, shown.metadata) == ([], {"a": 1})
        assert shown.created_at is not None
        client.units.create(
            serial_number=unique("UNIT"), part_number=part, revision_number="B"
        )
        assert len(client.parts.revisions.get(**where).units) == 1
        if who == "station":
            with pytest.raises(official.errors.APIError) as refused:
                client.parts.revisions.update(**where, number="C")
            assert refused.value.status_code == 403
        changed = official.user.parts.revisions.update(
            **where, number="C", metadata={"a": None}
        )
        assert changed.id == made
        where["revision_number"] = "C"
        assert client.parts.revisions.get(**where).metadata == {}
        with pytest.raises(official.errors.APIError) as caught:
            official.user.parts.revisions.delete(**where)
        assert caught.value.status_code == 409

    def test_delete(self, official: Any, unique: Callable[[str], str]) -> None:
        """A revision without units is deleted, by a user."""
        part = unique("PART")
        official.user.parts.create(number=part, revision_number="B")
        where = {"part_number": part, "revision_number": "B"}
        _refused(official, lambda: official.station.parts.revisions.delete(**where))
        made = official.user.parts.revisions.get(**where).id
        assert official.user.parts.revisions.delete(**where).id == made
        for call in (
            official.user.parts.revisions.get,
            official.user.parts.revisions.delete,
        ):
            with pytest.raises(official.errors.ErrorNOTFOUND):
                call(**where)

    def test_refusals(self, official: Any, unique: Callable[[str], str]) -> None:
        """A number is one revision's of its part; the part must exist."""
        first, second = unique("PART"), unique("PART")
        revisions = official.user.parts.revisions
        for part in (first, second):
            official.user.parts.create(number=part)
            revisions.create(part_number=part, number="rev")
        with pytest.raises(official.errors.ErrorCONFLICT, match="already exists"):
            revisions.create(part_number=first, number="REV")
        with pytest.raises(official.errors.ErrorNOTFOUND, match="not found"):
            revisions.create(part_number="no-part", number="B")
        _malformed(official, lambda: revisions.create(part_number=first, number=""))
        assert "60" in _malformed(
            official, lambda: revisions.create(part_number=first, number="R" * 61)
        )


class TestBatches:
    """Create, get, list, update and delete."""

    @pytest.mark.parametrize("who", ["user", "station"])
    def test_life(self, official: Any, unique: Callable[[str], str], who: str) -> None:
        """A batch is made by anybody, and changed and deleted by users."""
        client = getattr(official, who)
        number, renamed = unique("LOT"), unique("LOT")
        made = client.batches.create(number=number).id
        serial = unique("SN")
        official.run(client, serial_number=serial, batch_number=number.lower())
        shown = client.batches.get(number=number.lower())
        assert (shown.id, shown.number) == (made, number)
        assert [unit.serial_number for unit in shown.units] == [serial]
        made_by = shown.created_by_user if who == "user" else shown.created_by_station
        assert made_by.name == ("Jane" if who == "user" else "Line 1")
        changed = official.user.batches.update(number=number, new_number=renamed)
        assert changed.id == made
        official.user.batches.delete(number=renamed)
        with pytest.raises(official.errors.ErrorNOTFOUND):
            client.batches.get(number=renamed)
        assert client.units.get(serial_number=serial).batch is None
        with pytest.raises(official.errors.ErrorNOTFOUND):
            official.user.batches.delete(number=renamed)
        with pytest.raises(official.errors.ErrorNOTFOUND):
            official.user.batches.update(number=renamed, new_number="x")

    @pytest.mark.parametrize("number", ["", " ", "X" * 101, *"/\\ ([#@&=,;\"'"])
    def test_malformed(self, official: Any, number: str) -> None:
        """A batch number holds letters, digits and _ . : + - only."""
        with pytest.raises(official.errors.ErrorBADREQUEST):
            official.user.batches.create(number=number if not number else f"B{number}")

    def test_taken(self, official: Any, unique: Callable[[str], str]) -> None:
        """A number is one batch's, in any case."""
        first, second = unique("lot"), unique("lot")
        for number in (first, second):
            official.user.batches.create(number=number)
        with pytest.raises(official.errors.ErrorCONFLICT, match="already exists"):
            official.user.batches.create(number=first.upper())
        with pytest.raises(official.errors.ErrorCONFLICT, match="already exists"):
            official.user.batches.update(number=second, new_number=first.upper())

    @_both
    def test_list(self, official: Any, unique: Callable[[str], str]) -> None:
        """Batches are found by filters, in any order, page by page."""
        text = unique("LISTED")
        numbers = [f"{text}-{letter}" for letter in "abc"]
        made = [official.user.batches.create(number=number).id for number in numbers]
        part, revision = unique("PART"), unique("REV")
        official.run(
            part_number=part, revision_number=revision, batch_number=numbers[0]
        )

        def found(**filters: Any) -> list[str]:
            listed = official.user.batches.list(**filters).data
            return [batch.number for batch in listed]

        assert found(search_query=text.lower()) == numbers[::-1]
        assert found(ids=[made[1]]) == [numbers[1]]
        assert found(numbers=[numbers[2].lower()]) == [numbers[2]]
        assert found(part_numbers=[part]) == numbers[:1]
        assert found(revision_numbers=[revision]) == numbers[:1]
        for by in ("number", "created_at"):
            wanted = {"search_query": text, "sort_by": by}
            assert found(**wanted, sort_order="asc") == numbers
            assert found(**wanted, sort_order="desc") == numbers[::-1]
        (newest, *_) = official.user.batches.list(search_query=text).data
        moment = newest.created_at
        assert found(
            search_query=text, created_after=moment, created_before=moment
        ) == [newest.number]
        page = official.user.batches.list(search_query=text, limit=2)
        assert page.meta.has_more
        last = official.user.batches.list(
            search_query=text, limit=2, cursor=page.meta.next_cursor
        )
        assert [(batch.number, batch.unit_count) for batch in last.data] == [
            (numbers[0], 1)
        ]

    def test_station(self, official: Any) -> None:
        """A station changes and deletes no batch."""
        station = official.station.batches
        _refused(official, lambda: station.update(number="any", new_number="x"))
        _refused(official, lambda: station.delete(number="any"))

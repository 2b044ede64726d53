"""The list of runs in its three shapes, read leniently."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigbridge.client import Client
from rigbridge.client.listing import ReceivedRun, read_page
from rigbridge.client.transport.calls import Answer
from rigbridge.errors import UnexpectedAnswerError
from rigbridge.testing.run_store.faults import Fault, ListShape, Operation
from rigbridge.testing.run_store.records import StoredRun
from rigbridge.testing.run_store.server import RunStoreServer
from rigbridge.wire import WirePhase, from_builtins

_FULL = {
    "id": "r1",
    "created_at": "2024-01-15T10:30:00Z",
    "started_at": "2024-01-15T10:35:00Z",
    "outcome": "PASS",
    "created_by_user": {"id": "u1", "name": "Ann", "email": "a@b.c", "image": None},
    "procedure": {"id": "p1", "name": "PCB", "version": {"id": "v1", "tag": "2.1"}},
    "unit": {
        "id": "n1",
        "serial_number": "SN1",
        "part": {"id": "t1", "number": "P-1", "revision": {"id": "e1", "number": "A"}},
    },
    "phases": [
        {
            "name": "boot",
            "outcome": "PASS",
            "start_time_millis": 1,
            "end_time_millis": 2,
            "measurements": [
                {"name": "m", "outcome": "PASS", "measured_value": {"someKey": 1}}
            ],
        }
    ],
    "attachments": [{"id": "a1", "name": "x.png", "mime_type": "image/png"}],
}


def _answer(document: Any) -> Answer:
    return Answer(
        status=200,
        content=json.dumps(document).encode(),
        source="https://store/api",
        place="GET /v1/runs",
    )


def _read(document: Any) -> list[ReceivedRun]:
    return list(read_page(_answer(document)).runs)


def _camel(value: Any, *, inside: bool = False) -> Any:
    """Spell keys in camel case, except within measured values."""
    if isinstance(value, list):
        return [_camel(item, inside=inside) for item in value]
    if not isinstance(value, dict) or inside:
        return value
    camel = {}
    for key, item in value.items():
        head, *tail = key.split("_")
        name = head + "".join(part.capitalize() for part in tail)
        camel[name] = _camel(item, inside=key == "measured_value")
    return camel


class TestShapes:
    """What ``read_page`` takes."""

    def test_the_array_is_read_into_the_wire_classes(self) -> None:
        """A run of the contract fills the fields, nested ones included."""
        (run,) = _read([_FULL])
        assert run.unit is not None
        assert run.unit.part is not None
        assert run.unit.part.revision is not None
        assert run.unit.part.revision.number == "A"
        assert run.phases == [from_builtins(_FULL["phases"][0], WirePhase)]  # type: ignore[index] # the literal above is a list
        assert run.unread == {}

    @pytest.mark.parametrize("wrap", ["data", "meta"])
    def test_camel_case_means_the_same(self, wrap: str) -> None:
        """A run in camel case is read as the one in snake case is."""
        document: dict[str, Any] = {"data": [_camel(_FULL)]}
        if wrap == "meta":
            document["meta"] = {"total": 1, "limit": 50, "offset": 0}
        else:
            document["message"] = "1 run"
        assert _read(document) == _read([_FULL])

    def test_unknown_fields_are_kept(self) -> None:
        """What no field holds stays readable, where it stood."""
        unit = {"id": "n1", "serial_number": "SN1", "colour": "red"}
        (run,) = _read([{"id": "r1", "runPassed": True, "unit": unit}])
        assert run.unread == {"runPassed": True, "unit": {"colour": "red"}}
        assert run.unit is not None
        assert run.unit.serial_number == "SN1"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("procedure", {"name": "PCB"}),
            ("procedure", "PCB"),
            ("phases", [{"name": "boot"}]),
            ("phases", "none"),
            ("duration", 150),
            ("attachments", {"count": 2}),
        ],
    )
    def test_a_field_of_another_shape_does_not_spoil_the_rest(
        self, field: str, value: Any
    ) -> None:
        """A value that its field cannot hold is kept beside it."""
        (run,) = _read([{**_FULL, field: value}])
        assert run.unread == {field: value}
        assert run.id == "r1"
        assert run.outcome == "PASS"

    def test_both_spellings_of_one_field_are_kept(self) -> None:
        """The spelling of the contract wins, the other one is not lost."""
        (run,) = _read([{"id": "r1", "started_at": "a", "startedAt": "b"}])
        assert run.started_at == "a"
        assert run.unread == {"startedAt": "b"}

    def test_a_number_is_an_id(self) -> None:
        """Ids are compared as text, whatever a server makes of them."""
        assert [run.id for run in _read([{"id": 7}])] == ["7"]

    @pytest.mark.parametrize(
        "document",
        [None, 5, "runs", {}, {"data": None}, {"data": {}}, [1], [{"name": "x"}], [{}]],
    )
    def test_what_is_no_list_of_runs_is_refused(self, document: Any) -> None:
        """An answer without runs names the call and its first words."""
        with pytest.raises(UnexpectedAnswerError, match=r"GET /v1/runs.*begins with"):
            _read(document)

    @given(
        fields=st.dictionaries(
            st.sampled_from([*_FULL, "startedAt", "serialNumber", "unread", "x"]),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                lambda inner: (
                    st.lists(inner, max_size=2)
                    | st.dictionaries(
                        st.sampled_from(["id", "name", "serialNumber", "y"]),
                        inner,
                        max_size=3,
                    )
                ),
                max_leaves=5,
            ),
        )
    )
    def test_nothing_is_lost_whatever_comes(self, fields: dict[str, Any]) -> None:
        """Each field of a run with an id is either read or kept as unread."""
        (run,) = _read([{**fields, "id": "r1"}])
        for key, value in fields.items():
            if key in run.unread or value is None or key == "id":
                continue
            assert getattr(run, "started_at" if key == "startedAt" else key) is not None


class TestPages:
    """Going through all pages of a store that pages."""

    @pytest.mark.parametrize("count", [0, 1, 50, 51, 150, 151, 260])
    def test_all_runs_come_once(
        self,
        serve: Callable[..., RunStoreServer],
        connect: Callable[..., Client],
        count: int,
    ) -> None:
        """However many pages it takes, each run comes once and in order."""
        server = serve(listing=ListShape.PAGED_CAMEL_CASE)
        body = {"unit_under_test": {"serial_number": "SN"}, "run_passed": True}
        _fill(server, body, count)
        runs = connect(server).list_runs("sn")
        assert [run.id for run in runs] == [run.id for run in reversed(server.runs)]

    def test_a_store_that_announces_more_than_it_gives_is_not_believed(
        self,
        serve: Callable[..., RunStoreServer],
        connect: Callable[..., Client],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """An incomplete list is an error, since a run could be missed in it."""
        server = serve(listing=ListShape.PAGED_CAMEL_CASE)
        answer = {"data": [], "meta": {"total": 3, "limit": 50, "offset": 0}}
        monkeypatch.setattr(
            "rigbridge.testing.run_store.calls.listing", lambda *_: answer
        )
        with pytest.raises(UnexpectedAnswerError, match="announces 3 runs"):
            connect(server).list_runs("SN")

    @pytest.mark.parametrize("shape", ListShape)
    def test_the_shapes_of_a_real_answer_agree(
        self,
        serve: Callable[..., RunStoreServer],
        connect: Callable[..., Client],
        shape: ListShape,
    ) -> None:
        """Each shape gives the same run."""
        server = serve(listing=shape)
        body = {
            "unit_under_test": {"serial_number": "SN"},
            "run_passed": True,
            "procedure_name": "Final test",
            "started_at": "2026-01-02T03:04:05.678Z",
        }
        _fill(server, body, 1)
        (run,) = connect(server).list_runs("SN")
        assert run.id == server.runs[0].id
        assert run.started_at == "2026-01-02T03:04:05.678Z"
        assert run.outcome == "PASS"
        assert run.procedure is not None
        assert run.procedure.name == "Final test"

    def test_no_json_is_told_with_its_first_words(
        self, server: RunStoreServer, client: Client
    ) -> None:
        """A page where the list should be is quoted."""
        server.inject(Fault.WRONG_JSON_AFTER, on=Operation.LIST)
        with pytest.raises(UnexpectedAnswerError, match=r"no JSON.*<!doctype html>"):
            client.list_runs("SN")


def _fill(server: RunStoreServer, body: dict[str, Any], count: int) -> None:
    server.contents.runs.extend(StoredRun(body=body) for _ in range(count))

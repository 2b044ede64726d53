"""What clients of older and newer releases than the pinned one ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from rigbridge.errors import NotFoundError
from rigbridge_store import RunStore

JSONMaker = Callable[..., dict[str, Any]]

RUN2: dict[str, Any] = {
    "outcome": "PASS",
    "serial_number": "SN-1",
    "part_number": "PCB-1",
    "started_at": "2026-01-15T10:35:00Z",
    "ended_at": "2026-01-15T10:36:00Z",
}


@pytest.fixture(params=["sqlite"])
def database() -> None:
    """Keep to one database: what is tested here stands above it."""


def _procedure(api: httpx.Client) -> str:
    answer = api.post("/api/v2/procedures", json={"name": "FVT"})
    return str(answer.json()["id"])


def _page(api: httpx.Client, path: str) -> str:
    """Show a page to whoever has the key of the client."""
    token = api.get("/sign-in").text.split('form_token" value="')[1].split('"')[0]
    key = api.headers["Authorization"].removeprefix("Bearer ")
    api.post("/sign-in", data={"key": key, "form_token": token})
    return api.get(path).text


class TestUsedValues:
    """``config`` and ``secrets`` of a run, which clients send from 2.25 on."""

    def test_kept(self, store: RunStore, api: httpx.Client) -> None:
        """They are stored with the run, and shown by every door."""
        gain = {"key": "gain", "value": 1.5, "version": 3, "source": "station"}
        token = {"key": "token", "variable_id": "v-1", "source": "organization"}
        body = {**RUN2, "procedure_id": _procedure(api)}
        answer = api.post(
            "/api/v2/runs", json={**body, "config": [gain], "secrets": [token]}
        )
        run = api.get(f"/api/v2/runs/{answer.json()['id']}").json()
        assert run["config"] == [{**gain, "variable_id": None}]
        assert run["secrets"] == [{**token, "version": None}]
        kept = store.get_run(run["id"]).metadata["tofupilot.v2"]
        assert isinstance(kept, dict)
        assert kept["config"] == [gain]
        page = _page(api, f"/runs/{run['id']}")
        assert "gain" in page
        assert "v-1" in page

    def test_none(self, api: httpx.Client) -> None:
        """A run without has empty lists, which those clients demand."""
        answer = api.post(
            "/api/v2/runs", json={**RUN2, "procedure_id": _procedure(api)}
        )
        run = api.get(f"/api/v2/runs/{answer.json()['id']}").json()
        assert (run["config"], run["secrets"]) == ([], [])

    def test_secret_value(self, store: RunStore, api: httpx.Client) -> None:
        """A secret with its value is refused, and nothing is stored."""
        body = {**RUN2, "procedure_id": _procedure(api)}
        secret = {"key": "token", "value": "hunter2"}
        answer = api.post("/api/v2/runs", json={**body, "secrets": [secret]})
        assert answer.status_code == 400
        assert answer.json()["issues"][0]["path"] == ["secrets", 0, "value"]
        assert "hunter2" not in answer.text
        assert store.list_runs("SN-1") == []

    def test_unknown_field(self, api: httpx.Client) -> None:
        """A field that this store does not keep is refused by its name."""
        body = {**RUN2, "procedure_id": _procedure(api), "productionBranch": "main"}
        answer = api.post("/api/v2/runs", json=body)
        assert answer.status_code == 400
        assert answer.json()["issues"][0]["path"] == ["productionBranch"]


class TestSlashes:
    """Names with a slash, which is encoded in a path."""

    def test_v2(self, api: httpx.Client) -> None:
        """A part, a batch and a unit are found, changed and deleted."""
        part = {"number": "A/7", "revision_number": "1/2"}
        assert api.post("/api/v2/parts", json=part).status_code == 200
        unit = {
            "serial_number": "SN/1",
            "part_number": "A/7",
            "revision_number": "1/2",
        }
        assert api.post("/api/v2/units", json=unit).status_code == 200
        found = api.get("/api/v2/units/SN%2F1").json()
        assert found["serial_number"] == "SN/1"
        revision = api.get("/api/v2/parts/A%2f7/revisions/1%2F2").json()
        assert (revision["number"], revision["part"]["number"]) == ("1/2", "A/7")
        change = {"new_serial_number": "SN/2"}
        assert api.patch("/api/v2/units/SN%2F1", json=change).status_code == 200
        assert api.get("/api/v2/units/SN%2F2").status_code == 200

    def test_unencoded(self, api: httpx.Client) -> None:
        """A slash as such parts a path, as ever."""
        assert api.get("/api/v2/units/SN/1").status_code == 404

    def test_percent_twice(self, api: httpx.Client, make_json: JSONMaker) -> None:
        """A name that has the text of an encoded slash is not taken for one."""
        unit = {"serial_number": "A%2FB", "part_number": "P"}
        api.post("/api/v1/runs", json=make_json(unit_under_test=unit))
        shown = api.get("/api/v2/units/A%252FB").json()
        assert shown["serial_number"] == "A%2FB"


class TestDeleting:
    """Calls of the first v2 clients."""

    def test_upload(self, store: RunStore, api: httpx.Client) -> None:
        """An upload is forgotten with its bytes, unless a run or a unit has it."""
        grant = api.post("/api/v2/attachments", json={"name": "a.txt"}).json()
        httpx.put(grant["upload_url"], content=b"bytes").raise_for_status()
        ids = {"ids": [grant["id"].upper()]}
        answer = api.delete("/api/v2/attachments", params=ids)
        assert answer.json()["id"] == [grant["id"]]
        assert api.delete("/api/v2/attachments", params=ids).status_code == 404
        with pytest.raises(NotFoundError):
            store.uploads.completed(grant["id"])

    def test_linked_upload(self, api: httpx.Client, make_json: JSONMaker) -> None:
        """The file of a run stays, and so does what was to go with it."""
        run = api.post("/api/v1/runs", json=make_json()).json()["id"]
        ids = []
        for name in ("unused.txt", "used.txt"):
            grant = api.post("/api/v2/attachments", json={"name": name}).json()
            httpx.put(grant["upload_url"], content=b"bytes").raise_for_status()
            ids.append(grant["id"])
        api.put(f"/api/v1/runs/{run}", json={"attachments": ids[1:]})
        answer = api.delete("/api/v2/attachments", params={"ids": ids})
        assert answer.status_code == 409
        (file,) = api.get(f"/api/v1/runs/{run}").json()["attachments"]
        assert file["name"] == "used.txt"
        assert api.delete("/api/v2/attachments", params={"ids": ids[:1]}).is_success

    @pytest.mark.parametrize(
        ("agent", "kind"),
        [
            ("speakeasy-sdk/python 0.7.12 2.796.4 2.0.0 tofupilot.v2", str),
            ("speakeasy-sdk/python 0.7.12 2.657.1 2.0.0 tofupilot.v2", list),
        ],
    )
    def test_batch(self, api: httpx.Client, agent: str, kind: type) -> None:
        """Those of 1.12 and 2.0.1 read one id where later ones read a list."""
        api.post("/api/v2/batches", json={"number": "B"})
        headers = {"User-Agent": agent}
        answer = api.delete("/api/v2/batches/B", headers=headers)
        assert type(answer.json()["id"]) is kind


class TestV1:
    """The calls of v1 that later clients no longer make."""

    def test_delete_unit(self, api: httpx.Client) -> None:
        """A unit without runs is deleted; what comes of it is told in words."""
        api.post("/api/v2/parts", json={"number": "P", "revision_number": "A"})
        unit = {"serial_number": "X/1", "part_number": "P", "revision_number": "A"}
        api.post("/api/v2/units", json=unit)
        answer = api.delete("/api/v1/units/x%2F1")
        assert (answer.status_code, "message" in answer.json()) == (200, True)
        assert api.delete("/api/v1/units/x%2F1").status_code == 404

    def test_delete_unit_with_runs(
        self, api: httpx.Client, make_json: JSONMaker
    ) -> None:
        """A unit with runs stays."""
        api.post("/api/v1/runs", json=make_json())
        answer = api.delete("/api/v1/units/SN-1")
        assert answer.status_code == 409
        assert "has runs" in answer.json()["error"]["message"]

    def test_unit_named_in_the_body(
        self, api: httpx.Client, make_json: JSONMaker
    ) -> None:
        """Clients before 1.8 name no unit in the path."""
        api.post("/api/v1/runs", json=make_json())
        part = {"serial_number": "PART", "part_number": "P"}
        api.post("/api/v1/runs", json=make_json(unit_under_test=part))
        change = {"serial_number": "sn-1", "sub_units": [{"serial_number": "PART"}]}
        answer = api.patch("/api/v1/units", json=change)
        shown = api.get("/api/v2/units/SN-1").json()
        assert answer.json() == {"id": shown["id"]}
        assert [unit["serial_number"] for unit in shown["children"]] == ["PART"]
        unknown = api.patch("/api/v1/units", json={**change, "serial_number": "X"})
        assert unknown.status_code == 404

    def test_nothing_to_watch(self, api: httpx.Client) -> None:
        """Clients give up calmly: by a refusal, and by an answer without address."""
        streaming, rooms = api.get("/api/v1/streaming"), api.get("/api/v1/rooms")
        assert streaming.status_code == 404
        assert "while they run" in streaming.json()["error"]["message"]
        assert (rooms.status_code, set(rooms.json())) == (200, {"message"})

    def test_version(self, api: httpx.Client, make_json: JSONMaker) -> None:
        """A version has up to 255 characters of any kind."""
        version = "Release 4 (März) " + "v" * 238
        made = api.post("/api/v1/runs", json=make_json(procedure_version=version))
        run = api.get(f"/api/v1/runs/{made.json()['id']}").json()
        assert run["procedure"]["version"]["tag"] == version
        refused = api.post(
            "/api/v1/runs", json=make_json(procedure_version=version + "v")
        )
        assert refused.status_code == 400

    @pytest.mark.parametrize(
        ("duration", "ended"),
        [
            ("P1W", "2024-02-07T12:00:00Z"),
            ("PT1,5S", "2024-01-31T12:00:01.500Z"),
            ("P1M", "2024-02-29T12:00:00Z"),
            ("P1Y", "2025-01-31T12:00:00Z"),
        ],
    )
    def test_duration(
        self, api: httpx.Client, make_json: JSONMaker, duration: str, ended: str
    ) -> None:
        """A duration is one of ISO, its months those of the calendar."""
        body = make_json(started_at="2024-01-31T12:00:00Z", duration=duration)
        made = api.post("/api/v1/runs", json=body)
        run = api.get(f"/api/v1/runs/{made.json()['id']}").json()
        assert run["ended_at"] == ended

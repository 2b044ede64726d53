"""Runs over HTTP, on a real socket."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from rigbridge import __version__
from rigbridge.client import Client
from rigbridge.convert import dump, load
from rigbridge.model import (
    Attachment,
    Measurement,
    Phase,
    PhaseOutcome,
    ProcedureRef,
    Run,
    RunOutcome,
    Unit,
)
from rigbridge.wire import (
    CreateRun,
    ListedRun,
    decode,
    from_builtins,
    to_builtins,
)
from rigbridge_store import RunStore

JSONMaker = Callable[..., dict[str, Any]]


class TestCreate:
    """``POST /v1/runs``."""

    def test_answer(self, api: httpx.Client, make_json: JSONMaker) -> None:
        """A run is created; the answer is its id, and the address of its page."""
        answer = api.post("/api/v1/runs", json=make_json())
        assert answer.status_code == 200
        created = answer.json()
        assert created["url"] == f"{api.base_url}/runs/{created['id']}"
        assert answer.headers["content-type"] == "application/json"

    def test_idempotency_key(self, api: httpx.Client, make_json: JSONMaker) -> None:
        """A repeated key answers the first run, and with another body a conflict."""
        headers = {"Idempotency-Key": str(uuid4())}
        first, again, other = (
            api.post("/api/v1/runs", json=body, headers=headers)
            for body in (make_json(), make_json(), make_json(run_passed=False))
        )
        assert first.json() == again.json()
        assert first.json()["id"] == headers["Idempotency-Key"]
        assert (other.status_code, other.json()["code"]) == (409, "CONFLICT")

    def test_unknown_keys(self, api: httpx.Client, make_json: JSONMaker) -> None:
        """Keys that nobody knows are tolerated everywhere."""
        body = make_json(novelty={"a": 1})
        body["unit_under_test"]["novelty"] = 1
        body["phases"][0]["novelty"] = 1
        assert api.post("/api/v1/runs", json=body).status_code == 200

    def test_created_by(self, api: httpx.Client, make_json: JSONMaker) -> None:
        """A run says whose key created it."""
        api.post("/api/v1/runs", json=make_json())
        (run,) = api.get("/api/v1/runs", params={"serial_number": "SN-1"}).json()
        assert run["created_by_user"]["name"] == "Jane"
        assert run["created_by_station"] is None

    def test_part_number_is_required(
        self, api: httpx.Client, make_json: JSONMaker
    ) -> None:
        """Over HTTP a new unit needs a part number."""
        body = make_json(unit_under_test={"serial_number": "SN-1"})
        answer = api.post("/api/v1/runs", json=body)
        assert answer.status_code == 400
        assert answer.json()["code"] == "BAD_REQUEST"
        assert answer.json()["message"].startswith("Part number is required but not")
        assert answer.json()["issues"][0]["path"] == [
            "unit_under_test",
            "part_number",
        ]
        assert "[identity]" in answer.json()["error"]["message"]

    def test_part_number_optional(
        self, store: RunStore, serving: Callable[..., Any], make_json: JSONMaker
    ) -> None:
        """The requirement can be lifted."""
        body = make_json(unit_under_test={"serial_number": "SN-1"})
        key = store.create_user_key("Jane")
        with serving(store, key, part_numbers="optional") as api:
            assert api.post("/api/v1/runs", json=body).status_code == 200


class TestRead:
    """``GET /v1/runs`` and ``GET /v1/runs/{id}``."""

    def test_list(self, api: httpx.Client, make_json: JSONMaker) -> None:
        """The answer is an array that holds all that the contract names."""
        created = api.post("/api/v1/runs", json=make_json()).json()
        answer = api.get("/api/v1/runs", params={"serial_number": "sn-1"})
        (run,) = answer.json()
        assert run["id"] == created["id"]
        assert run["started_at"] == "2024-01-15T10:35:00Z"
        assert run["ended_at"] == "2024-01-15T10:37:30Z"
        assert set(run) == {
            "id",
            "created_at",
            "started_at",
            "ended_at",
            "duration",
            "outcome",
            "docstring",
            "created_by_user",
            "created_by_station",
            "operated_by",
            "procedure",
            "unit",
            "phases",
            "logs",
            "attachments",
            "station",
            "sub_units",
        }
        assert run["phases"] == make_json()["phases"]
        assert set(run["unit"]) == {"id", "serial_number", "part", "batch"}
        assert set(run["unit"]["part"]) == {"id", "number", "name", "revision"}

    def test_unknown_unit(self, api: httpx.Client) -> None:
        """An unknown serial number gives an empty array."""
        answer = api.get("/api/v1/runs", params={"serial_number": "nobody"})
        assert (answer.status_code, answer.json()) == (200, [])

    def test_serial_number_is_required(self, api: httpx.Client) -> None:
        """The serial number is required, and bounded."""
        for params in ({}, {"serial_number": ""}, {"serial_number": "x" * 256}):
            answer = api.get("/api/v1/runs", params=params)
            assert answer.status_code == 400
            assert answer.json()["issues"][0]["path"] == ["serial_number"]

    def test_odd_serial_number(self, api: httpx.Client, make_json: JSONMaker) -> None:
        """Any text is a serial number."""
        serial = "a/b?c=d&é 漢 %2F"
        unit = {"serial_number": serial, "part_number": "P"}
        api.post("/api/v1/runs", json=make_json(unit_under_test=unit))
        answer = api.get("/api/v1/runs", params={"serial_number": serial})
        assert answer.json()[0]["unit"]["serial_number"] == serial

    def test_whole_run_through_http(self, api: httpx.Client) -> None:
        """With our superset a whole run goes through HTTP unharmed."""
        run = Run(
            id=uuid4(),
            outcome=RunOutcome.ERROR,
            procedure=ProcedureRef(name="P", version="1 2"),
            unit=Unit(serial_number="SN", part_number="P"),
            station="Line 1",
            phases=(
                Phase(
                    name="A",
                    path=("Main",),
                    outcome=PhaseOutcome.ERROR,
                    measurements=(Measurement(name="x", value=float("inf")),),
                ),
            ),
            metadata={"z": 1, "a": 2},
        )
        payload = dump(run)
        body = {**to_builtins(payload.body), "rigbridge": payload.sidecar}
        answer = api.post(
            "/api/v1/runs", json=body, headers={"Idempotency-Key": str(run.id)}
        )
        shown = decode(
            api.get(f"/api/v1/runs/{answer.json()['id']}").content, ListedRun
        )
        assert isinstance(shown.rigbridge, dict)
        phases = to_builtins(shown.phases)
        returned = from_builtins(
            {**to_builtins(payload.body), "phases": phases}, CreateRun
        )
        assert load(returned, run_id=run.id, sidecar=shown.rigbridge) == run


class TestChange:
    """Deleting runs and updating units."""

    def test_delete(self, api: httpx.Client, make_json: JSONMaker) -> None:
        """A deleted run is gone."""
        created = api.post("/api/v1/runs", json=make_json()).json()["id"]
        answer = api.delete(f"/api/v1/runs/{created}")
        assert answer.status_code == 200
        assert created in answer.json()["message"]
        assert api.get(f"/api/v1/runs/{created}").status_code == 404
        assert api.delete(f"/api/v1/runs/{created}").status_code == 404

    def test_sub_units(self, api: httpx.Client, make_json: JSONMaker) -> None:
        """A unit's sub-units can be set; a cycle and an unknown one are refused."""
        for serial in "AB":
            unit = {"serial_number": serial, "part_number": "P"}
            api.post("/api/v1/runs", json=make_json(unit_under_test=unit))

        def patch(parent: str, child: str) -> httpx.Response:
            body = {"sub_units": [{"serial_number": child}]}
            return api.patch(f"/api/v1/units/{parent}", json=body)

        assert patch("A", "B").status_code == 200
        assert patch("B", "A").status_code == 400
        assert patch("A", "Z").status_code == 404
        assert patch("Z", "A").status_code == 404
        assert api.patch("/api/v1/units/A", json={}).status_code == 200


class TestOurs:
    """What other servers may lack."""

    def test_capabilities(self, api: httpx.Client) -> None:
        """The server tells what it can do."""
        assert api.get("/api/v1/capabilities").json() == {
            "store": "rigbridge",
            "version": __version__,
            "sidecar": "inline",
            "idempotency_key": True,
            "reading": True,
            "administration": True,
        }

    def test_runs_of_the_same_start_are_two(
        self, api: httpx.Client, tmp_path: Path
    ) -> None:
        """Our client tells runs of one unit and moment apart, files included."""
        for name in ("a.txt", "b.txt"):
            (tmp_path / name).write_text(name)
        runs = [
            Run(
                outcome=RunOutcome.PASS,
                procedure=ProcedureRef(name="P"),
                unit=Unit(serial_number="SN", part_number="P"),
                started_at=datetime(2026, 3, 4, tzinfo=UTC),
                attachments=(Attachment.from_file(tmp_path / name),),
            )
            for name in ("a.txt", "b.txt")
        ]
        key = api.headers["authorization"].removeprefix("Bearer ")
        with Client(str(api.base_url), key) as client:
            stored = [client.submit(run) for run in runs]
            again = client.submit(runs[0])
            listed = {run.id: run.attachments for run in client.runs("SN")}
        assert again == stored[0]
        assert set(listed) == set(stored)
        names = [[file.name for file in listed[run_id] or ()] for run_id in stored]
        assert names == [["a.txt"], ["b.txt"]]

    def test_health(self, store: RunStore, serving: Callable[..., Any]) -> None:
        """Whether it is up can be asked without a key."""
        with serving(store) as api:
            assert api.get("/health").json() == {"status": "ok"}

    def test_openapi(self, store: RunStore, serving: Callable[..., Any]) -> None:
        """The OpenAPI document describes every call and its refusals."""
        with serving(store) as api:
            document = api.get("/api/openapi.json").json()
        assert set(document["paths"]) >= {
            "/health",
            "/api/v1/attachments/{attachment_id}/download",
            "/api/v1/capabilities",
            "/api/v1/import",
            "/api/v1/runs",
            "/api/v1/runs/{run_id}",
            "/api/v1/units/{serial_number}",
            "/api/v1/uploads/initialize",
            "/api/v1/uploads/sync",
            "/api/v1/uploads/{upload_id}/{token}",
        }
        create = document["paths"]["/api/v1/runs"]["post"]
        assert {"200", "400", "401", "404", "409", "422"} <= set(create["responses"])
        schema = document["components"]["schemas"]["CreateRun"]
        assert set(schema["required"]) == {"run_passed", "unit_under_test"}

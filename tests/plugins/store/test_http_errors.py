"""Errors over HTTP: one shape, whatever went wrong."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from rigbridge_store import RunStore

JSONMaker = Callable[..., dict[str, Any]]


def _post(api: httpx.Client, content: bytes) -> httpx.Response:
    headers = {"Content-Type": "application/json"}
    return api.post("/api/v1/runs", content=content, headers=headers)


def _steps(path: str) -> list[str | int]:
    parts = path.replace("[", ".").replace("]", "").split(".")
    return [int(part) if part.isdigit() else part for part in parts]


def _problem(answer: httpx.Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/json"
    problem: dict[str, Any] = answer.json()
    # v1 clients print what stands in "error", v2 has no such field.
    v1 = "/api/v2/" not in str(answer.url)
    assert set(problem) == {"code", "message", "issues", *(["error"] if v1 else [])}
    assert problem.get("error", {}).get("message") == (
        problem["message"] if v1 else None
    )
    assert "Traceback" not in answer.text
    return problem


class TestKeys:
    """Calls without a key."""

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/api/v1/runs?serial_number=1"),
            ("POST", "/api/v1/runs"),
            ("PUT", "/api/v1/runs/1"),
            ("GET", "/api/v1/runs/1"),
            ("DELETE", "/api/v1/runs/1"),
            ("POST", "/api/v1/uploads/initialize"),
            ("POST", "/api/v1/uploads/sync"),
            ("POST", "/api/v1/import"),
            ("PATCH", "/api/v1/units/1"),
            ("GET", "/api/v1/attachments/1/download"),
            ("GET", "/api/v1/capabilities"),
        ],
    )
    def test_no_key(self, api: httpx.Client, method: str, path: str) -> None:
        """Every call but the upload itself needs a key, before its body is read."""
        answer = api.request(
            method, path, headers={"Authorization": ""}, content=b"no json"
        )
        assert answer.status_code == 401
        assert _problem(answer) == {
            "code": "UNAUTHORIZED",
            "message": "Authorization not provided",
            "issues": [],
            "error": {"message": "Authorization not provided"},
        }

    @pytest.mark.parametrize("value", ["Bearer rb_00_x", "Basic abc", "Bearer", "é"])
    def test_wrong_key(self, api: httpx.Client, value: str) -> None:
        """A key that is none is refused."""
        headers = {b"Authorization": value.encode()}
        answer = api.get("/api/v1/capabilities", headers=headers)
        assert answer.status_code == 401
        assert _problem(answer)["code"] == "UNAUTHORIZED"

    def test_scheme_in_any_case(self, store: RunStore, api: httpx.Client) -> None:
        """The scheme's case does not matter."""
        headers = {"Authorization": f"bearer {store.create_user_key('Joe')}"}
        answer = api.get("/api/v1/capabilities", headers=headers)
        assert answer.status_code == 200


class TestStations:
    """Calls with a station's key."""

    def test_not_linked(
        self, store: RunStore, serving: Callable[..., Any], make_json: JSONMaker
    ) -> None:
        """A station is refused for a procedure that it is not linked to."""
        with serving(store, store.create_station_key("Line 1")) as api:
            answer = api.post("/api/v1/runs", json=make_json())
            assert answer.status_code == 403
            assert _problem(answer)["code"] == "FORBIDDEN"

    def test_open_stations(
        self, store: RunStore, serving: Callable[..., Any], make_json: JSONMaker
    ) -> None:
        """Open stations use every procedure, and are linked by their first run."""
        key = store.create_station_key("Line 1")
        with serving(store, key, open_stations=True) as api:
            created = api.post("/api/v1/runs", json=make_json()).json()["id"]
            params = {"serial_number": "SN-1"}
            (run,) = api.get("/api/v1/runs", params=params).json()
            assert run["created_by_station"]["name"] == "Line 1"
        with serving(store, key) as api:
            assert api.get(f"/api/v1/runs/{created}").status_code == 200


class TestBodies:
    """Bodies that are malformed."""

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b'"a"'])
    def test_no_object(self, api: httpx.Client, content: bytes) -> None:
        """What is no JSON object is refused."""
        answer = _post(api, content)
        assert answer.status_code == 400
        assert _problem(answer)["code"] == "BAD_REQUEST"

    def test_too_many_digits(self, api: httpx.Client) -> None:
        """A number that no decoder takes is told without a place that is none."""
        digits = b"9" * 5000
        answer = _post(api, b'{"phases": [{"measurements": [%b]}]}' % digits)
        assert answer.status_code == 400
        assert "out of range" in _problem(answer)["message"]
        assert "[...]" not in answer.text

    def test_a_value_of_no_kind(self, api: httpx.Client) -> None:
        """Within an object of any keys, the object is named."""
        answer = api.patch("/api/v2/runs/x/metadata", json={"metadata": {"a": [1]}})
        assert answer.status_code == 400
        assert _problem(answer)["issues"][0]["path"] == ["metadata"]

    @pytest.mark.parametrize(
        ("changes", "path"),
        [
            ({"unit_under_test": {}}, "unit_under_test.serial_number"),
            ({"unit_under_test": ...}, "unit_under_test"),
            ({"run_passed": "yes"}, "run_passed"),
            ({"outcome": "GREAT"}, "outcome"),
            (
                {
                    "phases": [
                        {
                            "name": "P",
                            "outcome": "PASS",
                            "start_time_millis": 0,
                            "end_time_millis": 0,
                            "measurements": [{"name": "M", "outcome": "MAYBE"}],
                        }
                    ]
                },
                "phases[0].measurements[0].outcome",
            ),
            ({"logs": [{"level": "INFO"}]}, "logs[0].timestamp"),
            ({"procedure_name": ...}, "procedure_id"),
            ({"started_at": "noon"}, "started_at"),
        ],
    )
    def test_field(
        self,
        api: httpx.Client,
        make_json: JSONMaker,
        changes: dict[str, Any],
        path: str,
    ) -> None:
        """A field that is missing or malformed is named by its path."""
        answer = api.post("/api/v1/runs", json=make_json(**changes))
        assert answer.status_code == 400
        (issue,) = _problem(answer)["issues"]
        assert issue["path"] == _steps(path)
        assert issue["message"]
        assert path in answer.json()["message"]

    def test_compressed(self, api: httpx.Client, make_json: JSONMaker) -> None:
        """A compressed body is refused for that, not for what its bytes spell."""
        content = gzip.compress(json.dumps(make_json()).encode())
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        answer = api.post("/api/v1/runs", content=content, headers=headers)
        assert answer.status_code == 415
        assert "gzip" in answer.json()["message"]

    def test_contradiction(self, api: httpx.Client, make_json: JSONMaker) -> None:
        """Values that contradict each other are unprocessable."""
        body = make_json(ended_at="2024-01-15T10:36:00Z")
        answer = api.post("/api/v1/runs", json=body)
        assert answer.status_code == 422
        assert _problem(answer)["code"] == "UNPROCESSABLE_CONTENT"
        assert answer.json()["issues"][0]["path"] == ["duration"]

    def test_too_large(
        self, store: RunStore, serving: Callable[..., Any], make_json: JSONMaker
    ) -> None:
        """A body over the limit is refused, announced or not."""
        with serving(store, store.create_user_key("J"), max_body=2000) as api:
            body = make_json(docstring="x" * 3000)
            answer = api.post("/api/v1/runs", json=body)
            assert answer.status_code == 413
            assert _problem(answer)["code"] == "PAYLOAD_TOO_LARGE"
            chunks = iter([b"[" * 1500, b"[" * 1500])
            answer = api.post("/api/v1/runs", content=chunks)
            assert answer.status_code == 413

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            (
                {"procedure_id": "FVT9"},
                (
                    "Procedure with ID FVT9 does not exist. Send procedure_name to "
                    "create it with the run, or create it first: POST "
                    "/api/v2/procedures"
                ),
            ),
            (
                {"operated_by": "who@example.com"},
                (
                    "Operator with email who@example.com does not exist. Create the "
                    "user first: rigbridge keys create user --name who@example.com"
                ),
            ),
        ],
    )
    def test_not_found(
        self,
        api: httpx.Client,
        make_json: JSONMaker,
        changes: dict[str, Any],
        message: str,
    ) -> None:
        """What a run refers to must exist."""
        answer = api.post("/api/v1/runs", json=make_json(**changes))
        assert answer.status_code == 404
        problem = _problem(answer)
        assert (problem["code"], problem["message"]) == ("NOT_FOUND", message)


class TestRoutes:
    """Calls that do not exist."""

    def test_unknown_route(self, api: httpx.Client) -> None:
        """An unknown route is not found, in the same shape."""
        answer = api.get("/api/v1/nothing")
        assert answer.status_code == 404
        assert _problem(answer)["code"] == "NOT_FOUND"

    def test_wrong_method(self, api: httpx.Client) -> None:
        """A method that a route lacks is refused, in the same shape."""
        answer = api.delete("/api/v1/runs")
        assert answer.status_code == 405
        assert _problem(answer)["code"] == "METHOD_NOT_ALLOWED"

    @pytest.mark.parametrize("path", ["/health", "/api/v1/capabilities", "/runs"])
    def test_head(self, api: httpx.Client, path: str) -> None:
        """``HEAD``, which monitors send, is answered as ``GET`` without a body."""
        head, get = api.head(path), api.get(path)
        assert head.status_code == get.status_code
        assert head.headers["content-type"] == get.headers["content-type"]
        assert head.content == b""

    @pytest.mark.parametrize("path", ["/health", "/api/v1/runs", "/api/v2/units"])
    def test_options(self, api: httpx.Client, path: str) -> None:
        """``OPTIONS`` tells the methods of a path, with a key or without."""
        for headers in (api.headers, {"Authorization": ""}):
            answer = api.options(path, headers=headers)
            assert answer.status_code == 204
            assert "OPTIONS" in answer.headers["allow"]


class TestOurMistakes:
    """What goes wrong in the server itself."""

    def test_told_to_nobody(
        self,
        api: httpx.Client,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A mistake of ours is logged in full, and tells a stranger nothing."""

        def fail(*_: object, **__: object) -> None:
            raise RuntimeError("what nobody expected")

        monkeypatch.setattr(RunStore, "show_run", fail)
        with caplog.at_level(logging.ERROR, "rigbridge_store.server"):
            answer = api.get("/api/v1/runs/1")
        assert answer.status_code == 500
        assert _problem(answer) == {
            "code": "INTERNAL_SERVER_ERROR",
            "message": "Internal server error",
            "issues": [],
            "error": {"message": "Internal server error"},
        }
        assert "what nobody expected" in caplog.text

    def test_lost_content(
        self, store: RunStore, api: httpx.Client, make_json: JSONMaker
    ) -> None:
        """Bytes that are gone are told with what brings them back."""
        run = api.post("/api/v1/runs", json=make_json()).json()["id"]
        content = store.contents.store([b"1"])
        store.attach_file(run, name="a.txt", mime_type=None, content=content)
        (file,) = list(store.show_run(run).attachments or ())
        path = store.contents.path(content.sha256)
        assert path is not None
        path.unlink()
        answer = api.get(str(file.download_url))
        assert answer.status_code == 502
        assert _problem(answer)["code"] == "BAD_GATEWAY"
        assert "store check" in answer.json()["message"]

    @pytest.mark.parametrize("database", ["sqlite"], indirect=True)
    def test_unusable_database(self, store: RunStore, api: httpx.Client) -> None:
        """A database that cannot be used for now may be tried again."""
        with store._database.writing() as connection:
            connection.exec_driver_sql("DROP TABLE procedure_versions")
        answer = api.get("/api/v1/runs", params={"serial_number": "1"})
        assert answer.status_code == 503
        assert _problem(answer)["code"] == "SERVICE_UNAVAILABLE"


class TestParameters:
    """Parameters of the query."""

    @pytest.mark.parametrize(
        ("path", "field"),
        [
            ("/api/v2/measurements", "procedure_id"),
            ("/api/v2/runs?limit=0", "limit"),
            ("/api/v2/runs?started_after=soon", "started_after"),
            ("/api/v2/runs?outcomes=GREAT", "outcomes"),
            ("/api/v2/runs?duration_min=soon", "duration_min"),
        ],
    )
    def test_named(self, api: httpx.Client, path: str, field: str) -> None:
        """One that is missing or malformed is named."""
        answer = api.get(path)
        assert answer.status_code == 400
        assert _problem(answer)["issues"][0]["path"] == [field]

    @pytest.mark.parametrize(
        "path",
        [
            "/api/v2/runs?serial=1",
            "/api/v2/deployments?serial=1",
            "/api/v2/whoami?serial=1",
            "/api/v2/units/1?serial=1",
            "/api/v2/imports/tabular?serial=1",
        ],
    )
    def test_unknown(self, api: httpx.Client, path: str) -> None:
        """One that v2 does not know is refused by its name, not ignored."""
        method = "POST" if "imports" in path else "GET"
        answer = api.request(method, path)
        assert answer.status_code == 400
        assert _problem(answer)["issues"][0]["path"] == ["serial"]

    def test_unknown_of_v1(self, api: httpx.Client) -> None:
        """One that v1 does not know is ignored, as it always was."""
        params = {"serial_number": "SN-1", "page": "2"}
        assert api.get("/api/v1/runs", params=params).status_code == 200

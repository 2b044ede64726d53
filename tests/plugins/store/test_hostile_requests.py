"""
What a hostile sender may try, one kind of attack each.

The threats are those of the page ``docs/explanation/threat-model.md``; those of the
web pages are tested beside the pages.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from rigbridge_store import RunStore

JSONMaker = Callable[..., dict[str, Any]]
Serving = Callable[..., Any]

HOSTILE = {
    "sql": "x'); DROP TABLE runs; --",
    "html": "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>",
    "path": "../../../etc/passwd",
    "windows path": "..\\..\\boot.ini",
    "header": "a\r\nSet-Cookie: session=stolen\r\n\r\n<h1>",
    "control": "a\x01\x1b[31mb",
    "right to left": "gpj.\u202eexe",
    "like": "100%_\\",
    "format": "%s%n{0.__class__}${7*7}{{7*7}}",
    "emoji": "🤖" * 20,
    "device": "CON",
}

_hostile = pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)


def _upload(api: httpx.Client, run: str, name: str, content: bytes) -> dict[str, Any]:
    grant = api.post("/api/v1/uploads/initialize", json={"name": name}).json()
    httpx.put(grant["uploadUrl"], content=content).raise_for_status()
    linked = api.put(f"/api/v1/runs/{run}", json={"attachments": [grant["id"]]})
    assert linked.status_code == 200
    file: dict[str, Any] = api.get(f"/api/v1/runs/{run}").json()["attachments"][-1]
    return file


class TestNames:
    """Names that are meant for something else than to be names."""

    @_hostile
    def test_kept_as_they_are(
        self, api: httpx.Client, make_json: JSONMaker, name: str
    ) -> None:
        """A name is stored and found like any other; nothing else comes of it."""
        body = make_json(
            unit_under_test={
                "serial_number": name,
                "part_number": name,
                "revision": name,
                "batch_number": name,
            },
            procedure_name=name,
            docstring=name,
        )
        created = api.post("/api/v1/runs", json=body)
        assert created.status_code == 200, created.text
        params = {"serial_number": name}
        (run,) = api.get("/api/v1/runs", params=params).json()
        assert run["id"] == created.json()["id"]
        assert run["unit"]["serial_number"] == name
        assert run["procedure"]["name"] == name
        assert run["docstring"] == name

    @_hostile
    def test_searched_for(
        self, api: httpx.Client, make_json: JSONMaker, name: str
    ) -> None:
        """A filter that is meant for the database is compared as a text."""
        assert api.post("/api/v1/runs", json=make_json()).status_code == 200
        for path, parameter in (
            ("/api/v1/runs", "serial_number"),
            ("/api/v2/runs", "search_query"),
            ("/api/v2/runs", "serial_numbers"),
            ("/api/v2/runs", "ids"),
            ("/api/v2/units", "search_query"),
            ("/api/v2/procedures", "search_query"),
            ("/api/v2/logs", "search_query"),
            ("/api/v2/measurements", "value_strings"),
            ("/api/v2/parts", "search_query"),
        ):
            of = {"procedure_id": "x"} if "measurements" in path else {}
            answer = api.get(path, params={**of, parameter: name})
            assert answer.status_code == 200, (path, parameter, answer.text)
            found = answer.json()
            assert (found if isinstance(found, list) else found["data"]) == []
        listed = api.get("/api/v1/runs", params={"serial_number": "SN-1"}).json()
        assert len(listed) == 1

    @_hostile
    def test_of_files(
        self, api: httpx.Client, make_json: JSONMaker, data: Path, name: str
    ) -> None:
        """The name of a file names nothing on disk, and ends no header."""
        run = api.post("/api/v1/runs", json=make_json()).json()["id"]
        file = _upload(api, run, name, b"<script>alert(1)</script>")
        assert file["name"] == name
        answer = api.get(file["download_url"])
        assert answer.content == b"<script>alert(1)</script>"
        saved = answer.headers["content-disposition"]
        assert saved.startswith("attachment;")
        # No folder, and nothing that turns the direction of writing.
        assert not re.search(r"[\\/]|%5c|%2f|%e2%80%ae", saved, re.IGNORECASE)
        assert "set-cookie" not in answer.headers
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        written = {path.name for path in data.rglob("*") if path.is_file()}
        # Contents are named by their digests, the database by us.
        assert all(re.fullmatch(r"[0-9a-f]{64}|store\.sqlite.*", n) for n in written)
        assert not (data.parent / "passwd").exists()

    @pytest.mark.parametrize("field", ["serial_number", "part_number", "batch_number"])
    def test_nul(self, api: httpx.Client, make_json: JSONMaker, field: str) -> None:
        """A text that a database cannot hold is no failure of the server."""
        unit = {"serial_number": "SN-1", "part_number": "P", field: "a\x00b"}
        answer = api.post("/api/v1/runs", json=make_json(unit_under_test=unit))
        assert answer.status_code in {200, 400}
        listed = api.get("/api/v1/runs", params={"serial_number": "a\x00b"})
        assert listed.status_code in {200, 400}


class TestPaths:
    """Paths that lead elsewhere."""

    @pytest.mark.parametrize(
        "path",
        [
            "/static/../store.sqlite",
            "/static/..%2f..%2fstore.sqlite",
            "/static/%2e%2e/app.py",
            "/static/....//store.sqlite",
            "/files/..%2f..%2fetc%2fpasswd",
            "/api/v1/attachments/..%2f..%2fstore.sqlite/download",
            "/api/v2/files/..%2f?expires=9999999999&signature=x",
            "/api/../store.sqlite",
            "//etc/passwd",
        ],
    )
    def test_nothing_there(self, api: httpx.Client, path: str) -> None:
        """No path leads out of what is served."""
        url = httpx.URL(str(api.base_url)).copy_with(raw_path=path.encode())
        request = httpx.Request("GET", url, headers=api.headers)
        answer = api.send(request)
        assert answer.status_code in {303, 400, 401, 403, 404}
        assert b"SQLite format" not in answer.content
        assert b"root:" not in answer.content

    @pytest.mark.parametrize("host", ["a:99999999", "a:x", "[::1]:y"])
    @pytest.mark.parametrize("path", ["/api/v1/runs/x", "/", "/nothing"])
    def test_no_port(self, api: httpx.Client, host: str, path: str) -> None:
        """A host with a port that there cannot be is refused, on every path."""
        answer = api.get(path, headers={"Host": host})
        assert answer.status_code == 400
        assert "Host" in answer.json()["error"]["message"]


class TestBodies:
    """Bodies that are meant to exhaust or to confuse."""

    @pytest.mark.parametrize("text", ["\xe4".encode("latin-1"), b"\xed\xa0\x80"])
    @pytest.mark.parametrize("path", ["/api/v1/runs", "/api/v2/runs"])
    def test_no_utf8(self, api: httpx.Client, path: str, text: bytes) -> None:
        """Bytes that are no UTF-8 are refused by that name."""
        headers = {"Content-Type": "application/json"}
        content = b'{"serial_number": "%b"}' % text
        answer = api.post(path, content=content, headers=headers)
        assert answer.status_code == 400
        assert "no UTF-8" in answer.json()["message"]

    @staticmethod
    def _nested(api: httpx.Client, depth: int) -> httpx.Response:
        content = (
            '{"unit_under_test": {"serial_number": "1", "part_number": "P"},'
            ' "run_passed": true, "procedure_name": "p", "phases": [{"name": "p",'
            ' "outcome": "PASS", "start_time_millis": 0, "end_time_millis": 0,'
            ' "measurements": [{"name": "m", "outcome": "PASS",'
            f' "measured_value": {"[" * depth + "]" * depth}}}]}}]}}'
        )
        headers = {"Content-Type": "application/json"}
        return api.post("/api/v1/runs", content=content, headers=headers)

    def test_deepest(self, api: httpx.Client) -> None:
        """The deepest value that is taken can be read by every door."""
        run = self._nested(api, 65).json()["id"]
        for version in ("v1", "v2"):
            assert api.get(f"/api/{version}/runs/{run}").status_code == 200

    @pytest.mark.parametrize("depth", [66, 600, 100_000])
    def test_deep(self, api: httpx.Client, make_json: JSONMaker, depth: int) -> None:
        """A value nested without end is refused, and the server goes on."""
        answer = self._nested(api, depth)
        assert answer.status_code == 400, answer.text[:200]
        assert "nested" in answer.json()["message"]
        assert api.post("/api/v1/runs", json=make_json()).status_code == 200

    def test_deep_metadata(self, api: httpx.Client) -> None:
        """The same in a query string."""
        nested = '{"a":' * 500 + "1" + "}" * 500
        answer = api.get("/api/v2/runs", params={"metadata": nested})
        assert answer.status_code == 400

    @pytest.mark.parametrize("number", ["1e999", "9" * 400, "-0.0", "1" + "0" * 5000])
    def test_numbers(
        self, api: httpx.Client, make_json: JSONMaker, number: str
    ) -> None:
        """A number of any size is kept or refused, never a failure."""
        content = str(make_json()).replace("True", "true").replace("'", '"')
        content = content.replace("3.3,", f"{number},", 1)
        headers = {"Content-Type": "application/json"}
        answer = api.post("/api/v1/runs", content=content, headers=headers)
        assert answer.status_code in {200, 400, 422}, answer.text[:200]
        if answer.status_code == 200:
            listed = api.get(f"/api/v1/runs/{answer.json()['id']}")
            assert listed.status_code == 200

    def test_repeated_keys(self, api: httpx.Client) -> None:
        """A key that comes twice confuses nobody: the last one counts."""
        content = (
            '{"unit_under_test": {"serial_number": "A", "serial_number": "B",'
            ' "part_number": "P"}, "run_passed": true, "procedure_name": "p"}'
        )
        headers = {"Content-Type": "application/json"}
        run = api.post("/api/v1/runs", content=content, headers=headers).json()["id"]
        shown = api.get(f"/api/v1/runs/{run}").json()
        assert shown["unit"]["serial_number"] == "B"

    def test_another_type(self, api: httpx.Client) -> None:
        """A form, which a foreign page could send, is no JSON body."""
        answer = api.post("/api/v1/runs", data={"run_passed": "true"})
        assert answer.status_code == 400


class TestKeys:
    """Keys that are guessed, shared or withdrawn."""

    def test_guessing(self, store: RunStore, serving: Serving) -> None:
        """Wrong keys are slowed down by address, with the time to wait."""
        with serving(store, "rb_0_0") as api:
            answers = [api.get("/api/v1/capabilities") for _ in range(70)]
        statuses = [answer.status_code for answer in answers]
        assert statuses[:30] == [401] * 30
        assert statuses[-1] == 429
        assert int(answers[-1].headers["Retry-After"]) > 0
        assert answers[-1].json()["code"] == "TOO_MANY_REQUESTS"

    def test_rate(self, store: RunStore, serving: Serving) -> None:
        """One key may ask so often a minute, and another is not kept from it."""
        keys = [store.create_user_key(name) for name in ("Jane", "Joe")]
        with serving(store, keys[0], requests_per_minute=5) as api:
            statuses = [api.get("/api/v1/capabilities").status_code for _ in range(7)]
            assert statuses == [200] * 5 + [429] * 2
            headers = {"Authorization": f"Bearer {keys[1]}"}
            assert api.get("/api/v1/capabilities", headers=headers).status_code == 200

    def test_revoked(self, store: RunStore, serving: Serving) -> None:
        """A key that is revoked opens nothing more, also at a running server."""
        key = store.create_user_key("Jane")
        with serving(store, key) as api:
            assert api.get("/api/v1/capabilities").status_code == 200
            record = store.keys.revoke(key)
            assert record.revoked_at is not None
            assert api.get("/api/v1/runs?serial_number=1").status_code == 401
            assert api.get("/api/v2/whoami").status_code == 401

    def test_last_use(self, store: RunStore, serving: Serving) -> None:
        """When a key was last used is recorded, without the key."""
        key = store.create_user_key("Jane")
        assert store.keys.records()[0].last_used_at is None
        with serving(store, key) as api:
            assert api.get("/api/v2/whoami").status_code == 200
        (record,) = store.keys.records()
        assert record.last_used_at is not None
        assert key.rpartition("_")[2] not in repr(record)

    def test_never_logged(
        self, store: RunStore, serving: Serving, caplog: pytest.LogCaptureFixture
    ) -> None:
        """No log line holds a key, whatever the request."""
        key = store.create_user_key("Jane")
        with caplog.at_level(0), serving(store, key) as api:
            api.get("/api/v2/whoami")
            api.get("/api/v1/runs/none", params={"key": "x"})
            api.post("/api/v1/runs", content=b"{")
        assert key not in caplog.text


class TestGrants:
    """URLs that let bytes in or out without a key."""

    def test_signature(self, api: httpx.Client, make_json: JSONMaker) -> None:
        """A URL of a file is good for that file and for a while only."""
        run = api.post("/api/v1/runs", json=make_json()).json()["id"]
        _upload(api, run, "a.txt", b"abc")
        (file,) = api.get(f"/api/v2/runs/{run}").json()["attachments"]
        url = httpx.URL(file["download_url"])
        assert httpx.get(url).content == b"abc"
        for changes in (
            {"expires": str(int(time.time()) - 10)},
            {"expires": str(int(url.params["expires"]) + 1)},
            {"signature": "x"},
        ):
            forged = url.copy_merge_params(changes)
            assert httpx.get(forged).status_code in {401, 403, 404}

    def test_no_key_at_the_upload(self, api: httpx.Client) -> None:
        """The grant alone counts: a key instead of it opens nothing."""
        grant = api.post("/api/v1/uploads/initialize", json={"name": "a"}).json()
        url = grant["uploadUrl"].rpartition("/")[0] + "/wrong"
        assert api.put(url, content=b"abc").status_code in {401, 403, 404}
        assert httpx.put(grant["uploadUrl"], content=b"abc").status_code == 200

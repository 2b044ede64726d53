"""Files over HTTP: granted, sent, linked, imported and given back."""

from __future__ import annotations

import gzip
import hashlib
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from rigbridge.kept import encode_run
from rigbridge.model import Attachment, ProcedureRef, Run, RunOutcome, Unit
from rigbridge_store import RunStore
from rigbridge_store.files.contents import FOLDER_NAME

JSONMaker = Callable[..., dict[str, Any]]

_RECORD = (
    b'{"dut_id": "SN-7", "start_time_millis": 1705314900000,'
    b' "end_time_millis": 1705314901000, "outcome": "PASS", "outcome_details": [],'
    b' "station_id": "line1", "metadata": {"test_name": "Demo",'
    b' "part_number": "PCB-1", "procedure_id": "FVT9"},'
    b' "code_info": {"name": "", "docstring": null,'
    b' "sourcecode": ""}, "log_records": [], "phases": [{"name": "p",'
    b' "outcome": "PASS", "start_time_millis": 1705314900000,'
    b' "end_time_millis": 1705314900500, "measurements": {}, "attachments": {},'
    b' "codeinfo": {"name": "p", "docstring": null, "sourcecode": ""},'
    b' "descriptor_id": 1, "options": null, "result": null}]}'
)


def _initialize(api: httpx.Client, **body: Any) -> dict[str, str]:
    answer = api.post("/api/v1/uploads/initialize", json={"name": "a.bin", **body})
    assert answer.status_code == 200
    grant: dict[str, str] = answer.json()
    assert set(grant) == {"id", "uploadUrl"}
    return grant


def _send(grant: dict[str, str], content: Any, **headers: str) -> httpx.Response:
    # The storage never sees the API key.
    return httpx.put(grant["uploadUrl"], content=content, headers=headers)


@pytest.fixture
def run_id(api: httpx.Client, make_json: JSONMaker) -> str:
    """Create a run."""
    created: str = api.post("/api/v1/runs", json=make_json()).json()["id"]
    return created


class TestUpload:
    """Initialize, PUT and link."""

    def test_round_trip(self, api: httpx.Client, run_id: str) -> None:
        """Bytes that were uploaded and linked can be downloaded as they are."""
        content = bytes(range(256)) * 20_000
        grant = _initialize(api, mimeType="image/png", sizeBytes=len(content))
        answer = _send(grant, content, **{"Content-Type": "text/plain"})
        assert answer.is_success
        linked = api.put(f"/api/v1/runs/{run_id}", json={"attachments": [grant["id"]]})
        assert (linked.status_code, linked.json()) == (200, {"id": run_id})
        (file,) = api.get(f"/api/v1/runs/{run_id}").json()["attachments"]
        assert (file["name"], file["mime_type"]) == ("a.bin", "image/png")
        got = api.get(file["download_url"])
        assert got.content == content
        assert got.headers["content-type"] == "image/png"
        assert got.headers["content-disposition"].startswith("attachment")
        assert got.headers["x-content-type-options"] == "nosniff"

    def test_absolute_url(self, api: httpx.Client) -> None:
        """The URL is absolute, under the name that the client uses."""
        assert _initialize(api)["uploadUrl"].startswith(f"{api.base_url}/api/")
        headers = {"Host": "store.example:81"}
        answer = api.post(
            "/api/v1/uploads/initialize", json={"name": "a"}, headers=headers
        )
        assert answer.json()["uploadUrl"].startswith("http://store.example:81/api/")

    def test_without_a_length(self, api: httpx.Client, run_id: str) -> None:
        """A sender may not know the length, nor any media type."""
        grant = _initialize(api, sizeBytes=6, mimeType=None)
        assert _send(grant, iter([b"abc", b"def"])).is_success
        api.put(f"/api/v1/runs/{run_id}", json={"attachments": [grant["id"]]})
        (file,) = api.get(f"/api/v1/runs/{run_id}").json()["attachments"]
        assert file["size"] == 6

    @pytest.mark.parametrize("content", [b"1234", b"123456"])
    @pytest.mark.parametrize("known", [True, False])
    def test_other_length(
        self, api: httpx.Client, data: Path, content: bytes, known: bool
    ) -> None:
        """Another length than declared is refused, and nothing is stored."""
        grant = _initialize(api, sizeBytes=5)
        answer = _send(grant, content if known else iter([content]))
        assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
        files = [path for path in (data / FOLDER_NAME).rglob("*") if path.is_file()]
        assert files == []

    def test_broken_off(self, api: httpx.Client, data: Path) -> None:
        """A sender that goes away leaves nothing, and may come again."""
        grant = _initialize(api, sizeBytes=2_000_000)
        url = httpx.URL(grant["uploadUrl"])
        with socket.create_connection((url.host, url.port or 80)) as connection:
            head = f"PUT {url.path} HTTP/1.1\r\nHost: {url.host}\r\n"
            connection.sendall(head.encode() + b"Content-Length: 2000000\r\n\r\n")
            connection.sendall(b"x" * 1_500_000)
        assert _send(grant, b"x" * 2_000_000).is_success
        assert list((data / FOLDER_NAME / "incoming").iterdir()) == []

    def test_single_use(self, api: httpx.Client) -> None:
        """A URL is good for one upload."""
        grant = _initialize(api)
        assert _send(grant, b"1").is_success
        answer = _send(grant, b"1")
        assert (answer.status_code, answer.json()["code"]) == (409, "CONFLICT")

    def test_forged_url(self, api: httpx.Client) -> None:
        """A URL needs its secret."""
        grant = _initialize(api)
        grant["uploadUrl"] = grant["uploadUrl"][:-1] + "-"
        assert _send(grant, b"1").status_code == 404

    def test_too_large(self, data: Path, serving: Callable[..., Any]) -> None:
        """A file over the limit is refused when it is declared and when it comes."""
        with (
            RunStore.open(data, max_upload=10) as store,
            serving(store, store.create_user_key("J")) as api,
        ):
            body = {"name": "a", "sizeBytes": 11}
            answer = api.post("/api/v1/uploads/initialize", json=body)
            assert answer.status_code == 413
            assert answer.json()["code"] == "PAYLOAD_TOO_LARGE"
            assert _send(_initialize(api), b"x" * 11).status_code == 413

    def test_sync(self, api: httpx.Client, run_id: str) -> None:
        """The older call links one upload."""
        grant = _initialize(api)
        _send(grant, b"1")
        body = {"upload_id": grant["id"], "run_id": run_id}
        for _ in range(2):
            answer = api.post("/api/v1/uploads/sync", json=body)
            assert (answer.status_code, answer.json()) == (200, {"id": run_id})

    def test_refused_links(
        self, api: httpx.Client, run_id: str, make_json: JSONMaker
    ) -> None:
        """Unknown, incomplete and foreign uploads are told apart."""
        grant = _initialize(api)

        def link(run: str, upload: str) -> tuple[int, str]:
            body = {"attachments": [upload]}
            answer = api.put(f"/api/v1/runs/{run}", json=body)
            return answer.status_code, answer.json()["message"]

        assert link(run_id, "nothing")[0] == 404
        assert link("nothing", grant["id"]) == (
            404,
            "Run with ID nothing does not exist.",
        )
        assert link(run_id, grant["id"])[0] == 400
        _send(grant, b"1")
        api.put(f"/api/v1/runs/{run_id}", json={"attachments": [grant["id"]]})
        other = api.post("/api/v1/runs", json=make_json()).json()["id"]
        assert link(other, grant["id"])[0] == 409

    def test_nothing_to_link(self, api: httpx.Client, run_id: str) -> None:
        """An update that says nothing changes nothing."""
        bodies: list[dict[str, Any]] = [{}, {"attachments": None}, {"attachments": []}]
        for body in bodies:
            assert api.put(f"/api/v1/runs/{run_id}", json=body).status_code == 200


class TestImport:
    """``POST /v1/import``."""

    @staticmethod
    def _import(
        api: httpx.Client, content: bytes, importer: str = "OPENHTF"
    ) -> httpx.Response:
        grant = _initialize(api, name="record.json")
        _send(grant, content)
        body = {"upload_id": grant["id"], "importer": importer}
        return api.post("/api/v1/import", json=body)

    def test_openhtf(self, api: httpx.Client) -> None:
        """A record is read, and its run created with the procedure that it names."""
        answer = self._import(api, _RECORD)
        assert answer.status_code == 200
        shown = api.get(f"/api/v1/runs/{answer.json()['id']}").json()
        assert shown["unit"]["serial_number"] == "SN-7"
        assert shown["created_by_user"]["name"] == "Jane"
        assert [phase["name"] for phase in shown["phases"]] == ["p"]

    def test_again(self, api: httpx.Client) -> None:
        """The same report again answers the same run."""
        first, again = (self._import(api, _RECORD).json() for _ in range(2))
        assert first == again == {"id": first["id"]}

    def test_by_the_name_of_an_adapter(self, api: httpx.Client) -> None:
        """The importer may be any installed adapter."""
        assert self._import(api, _RECORD, "openhtf-json").status_code == 200

    def test_any(self, api: httpx.Client) -> None:
        """The adapter is found by the report itself, packed or not."""
        packed = gzip.compress(_RECORD)
        for content in (_RECORD, packed):
            assert self._import(api, content, "AUTO").status_code == 200

    def test_some_bad_runs(self, api: httpx.Client) -> None:
        """A bad record does not keep the others out, and is told of."""
        bad = _RECORD.replace(b'"SN-7"', b"null")
        answer = self._import(api, b"[" + _RECORD + b"," + bad + b"]").json()
        assert set(answer) == {"id", "warnings"}
        assert "no serial number" in answer["warnings"][0]

    def test_only_bad_runs(self, api: httpx.Client) -> None:
        """Where no run can be stored, every reason is told."""
        bad = _RECORD.replace(b'"SN-7"', b"null")
        answer = self._import(api, b"[" + bad + b"," + bad + b"]")
        assert answer.status_code == 400
        assert len(answer.json()["issues"]) == 2

    def test_no_report(self, api: httpx.Client) -> None:
        """What is no report of that kind is refused with the reason."""
        answer = self._import(api, b"not a record")
        assert answer.status_code == 400
        assert "record.json" in answer.json()["message"]

    def test_no_serial_number(self, api: httpx.Client) -> None:
        """A run that no store takes is refused with the field."""
        answer = self._import(api, _RECORD.replace(b'"SN-7"', b"null"))
        assert answer.status_code == 400
        assert answer.json()["issues"][0]["path"] == ["unit", "serial_number"]

    def test_no_part_number(self, store: RunStore, serving: Callable[..., Any]) -> None:
        """A new unit needs a part number at this call, too, unless that is optional."""
        record = _RECORD.replace(b'"part_number": "PCB-1", ', b"")
        key = store.create_user_key("Jane")
        with serving(store, key) as api:
            answer = self._import(api, record)
            assert answer.status_code == 400
            assert answer.json()["message"].startswith("Part number is required")
        with serving(store, key, part_numbers="optional") as api:
            assert self._import(api, record).status_code == 200

    def test_name_that_is_a_path(self, api: httpx.Client, tmp_path: Path) -> None:
        """The name of an upload leads to no file of the server."""
        secret = b"secret"
        digest = hashlib.sha256(secret).hexdigest()
        folder = tmp_path / "all.jsonl.attachments"
        folder.mkdir()
        (folder / digest).write_bytes(secret)
        run = Run(
            id=uuid4(),
            outcome=RunOutcome.PASS,
            procedure=ProcedureRef(name="P"),
            unit=Unit(serial_number="SN", part_number="PCB"),
            attachments=(Attachment(name="x", size=6, sha256=digest),),
        )
        grant = _initialize(api, name=str(tmp_path / "all.jsonl"))
        api.put(grant["uploadUrl"], content=encode_run(run)).raise_for_status()
        body = {"upload_id": grant["id"], "importer": "rigbridge-runs"}
        api.post("/api/v1/import", json=body).raise_for_status()
        (file,) = api.get(f"/api/v1/runs/{run.id}").json()["attachments"]
        assert file["download_url"] is None

    def test_unknown_importer(self, api: httpx.Client) -> None:
        """An importer that nobody installed is refused with those that are."""
        answer = self._import(api, _RECORD, "MARTIAN")
        assert answer.status_code == 400
        assert "openhtf-json" in answer.json()["message"]

    def test_unknown_upload(self, api: httpx.Client) -> None:
        """The upload must exist, and be complete."""
        body = {"upload_id": "1", "importer": "OPENHTF"}
        assert api.post("/api/v1/import", json=body).status_code == 404
        body["upload_id"] = _initialize(api)["id"]
        assert api.post("/api/v1/import", json=body).status_code == 400

    def test_station(self, store: RunStore, serving: Callable[..., Any]) -> None:
        """A station needs its link here, too."""
        with serving(store, store.create_station_key("Line 1")) as api:
            assert self._import(api, _RECORD).status_code == 403

"""Every call of the API with every kind of key, against the table of who may what."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from rigbridge_store import RunStore
from rigbridge_store.access.matrix import (
    CALLS,
    STATIONS,
    Action,
    Reach,
    Thing,
    Verb,
    action_of,
)
from rigbridge_store.server.app import create_app
from rigbridge_store.server.door import ACTION

DOCUMENTED = Path(__file__).parents[4] / "docs" / "reference" / "permissions.md"

GRANTED = {
    ("PUT", "/api/v1/uploads/{upload_id}/{token}"),
    ("GET", "/api/v2/files/{file_id}"),
}
"""The calls whose grant is in their URL."""

MARK = "zorn"
"""What every name of the foreign things begins with."""

Call = tuple[str, str]
Things = Mapping[str, str]


@attrs.frozen
class World:
    """
    A served store with two stations, of which the first has nothing of the second.

    Attributes:
        client: asks the server, without a key.
        keys: the keys by kind.
        foreign: what belongs to the second station, by the name of the parameter.
        actions: what each call does, None where its grant is in its URL.
        document: the OpenAPI document.
    """

    client: httpx.Client
    keys: Mapping[str, str]
    foreign: Things
    actions: Mapping[Call, Action | None]
    document: dict[str, Any]

    def ask(self, kind: str, call: Call, values: Things) -> httpx.Response:
        """Make a call about some things."""
        method, path = call
        operation = self.document["paths"][path][method.lower()]
        body = None
        if "requestBody" in operation:
            content = operation["requestBody"]["content"]["application/json"]
            body = self._example(content["schema"])
        key = self.keys.get(kind)
        return self.client.request(
            method,
            re.sub(
                r"\{(\w+)\}", lambda found: self._value(path, found[1], values), path
            ),
            params={
                item["name"]: values.get(item["name"], "1")
                for item in operation.get("parameters", ())
                if item["in"] == "query" and item.get("required")
            },
            json=body,
            headers={} if key is None else {"Authorization": f"Bearer {key}"},
        )

    def _value(self, path: str, name: str, values: Things) -> str:
        # A number is that of a part or of a batch.
        kind = "batch" if name == "number" and "/batches" in path else name
        return values[kind]

    def _example(self, schema: dict[str, Any]) -> Any:
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return self._example(self.document["components"]["schemas"][name])
        for choices in ("oneOf", "anyOf"):
            if choices in schema:
                return self._example(schema[choices][0])
        if schema.get("type") == "object":
            return {
                name: self._example(schema["properties"][name])
                for name in schema.get("required", ())
            }
        return {"array": [], "integer": 1, "boolean": True}.get(
            str(schema.get("type")), "x"
        )


def _foreign_things(client: httpx.Client, key: str, make_json: Any) -> dict[str, str]:
    """Store a run of the second station with all that belongs to it."""
    client = httpx.Client(
        base_url=client.base_url, headers={"Authorization": f"Bearer {key}"}, timeout=30
    )
    run = client.post(
        "/api/v1/runs",
        json=make_json(
            procedure_name="Zorn Test",
            procedure_version="zorn-1",
            unit_under_test={
                "serial_number": "ZORN-U",
                "part_number": "ZORN-P",
                "revision": "ZORN-R",
                "batch_number": "ZORN-B",
            },
            logs=[
                {
                    "level": "INFO",
                    "timestamp": "2024-01-15T10:35:00Z",
                    "message": "zorn",
                    "source_file": "z.py",
                    "line_number": 1,
                }
            ],
        ),
    ).json()["id"]
    for name in (f"runs/{run}", "units/ZORN-U"):
        grant = client.post(
            f"/api/v2/{name}/attachments", json={"name": "zorn.txt"}
        ).json()
        client.put(grant["upload_url"], content=b"zorn").raise_for_status()
    shown = client.get(f"/api/v2/runs/{run}").json()
    (file,) = shown["attachments"]
    station = client.get("/api/v2/stations/current").json()
    client.close()
    return {
        "run_id": run,
        "phase_id": f"{run}.p0",
        "measurement_id": f"{run}.p0.m0",
        "log_id": f"{run}.l0",
        "upload_id": grant["id"],
        "attachment_id": file["id"],
        "serial_number": "ZORN-U",
        "child_serial_number": "ZORN-U",
        "number": "ZORN-P",
        "part_number": "ZORN-P",
        "revision_number": "ZORN-R",
        "batch": "ZORN-B",
        "procedure_id": shown["procedure"]["id"],
        "tag": "zorn-1",
        "station_id": station["id"],
        "deployment_id": "none",
        "file_id": file["id"],
        "token": "none",
    }


@pytest.fixture(name="world")
def _world(
    store: RunStore, serving: Callable[..., Any], make_json: Callable[..., Any]
) -> Iterator[World]:
    keys = {"user": store.create_user_key("Jane")}
    for kind, name in (
        ("linked", "Line 1"),
        ("unlinked", "Line 2"),
        ("revoked", "Line 3"),
        ("foreign", "Zorn rig"),
    ):
        keys[kind] = store.create_station_key(name)
    store.administration.link_station("Line 1", "Mine")
    store.administration.link_station("Zorn rig", "Zorn Test")
    store.keys.revoke(keys["revoked"])
    actions: dict[Call, Action | None] = {}
    for route in create_app(store).routes:
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
        for handler in getattr(route, "route_handlers", ()):
            for method in getattr(handler, "http_methods", set()) - {"OPTIONS", "HEAD"}:
                actions[str(method), path] = handler.opt.get(ACTION)
    with serving(store) as client:
        document = client.get("/api/openapi.json").json()
        foreign = _foreign_things(client, keys["foreign"], make_json)
        calls = {
            (method.upper(), path)
            for path, methods in document["paths"].items()
            for method in methods
            if path.startswith("/api/v")
        }
        yield World(
            client=client,
            keys=keys,
            foreign=foreign,
            actions={call: actions[call] for call in sorted(calls)},
            document=document,
        )


def _unknown(foreign: Things) -> dict[str, str]:
    """Name things of the same kinds that do not exist."""
    made = {name: f"unknown-{name}" for name in foreign}
    run = str(uuid.uuid4())
    made |= {"run_id": run, "phase_id": f"{run}.p0", "measurement_id": f"{run}.p0.m0"}
    made |= {"log_id": f"{run}.l0", "part_number": made["number"]}
    for name in ("upload_id", "attachment_id", "procedure_id", "station_id", "file_id"):
        made[name] = str(uuid.uuid4())
    return made


def _anonymous(answer: httpx.Response, values: Things) -> tuple[int, str]:
    text = answer.text
    for value in sorted(values.values(), key=len, reverse=True):
        text = text.replace(value, "...")
    return answer.status_code, text


def test_no_key(world: World) -> None:
    """Without a key, or with a revoked one, nothing is done and nothing is told."""
    for kind in ("none", "revoked"):
        for call in world.actions:
            answer = world.ask(kind, call, world.foreign)
            if call in GRANTED:
                assert answer.status_code in {400, 403, 404}, (kind, call)
            else:
                # After a minute's worth of wrong keys the address has to wait.
                assert answer.status_code in {401, 429}, (kind, call)


def test_user(world: World) -> None:
    """The key of a user is refused nowhere."""
    # Deletions come last, so that what they take is there for the others.
    for call in sorted(world.actions, key=lambda call: call[0] == "DELETE"):
        if call in GRANTED or call[1] == "/api/v2/stations/current":
            continue
        answer = world.ask("user", call, world.foreign)
        assert answer.status_code not in {401, 403, 500}, (call, answer.text)


@pytest.mark.parametrize("kind", ["linked", "unlinked"])
def test_station(world: World, kind: str) -> None:
    """What is for users is refused; what is another's is answered as if unknown."""
    unknown = _unknown(world.foreign)
    name = "Line 1" if kind == "linked" else "Line 2"
    for call, action in world.actions.items():
        if action is None:
            assert call in GRANTED
            continue
        answer = world.ask(kind, call, world.foreign)
        if action.reach_of_stations is Reach.NONE:
            assert answer.status_code == 403, (call, answer.text)
            assert f"Station {name} cannot {action}." in answer.text, call
        elif action.reach_of_stations is Reach.ALL:
            assert answer.status_code not in {401, 403, 500}, (call, answer.text)
        elif "{" in call[1]:
            compared = _anonymous(world.ask(kind, call, unknown), unknown)
            assert _anonymous(answer, world.foreign) == compared, call
            assert answer.status_code in {400, 404}, (call, answer.text)
        else:
            assert answer.status_code != 500, call
            assert MARK not in answer.text.lower(), (call, answer.text)


def test_nothing_was_changed(world: World) -> None:
    """After all calls of a stranger the other station finds its things as they were."""
    before = {
        path: world.ask("foreign", ("GET", path), world.foreign).json()
        for path in ("/api/v1/runs/{run_id}", "/api/v2/units/{serial_number}")
    }
    for call in world.actions:
        world.ask("linked", call, world.foreign)
    for path, known in before.items():
        now = world.ask("foreign", ("GET", path), world.foreign).json()
        for found in (known, now):
            # Signed anew at each question.
            for file in found.get("attachments", ()):
                file.pop("download_url")
        assert now == known


def test_a_call_without_a_row() -> None:
    """A call that the table does not know cannot be served."""
    with pytest.raises(LookupError, match=r"/new .*access\.matrix"):
        action_of("get", "/new")


def test_the_words(world: World) -> None:
    """Each call that is for users has words for its refusal, and each row a call."""
    served = {action for action in world.actions.values() if action is not None}
    assert served <= set(CALLS.values())


def test_documented() -> None:
    """The page of permissions has the table as it is."""
    rows = re.findall(
        r"^\| ([\w ]+) \| ([\w ]+) \| ([\w ]+) \| ([\w ]+) \| ([\w ]+) \|$",
        DOCUMENTED.read_text(),
        re.MULTILINE,
    )
    documented = {row[0]: row[1:] for row in rows if row[0] != "object"}
    assert documented == {
        str(thing): tuple(str(STATIONS[thing][verb]) for verb in Verb)
        for thing in Thing
    }

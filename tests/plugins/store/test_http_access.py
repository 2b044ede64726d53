"""Whose key every call takes, and what the documents say of the calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from rigbridge.wire import CreateRun
from rigbridge_store import RunStore
from rigbridge_store.access.matrix import Reach
from rigbridge_store.server.app import create_app
from rigbridge_store.server.door import ACTION

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "run-store-api.md"

# Those whose grant is in their URL.
KEYLESS = {
    ("PUT", "/api/v1/uploads/{upload_id}/{token}"),
    ("GET", "/api/v2/files/{file_id}"),
}

Serving = Callable[..., Any]


def calls_of(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Go through the calls of the API: method, path as documents write it, handler."""
    for route in app.routes:
        if not isinstance(route, HTTPRoute) or not route.path.startswith("/api/v"):
            continue
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
        for handler in route.route_handlers:
            for method in handler.http_methods - {"OPTIONS", "HEAD"}:
                yield str(method), path, handler


def for_users(handler: HTTPRouteHandler) -> bool:
    """Whether only users may make a call."""
    action = handler.opt.get(ACTION)
    return action is not None and action.reach_of_stations is Reach.NONE


def example_of(schema: dict[str, Any], document: dict[str, Any]) -> Any:
    """Make the least value that a schema takes."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return example_of(document["components"]["schemas"][name], document)
    for choices in ("oneOf", "anyOf"):
        if choices in schema:
            return example_of(schema[choices][0], document)
    if schema.get("type") == "object":
        return {
            name: example_of(schema["properties"][name], document)
            for name in schema.get("required", ())
        }
    return {"array": [], "integer": 1}.get(str(schema.get("type")), "x")


def request_of(method: str, path: str, document: dict[str, Any]) -> dict[str, Any]:
    """Make a call that is well-formed, about things that do not exist."""
    operation = document["paths"][path][method.lower()]
    made: dict[str, Any] = {
        "method": method,
        "url": re.sub(r"\{\w+\}", "none", path),
        "params": {
            item["name"]: "1"
            for item in operation.get("parameters", ())
            if item["in"] == "query" and item.get("required")
        },
    }
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        made["json"] = example_of(content["schema"], document)
    return made


@pytest.fixture
def document(api: httpx.Client) -> dict[str, Any]:
    """Read the document that the server serves."""
    read: dict[str, Any] = api.get("/api/openapi.json").json()
    return read


def test_no_key(store: RunStore, api: httpx.Client, document: dict[str, Any]) -> None:
    """Every call without a key is refused, but those whose URL is a grant."""
    answers = {
        (method, path): api.request(
            **request_of(method, path, document), headers={"Authorization": ""}
        ).status_code
        for method, path, _ in calls_of(create_app(store))
    }
    assert len(answers) > 60
    passed = {call for call, status in answers.items() if status != 401}
    assert passed == KEYLESS


def test_users_only(
    store: RunStore, serving: Serving, document: dict[str, Any]
) -> None:
    """A call that names what only users may do refuses every station for that."""
    refused = {
        (method, path): handler.opt[ACTION]
        for method, path, handler in calls_of(create_app(store))
        if for_users(handler)
    }
    assert len(refused) > 15
    with serving(store, store.create_station_key("Line 1")) as station:
        for (method, path), action in refused.items():
            answer = station.request(**request_of(method, path, document))
            assert answer.status_code == 403, (method, path, answer.text)
            assert f"Station Line 1 cannot {action}." in answer.text, (method, path)


def test_deletions_are_for_users(store: RunStore) -> None:
    """Everything that deletes is for users, but what takes a unit out of another."""
    open_to_all = {
        path
        for method, path, handler in calls_of(create_app(store))
        if method == "DELETE" and not for_users(handler)
    }
    assert open_to_all == {"/api/v2/units/{serial_number}/children"}


def test_one_run_is_read_once(
    store: RunStore, api: httpx.Client, make_body: Callable[..., CreateRun]
) -> None:
    """One set of statements reads a run, whatever it holds."""
    run = store.create_run(make_body()).id
    api.get(f"/api/v2/runs/{run}").raise_for_status()
    statements: list[str] = []

    def note(*arguments: Any) -> None:
        if arguments[2].lstrip().upper().startswith("SELECT"):
            statements.append(arguments[2])

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        api.get(f"/api/v2/runs/{run}").raise_for_status()
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    tables = [
        table
        for text in statements
        for table in re.findall(r"FROM (phases|logs|measurements|attachments)\b", text)
    ]
    assert sorted(tables) == ["attachments", "logs", "measurements", "phases"]
    # The key, the row, the document with the head, the four above, the metadata.
    assert len(statements) <= 8, "\n\n".join(statements)


def test_reference_page(store: RunStore) -> None:
    """The reference page has every v2 call and its level, and no other."""
    rows = re.findall(
        r"^\| `([A-Z]+) (/\S+)` \| (any key|users|none) \|",
        REFERENCE.read_text(),
        re.MULTILINE,
    )
    documented = {
        (method, f"/api/v2{path}"): level
        for method, path, level in rows
        # What only our own commands call is named in full.
        if not path.startswith("/v1/")
    }
    served = {
        (method, path): (
            "none"
            if (method, path) in KEYLESS
            else "users"
            if for_users(handler)
            else "any key"
        )
        for method, path, handler in calls_of(create_app(store))
        if path.startswith("/api/v2")
    }
    assert documented == served


_NEW_RUN = {
    "outcome": "PASS",
    "started_at": "2026-01-15T10:35:00Z",
    "ended_at": "2026-01-15T10:35:01Z",
    "serial_number": "SN-9",
}
_WRONG = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v2/runs", _NEW_RUN),
        ("/api/v2/runs", {**_NEW_RUN, "operated_by": "nobody@example.com"}),
        ("/api/v2/runs", {**_NEW_RUN, "sub_units": ["nothing"]}),
        ("/api/v2/runs", {**_NEW_RUN, "deployment_id": "none"}),
        ("/api/v2/imports/tabular", {"upload_id": _WRONG, "mapping": {}}),
    ],
)
def test_a_procedure_of_others_is_as_unknown(
    store: RunStore,
    serving: Serving,
    make_body: Callable[..., CreateRun],
    path: str,
    body: dict[str, Any],
) -> None:
    """What else is wrong with a call does not tell a station which there are."""
    created = store.create_run(make_body())
    foreign = store.show_run(created.id).procedure
    assert foreign is not None
    assert foreign.id is not None
    answers = []
    with serving(store, store.create_station_key("Rig")) as client:
        store.administration.link_station("Rig", "Another")
        for procedure in (foreign.id, _WRONG):
            answer = client.post(path, json={**body, "procedure_id": procedure})
            answers.append((answer.status_code, answer.text.replace(procedure, "")))
    assert answers[0] == answers[1]

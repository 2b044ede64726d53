"""The OpenAPI document, and the server against it by generated requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    response_schema_conformance,
    status_code_conformance,
)

from rigbridge_store import RunStore

_CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]

Serving = Callable[..., Any]


@pytest.fixture
def document(api: httpx.Client) -> dict[str, Any]:
    """Read the document that the server serves."""
    answer = api.get("/api/openapi.json")
    assert answer.status_code == 200
    read: dict[str, Any] = answer.json()
    return read


def _operations(document: dict[str, Any]) -> Iterator[Any]:
    schema = schemathesis.openapi.from_dict(document)
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        yield found.ok()


class TestDocument:
    """What the document holds."""

    def test_calls(self, document: dict[str, Any]) -> None:
        """It names the calls of both versions."""
        paths = document["paths"]
        assert {"get", "post"} <= set(paths["/api/v1/runs"])
        assert {"get", "post", "delete"} <= set(paths["/api/v2/runs"])
        assert "put" in paths["/api/v1/uploads/{upload_id}/{token}"]

    def test_refusals(self, document: dict[str, Any]) -> None:
        """Every call says that its refusals are problems."""
        for path, item in document["paths"].items():
            for method, operation in item.items():
                if path == "/health":
                    continue
                refused = operation["responses"]["400"]["content"]["application/json"]
                named = refused["schema"]["$ref"]
                assert named.endswith("/Problem"), (method, path)

    def test_security(self, document: dict[str, Any]) -> None:
        """All calls need a key but those whose grant is in their URL."""
        keyless = {
            path
            for path, item in document["paths"].items()
            for operation in item.values()
            if not operation.get("security")
        }
        assert keyless == {
            "/health",
            "/api/v1/uploads/{upload_id}/{token}",
            "/api/v2/files/{file_id}",
        }

    def test_page(self, api: httpx.Client) -> None:
        """A page shows it, with nothing from elsewhere and without a key."""
        answer = api.get("/api/reference", headers={"Authorization": ""})
        assert answer.status_code == 200
        assert "/api/v2/runs/{run_id}" in answer.text
        assert "https://" not in answer.text
        assert "http://" not in answer.text


class TestGenerated:
    """Requests that are made of the document."""

    def test_answers(self, document: dict[str, Any], api: httpx.Client) -> None:
        """No request makes the server fail, or answer what is not documented."""
        headers = {"Authorization": api.headers["Authorization"]}
        count = 0

        def check(operation: Any) -> None:
            # Few examples a call: there are many calls, and one process for all.
            @settings(
                max_examples=3,
                derandomize=True,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy())
            def run(case: Any) -> None:
                case.call_and_validate(
                    base_url=str(api.base_url), headers=headers, checks=_CHECKS
                )

            run()

        for operation in _operations(document):
            check(operation)
            count += 1
        assert count > 60


def test_store_survives(store: RunStore, serving: Serving) -> None:
    """The document is the same whatever the store holds."""
    with serving(store, store.create_user_key("Jane")) as api:
        first = api.get("/api/openapi.json").json()
    with serving(store, store.create_user_key("Joe")) as api:
        assert api.get("/api/openapi.json").json() == first

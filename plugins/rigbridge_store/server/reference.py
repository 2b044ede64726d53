"""The API's document as a page, for a reader without internet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Request, Response, get

from rigbridge.model import JSONValue
from rigbridge_store.pages import Site

__all__ = ["show_reference"]

_METHODS = ("get", "post", "put", "patch", "delete")


# Our own page: those of the framework load their scripts from the internet.
@get("/api/reference", include_in_schema=False, sync_to_thread=False)
def show_reference(request: Request[Any, Any, Any]) -> Response[str]:
    """Show every call of the API, and every body."""
    document = request.app.openapi_schema.to_schema()
    groups: dict[str, list[tuple[str, str, Mapping[str, Any]]]] = {}
    for path, item in document["paths"].items():
        resource = "/".join(path.split("/")[2:4]) or path
        for method in _METHODS:
            if method in item:
                call = (method.upper(), path, item[method])
                groups.setdefault(resource, []).append(call)
    return Site.of(request).render(
        request,
        "reference.html",
        groups=groups,
        schemas=document.get("components", {}).get("schemas", {}),
        kind_of=_kind_of,
        kind_within=_kind_within,
    )


def _kind_within(content: Mapping[str, Any]) -> str | None:
    """Say what a body or an answer holds; None if nothing."""
    # One media type each, so the first is all there is.
    for media in content.get("content", {}).values():
        return _kind_of(media.get("schema", {}))
    return None


def _kind_of(schema: Mapping[str, Any]) -> str:
    """Say in a few words what values a schema takes."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for key in ("oneOf", "anyOf"):
        if key in schema:
            kinds = [_kind_of(choice) for choice in schema[key]]
            return " or ".join(dict.fromkeys(kinds))
    if "enum" in schema:
        return ", ".join(str(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind_of(schema.get('items', {}))}"
    named: JSONValue = schema.get("format") or schema.get("type") or "any value"
    return " or ".join(map(str, named)) if isinstance(named, list) else str(named)

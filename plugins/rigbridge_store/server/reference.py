"""The API's document as a page, for a reader without internet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
from litestar import Request, Response, get

from rigbridge_store.pages import Site

__all__ = ["show_reference"]

_METHODS = ("get", "post", "put", "patch", "delete")


@attrs.frozen(kw_only=True)
class _Field:
    """A parameter, or a field of a body."""

    name: str
    kind: str
    required: bool
    words: str


@attrs.frozen(kw_only=True)
class _Call:
    """One call."""

    method: str
    path: str
    words: str
    keyless: bool
    parameters: Sequence[_Field]
    body: str | None
    answers: Sequence[tuple[str, str, str | None]]


@get("/api/reference", include_in_schema=False, sync_to_thread=False)
def show_reference(request: Request[Any, Any, Any]) -> Response[str]:
    """Show every call of the API, and every body."""
    document = request.app.openapi_schema.to_schema()
    groups: dict[str, list[_Call]] = {}
    for call in _calls(document):
        resource = "/".join(call.path.split("/")[2:4])
        groups.setdefault(resource or call.path, []).append(call)
    schemas = document.get("components", {}).get("schemas", {})
    bodies = [
        (name, schema.get("description", ""), list(_fields(schema)))
        for name, schema in sorted(schemas.items())
    ]
    return Site.of(request).render(
        request, "reference.html", groups=groups, bodies=bodies
    )


def _calls(document: Mapping[str, Any]) -> Iterator[_Call]:
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method not in item:
                continue
            operation = item[method]
            body = _schema(operation.get("requestBody", {}))
            yield _Call(
                method=method.upper(),
                path=path,
                words=operation.get("description") or operation.get("summary") or "",
                keyless=not operation.get("security"),
                parameters=[
                    _Field(
                        name=parameter["name"],
                        kind=_kind(parameter["schema"]),
                        required=parameter.get("required", False),
                        words=_where(parameter),
                    )
                    for parameter in operation.get("parameters", ())
                ],
                body=None if body is None else _kind(body),
                answers=[
                    (
                        status,
                        answer.get("description", ""),
                        None if (schema := _schema(answer)) is None else _kind(schema),
                    )
                    for status, answer in sorted(operation["responses"].items())
                ],
            )


def _where(parameter: Mapping[str, Any]) -> str:
    words = parameter.get("description", "")
    return f"{words} (in the {parameter['in']})".strip()


def _schema(content: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for kind in content.get("content", {}).values():
        schema: Mapping[str, Any] = kind.get("schema", {})
        return schema
    return None


def _fields(schema: Mapping[str, Any]) -> Iterator[_Field]:
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        yield _Field(
            name=name,
            kind=_kind(field),
            required=name in required,
            words=field.get("description", ""),
        )


def _kind(schema: Mapping[str, Any]) -> str:
    """Say in a few words what values a schema takes."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for key in ("oneOf", "anyOf"):
        if key in schema:
            kinds = [_kind(choice) for choice in schema[key]]
            return " or ".join(dict.fromkeys(kinds))
    if "enum" in schema:
        return ", ".join(str(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    named = schema.get("format") or schema.get("type") or "any value"
    return " or ".join(named) if isinstance(named, list) else str(named)

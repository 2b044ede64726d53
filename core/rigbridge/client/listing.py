"""
The answer of ``GET /v1/runs`` in its three shapes, read leniently.

Every field but ``id`` is optional, keys may be in camel case, and what does not fit
the known fields is kept beside them instead of failing the whole answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

import attrs

from rigbridge.client.transport.calls import Answer, Call
from rigbridge.errors import ModelError
from rigbridge.model import JSONObject, JSONValue
from rigbridge.wire import ListedRun, from_builtins

__all__ = ["PAGE_SIZE", "ListPage", "ReceivedRun", "list_page", "read_page"]

PAGE_SIZE = 100
"""How many runs are asked for at once, where a store pages."""


@attrs.frozen(kw_only=True)
class ReceivedRun(ListedRun):
    """
    A run of an answer, with what its fields cannot hold.

    Attributes:
        unread: what the server sent beyond the known fields, or in another shape, as
            the server spelled it; nested as it stood.
    """

    unread: dict[str, JSONValue] = attrs.field(factory=dict[str, JSONValue])


@attrs.frozen(kw_only=True)
class ListPage:
    """
    A part of the runs of a unit.

    Attributes:
        total: how many there are in all, or None where the server does not say.
        limit: how many it gives at most a page, or None where it does not page.
    """

    runs: tuple[ReceivedRun, ...]
    total: int | None = None
    limit: int | None = None

    def ends_at(self, count: int) -> bool:
        """Whether nothing is left after that many runs."""
        if self.total is not None:
            return count >= self.total
        return self.limit is None or len(self.runs) < self.limit


def list_page(serial_number: str, offset: int) -> Call[ListPage]:
    """
    List runs of a unit from an offset on.

    The first page is asked for in the plain way that every server knows.
    """
    params: dict[str, str | int] = {"serial_number": serial_number}
    if offset:
        params |= {"limit": PAGE_SIZE, "offset": offset}
    return Call(method="GET", path="/v1/runs", params=params, read=read_page)


def read_page(answer: Answer) -> ListPage:
    """
    Read an array of runs, or an object that holds one as ``data``.

    Raises:
        UnexpectedAnswerError: neither, or a member without an id.
    """
    document = answer.document()
    meta: JSONValue = None
    if isinstance(document, dict):
        meta = document.get("meta")
        document = document.get("data")
    if not isinstance(document, list):
        raise answer.unexpected("holds no list of runs")
    counts = meta if isinstance(meta, dict) else {}
    return ListPage(
        runs=tuple(_run(answer, item, index) for index, item in enumerate(document)),
        total=_count(counts.get("total")),
        limit=_count(counts.get("limit")),
    )


def _count(value: JSONValue) -> int | None:
    # A truth value is an int in Python, but no count.
    return value if type(value) is int and value >= 0 else None


def _run(answer: Answer, item: JSONValue, index: int) -> ReceivedRun:
    if not isinstance(item, dict):
        raise answer.unexpected(f"has no object as member {index}")
    stored_id = answer.identifier(item)
    fields, unread = _read_fields(item, ReceivedRun)
    return ReceivedRun(id=stored_id, unread=unread, **fields)


@attrs.frozen(kw_only=True)
class _WireField:
    name: str
    kind: Any
    member: type | None
    many: bool


# Read once per class: looking at the annotations takes longer than reading a run.
@cache
def _fields(kind: type) -> Mapping[str, _WireField]:
    """Give the fields of a wire class by every spelling of their names."""
    table: dict[str, _WireField] = {}
    for name, annotation in get_type_hints(kind).items():
        if name == "unread":
            continue
        member, many = _member(annotation)
        head, *tail = name.split("_")
        camel = head + "".join(part.capitalize() for part in tail)
        table[name] = table[camel] = _WireField(
            name=name, kind=annotation, member=member, many=many
        )
    return table


def _member(annotation: Any) -> tuple[type | None, bool]:
    """Find the wire class in an annotation, and whether it stands in a list."""
    for part in (annotation, *get_args(annotation)):
        if isinstance(part, type) and attrs.has(part):
            return part, False
        if get_origin(part) is list and attrs.has(get_args(part)[0]):
            return get_args(part)[0], True
    return None, False


def _read_fields(
    item: JSONObject, kind: type
) -> tuple[dict[str, Any], dict[str, JSONValue]]:
    """Read what fits the fields of a class; give the rest as it stands."""
    table = _fields(kind)
    fields: dict[str, Any] = {}
    unread: dict[str, JSONValue] = {}
    for key, value in item.items():
        field = table.get(key)
        # Where both spellings are there, the one of the contract counts and the other
        # is kept as unread.
        if field is None or (key != field.name and field.name in item):
            unread[key] = value
            continue
        # The id was read by the caller, who refuses a run that has none.
        if field.name == "id":
            continue
        aligned, rest = _align(value, field)
        try:
            # Converted one by one, so that one odd value costs that field and not the
            # run.
            fields[field.name] = from_builtins(aligned, field.kind)
        except ModelError:
            unread[key] = value
        else:
            if rest:
                unread[key] = rest
    return fields, unread


def _align(
    value: JSONValue, field: _WireField
) -> tuple[JSONValue, dict[str, JSONValue]]:
    """Spell the keys of nested objects as their classes do; give what is beyond."""
    if field.member is None:
        return value, {}
    if not field.many:
        return _align_object(value, field.member)
    if not isinstance(value, list):
        return value, {}
    members = [_align_object(member, field.member) for member in value]
    rest: dict[str, JSONValue] = {
        str(index): rest for index, (_, rest) in enumerate(members) if rest
    }
    return [member for member, _ in members], rest


def _align_object(
    value: JSONValue, kind: type
) -> tuple[JSONValue, dict[str, JSONValue]]:
    if not isinstance(value, dict):
        return value, {}
    table = _fields(kind)
    aligned: dict[str, JSONValue] = {}
    rest: dict[str, JSONValue] = {}
    for key, member in value.items():
        field = table.get(key)
        if field is None or (key != field.name and field.name in value):
            rest[key] = member
            continue
        aligned[field.name], deeper = _align(member, field)
        if deeper:
            rest[key] = deeper
    return aligned, rest

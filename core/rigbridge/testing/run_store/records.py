"""What the run store for tests holds, and how it writes its answers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import attrs

from rigbridge.model import JSONValue
from rigbridge.testing.run_store.faults import CreateShape, Dialect, ListShape

__all__ = ["ReceivedRequest", "ReceivedUpload", "StoredRun", "created", "listing"]

_MAX_PAGE = 100
_PAGE = 50


def _new_id() -> str:
    return str(uuid4())


@attrs.define(kw_only=True)
class StoredRun:
    """
    A run that the store truly holds.

    Attributes:
        created_at: when, in Unix time.
        idempotency_key: the key that came with it, or None.
        uploads: the ids of the linked uploads, in the order of linking.
    """

    body: dict[str, Any]
    created_at: float = attrs.field(factory=time.time)
    idempotency_key: str | None = None
    id: str = attrs.field(factory=_new_id)
    uploads: list[str] = attrs.field(factory=list[str])

    @property
    def serial_number(self) -> str:
        """The serial number of its unit."""
        return str(self.body["unit_under_test"]["serial_number"])


@attrs.define(kw_only=True)
class ReceivedUpload:
    """
    An upload, completed once it has its content.

    Attributes:
        media_type: as it was announced, or None.
        size: as it was announced, or None.
        grant: the secret in its address.
        content: the bytes, or None until they came.
        run_id: the run that it is linked to, or None.
    """

    name: str
    media_type: str | None
    size: int | None
    id: str = attrs.field(factory=_new_id)
    grant: str = attrs.field(factory=_new_id)
    content: bytes | None = None
    run_id: str | None = None


@attrs.frozen(kw_only=True)
class ReceivedRequest:
    """
    A request as it came.

    Attributes:
        operation: the call, or None if there is no such call.
        headers: its headers, with names in lower case.
    """

    operation: str | None
    method: str
    target: str
    headers: Mapping[str, str]


def created(run: StoredRun, dialect: Dialect, origin: str) -> tuple[int, JSONValue]:
    """Write the answer to a create."""
    url = f"{origin}/{uuid4()}/runs/{run.id}"
    if dialect.create is CreateShape.ID:
        return 200, {"id": run.id}
    if dialect.create is CreateShape.ID_WITH_201:
        warnings = [{"message": "part_name is ignored"}]
        return 201, {"id": run.id, "url": url, "warnings": warnings}
    if dialect.create is CreateShape.URL_ONLY:
        return 200, {"url": url, "message": "Run created."}
    return 201, {"message": f"Test run created, see {url}."}


def listing(
    runs: list[StoredRun],
    uploads: Mapping[str, ReceivedUpload],
    dialect: Dialect,
    query: Mapping[str, str],
) -> JSONValue:
    """Write the answer to a list, newest first."""
    wanted = query.get("serial_number", "").casefold()
    found = [
        _listed(run, uploads, dialect)
        for run in reversed(runs)
        if run.serial_number.casefold() == wanted
    ]
    if dialect.listing is ListShape.ARRAY:
        return found
    if dialect.listing is ListShape.MESSAGE_AND_DATA:
        return {"message": f"{len(found)} runs", "data": found}
    limit = min(int(query.get("limit", _PAGE)), _MAX_PAGE)
    offset = int(query.get("offset", 0))
    return {
        "data": [_camel_case(run) for run in found[offset : offset + limit]],
        "meta": {"total": len(found), "limit": limit, "offset": offset},
    }


def _listed(
    run: StoredRun, uploads: Mapping[str, ReceivedUpload], dialect: Dialect
) -> dict[str, JSONValue]:
    body = run.body
    unit = body["unit_under_test"]
    procedure = body.get("procedure_name") or body.get("procedure_id")
    document: dict[str, JSONValue] = {
        "id": run.id,
        "created_at": _moment(run.created_at + dialect.clock_offset),
        "started_at": body.get("started_at", "2026-01-01T00:00:00.000Z"),
        "outcome": body.get("outcome") or ("PASS" if body["run_passed"] else "FAIL"),
        "procedure": {"id": f"id of {procedure}", "name": procedure},
        "unit": {
            "id": f"id of {unit['serial_number']}",
            "serial_number": unit["serial_number"],
        },
    }
    if not dialect.listed_creation:
        del document["created_at"]
    if dialect.listed_phases:
        document["phases"] = body.get("phases") or []
    if dialect.listed_attachments:
        document["attachments"] = [
            {
                "id": upload.id,
                "name": upload.name,
                "mime_type": upload.media_type,
                "size": len(upload.content or b""),
            }
            for upload in (uploads[upload_id] for upload_id in run.uploads)
        ]
    return document


def _moment(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _camel_case(value: JSONValue) -> JSONValue:
    if isinstance(value, dict):
        return {_camel(key): _camel_case(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_camel_case(member) for member in value]
    return value


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)

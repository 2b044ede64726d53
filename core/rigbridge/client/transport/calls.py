"""
The calls of the v1 contract: what each sends, and how its answer is read.

Nothing here connects anywhere. A call is data, so that every client, blocking or not,
speaks the same contract; calls that belong together are generators that yield calls
and are sent their answers (see :mod:`rigbridge.client.operations`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import IO, Generic, TypeVar
from urllib.parse import quote
from uuid import UUID

import attrs
import msgspec
from msgspec import UNSET

import rigbridge
from rigbridge.client.transport.error_answers import shorten
from rigbridge.errors import UnexpectedAnswerError
from rigbridge.model import JSONObject, JSONValue
from rigbridge.wire import (
    Created,
    CreateRun,
    ImportRun,
    InitializeUpload,
    SyncUpload,
    UpdateRun,
    UpdateUnit,
    UploadGrant,
    WireSubUnit,
    encode,
)

__all__ = [
    "PATHS",
    "Answer",
    "Call",
    "CreateAnswer",
    "Put",
    "create_run",
    "delete_run",
    "import_upload",
    "initialize_upload",
    "link_by_sync",
    "link_by_update",
    "show_capabilities",
    "stored_size",
    "update_unit",
]

_RUNS = "/v1/runs"
_INITIALIZE = "/v1/uploads/initialize"
_SYNC = "/v1/uploads/sync"

PATHS = frozenset({_RUNS, _INITIALIZE, _SYNC})
"""The paths of calls that are the same for every run."""

_T = TypeVar("_T")
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_RUN_URL = re.compile(rf"runs?/({_UUID})", re.IGNORECASE)
_ANY_UUID = re.compile(_UUID, re.IGNORECASE)


@attrs.frozen(kw_only=True)
class Answer:
    """
    An answer of success.

    Attributes:
        source: the address of the store, for errors.
    """

    status: int
    content: bytes
    source: str
    place: str

    def unexpected(self, message: str) -> UnexpectedAnswerError:
        """Make the error that the answer is outside the contract, with its start."""
        # Cut before it is decoded: the answer may have the length of a whole list.
        start = shorten(self.content[:2000].decode("utf-8", errors="replace"))
        begins = f"; it begins with {start[:120]!r}" if start else "; it is empty"
        return UnexpectedAnswerError(
            f"the answer {message}{begins}",
            source=self.source,
            place=self.place,
            status=self.status,
        )

    def document(self) -> JSONValue:
        """
        Read the body as JSON.

        Raises:
            UnexpectedAnswerError: it is none.
        """
        try:
            document: JSONValue = msgspec.json.decode(self.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            # Deep nesting raises RecursionError, and a body in another encoding
            # UnicodeDecodeError: both mean "no JSON".
            raise self.unexpected(f"is no JSON ({error})") from error
        return document

    def object(self) -> dict[str, JSONValue]:
        """
        Read the body as a JSON object.

        Raises:
            UnexpectedAnswerError: it is none.
        """
        document = self.document()
        if not isinstance(document, dict):
            raise self.unexpected("is no JSON object")
        return document

    def identifier(self, document: JSONObject) -> str:
        """
        Take the ``id`` out of an object.

        Raises:
            UnexpectedAnswerError: it has none.
        """
        found = document.get("id")
        # Stores with numeric keys give a number. The rest of the code compares texts.
        if isinstance(found, int) and not isinstance(found, bool):
            return str(found)
        if not isinstance(found, str) or not found.strip():
            raise self.unexpected("has no id")
        return found


@attrs.frozen(kw_only=True)
class CreateAnswer(Created):
    """
    The answer to a create, with what its fields cannot hold.

    Attributes:
        unread: what the server sent beyond the known fields, as it stood.
    """

    unread: dict[str, JSONValue] = attrs.field(factory=dict[str, JSONValue])


@attrs.frozen(kw_only=True)
class Call(Generic[_T]):
    """
    One call.

    Attributes:
        path: what follows ``/api``, escaped.
        content: the body, or None.
        is_guarded: whether a sender that was stopped for long must not go on with it,
            since another may have repeated it meanwhile.
    """

    method: str
    path: str
    read: Callable[[Answer], _T]
    params: Mapping[str, str | int] = attrs.field(factory=dict[str, str | int])
    # Neither body nor address is in the repr: both would end up in logs, with measured
    # values or grants.
    content: bytes | None = attrs.field(default=None, repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    is_guarded: bool = False

    @property
    def place(self) -> str:
        """The call as errors name it."""
        return f"{self.method} {self.path}"


@attrs.frozen(kw_only=True)
class Put:
    """
    The sending of a file to the address that a grant names.

    Attributes:
        url: that address; may be relative to the origin, and holds the grant.
        media_type: its media type, or None.
        size: its exact length in bytes.
        sha256: the digest that its bytes must have, or None where nobody knows it.
    """

    url: str = attrs.field(repr=False)
    name: str
    media_type: str | None
    size: int
    opener: Callable[[], IO[bytes]] = attrs.field(repr=False)
    sha256: str | None = None

    @property
    def place(self) -> str:
        """The call as errors name it; the address itself is a secret."""
        return f"PUT of {self.name!r}"


def create_run(body: CreateRun, *, idempotency_key: UUID | None) -> Call[CreateAnswer]:
    """Create a run; the key lets a store that knows it answer a repetition."""
    headers: dict[str, str] = {}
    if idempotency_key is not None:
        headers["Idempotency-Key"] = str(idempotency_key)
    return Call(
        method="POST",
        path=_RUNS,
        content=encode(body),
        headers=headers,
        read=_read_created,
        is_guarded=True,
    )


def _read_created(answer: Answer) -> CreateAnswer:
    document = answer.object()
    if "uploadUrl" in document or "upload_url" in document:
        # A proxy that mixes up its connections gives one client the other's answer.
        raise answer.unexpected("is that of an upload")
    url, message = document.get("url"), document.get("message")
    url = url if isinstance(url, str) else None
    message = message if isinstance(message, str) else None
    told = document.get("warnings")
    warnings: list[JSONValue] | None = None
    if told is not None:
        warnings = told if isinstance(told, list) else [told]
    stored_id = _id_in(url) or _id_in(message)
    # The id of the body wins over one found in an address, if there is one.
    if stored_id is None or document.get("id"):
        stored_id = answer.identifier(document)
    fields: JSONObject = {
        "id": stored_id,
        "url": url,
        "message": message,
        "warnings": warnings,
    }
    return CreateAnswer(
        id=stored_id,
        url=url,
        message=message,
        warnings=warnings or None,
        # A field in another shape than the contract's is kept here as well.
        unread={
            key: value
            for key, value in document.items()
            if fields.get(key) is None and value is not None
        },
    )


def _id_in(text: str | None) -> str | None:
    """Find the id of a run in its URL, which may name an organization first."""
    found = _RUN_URL.findall(text or "") or _ANY_UUID.findall(text or "")
    return str(found[-1]) if found else None


def delete_run(run_id: str | UUID) -> Call[None]:
    """Delete a run."""
    return Call(method="DELETE", path=_run(run_id), read=_read_done)


def _run(run_id: str | UUID) -> str:
    return f"/v1/runs/{quote(str(run_id), safe='')}"


def _read_done(answer: Answer) -> None:
    # A page of a portal in between is no sign that the server did anything.
    if answer.content.strip():
        answer.document()


def initialize_upload(
    name: str, media_type: str | None, size: int
) -> Call[UploadGrant]:
    """Ask for an address to send a file to; right before it is sent."""
    body = InitializeUpload(
        name=name,
        mimeType=UNSET if media_type is None else media_type,
        # The contract wants the size left out where it is 0 or unknown.
        sizeBytes=size or UNSET,
    )
    return Call(
        method="POST",
        path=_INITIALIZE,
        content=encode(body),
        read=_read_grant,
    )


def _read_grant(answer: Answer) -> UploadGrant:
    document = answer.object()
    # Older servers of the contract spell it in snake case.
    url = document.get("uploadUrl", document.get("upload_url"))
    if not isinstance(url, str) or not url.strip():
        raise answer.unexpected("has no uploadUrl")
    return UploadGrant(id=answer.identifier(document), uploadUrl=url)


def link_by_update(run_id: str, upload_ids: list[str]) -> Call[None]:
    """Link uploads to a run in one call."""
    return Call(
        method="PUT",
        path=_run(run_id),
        content=encode(UpdateRun(attachments=upload_ids)),
        read=partial(_read_linked, run_id),
    )


def _read_linked(run_id: str, answer: Answer) -> None:
    document = answer.object()
    told = document.get("id")
    # A mixed-up connection would mark files as linked that are not.
    if isinstance(told, str) and told.casefold() != run_id.casefold():
        raise answer.unexpected(f"is about {told}, not about run {run_id}")


def link_by_sync(run_id: str, upload_id: str) -> Call[None]:
    """Link one upload to a run, on servers without the update."""
    return Call(
        method="POST",
        path=_SYNC,
        content=encode(SyncUpload(upload_id=upload_id, run_id=run_id)),
        read=_read_done,
    )


def stored_size(content: bytes) -> int | None:
    """Read how many bytes a storage says it took, where its answer says that."""
    try:
        document: JSONValue = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None  # storages answer with nothing, or with XML
    if not isinstance(document, dict):
        return None
    size = document.get("sizeBytes", document.get("size"))
    # A bool is an int for isinstance, hence the exact type.
    return size if type(size) is int else None


def update_unit(serial_number: str, sub_units: Sequence[str]) -> Call[None]:
    """Say which units a unit is made of."""
    return Call(
        method="PATCH",
        path=f"/v1/units/{quote(serial_number, safe='')}",
        content=encode(
            UpdateUnit(
                sub_units=[WireSubUnit(serial_number=number) for number in sub_units]
            )
        ),
        read=_read_done,
    )


def show_capabilities() -> Call[Answer]:
    """Ask what the server can do beyond v1; any answer is one."""
    return Call(method="GET", path="/v1/capabilities", read=lambda answer: answer)


def import_upload(upload_id: str, importer: str) -> Call[str]:
    """Have the server make a run of an uploaded report."""
    body = ImportRun(
        upload_id=upload_id,
        importer=importer,
        client="rigbridge",
        client_version=rigbridge.__version__ or UNSET,
    )
    return Call(
        method="POST",
        path="/v1/import",
        content=encode(body),
        read=lambda answer: answer.identifier(answer.object()),
    )

"""What can go wrong at a run store, and how servers in the field differ."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import attrs

from rigbridge.model import JSONObject

__all__ = ["CreateShape", "Dialect", "Fault", "Injection", "ListShape", "Operation"]


class Operation(StrEnum):
    """A call of the contract."""

    CREATE = "create"
    LIST = "list"
    DELETE = "delete"
    INITIALIZE = "initialize"
    STORE = "store"
    UPDATE = "update"
    SYNC = "sync"
    UPDATE_UNIT = "update-unit"
    IMPORT = "import"
    CAPABILITIES = "capabilities"


class Fault(StrEnum):
    """
    A way to fail.

    Those called AFTER do what was asked and lose the answer; the others do nothing,
    except that SLOW_WORK does it late and TRUNCATED_UPLOAD does half of it.
    """

    REFUSE = "refuse"
    RESET_BEFORE_BODY = "reset-before-body"
    RESET_DURING_BODY = "reset-during-body"
    RESET = "reset"
    RESET_AFTER = "reset-after"
    CUT_ANSWER_AFTER = "cut-answer-after"
    SLOW_ANSWER_AFTER = "slow-answer-after"
    SLOW_WORK = "slow-work"
    REDIRECT = "redirect"
    BAD_REQUEST = "bad-request"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    CONFLICT = "conflict"
    TOO_LARGE = "too-large"
    UNPROCESSABLE = "unprocessable"
    TOO_MANY_SECONDS = "too-many-seconds"
    TOO_MANY_DATE = "too-many-date"
    INTERNAL_ERROR = "internal-error"
    BAD_GATEWAY_HTML = "bad-gateway-html"
    BAD_GATEWAY_HTML_AFTER = "bad-gateway-html-after"
    UNAVAILABLE = "unavailable"
    GATEWAY_TIMEOUT_AFTER = "gateway-timeout-after"
    EXPIRED_UPLOAD_URL = "expired-upload-url"
    TRUNCATED_UPLOAD = "truncated-upload"
    WRONG_JSON_AFTER = "wrong-json-after"

    @property
    def cuts_body(self) -> bool:
        """Whether the connection ends before the body was read."""
        return self in (self.REFUSE, self.RESET_BEFORE_BODY, self.RESET_DURING_BODY)

    @property
    def does_first(self) -> bool:
        """Whether what was asked is done before it fails."""
        return self.value.endswith("-after")

    @property
    def status(self) -> int | None:
        """The status that it answers with, or None where it gives no such answer."""
        return _STATUS.get(self)


_STATUS: Mapping[Fault, int] = {
    Fault.REDIRECT: 302,
    Fault.BAD_REQUEST: 400,
    Fault.UNAUTHORIZED: 401,
    Fault.FORBIDDEN: 403,
    Fault.NOT_FOUND: 404,
    Fault.CONFLICT: 409,
    Fault.TOO_LARGE: 413,
    Fault.UNPROCESSABLE: 422,
    Fault.TOO_MANY_SECONDS: 429,
    Fault.TOO_MANY_DATE: 429,
    Fault.INTERNAL_ERROR: 500,
    Fault.BAD_GATEWAY_HTML: 502,
    Fault.BAD_GATEWAY_HTML_AFTER: 502,
    Fault.UNAVAILABLE: 503,
    Fault.GATEWAY_TIMEOUT_AFTER: 504,
    Fault.EXPIRED_UPLOAD_URL: 403,
}


@attrs.define(kw_only=True)
class Injection:
    """
    A fault that waits for the calls that it befalls.

    Attributes:
        operation: the call, or None for any.
        times: how many calls are left to it.
        seconds: what ``Retry-After`` says, and how long the slow ones take.
    """

    fault: Fault
    operation: Operation | None
    times: int
    seconds: float


class CreateShape(StrEnum):
    """How a create is answered."""

    ID = "id"
    ID_WITH_201 = "id-with-201"
    URL_ONLY = "url-only"
    URL_IN_MESSAGE = "url-in-message"


class ListShape(StrEnum):
    """How a list is answered."""

    ARRAY = "array"
    PAGED_CAMEL_CASE = "paged-camel-case"
    MESSAGE_AND_DATA = "message-and-data"


@attrs.frozen(kw_only=True)
class Dialect:
    """
    How one server of the contract differs from the next; by default a stock one.

    Attributes:
        listed_attachments: whether a list names the attachments.
        listed_phases: whether a list shows the phases with their measurements.
        listed_creation: whether a list shows when a run was created.
        update: whether uploads can be linked by the update call.
        sync: whether they can be linked by the sync call.
        missing: the status of a call that is not there.
        upload_key: how the upload address is spelled.
        relative_upload_urls: whether the upload address lacks the origin.
        old_errors: whether errors have the older shape.
        idempotent: whether ``Idempotency-Key`` is known.
        capabilities: what the capabilities call answers, or None if it is missing.
        max_upload: the most bytes that an upload may have, or None.
        tells_stored_size: whether the answer to a PUT says how much was stored.
        clock_offset: seconds by which its clock is ahead of the true time; seen in
            ``Date``, in a date of ``Retry-After`` and in ``created_at``.
    """

    create: CreateShape = CreateShape.ID
    listing: ListShape = ListShape.ARRAY
    listed_attachments: bool = False
    listed_phases: bool = False
    listed_creation: bool = True
    update: bool = True
    sync: bool = True
    missing: int = 404
    upload_key: str = "uploadUrl"
    relative_upload_urls: bool = False
    old_errors: bool = False
    idempotent: bool = False
    capabilities: JSONObject | None = None
    max_upload: int | None = None
    tells_stored_size: bool = False
    clock_offset: float = 0.0

    @classmethod
    def ours(cls) -> Dialect:
        """Make the dialect of the embedded store."""
        return cls(
            listed_attachments=True,
            relative_upload_urls=True,
            idempotent=True,
            capabilities={"sidecar": "inline", "idempotency_key": True},
        )

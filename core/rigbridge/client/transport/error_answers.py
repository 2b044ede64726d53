"""
Answers with an error status: what the status means, and the server's message.

Two shapes of body are the store's word: ``{"code", "message", "issues"}`` of the
contract and ``{"error": {"message"}, "warnings"}`` of older servers. Whatever else
comes was written by something in between, or by a server that is not itself: it is kept
as text, and is never final.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import attrs
import httpx
import msgspec

from rigbridge.errors import (
    BadRequestError,
    ConflictError,
    DeliveryError,
    ForbiddenError,
    HeldError,
    NotFoundError,
    PermanentError,
    ServerUnavailableError,
    TooLargeError,
    UnauthorizedError,
    UnexpectedAnswerError,
    UnprocessableError,
)
from rigbridge.model import JSONObject, JSONValue

__all__ = [
    "Words",
    "read_words",
    "refusal",
    "retry_after",
    "server_time",
    "shorten",
    "storage_refusal",
]

_PERMANENT: Mapping[int, type[DeliveryError]] = {
    400: BadRequestError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    413: TooLargeError,
    422: UnprocessableError,
}
# 408 is a timeout that the server noticed first. An unknown 5xx means 500 (RFC 9110,
# section 15): 507, and 520 to 530 of a widespread proxy, say "later" like any other.
_LATER = frozenset({408, 425, 429, *range(500, 600)})
# Long enough for a stack of validation messages, short enough for one line of a log.
_MAX_WORDS = 400
_LACKS_PART = "part number is required"
"""What the stock server says of a new unit; most reports name no part."""
_REDIRECTS = range(300, 400)
# Error documents of storages are shorter. A longer one is a page, and searching all of
# it costs time.
_MAX_XML = 4096
# S3 and what imitates it, Azure and Google all answer <Error><Code>...</Code>.
_STORAGE_ERROR = re.compile(rb"<Error[\s>].*?<Code>", re.DOTALL)
# Their words for what the next grant may mend.
_PASSING = re.compile(
    rb"<Code>(?:RequestTime\w+|SlowDown|Throttling\w*|ExpiredToken|TokenRefreshRequired"
    rb"|OperationAborted|InternalError|ServiceUnavailable|IncompleteBody)</Code>"
    rb"|has expired",
)
_SECONDS = re.compile(r"[0-9]+(?:\.[0-9]*)?")


def shorten(text: str) -> str:
    """Put a text on one line, cut to what a person reads."""
    text = " ".join(text.split())
    return text if len(text) <= _MAX_WORDS else f"{text[:_MAX_WORDS]}..."


@attrs.frozen(kw_only=True)
class Words:
    """
    What an answer says.

    Attributes:
        message: its message, or its raw text where it has no known shape.
        code: its error code, or None.
        issues: its further remarks, a line each.
        shaped: whether it had one of the two shapes that only a store writes.
    """

    message: str
    code: str | None = None
    issues: tuple[str, ...] = ()
    shaped: bool = False


def read_words(content: bytes, *, secret: str | None = None) -> Words:
    """
    Read the body of an answer that refuses.

    Args:
        secret: what must not be repeated, should the server do so.
    """
    text = content.decode("utf-8", errors="replace")
    # Some servers quote the header that they refused; the key must not get into logs
    # that way.
    if secret:
        text = text.replace(secret, "[API key]")
    try:
        document: JSONValue = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        document = None
    if isinstance(document, dict):
        words = _shaped(document)
        if words is not None:
            return words
    return Words(message=shorten(text))


def _shaped(document: JSONObject) -> Words | None:
    code = document.get("code")
    nested = document.get("error")
    message = document.get("message")
    # Gateways also answer {"message": ...}; a code beside it is what the contract has.
    shaped = isinstance(message, str) and isinstance(code, str)
    if not isinstance(message, str) and isinstance(nested, dict):
        message = nested.get("message")
        shaped = isinstance(message, str)
    if not isinstance(message, str):
        message = next(
            (
                value
                for key in ("error", "detail")
                if isinstance(value := document.get(key), str)
            ),
            None,
        )
    if message is None:
        return None
    remarks = [*_remarks(document.get("issues")), *_remarks(document.get("warnings"))]
    return Words(
        message=shorten(message),
        code=code if isinstance(code, str) else None,
        issues=tuple(remark for remark in remarks if remark != message),
        shaped=shaped,
    )


def _remarks(remarks: JSONValue) -> Iterator[str]:
    for remark in remarks if isinstance(remarks, list) else ():
        message = remark.get("message") if isinstance(remark, dict) else None
        if isinstance(remark, dict) and isinstance(message, str):
            path = remark.get("path")
            where = f"{_path(path)}: " if path else ""
            yield shorten(f"{where}{message}")
        else:
            yield shorten(remark if isinstance(remark, str) else str(remark))


def _path(path: JSONValue) -> str:
    # Some validators give the path as a list of its steps.
    return ".".join(map(str, path)) if isinstance(path, list) else str(path)


def retry_after(headers: httpx.Headers, *, now: datetime) -> float | None:
    """
    Read how long the server asks to wait, in seconds; both forms are known.

    A date is compared with the server's own ``Date``, since clocks differ. Of several
    such headers, as a chain of proxies leaves them, the longest wait counts.
    """
    base = server_time(headers) or now
    waits: list[float] = []
    for text in headers.get_list("retry-after"):
        if _SECONDS.fullmatch(text.strip()):
            waits.append(float(text))
        elif (moment := _http_date(text)) is not None:
            waits.append(max(0.0, (moment - base).total_seconds()))
    return max(waits, default=None)


def server_time(headers: httpx.Headers) -> datetime | None:
    """Read what the server's own clock shows, or None where it does not say."""
    return _http_date(headers.get("date", ""))


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # The asctime form of RFC 9110, section 5.6.7, has no zone and means GMT.
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _remedy(status: int, words: Words, *, has_key: bool) -> str | None:
    """Say what the reader can do, where the server's own words do not."""
    if status in _REDIRECTS:
        return "set the address of the store to where it really is"
    if status == HTTPStatus.UNAUTHORIZED:
        if has_key:
            return "check the API key"
        return (
            "no API key was given: pass api_key to a client of your own; commands "
            "and the outbox take it from RIGBRIDGE_API_KEY or TOFUPILOT_API_KEY"
        )
    if status == HTTPStatus.BAD_REQUEST and _LACKS_PART in words.message.lower():
        return (
            "let a rule under [identity] in rigbridge.toml supply the part number, "
            "or give it as Unit(part_number=...)"
        )
    # A framework says no more of a path that it does not know.
    nameless = words.message.lower().rstrip(".") == "not found"
    if status == HTTPStatus.NOT_FOUND and (nameless or not words.shaped):
        return "check the URL of the store"
    known = words.shaped or status in _LATER
    return None if known else "it is not the store that says so: check URL and network"


def refusal(
    response: httpx.Response, *, source: str, place: str, secret: str | None
) -> DeliveryError:
    """
    Make the error of an answer that is no success.

    Args:
        secret: what must not be repeated, should the server do so.
    """
    status = response.status_code
    words = read_words(response.content, secret=secret)
    kind: type[DeliveryError] = UnexpectedAnswerError
    remedy = _remedy(status, words, has_key=bool(secret))
    message = f"{status} {response.reason_phrase}".strip()
    if status in _LATER:
        kind = ServerUnavailableError
    elif words.shaped and status in _PERMANENT:
        kind = _PERMANENT[status]
    elif status in _REDIRECTS:
        target = response.headers.get("location", "")
        if secret:
            # The query of a redirect may hold a signature or a session.
            target = target.replace(secret, "[API key]")
        target = target.partition("?")[0]
        message = f"{message} to {shorten(target) or 'nowhere'}"
    if words.message:
        message = f"{message}: {words.message}"
    if words.issues:
        message = f"{message} [{'; '.join(words.issues)}]"
    return kind(
        message,
        source=source,
        place=place,
        remedy=remedy,
        status=status,
        code=words.code,
        issues=words.issues,
        retry_after=retry_after(response.headers, now=datetime.now(UTC)),
    )


def storage_refusal(
    response: httpx.Response, *, source: str, place: str, secret: str | None
) -> DeliveryError:
    """
    Make the error of a storage that did not take a file; it concerns that file only.

    Storages answer with XML of their own; where they are part of the store, as the
    store does. What is neither (a page of a proxy) is not their word, and not final.

    Args:
        secret: what must not be repeated, should the server do so.
    """
    error = refusal(response, source=source, place=place, secret=secret)
    error.remedy = None
    words = response.content[:_MAX_XML]
    # A held error stops the whole queue. One grant that was refused must not do that.
    if isinstance(error, HeldError):
        # It is the grant that was refused here, not the key.
        error = _again(error, ForbiddenError)
    elif isinstance(error, UnexpectedAnswerError) and _STORAGE_ERROR.search(words):
        passing = _PASSING.search(words)
        kind = _PERMANENT.get(error.status or 0, PermanentError)
        if issubclass(kind, HeldError):
            kind = ForbiddenError
        # Only 4xx: a 5xx with XML is a fault of the storage, which passes.
        if response.is_client_error and not passing:
            error = _again(error, kind)
    error.of_file = True
    return error


def _again(error: DeliveryError, kind: type[DeliveryError]) -> DeliveryError:
    return kind(
        error.message,
        source=error.source,
        place=error.place,
        status=error.status,
        code=error.code,
        issues=error.issues,
    )

"""
Answers that refuse: what their status means, and the server's own words.

Three shapes of body are read: ``{"code", "message", "issues"}`` of the contract,
``{"error": {"message"}, "warnings"}`` of older servers, and whatever a proxy writes,
which is kept as text.
"""

from __future__ import annotations

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
    NotFoundError,
    ServerUnavailableError,
    TooLargeError,
    UnauthorizedError,
    UnexpectedAnswerError,
    UnprocessableError,
)
from rigbridge.model import JSONObject, JSONValue

__all__ = ["Words", "read_words", "refusal", "retry_after", "shorten"]

_PERMANENT: Mapping[int, type[DeliveryError]] = {
    400: BadRequestError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    413: TooLargeError,
    422: UnprocessableError,
}
_LATER = frozenset({429, 500, 502, 503, 504})
# 408 is a timeout that the server noticed first; 520 to 524 are how a widespread
# proxy spells 502 and 504.
_LATER_TOO = frozenset({408, 520, 521, 522, 523, 524})
_MAX_WORDS = 400
_LACKS_PART = "part number is required"
"""What the stock server says of a new unit; most reports name no part."""
_REDIRECTS = range(300, 400)


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
        shaped: whether it had one of the known shapes.
    """

    message: str
    code: str | None = None
    issues: tuple[str, ...] = ()
    shaped: bool = False


def read_words(content: bytes, *, secret: str | None = None) -> Words:
    """
    Read the body of an answer that refuses.

    Args:
        content: the body.
        secret: what must not be repeated, should the server do so.
    """
    text = content.decode("utf-8", errors="replace")
    if secret:
        text = text.replace(secret, "[API key]")
    try:
        document: JSONValue = msgspec.json.decode(text)
    except msgspec.DecodeError:
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
    if not isinstance(message, str) and isinstance(nested, dict):
        message = nested.get("message")
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
        shaped=True,
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


def retry_after(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """
    Read how long the server asks to wait, in seconds; both forms are known.

    A date is compared with the server's own ``Date``, since clocks differ.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    moment = _http_date(text)
    if moment is None:
        return None
    base = _http_date(headers.get("date", "")) or now
    return max(0.0, (moment - base).total_seconds())


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
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
    nameless = not words.shaped or words.message.lower().rstrip(".") == "not found"
    if status == HTTPStatus.NOT_FOUND and nameless:
        return "check the URL of the store"
    return None


def refusal(
    response: httpx.Response, *, source: str, place: str, secret: str | None
) -> DeliveryError:
    """
    Make the error of an answer that is no success.

    Args:
        response: the answer, read.
        source: the address of the store.
        place: the call.
        secret: what must not be repeated, should the server do so.
    """
    status = response.status_code
    words = read_words(response.content, secret=secret)
    kind = _PERMANENT.get(status, UnexpectedAnswerError)
    remedy = _remedy(status, words, has_key=bool(secret))
    message = f"{status} {response.reason_phrase}".strip()
    if status in _LATER or status in _LATER_TOO:
        kind = ServerUnavailableError
    elif status in _REDIRECTS:
        target = response.headers.get("location", "")
        if secret:
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

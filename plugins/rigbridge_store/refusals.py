"""
The refusals of the store: errors of the common tree with the words of the contract.

A problem that is about a field is a :class:`FieldIssue`, which reads as one line and
keeps its path apart for the HTTP answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self, TypeVar

from rigbridge.errors import (
    BadRequestError,
    ConflictError,
    DeliveryError,
    ForbiddenError,
    NotFoundError,
    ServerUnavailableError,
    TooLargeError,
    UnauthorizedError,
    UnprocessableError,
)
from rigbridge.wire import CODES

__all__ = [
    "INVALID",
    "FieldIssue",
    "bad_request",
    "bytes_missing",
    "come_again",
    "conflict",
    "disk_refuses",
    "forbidden",
    "half_a_character",
    "invalid",
    "not_found",
    "too_large",
    "too_often",
    "unauthorized",
    "unprocessable",
]

_E = TypeVar("_E", bound=DeliveryError)

INVALID = "Input validation failed"
"""How the refusal of a malformed body begins."""


class FieldIssue(str):  # noqa: SLOT000 - a text has no room for slots beside it
    """
    One problem of a body, as the line ``path: message``.

    Attributes:
        path: the field (``phases[3].measurements[0].outcome``).
    """

    path: str
    message: str

    def __new__(cls, path: str, message: str) -> Self:
        """Make the line, and keep its two halves."""
        issue = super().__new__(cls, f"{path}: {message}")
        issue.path = path
        issue.message = message
        return issue

    def __reduce__(self) -> tuple[type[Self], tuple[str, str]]:
        return type(self), (self.path, self.message)


def _refusal(kind: type[_E], status: int, message: str, issues: Sequence[str]) -> _E:
    return kind(message, status=status, code=CODES[status], issues=issues)


def bad_request(message: str, *issues: str) -> BadRequestError:
    """Refuse something malformed (400)."""
    return _refusal(BadRequestError, 400, message, issues)


def unauthorized(message: str) -> UnauthorizedError:
    """Refuse a key (401)."""
    return _refusal(UnauthorizedError, 401, message, ())


def forbidden(message: str, *issues: str) -> ForbiddenError:
    """Refuse what this key may not do (403)."""
    return _refusal(ForbiddenError, 403, message, issues)


def not_found(message: str, *issues: str) -> NotFoundError:
    """Refuse a reference to something that does not exist (404)."""
    return _refusal(NotFoundError, 404, message, issues)


def conflict(message: str, *issues: str) -> ConflictError:
    """Refuse a reference that cannot be combined (409)."""
    return _refusal(ConflictError, 409, message, issues)


def too_large(message: str) -> TooLargeError:
    """Refuse what is over a limit (413)."""
    return _refusal(TooLargeError, 413, message, ())


def too_often(seconds: float) -> ServerUnavailableError:
    """Refuse for now what comes too often (429)."""
    return ServerUnavailableError(
        "Too many requests. Wait, then try again.",
        status=429,
        code=CODES[429],
        retry_after=seconds,
    )


def bytes_missing(name: str) -> ServerUnavailableError:
    """Refuse a file whose bytes are not where they are kept (502)."""
    return ServerUnavailableError(
        f"The bytes of the file {name} are missing where the store keeps them. "
        "'rigbridge store check' names all that are; sending the file again, or a "
        "backup, brings them back.",
        status=502,
        code=CODES[502],
    )


def come_again(message: str) -> ServerUnavailableError:
    """Refuse for now what may well succeed later (503)."""
    return ServerUnavailableError(message, status=503, code=CODES[503], retry_after=10)


def disk_refuses(error: OSError) -> ServerUnavailableError:
    """Refuse for now what the disk does not take (503)."""
    return come_again(f"The store cannot write to its disk for now: {error.strerror}.")


def unprocessable(message: str, *issues: str) -> UnprocessableError:
    """Refuse values that contradict each other (422)."""
    return _refusal(UnprocessableError, 422, message, issues)


def invalid(issues: Sequence[FieldIssue]) -> BadRequestError:
    """Refuse a body for all of its problems together (400)."""
    first = str(issues[0])
    more = len(issues) - 1
    message = f"{INVALID}: {first}" + (f" (and {more} more)" if more else "")
    return _refusal(BadRequestError, 400, message, tuple(issues))


def half_a_character(error: UnicodeEncodeError) -> BadRequestError:
    """Refuse a text that no file and no database can hold (400)."""
    return bad_request(
        f"a text holds half of a surrogate pair, {error.object[error.start]!a}, "
        "which cannot be stored"
    )

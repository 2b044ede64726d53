"""The body of every error answer."""

from __future__ import annotations

import attrs
from msgspec import UNSET, UnsetType

__all__ = ["CODES", "Issue", "PrintedError", "Problem"]

CODES: dict[int, str] = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    422: "UNPROCESSABLE_CONTENT",
    429: "TOO_MANY_REQUESTS",
    500: "INTERNAL_SERVER_ERROR",
    501: "NOT_IMPLEMENTED",
    502: "BAD_GATEWAY",
    503: "SERVICE_UNAVAILABLE",
}
"""The error code that goes with each status."""


@attrs.frozen(kw_only=True)
class Issue:
    """
    One problem.

    Attributes:
        message: what is wrong.
        path: the steps to the field that it is about (``["phases", 3, "outcome"]``).
    """

    message: str
    path: list[str | int] | UnsetType = UNSET


@attrs.frozen(kw_only=True)
class PrintedError:
    """What v1 clients read and print of a refusal."""

    message: str


@attrs.frozen(kw_only=True)
class Problem:
    """``{"code", "message", "issues"}``; v1 clients print that of ``error``."""

    code: str
    message: str
    issues: list[Issue] = attrs.field(factory=list[Issue])
    error: PrintedError | UnsetType = UNSET

"""The body of every error answer."""

from __future__ import annotations

import attrs
from msgspec import UNSET, UnsetType

__all__ = ["CODES", "Issue", "Problem"]

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
    502: "BAD_GATEWAY",
    503: "SERVICE_UNAVAILABLE",
}
"""The error code that goes with each status."""


@attrs.frozen(kw_only=True)
class Issue:
    """One problem; ``path`` (ours) names the field it is about."""

    message: str
    path: str | UnsetType = UNSET


@attrs.frozen(kw_only=True)
class Problem:
    """``{"code", "message", "issues"}``."""

    code: str
    message: str
    issues: list[Issue] = attrs.field(factory=list[Issue])

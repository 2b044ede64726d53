"""The bodies that only this server has, and how its document describes refusals."""

from __future__ import annotations

import attrs
from litestar.openapi.datastructures import ResponseSpec
from msgspec import UNSET, UnsetType

from rigbridge.wire import Problem

__all__ = [
    "PROBLEMS",
    "CreatedRun",
    "Imported",
    "ServerCapabilities",
    "ServerHealth",
    "Told",
]


@attrs.frozen(kw_only=True)
class Told:
    """An answer in words."""

    message: str


@attrs.frozen(kw_only=True)
class CreatedRun:
    """The answer to a create; ``url`` (ours) is the page of the run."""

    id: str
    url: str


@attrs.frozen(kw_only=True)
class Imported:
    """
    The answer to an import.

    ``ids`` (ours) names every run of a report with several, ``warnings`` what was
    left out; a report of one run that was taken as a whole is answered its id alone.
    """

    id: str
    ids: list[str] | UnsetType = UNSET
    warnings: list[str] | UnsetType = UNSET


@attrs.frozen(kw_only=True)
class ServerCapabilities:
    """What this server can do beyond the contract (ours)."""

    store: str
    version: str
    sidecar: str
    idempotency_key: bool
    reading: bool
    administration: bool


@attrs.frozen(kw_only=True)
class ServerHealth:
    """That the server is up."""

    status: str


_REFUSALS = {
    400: "The request is malformed, or lacks something.",
    401: "No key, or an unknown one.",
    403: "The key may not do that.",
    404: "Something that the request refers to does not exist.",
    409: "A reference that cannot be combined.",
    413: "The body is over the limit.",
    422: "Values that contradict each other.",
    429: "Too many requests; Retry-After tells in how many seconds to come again.",
    500: "A mistake of the server.",
    502: "The bytes of a file are missing where they are kept.",
    501: "The store cannot do that yet.",
    503: "The store cannot be used for now.",
}

PROBLEMS = {
    status: ResponseSpec(Problem, description=words, generate_examples=False)
    for status, words in _REFUSALS.items()
}
"""What the OpenAPI document says of refusals, by status."""

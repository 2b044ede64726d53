"""Answers every error as ``{"code", "message", "issues"}``."""

from __future__ import annotations

import errno
import logging
import math
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, cast

from litestar import Request, Response
from litestar.exceptions import HTTPException
from msgspec import UNSET, UnsetType

from rigbridge.errors import (
    ConfigurationError,
    DeliveryError,
    PluginError,
    RigbridgeError,
    RunProblemsError,
    SourceError,
)
from rigbridge.model import JSONValue
from rigbridge.wire import CODES, Issue, PrintedError, Problem
from rigbridge_store.refusals import INVALID, FieldIssue, disk_refuses

__all__ = [
    "answer_any",
    "answer_deep",
    "answer_disk",
    "answer_encoding",
    "answer_http",
    "answer_large",
    "answer_ours",
    "problem_of",
]

_LOGGER = logging.getLogger("rigbridge_store.server")

# Full, over its quota, read-only, damaged.
_OF_THE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}
_INTERNAL = "Internal server error"
# The words of the decoder and the framework: neither marks the place otherwise.
_AT = re.compile(r" - at `\$(?:\.data)?\.?(?P<path>[^`]*)`$")
_STEP = re.compile(r"[^.\[\]]+|\[\d+\]")
_PARAMETERS = ("query", "path", "header")
_NO_PARAMETER = re.compile(r"Missing required \w+ parameter '(?P<field>[^']+)'")
_MISSING = re.compile(r"missing required field `(?P<field>[^`]+)`")
_UNKNOWN = re.compile(r"contains unknown field `(?P<field>[^`]+)`")


def problem_of(
    path: str,
    status: int,
    message: str,
    lines: Iterable[str] = (),
    code: str | None = None,
) -> Problem:
    """
    Word a refusal as the clients of a call print it.

    Args:
        path: of the call. Not its route: an error may come before anything was routed.
        lines: its issues.
        code: that of the status by default.
    """
    v2 = path.startswith("/api/v2/")
    printed = PrintedError(message=message)
    if v2 and message.startswith(INVALID):
        # Its clients add the issues to the message themselves.
        message = INVALID
    return Problem(
        code=code or CODES.get(status) or HTTPStatus(status).name,
        message=message,
        issues=[_issue(line, v2=v2) for line in lines],
        error=UNSET if v2 else printed,
    )


def _answer(
    request: Request[Any, Any, Any],
    status: int,
    message: str,
    lines: Iterable[str] = (),
    code: str | None = None,
) -> Response[Problem]:
    problem = problem_of(str(request.scope["path"]), status, message, lines, code)
    return Response(problem, status_code=status, media_type="application/json")


def answer_ours(
    request: Request[Any, Any, Any], error: RigbridgeError
) -> Response[Problem]:
    """Answer a refusal of the store, or a report that cannot be read."""
    if isinstance(error, DeliveryError):
        # str() would add what only a caller in process can do.
        answer = _answer(
            request, error.status or 500, error.message, error.issues, error.code
        )
        if error.retry_after is not None:
            # Rounded up, since a client that comes a moment early is refused once more.
            answer.headers["Retry-After"] = str(math.ceil(error.retry_after))
        return answer
    if isinstance(error, RunProblemsError):
        lines = [
            FieldIssue((problem.place or "").lstrip("$."), problem.message)
            for problem in error.exceptions
            if isinstance(problem, RigbridgeError)
        ]
        return _answer(request, 400, str(error), lines)
    if isinstance(error, (SourceError, ConfigurationError, PluginError)):
        return _answer(request, 400, str(error))
    return answer_any(request, error)


def answer_http(
    request: Request[Any, Any, Any], error: HTTPException
) -> Response[Problem]:
    """Answer what the framework found: no route, no JSON, a field of a wrong kind."""
    # Details of our own mistakes are for the log only.
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return answer_any(request, error)
    # The decoder would complain about the bytes of a compressed body, which tells a
    # sender nothing.
    packed = request.headers.get("content-encoding", "identity")
    if error.status_code == HTTPStatus.BAD_REQUEST and packed != "identity":
        words = f"The body is compressed ({packed[:20]}). Send it as it is."
        return _answer(request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, words)
    if _names_nothing(request, error):
        return _answer(request, HTTPStatus.NOT_FOUND, "Not Found")
    # Parameters are told by the framework, fields of the body by the decoder.
    lines = _parameters(error)
    message, path = _located(error)
    if not lines and isinstance(path, UnsetType):
        return _answer(request, error.status_code, message)
    lines = lines or [FieldIssue(path or "", message)]
    text = str(lines[0]) if lines[0].path else message
    return _answer(request, error.status_code, f"{INVALID}: {text}", lines)


def answer_disk(request: Request[Any, Any, Any], error: OSError) -> Response[Problem]:
    """Answer what the disk refuses: that passes, and is no mistake of ours."""
    # Any other OSError is a defect of ours, as if it had no number.
    if error.errno not in _OF_THE_DISK:
        return answer_any(request, error)
    _LOGGER.warning("request failed: %s", error)
    return answer_ours(request, disk_refuses(error))


def answer_any(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """Answer our own mistake: logged here in full, told to nobody else."""
    _LOGGER.error("request failed", exc_info=error)
    return _answer(request, 500, _INTERNAL)


def _names_nothing(request: Request[Any, Any, Any], error: HTTPException) -> bool:
    """Whether the last part of a path is blank, where a name was to stand."""
    allowed = error.status_code != HTTPStatus.METHOD_NOT_ALLOWED
    return not allowed and str(request.scope["path"]).endswith("/")


def answer_large(
    request: Request[Any, Any, Any], error: MemoryError
) -> Response[Problem]:
    """Answer a body for which there is not enough memory."""
    _LOGGER.warning("request refused for want of memory: %s", error)
    words = "The request needs more memory than one may take. Send it in parts."
    return _answer(request, 413, words, [])


def answer_encoding(
    request: Request[Any, Any, Any], error: UnicodeDecodeError
) -> Response[Problem]:
    """Answer a body that is no UTF-8, which the decoder does not say as its own."""
    _LOGGER.warning("request refused: %s", error)
    return _answer(request, 400, "The body is no valid JSON: it is no UTF-8")


def answer_deep(
    request: Request[Any, Any, Any], error: RecursionError
) -> Response[Problem]:
    """Answer a body that is nested too deeply for the decoder."""
    _LOGGER.warning("request refused: %s", error)
    return _answer(request, 400, f"{INVALID}: the body is nested too deeply")


def _issue(line: str, *, v2: bool) -> Issue:
    if not isinstance(line, FieldIssue):
        return Issue(message=line)
    # v2 clients show the message alone, so the field is named there as well.
    message = f"{_named(line.path)} {line.message}" if v2 else line.message
    return Issue(message=message, path=_steps(line.path))


def _steps(path: str) -> list[str | int]:
    """Part ``phases[3].outcome`` into its steps."""
    return [
        int(step[1:-1]) if step.startswith("[") else step
        for step in _STEP.findall(path)
    ]


def _named(path: str) -> str:
    """Name a field to a person; one within others by its place."""
    if "." in path or "[" in path:
        return path
    return path.replace("_", " ").capitalize()


def _parameters(error: HTTPException) -> list[FieldIssue]:
    """Take out which parameters of the query or the path are wrong, or missing."""
    missing = _NO_PARAMETER.match(error.detail)
    if missing is not None:
        return [FieldIssue(missing["field"], "is required")]
    extra = cast("JSONValue", error.extra)
    found = extra if isinstance(extra, list) else []
    return [
        FieldIssue(str(item["key"]), str(item.get("message", error.detail)))
        for item in found
        if isinstance(item, dict)
        and item.get("source") in _PARAMETERS
        and isinstance(item.get("key"), str)
    ]


def _located(error: HTTPException) -> tuple[str, str | UnsetType]:
    """Take the decoder's words apart into what is wrong and where."""
    cause = error.__cause__
    if cause is None or error.status_code != HTTPStatus.BAD_REQUEST:
        return error.detail, UNSET
    words = str(cause)
    found = _AT.search(words)
    # The decoder does not tell a place within an object of any keys.
    path = "" if found is None else found["path"].partition("[...]")[0]
    if found is not None and path != found["path"] and not path:
        words, found = words[: found.start()], None
    if found is None:
        missing = _MISSING.search(words)
        if missing is not None and missing["field"] == "data":
            return "The request has no body, a JSON object is expected", UNSET
        if "query parameter" in error.detail:
            return error.detail, UNSET
        return f"The body is no valid JSON: {words.rpartition(' - ')[2]}", UNSET
    message = words[: found.start()]
    for pattern, told in ((_MISSING, "is required"), (_UNKNOWN, "is not kept here")):
        named = pattern.search(message)
        if named is not None:
            return told, ".".join(filter(None, (path, named["field"])))
    return message, path

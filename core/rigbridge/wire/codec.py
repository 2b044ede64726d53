"""JSON in and out of the wire classes, with errors that name the field."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from rigbridge.errors import ModelError

__all__ = ["decode", "encode", "from_builtins", "to_builtins"]

_T = TypeVar("_T")


def encode(body: Any) -> bytes:
    """
    Write a wire object as JSON; ``UNSET`` fields are left out.

    Raises:
        ModelError: a text that is no Unicode (a lone surrogate).
    """
    try:
        return msgspec.json.encode(body)
    # Half of a surrogate pair: a log was cut within a character.
    except UnicodeEncodeError as error:
        raise ModelError(
            f"a text holds {error.object[error.start : error.end]!r}, "
            "which is no Unicode character",
            path="$",
        ) from error


def decode(content: bytes, kind: type[_T]) -> _T:
    """
    Read a wire object from JSON; unknown keys are ignored.

    Raises:
        ModelError: no JSON, or a field of the wrong kind; names the field.
    """
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        raise _named(error) from error
    # Also what is nested a thousand times, which nobody writes who means well.
    except (msgspec.DecodeError, RecursionError) as error:
        raise ModelError(f"is no valid JSON: {error}", path="$") from error


def to_builtins(body: Any) -> Any:
    """Turn a wire object into dicts, lists and scalars."""
    return msgspec.to_builtins(body)


def from_builtins(value: Any, kind: type[_T]) -> _T:
    """
    Make a wire object of dicts, lists and scalars.

    Raises:
        ModelError: a field of the wrong kind; names the field.
    """
    try:
        return msgspec.convert(value, type=kind)
    except msgspec.ValidationError as error:
        raise _named(error) from error


def _named(error: msgspec.ValidationError) -> ModelError:
    # msgspec ends its message with " - at `$.path`".
    message, separator, path = str(error).rpartition(" - at `")
    if not separator:
        message, path = str(error), "$`"
    return ModelError(message, path=path.rstrip("`"))

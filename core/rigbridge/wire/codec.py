"""JSON in and out of the wire classes, with errors that name the field."""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec

from rigbridge.errors import ModelError
from rigbridge.machine.forks import watch_forks

__all__ = ["decode", "encode", "from_builtins", "to_builtins"]

_T = TypeVar("_T")


class _Descriptions:
    """
    Has msgspec describe each class once, before it is read for the first time.

    msgspec writes a description into the class when it first meets it, and lets other
    threads run meanwhile. One that reads the same class then takes what is half written
    and ends the process with a segmentation fault.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: set[object] = set()

    def require(self, kind: object) -> None:
        """Wait until the class, and with it all that it holds, is described."""
        if kind in self._known:
            return
        # A child of a fork amid it would have the half-written one for ever.
        watch_forks(self)
        with self._lock:
            msgspec.json.Decoder(kind)
            self._known.add(kind)

    def before_fork(self) -> None:
        """Wait until no class is being described."""
        self._lock.acquire()

    def after_fork(self) -> None:
        """Let both sides go on."""
        self._lock.release()


_descriptions = _Descriptions()


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
    _descriptions.require(kind)
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
    _descriptions.require(kind)
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

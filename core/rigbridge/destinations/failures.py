"""Turns what a third-party destination raises into errors of rigbridge."""

from __future__ import annotations

import logging
import sqlite3
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from rigbridge.destinations.settings import DESTINATION_GROUP
from rigbridge.errors import (
    DestinationFailedError,
    RetriableError,
    RigbridgeError,
)
from rigbridge.machine.plugins import PluginLoader

__all__ = ["delivery_failure", "foreign_failures"]

_LOGGER = logging.getLogger("rigbridge.destinations")


@contextmanager
def foreign_failures(
    destination: object, operation: str, *, ours: tuple[type[Exception], ...] = ()
) -> Generator[None]:
    """
    Call a destination: what only its author can explain becomes an error of ours.

    Args:
        destination: the destination.
        operation: the method that is called, for the error.
        ours: what the caller itself raises in between; it passes as it is.

    Raises:
        DestinationFailedError: the code of the destination failed.
        RetriableError: the system refused it something, which may change.
    """
    try:
        yield
    except ours:
        raise
    except Exception as error:
        failure = delivery_failure(destination, operation, error)
        if failure is error:
            raise
        raise failure from error


def delivery_failure(
    destination: object, operation: str, error: Exception
) -> Exception:
    """
    Name the destination, its distribution and the operation in an error.

    Errors of our own tree say enough, and so do those of our own destinations: they
    are given back as they are.

    Args:
        destination: the destination.
        operation: the method that was called.
        error: what it raised.
    """
    # The queue decides by these itself, whoever raised them.
    if isinstance(error, (RigbridgeError, MemoryError, sqlite3.Error)):
        return error
    name, distribution = _origin(type(destination))
    # Ours are to be mended, not explained: the traceback is wanted.
    if distribution.partition(" ")[0] == "rigbridge":
        return error
    _LOGGER.debug("destination %s failed in %s", name, operation, exc_info=error)
    words = f"{type(error).__name__}: {error}" if str(error) else repr(error)
    if isinstance(error, OSError):
        failure: Exception = RetriableError(
            f"destination {name} of {distribution} failed in {operation}: {words}",
            remedy="check its settings, and the folder or service that it uses",
        )
    else:
        frame = traceback.extract_tb(error.__traceback__)[-1:]
        place = "".join(f" at {Path(at.filename).name}:{at.lineno}" for at in frame)
        failure = DestinationFailedError(
            f"destination {name} of {distribution} failed in {operation}{place}: "
            f"{words}",
            remedy=f"report it to the authors of {distribution.partition(' ')[0]}",
        )
    # Not every caller raises it from the error, and the traceback leads its author to
    # the place.
    failure.__cause__ = error
    return failure


def _origin(kind: type) -> tuple[str, str]:
    """Find the name under which a destination is installed, and its distribution."""
    module = kind.__module__
    if module.partition(".")[0] == "rigbridge":
        return kind.__qualname__, "rigbridge"
    # A user knows the name that he typed, not that of a class.
    loader = PluginLoader(DESTINATION_GROUP)
    for name in loader.names:
        if loader.value(name) == f"{module}:{kind.__qualname__}":
            return name, " ".join(loader.owner(name))
    return kind.__qualname__, module

"""
Reading objects of a test, whose own code may fail, so that no more than they is lost.

A property, ``__str__`` or ``__class__`` of a test's object runs code of the test. It
may raise anything, also what no ``except Exception`` catches: ``sys.exit`` in a driver,
or an ``asyncio.CancelledError``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar

import attrs

__all__ = ["Guard", "ObjectFailedError", "ask", "told_error"]

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")
_Other = TypeVar("_Other")


class ObjectFailedError(Exception):
    """An object of the test raised what is no ``Exception``."""


def ask(
    read: Callable[_Given, _Result], /, *args: _Given.args, **named: _Given.kwargs
) -> _Result:
    """
    Call code of the test; whatever it raises is an ``Exception``.

    Raises:
        KeyboardInterrupt: the operator pressed Ctrl-C.
        SystemExit: the handler of a signal raised it.
        Exception: the code failed.
    """
    try:
        return read(*args, **named)
    except (Exception, KeyboardInterrupt):
        raise
    except SystemExit:
        # A signal's comes once; the object's own comes again with each reading.
        try:
            read(*args, **named)
        except SystemExit as error:
            raise ObjectFailedError(f"SystemExit: {told_error(error)}") from error
        raise
    except BaseException as error:
        raise ObjectFailedError(told_error(error)) from error


def told_error(error: BaseException) -> str:
    """Tell an error, also one of the test's own whose text fails as well."""
    try:
        return f"{type(error).__name__}: {ask(error.__str__)}"
    except Exception:  # noqa: BLE001 - as it says
        return type(error).__name__


@attrs.frozen
class Guard:
    """
    Reads the parts of a record each on its own, and notes what could not be read.

    Attributes:
        unread: the place and the reason of each part that failed.
        path: the place of the parts that are read (``$.phases[2]``).
    """

    unread: list[tuple[str, str]] = attrs.field(factory=list[tuple[str, str]])
    path: str = "$"

    def at(self, step: str) -> Guard:
        """Give the guard of a place below this one, which notes in the same list."""
        return Guard(self.unread, self.path + step)

    def part(
        self, step: str, read: Callable[[], _Result], otherwise: _Other
    ) -> _Result | _Other:
        """Read a part; what stands for one that fails is given."""
        try:
            return ask(read)
        except Exception as error:  # noqa: BLE001 - an object of the test may do anything
            self.unread.append((self.path + step, told_error(error)))
            return otherwise

    def field(self, owner: object, name: str) -> Any:
        """Read a field; None where it fails or is not there."""
        # Hardly any field fails: only then are its place and its kind of failing told.
        try:
            return getattr(owner, name)
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001 - told apart where it is read again
            return self.part(f".{name}", lambda: getattr(owner, name), None)

    def optional(self, owner: object, name: str) -> Any:
        """Read a field that not every release has."""
        try:
            return getattr(owner, name, None)
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001 - likewise
            return self.field(owner, name)

    def has(self, owner: object, name: str) -> bool:
        """Whether there is such a field, be it one that fails."""
        return self.part(f".{name}", lambda: hasattr(owner, name), otherwise=True)

    def members(self, owner: object, name: str) -> list[Any]:
        """List the members of a field, up to where reading them fails."""
        return self._listed(owner, name, iter)

    def items(self, owner: object, name: str) -> list[tuple[Any, Any]]:
        """List the keys and values of a field, up to where reading them fails."""
        return self._listed(owner, name, _items)

    def _listed(
        self, owner: object, name: str, parts: Callable[[Any], Iterable[Any]]
    ) -> list[Any]:
        found: list[Any] = []

        def gather() -> None:
            found.clear()
            # OpenHTF's default for measurements and attachments is None.
            found.extend(parts(getattr(owner, name) or ()))

        self.part(f".{name}", gather, None)
        return found


def _items(given: Any) -> Iterable[Any]:
    return given.items() if given else ()

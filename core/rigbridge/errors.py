"""
Every error that rigbridge raises on purpose, in one tree.

The second level names the *recovery*, so that a caller (above all the delivery
path) decides by type alone what to do next::

    RigbridgeError
    ├── ConfigurationError          the user corrects a setting or an argument
    │   └── UnknownPluginError      no plugin of that name is installed
    ├── DiskFullError               the user makes room; nothing was written
    ├── OutboxBusyError             the same call may succeed in a moment
    ├── OutboxUnusableError (OSError)  the user mends the folder; what is in it stays
    ├── PluginError                 the user repairs an installation
    │   ├── AdapterUnavailableError a vendor library is missing
    │   ├── PluginLoadError         a plugin failed while it was imported
    │   └── DuplicatePluginError    two distributions claim one name
    ├── SourceError                 the source file is at fault; others go on
    │   ├── SourceUnreadableError   missing, or the system refuses to read it
    │   │   └── FileUnreadableError (OSError)  a file to attach, likewise
    │   ├── UnrecognizedSourceError no adapter, or more than one, claims it
    │   ├── MalformedSourceError    it breaks its own format
    │   ├── UnsafeSourceError       refused for safety (DOCTYPE, bombs)
    │   ├── AdapterFailedError      the adapter itself broke down on it
    │   └── NoRunError              well formed, but holds no unit
    ├── ModelError (ValueError)     a value does not fit the run model
    ├── RunProblemsError (ExceptionGroup)
    │                               all ModelErrors of one run, with their paths
    └── DeliveryError               a destination did not take something
        ├── RetriableError          the same request may succeed later
        │   ├── NoAnswerError       connection refused, reset, timed out
        │   ├── ServerUnavailableError  408, 425, 429, every 5xx
        │   ├── UnexpectedAnswerError   not the store's word: a proxy, a login page
        │   └── RunWaitsError       not sent: others have to be settled first
        ├── HeldError               the destination refuses everyone for now
        │   └── UnauthorizedError   401: the key must be corrected first
        └── PermanentError          final for this request; a person decides
            ├── BadRequestError     400
            ├── ForbiddenError      403
            ├── NotFoundError       404
            ├── ConflictError       409
            ├── TooLargeError       413
            ├── UnprocessableError  422
            ├── AmbiguousRunError   nobody can tell which stored run is this one
            └── DestinationFailedError  the code of a destination failed

``str(error)`` is one line: where, what, and the remedy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

__all__ = [
    "AdapterFailedError",
    "AdapterUnavailableError",
    "AmbiguousRunError",
    "BadRequestError",
    "ConfigurationError",
    "ConflictError",
    "DeliveryError",
    "DestinationFailedError",
    "DiskFullError",
    "DuplicatePluginError",
    "FileUnreadableError",
    "ForbiddenError",
    "HeldError",
    "MalformedSourceError",
    "ModelError",
    "NoAnswerError",
    "NoRunError",
    "NotFoundError",
    "OutboxBusyError",
    "OutboxUnusableError",
    "PermanentError",
    "PluginError",
    "PluginLoadError",
    "RetriableError",
    "RigbridgeError",
    "RunProblemsError",
    "RunWaitsError",
    "ServerUnavailableError",
    "SourceError",
    "SourceUnreadableError",
    "TooLargeError",
    "UnauthorizedError",
    "UnexpectedAnswerError",
    "UnknownPluginError",
    "UnprocessableError",
    "UnrecognizedSourceError",
    "UnsafeSourceError",
]


class RigbridgeError(Exception):
    """
    The root of everything that rigbridge raises on purpose.

    Args:
        message: what is wrong, as one sentence without a final full stop.
        place: where in the source (``line 12``, an XPath, a record path).
    """

    def __init__(
        self,
        message: str,
        *,
        source: str | None = None,
        place: str | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message)
        self.source = source
        self.place = place
        self.remedy = remedy

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors come back from worker processes, keyword arguments included.
        return _restore, (type(self), self.args, dict(self.__dict__))

    @property
    def message(self) -> str:
        """What is wrong, without the place and the remedy."""
        return str(self.args[0])

    def __str__(self) -> str:
        where = [part for part in (self.source, self.place) if part]
        text = ": ".join([*where, self.message])
        if self.remedy:
            text = f"{text} ({self.remedy})"
        return " ".join(text.split())


def _restore(
    kind: type[RigbridgeError], args: tuple[Any, ...], state: dict[str, Any]
) -> RigbridgeError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class ConfigurationError(RigbridgeError):
    """A setting or an argument is wrong; the message names its key."""


class UnknownPluginError(ConfigurationError):
    """No installed distribution offers a plugin of that name."""


class DiskFullError(RigbridgeError):
    """
    There is no room for a run; nothing of it was kept.

    Args:
        missing: the bytes that are missing, as far as is known.
    """

    def __init__(
        self,
        message: str,
        *,
        source: str | None = None,
        place: str | None = None,
        remedy: str | None = None,
        missing: int = 0,
    ) -> None:
        super().__init__(message, source=source, place=place, remedy=remedy)
        self.missing = missing


class OutboxBusyError(RigbridgeError):
    """Others held the outbox for longer than the caller can wait; nothing was done."""


class OutboxUnusableError(RigbridgeError, OSError):
    """The folder of an outbox cannot be read or written; what is in it stays there."""


class PluginError(RigbridgeError):
    """An installed plugin cannot be used until the installation is repaired."""


class AdapterUnavailableError(PluginError):
    """
    The vendor library that a plugin needs is not installed.

    A plugin raises this while it is imported. It is skipped quietly in a listing
    and raised, with the command that installs the library, when asked for by name.

    Args:
        library: the import name of what is missing.
        extra: the extra of rigbridge (or ``distribution[extra]`` of a third party)
            that brings it.
    """

    def __init__(self, library: str, *, extra: str) -> None:
        requirement = extra if "[" in extra else f"rigbridge[{extra}]"
        super().__init__(
            f"the library {library!r} is not installed",
            remedy=f"pip install '{requirement}'",
        )
        self.library = library
        self.extra = extra


class PluginLoadError(PluginError):
    """A plugin raised, asserted or exited while it was imported."""


class DuplicatePluginError(PluginError):
    """Two installed distributions offer a plugin of the same name."""


class SourceError(RigbridgeError):
    """A source is at fault; the other sources of the same call go on."""


class SourceUnreadableError(SourceError):
    """The source is missing, or the operating system refuses to read it."""


class FileUnreadableError(SourceUnreadableError, OSError):
    """A file to attach is missing, or the operating system refuses to read it."""


class UnrecognizedSourceError(SourceError):
    """No adapter claims the source, or two claim it with the same score."""


class MalformedSourceError(SourceError):
    """The source breaks the rules of its own format."""


class UnsafeSourceError(SourceError):
    """The source holds something that is refused for safety."""


class AdapterFailedError(SourceError):
    """The adapter broke down on the source: a mistake in the adapter, not in it."""


class NoRunError(SourceError):
    """The source is well formed but holds no unit, hence no run."""


class ModelError(RigbridgeError, ValueError):
    """
    A value does not fit the run model or the payload.

    Args:
        path: the field, as ``$.phases[3].limits.lower`` from the run's root, or
            ``Class.field`` while a single object is being made.
    """

    def __init__(self, message: str, *, path: str, remedy: str | None = None) -> None:
        super().__init__(message, place=path, remedy=remedy)
        self.path = path


class RunProblemsError(ExceptionGroup[ModelError], RigbridgeError):
    """
    All the problems of one run together, each a :class:`ModelError` with a path.
    """

    def __new__(
        cls,
        message: str,
        problems: Sequence[ModelError],
        *,
        source: str | None = None,  # noqa: ARG004 - __init__ takes it
    ) -> Self:
        """Make the group; its children are fixed from here on."""
        return super().__new__(cls, message, problems)

    def __init__(
        self, message: str, problems: Sequence[ModelError], *, source: str | None = None
    ) -> None:
        RigbridgeError.__init__(self, message, source=source)
        self.args = (message, list(problems))

    def __str__(self) -> str:
        problems = "; ".join(str(problem) for problem in self.exceptions)
        where = "".join(f"{part}: " for part in (self.source, self.place) if part)
        return " ".join(f"{where}{self.message}: {problems}".split())

    def derive(self, excs: Sequence[Exception]) -> RunProblemsError:  # type: ignore[override]
        """Keep the type when the group is split."""
        problems = [error for error in excs if isinstance(error, ModelError)]
        return RunProblemsError(self.message, problems, source=self.source)


class DeliveryError(RigbridgeError):
    """
    A destination did not take a run, an attachment or a question.

    Args:
        status: the HTTP status, when there was an answer.
        code: the server's error code, when it gave one.
        retry_after: seconds to wait that the server asked for.

    Attributes:
        of_file: whether it concerns one file only, and says nothing of the store: the
            storage refused it, or this machine could not read it.
    """

    def __init__(
        self,
        message: str,
        *,
        source: str | None = None,
        place: str | None = None,
        remedy: str | None = None,
        status: int | None = None,
        code: str | None = None,
        issues: Sequence[str] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, source=source, place=place, remedy=remedy)
        self.status = status
        self.code = code
        self.issues = tuple(issues)
        self.retry_after = retry_after
        self.of_file = False


class RetriableError(DeliveryError):
    """The same request may succeed later."""


class NoAnswerError(RetriableError):
    """No answer came: refused, reset, timed out. What was sent may have arrived."""


class ServerUnavailableError(RetriableError):
    """The server answered 408, 425, 429 or any 5xx."""


class UnexpectedAnswerError(RetriableError):
    """
    The answer is outside the contract, so it is not the store's word.

    A page of a proxy or a portal, a redirect, an unknown status, JSON of another shape.
    What was asked for may have been done or not.
    """


class RunWaitsError(RetriableError):
    """The run was not sent: another has to be settled first, or a pause observed."""


class HeldError(DeliveryError):
    """The destination takes nothing from us until a person acts; runs wait."""


class UnauthorizedError(HeldError):
    """401: the API key is missing or unknown."""


class PermanentError(DeliveryError):
    """Final for this request: it is kept for a person and never repeated as is."""


class BadRequestError(PermanentError):
    """400: the body is malformed or lacks something."""


class ForbiddenError(PermanentError):
    """403: this key may not do that (station not linked, plan limits)."""


class NotFoundError(PermanentError):
    """404: unknown procedure, operator, run, upload or sub-unit."""


class ConflictError(PermanentError):
    """409: a reference or an idempotency key that cannot be combined."""


class TooLargeError(PermanentError):
    """413: the body or the upload is over the server's limit."""


class UnprocessableError(PermanentError):
    """422: well-formed values that contradict each other."""


class AmbiguousRunError(PermanentError):
    """
    The store has runs that may be this one, and shows too little to tell.

    Attributes:
        candidates: the ids of these runs.
    """

    candidates: tuple[str, ...] = ()


class DestinationFailedError(PermanentError):
    """The code of a destination failed: a mistake in it, not in the run."""

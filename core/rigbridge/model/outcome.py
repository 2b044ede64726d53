"""
The verdicts of runs, phases and measurements, as the v1 contract spells them.

A verdict always comes from the source. Nothing in rigbridge computes one.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar, cast

__all__ = [
    "LogLevel",
    "MeasurementOutcome",
    "PhaseOutcome",
    "RunOutcome",
    "as_log_level",
    "as_measurement_outcome",
    "as_phase_outcome",
    "as_run_outcome",
]

_Word = TypeVar("_Word", bound=StrEnum)


class RunOutcome(StrEnum):
    """The verdict of a whole run."""

    RUNNING = "RUNNING"
    PASS = "PASS"  # noqa: S105 - a verdict, not a secret
    FAIL = "FAIL"
    ERROR = "ERROR"
    TIMEOUT = "TIMEOUT"
    ABORTED = "ABORTED"


class PhaseOutcome(StrEnum):
    """The verdict of one phase."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a secret
    FAIL = "FAIL"
    SKIP = "SKIP"
    ERROR = "ERROR"


class MeasurementOutcome(StrEnum):
    """The verdict of one measurement; UNSET where nothing was judged."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a secret
    FAIL = "FAIL"
    UNSET = "UNSET"


class LogLevel(StrEnum):
    """The severity of a log entry."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


# The converters ask for the type first: readers give members, by the thousand. What
# is no word of the enumeration stays as it is, so that the field's check names it.


def as_run_outcome(value: RunOutcome | str) -> RunOutcome:
    """Take the verdict of a run as its plain word, too."""
    return value if type(value) is RunOutcome else _member(RunOutcome, value)


def as_phase_outcome(value: PhaseOutcome | str) -> PhaseOutcome:
    """Take the verdict of a phase as its plain word, too."""
    return value if type(value) is PhaseOutcome else _member(PhaseOutcome, value)


def as_measurement_outcome(value: MeasurementOutcome | str) -> MeasurementOutcome:
    """Take the verdict of a measurement as its plain word, too."""
    if type(value) is MeasurementOutcome:
        return value
    return _member(MeasurementOutcome, value)


def as_log_level(value: LogLevel | str) -> LogLevel:
    """Take a severity as its plain word, too."""
    return value if type(value) is LogLevel else _member(LogLevel, value)


def _member(kind: type[_Word], value: str) -> _Word:
    # A member of another enumeration is a text as well, yet a mistake.
    found = kind.__members__.get(value) if type(value) is str else None
    return cast("_Word", value) if found is None else found

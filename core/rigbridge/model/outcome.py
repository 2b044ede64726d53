"""
The verdicts of runs, phases and measurements, as the v1 contract spells them.

A verdict always comes from the source. Nothing in rigbridge computes one.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["LogLevel", "MeasurementOutcome", "PhaseOutcome", "RunOutcome"]


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

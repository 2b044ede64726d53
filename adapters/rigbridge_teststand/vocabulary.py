"""TestStand's own words, which are the same in both kinds of report."""

from __future__ import annotations

import re

from rigbridge.model import LogLevel, MeasurementOutcome, PhaseOutcome, RunOutcome

__all__ = [
    "KEPT_REPORT_OPTIONS",
    "LOG_ATTRIBUTES",
    "MEASUREMENT_OUTCOMES",
    "PHASE_OUTCOMES",
    "REPORT_OPTIONS_RULE",
    "RUN_OUTCOMES",
    "clean_text",
    "parameter_direction",
    "severity",
]

RUN_OUTCOMES = {
    "passed": RunOutcome.PASS,
    "done": RunOutcome.PASS,
    "failed": RunOutcome.FAIL,
    "error": RunOutcome.ERROR,
    "terminated": RunOutcome.ABORTED,
    "aborted": RunOutcome.ABORTED,
    "running": RunOutcome.ABORTED,
    "looping": RunOutcome.ABORTED,
    "": RunOutcome.ABORTED,
    "skipped": RunOutcome.ABORTED,
    "notstarted": RunOutcome.ABORTED,
}
"""The outcome of a run by its status in lower case."""

PHASE_OUTCOMES = {
    "passed": PhaseOutcome.PASS,
    "done": PhaseOutcome.PASS,
    "failed": PhaseOutcome.FAIL,
    "skipped": PhaseOutcome.SKIP,
    "notstarted": PhaseOutcome.SKIP,
    "error": PhaseOutcome.ERROR,
    "terminated": PhaseOutcome.ERROR,
    "aborted": PhaseOutcome.ERROR,
    "running": PhaseOutcome.ERROR,
    "looping": PhaseOutcome.ERROR,
}
"""The outcome of a step by its status in lower case; others are custom."""

MEASUREMENT_OUTCOMES = {
    "passed": MeasurementOutcome.PASS,
    "failed": MeasurementOutcome.FAIL,
}
"""The outcome of a measurement by its status; everything else is UNSET."""

_ORDER = (
    RunOutcome.PASS,
    RunOutcome.ABORTED,
    RunOutcome.FAIL,
    RunOutcome.ERROR,
)


def severity(outcome: RunOutcome) -> int:
    """Rank an outcome: of two that contradict each other the worse one counts."""
    return _ORDER.index(outcome)


# How the names of parameters end, also of those that hold others.
_DIRECTION = re.compile(r"\[(In|Out)\](?:[.\[]|$)")

LOG_ATTRIBUTES = {LogLevel.INFO: "report_text", LogLevel.ERROR: "error_message"}
"""
The attribute of a phase that says what its step wrote into the log, by its level.

A log entry does not name its phase; that the same text stands in both links them.
"""


def clean_text(content: str) -> str:
    r"""Take away the ``\r`` that TestStand spells out before a new line."""
    return content.replace("\\r\n", "\n").strip("\r\n")


def parameter_direction(name: str) -> str | None:
    """Tell which way a parameter went by its name: ``in``, ``out``, or None."""
    way = _DIRECTION.search(name) if "[" in name else None
    return None if way is None else way[1].lower()


KEPT_REPORT_OPTIONS = frozenset(
    {
        "AppendToFileIfItExists",
        "ArrayMeasurementFilter",
        "ArrayMeasurementMax",
        "IncludeArrayMeasurement",
        "IncludeAttributes",
        "IncludeLimits",
        "IncludeMeasurements",
        "IncludeStepResults",
        "IncludeTSExtensionElements",
        "IncludeTimes",
        "NumericFormat",
        "ProcessOnTheFly",
        "ResultFilterExpression",
        "StoreUUTReportWithBatchReport",
        "UseLocalizedDecimalPoint",
        "UseOnTheFlyReporting",
    }
)
"""
The options that filter, round or leave out results. They are metadata of the run.

The other ones, some fifty, choose colours, folders, file names and stylesheets.
"""

REPORT_OPTIONS_RULE = (
    "colours, paths and stylesheets left out, what concerns the results kept"
)
"""The rule that is recorded where report options stand."""

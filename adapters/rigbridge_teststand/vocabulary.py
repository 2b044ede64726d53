"""TestStand's own words, which are the same in both kinds of report."""

from __future__ import annotations

import re
from enum import IntEnum, auto

from rigbridge.model import LogLevel, MeasurementOutcome, PhaseOutcome, RunOutcome

__all__ = [
    "KEPT_REPORT_OPTIONS",
    "LOG_ATTRIBUTES",
    "MEASUREMENT_OUTCOMES",
    "PHASE_OUTCOMES",
    "PLACEHOLDERS",
    "REPORT_OPTIONS_RULE",
    "RUN_OUTCOMES",
    "UNKNOWN_STATUS",
    "UNNAMED_STEP",
    "LoopRole",
    "clean_text",
    "is_placeholder",
    "parameter_direction",
    "severity",
]

RUN_OUTCOMES = {
    "passed": RunOutcome.PASS,
    "done": RunOutcome.PASS,
    "failed": RunOutcome.FAIL,
    # Other exporters write these.
    "pass": RunOutcome.PASS,
    "fail": RunOutcome.FAIL,
    "error": RunOutcome.ERROR,
    "terminated": RunOutcome.ABORTED,
    "aborted": RunOutcome.ABORTED,
    "running": RunOutcome.ABORTED,
    "looping": RunOutcome.ABORTED,
    "": RunOutcome.ABORTED,
    # A run has no outcome for "did not happen".
    "skipped": RunOutcome.ABORTED,
    "notstarted": RunOutcome.ABORTED,
}
"""The outcome of a run by its status in lower case.

A report with an unfinished or empty status comes from a run that was stopped.
"""

PHASE_OUTCOMES = {
    "passed": PhaseOutcome.PASS,
    "done": PhaseOutcome.PASS,
    "failed": PhaseOutcome.FAIL,
    "pass": PhaseOutcome.PASS,
    "fail": PhaseOutcome.FAIL,
    "skipped": PhaseOutcome.SKIP,
    "notstarted": PhaseOutcome.SKIP,
    "error": PhaseOutcome.ERROR,
    # The step began and did not end, which is no verdict on the unit.
    "terminated": PhaseOutcome.ERROR,
    "aborted": PhaseOutcome.ERROR,
    "running": PhaseOutcome.ERROR,
    "looping": PhaseOutcome.ERROR,
}
"""The outcome of a step by its status in lower case; other texts are custom."""

MEASUREMENT_OUTCOMES = {
    "passed": MeasurementOutcome.PASS,
    "failed": MeasurementOutcome.FAIL,
    "pass": MeasurementOutcome.PASS,
    "fail": MeasurementOutcome.FAIL,
}
"""The outcome of a measurement by its status; everything else is UNSET."""

UNKNOWN_STATUS = "unknown, read as error; the setting statuses may give its meaning"
"""
The rule for a status that is none of these: a site's own, or one of another language.
"""

_ORDER = (
    RunOutcome.PASS,
    RunOutcome.ABORTED,
    RunOutcome.FAIL,
    RunOutcome.ERROR,
)


def severity(outcome: RunOutcome) -> int:
    """Rank an outcome, since the worse of two contradicting verdicts counts."""
    return _ORDER.index(outcome)


# Parameters end in this, or in this and the name or index of a member.
_DIRECTION = re.compile(r"\[(In|Out)\](?:[.\[]|$)")

LOG_ATTRIBUTES = {LogLevel.INFO: "report_text", LogLevel.ERROR: "error_message"}
"""
The attribute of a phase that repeats a log entry of its step, by the entry's level.

A log entry does not name its phase. The same text in both links them.
"""


UNNAMED_STEP = "(unnamed step)"
"""The name of a step that has none."""


class LoopRole(IntEnum):
    """The role of a step result in a loop; the greater one of several counts."""

    NONE = auto()
    SUMMARY = auto()
    ITERATION = auto()


def clean_text(content: str) -> str:
    r"""Take away the ``\r`` that TestStand spells out before a new line."""
    # Other backslashes stay: they are mostly Windows paths.
    return content.replace("\\r\n", "\n").strip("\r\n")


PLACEHOLDERS = frozenset({"NONE", "UNKNOWN", "\\"})
"""
What TestStand writes where a name or a number is not known, in upper case.

The schema of ATML demands some of them, and report templates fill others.
"""


def is_placeholder(text: str) -> bool:
    """Tell whether a text stands for a name or a number that is not known."""
    return text.strip().upper() in PLACEHOLDERS


def parameter_direction(name: str) -> str | None:
    """Give the direction of a parameter by its name: ``in``, ``out``, or None."""
    found = _DIRECTION.search(name) if "[" in name else None
    return None if found is None else found[1].lower()


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
The report options that filter, round or leave out results: metadata of the run.

Some fifty others choose colours, folders, file names and stylesheets.
"""

REPORT_OPTIONS_RULE = (
    "colours, paths and stylesheets left out, what concerns the results kept"
)
"""The rule by which the other report options are left out."""

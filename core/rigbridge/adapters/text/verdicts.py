"""
Verdicts: the words that logs write, and what follows where a log writes none.

A verdict comes from the log. Where the log judges only the measurements, the phase
and the run get the worst verdict that was *written* in them; no number is ever
compared with a limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from rigbridge.model import MeasurementOutcome, PhaseOutcome, RunOutcome

__all__ = [
    "MEASUREMENT_OUTCOMES",
    "PHASE_OUTCOMES",
    "RUN_OUTCOMES",
    "VERDICT_WORDS",
    "LoggedVerdict",
    "find_verdict",
    "worst_verdict",
]


class LoggedVerdict(StrEnum):
    """What a word in a verdict cell means, of a run, a phase or a measurement."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a secret
    FAIL = "FAIL"
    ERROR = "ERROR"
    TIMEOUT = "TIMEOUT"
    ABORTED = "ABORTED"
    RUNNING = "RUNNING"
    SKIP = "SKIP"
    UNSET = "UNSET"


VERDICT_WORDS: Mapping[str, LoggedVerdict] = {
    **{verdict.casefold(): verdict for verdict in LoggedVerdict},
    "passed": LoggedVerdict.PASS,
    "p": LoggedVerdict.PASS,
    "ok": LoggedVerdict.PASS,
    "good": LoggedVerdict.PASS,
    "failed": LoggedVerdict.FAIL,
    "f": LoggedVerdict.FAIL,
    # Above the upper and below the lower limit.
    "fail(+)": LoggedVerdict.FAIL,
    "fail(-)": LoggedVerdict.FAIL,
    "nok": LoggedVerdict.FAIL,
    "ng": LoggedVerdict.FAIL,
    "bad": LoggedVerdict.FAIL,
    "err": LoggedVerdict.ERROR,
    "timed out": LoggedVerdict.TIMEOUT,
    "abort": LoggedVerdict.ABORTED,
    "terminated": LoggedVerdict.ABORTED,
    "skipped": LoggedVerdict.SKIP,
    "not run": LoggedVerdict.SKIP,
    # TestStand's word for a step that judges nothing.
    "done": LoggedVerdict.UNSET,
    "info": LoggedVerdict.UNSET,
    "none": LoggedVerdict.UNSET,
}
"""
The words that need no declaration, in lower case. A log may have its own; ``1``, ``0``,
``true`` and ``false`` are not here, since some logs mean an error by 1.
"""

RUN_OUTCOMES: Mapping[LoggedVerdict, RunOutcome] = {
    LoggedVerdict(o): o for o in RunOutcome
}
"""What a run can be given as it stands."""

PHASE_OUTCOMES: Mapping[LoggedVerdict, PhaseOutcome] = {
    LoggedVerdict(outcome): outcome for outcome in PhaseOutcome
}
"""What a phase can be given as it stands."""

MEASUREMENT_OUTCOMES: Mapping[LoggedVerdict, MeasurementOutcome] = {
    LoggedVerdict(outcome): outcome for outcome in MeasurementOutcome
}
"""What a measurement can be given as it stands."""


def find_verdict(
    word: str, declared: Mapping[str, LoggedVerdict] | None = None
) -> LoggedVerdict | None:
    """
    Give what a word of a log means, or None where that is not known.

    Args:
        word: the word; case and blanks around it do not matter.
        declared: words that mean something else than ``VERDICT_WORDS`` says, or that it
            does not have, in lower case.
    """
    plain = word.strip().casefold()
    found = None if declared is None else declared.get(plain)
    return VERDICT_WORDS.get(plain) if found is None else found


_ERRORS = frozenset({LoggedVerdict.ERROR, LoggedVerdict.TIMEOUT, LoggedVerdict.ABORTED})


def worst_verdict(verdicts: Iterable[LoggedVerdict]) -> LoggedVerdict | None:
    """
    Give the worst of some verdicts: ERROR, FAIL, PASS, or None if nothing was judged.

    A timeout and an abort count as ERROR; SKIP, UNSET and RUNNING judge nothing.
    """
    # An error counts more than a failure: what came after it was not tested.
    found = set(verdicts)
    if found & _ERRORS:
        return LoggedVerdict.ERROR
    if LoggedVerdict.FAIL in found:
        return LoggedVerdict.FAIL
    return LoggedVerdict.PASS if LoggedVerdict.PASS in found else None

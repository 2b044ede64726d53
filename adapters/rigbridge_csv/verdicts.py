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

__all__ = ["MEASUREMENT", "PHASE", "RUN", "WORDS", "Verdict", "worst"]


class Verdict(StrEnum):
    """What a word in a verdict cell means, whatever it is said of."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a secret
    FAIL = "FAIL"
    ERROR = "ERROR"
    TIMEOUT = "TIMEOUT"
    ABORTED = "ABORTED"
    RUNNING = "RUNNING"
    SKIP = "SKIP"
    UNSET = "UNSET"


WORDS: Mapping[str, Verdict] = {
    **{verdict.casefold(): verdict for verdict in Verdict},
    "passed": Verdict.PASS,
    "p": Verdict.PASS,
    "ok": Verdict.PASS,
    "good": Verdict.PASS,
    "failed": Verdict.FAIL,
    "f": Verdict.FAIL,
    "fail(+)": Verdict.FAIL,
    "fail(-)": Verdict.FAIL,
    "nok": Verdict.FAIL,
    "ng": Verdict.FAIL,
    "bad": Verdict.FAIL,
    "err": Verdict.ERROR,
    "timed out": Verdict.TIMEOUT,
    "abort": Verdict.ABORTED,
    "terminated": Verdict.ABORTED,
    "skipped": Verdict.SKIP,
    "not run": Verdict.SKIP,
    "done": Verdict.UNSET,
    "info": Verdict.UNSET,
    "none": Verdict.UNSET,
}
"""
The words that need no declaration, in lower case. A profile adds its own; ``1``, ``0``,
``true`` and ``false`` are not here, since some logs mean an error by 1.
"""

RUN: Mapping[Verdict, RunOutcome] = {
    Verdict.PASS: RunOutcome.PASS,
    Verdict.FAIL: RunOutcome.FAIL,
    Verdict.ERROR: RunOutcome.ERROR,
    Verdict.TIMEOUT: RunOutcome.TIMEOUT,
    Verdict.ABORTED: RunOutcome.ABORTED,
    Verdict.RUNNING: RunOutcome.RUNNING,
}
"""What a run can be given as it stands."""

PHASE: Mapping[Verdict, PhaseOutcome] = {
    Verdict.PASS: PhaseOutcome.PASS,
    Verdict.FAIL: PhaseOutcome.FAIL,
    Verdict.SKIP: PhaseOutcome.SKIP,
    Verdict.ERROR: PhaseOutcome.ERROR,
}
"""What a phase can be given as it stands."""

MEASUREMENT: Mapping[Verdict, MeasurementOutcome] = {
    Verdict.PASS: MeasurementOutcome.PASS,
    Verdict.FAIL: MeasurementOutcome.FAIL,
    Verdict.UNSET: MeasurementOutcome.UNSET,
}
"""What a measurement can be given as it stands."""

_ERRORS = frozenset({Verdict.ERROR, Verdict.TIMEOUT, Verdict.ABORTED})


def worst(verdicts: Iterable[Verdict]) -> Verdict | None:
    """
    Give the worst of some verdicts: ERROR, FAIL, PASS, or None if nothing was judged.

    A timeout and an abort count as ERROR; SKIP, UNSET and RUNNING judge nothing.
    """
    found = set(verdicts)
    if found & _ERRORS:
        return Verdict.ERROR
    if Verdict.FAIL in found:
        return Verdict.FAIL
    return Verdict.PASS if Verdict.PASS in found else None

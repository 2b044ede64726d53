"""Status texts to outcomes, as the reference maps them; nothing is recomputed."""

from __future__ import annotations

from rigbridge.model import MeasurementOutcome, PhaseOutcome, RunOutcome

__all__ = ["MEASUREMENT_OUTCOMES", "PHASE_OUTCOMES", "RUN_OUTCOMES", "severity"]

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

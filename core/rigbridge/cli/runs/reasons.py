"""Why a run failed: the reasons that the run itself states."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rigbridge.cli.runs.wording import criterion_of, value_of

if TYPE_CHECKING:
    from rigbridge.model import Phase, Run

__all__ = ["reasons_of"]

_MOST = 20


def reasons_of(run: Run) -> list[str]:
    """
    Say why a run did not pass, a line each; none where it passed.

    Phases that failed or broke down, each measurement that failed with its criterion
    beside the value, then the first line of the log that is an error.
    """
    from rigbridge.model import (  # only shown runs need it
        LogLevel,
        PhaseOutcome,
        RunOutcome,
    )

    if run.outcome in (RunOutcome.PASS, RunOutcome.RUNNING):
        return []
    bad = (PhaseOutcome.FAIL, PhaseOutcome.ERROR)
    # A phase that only repeats the verdict of one within it says nothing.
    around = {
        phase.path[:depth]
        for phase in run.phases
        if phase.outcome in bad
        for depth in range(1, len(phase.path) + 1)
    }
    found = [
        line
        for phase in run.phases
        for line in _of_phase(phase, is_around=(*phase.path, phase.name) in around)
    ]
    hidden = len(found) - _MOST
    if hidden > 0:
        found[_MOST:] = [f"and {hidden} more"]
    severe = (LogLevel.ERROR, LogLevel.CRITICAL)
    logged = next((entry for entry in run.logs if entry.level in severe), None)
    if logged is not None:
        first, *_ = logged.message.strip().splitlines() or [""]
        found.append(f"log {logged.level.value}: {first}")
    return found


def _of_phase(phase: Phase, *, is_around: bool) -> Iterator[str]:
    from rigbridge.model import (  # only shown runs need it
        MeasurementOutcome,
        PhaseOutcome,
    )

    name = " / ".join((*phase.path, phase.name))
    failed = [
        item for item in phase.measurements if item.outcome is MeasurementOutcome.FAIL
    ]
    for item in failed:
        unit = "" if item.unit is None else f" {item.unit}"
        criterion = criterion_of(item)
        wanted = f" ({criterion})" if criterion else ""
        value = value_of(item.value) or "no value"
        # Many a source names a step and its only measurement alike.
        measured = name if item.name == phase.name else f"{name}: {item.name}"
        yield f"FAIL {measured} = {value}{unit}{wanted}"
    if is_around:
        return
    if phase.outcome is PhaseOutcome.ERROR or (
        phase.outcome is PhaseOutcome.FAIL and not failed
    ):
        told = next(
            (
                text
                for key in ("error_message", "exception", "report_text", "error")
                if isinstance(text := phase.attributes.get(key), str) and text.strip()
            ),
            None,
        )
        words = "" if told is None else f": {told.strip().splitlines()[0]}"
        yield f"{phase.outcome.value} {name}{words}"

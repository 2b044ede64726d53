"""The oldest shape of a body: each deprecated step becomes a phase."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import UNSET

from rigbridge.convert.times import to_millis
from rigbridge.model import MeasurementOutcome, PhaseOutcome
from rigbridge.wire import WireMeasurement, WirePhase, WireStep
from rigbridge_store.fields import FieldChecks, known, text_or_none
from rigbridge_store.tables.values import EPOCH

__all__ = ["phase_of_step"]


def phase_of_step(
    step: WireStep, path: str, checks: FieldChecks, started: datetime | None
) -> WirePhase:
    """
    Make a phase of a step.

    A step that measured something, or has a limit, becomes a phase with one
    measurement of the step's name. A step without a time begins with the run, or at
    the epoch where even that is unknown.
    """
    checks.filled(step.name, f"{path}.name")
    begin = checks.moment(text_or_none(step.started_at), f"{path}.started_at")
    span = checks.span(text_or_none(step.duration), f"{path}.duration")
    # v1 demands a time of each phase.
    start = begin or started or EPOCH
    return WirePhase(
        name=step.name,
        outcome=PhaseOutcome.PASS if step.step_passed else PhaseOutcome.FAIL,
        start_time_millis=to_millis(start),
        end_time_millis=_end(start, span, path, checks),
        measurements=[_measurement(step)] if _measures(step) else UNSET,
    )


def _end(
    start: datetime, span: timedelta | None, path: str, checks: FieldChecks
) -> int:
    try:
        return to_millis(start + (span or timedelta()))
    except OverflowError:
        # Reported and not raised, so that the other problems of the body are found as
        # well.
        checks.report(f"{path}.duration", "ends after the year 9999")
        return to_millis(start)


def _measures(step: WireStep) -> bool:
    fields = (step.measurement_value, step.limit_low, step.limit_high)
    return any(known(field) is not None for field in fields)


def _measurement(step: WireStep) -> WireMeasurement:
    low, high = known(step.limit_low), known(step.limit_high)
    return WireMeasurement(
        name=step.name,
        outcome=(
            MeasurementOutcome.PASS if step.step_passed else MeasurementOutcome.FAIL
        ),
        measured_value=known(step.measurement_value),
        units=step.measurement_unit,
        lower_limit=UNSET if low is None else low,
        upper_limit=UNSET if high is None else high,
    )

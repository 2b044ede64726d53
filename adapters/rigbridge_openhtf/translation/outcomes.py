"""
The verdicts of a record, as the run model spells them.

A verdict always comes from the record. Records before 2017 have none on their phases;
only there it is derived, by the rule that OpenHTF itself had, and recorded as coerced.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import cast

import attrs

from rigbridge.model import (
    Measurement,
    MeasurementOutcome,
    PhaseOutcome,
    RunOutcome,
)
from rigbridge_openhtf.raw_record import ABSENT, RawPhase
from rigbridge_openhtf.scope import Scope
from rigbridge_openhtf.translation.values import simplify

__all__ = [
    "PhaseContext",
    "measurement_outcome",
    "phase_outcome",
    "returned_result",
    "run_outcome",
]

# Some releases wrote the member with its class: Outcome.PASS, PhaseResult.CONTINUE.
_MEMBER = re.compile(r"(?:[A-Za-z_]\w*\.)*([A-Za-z_]+)")
_BY_RESULT = {
    "FAIL_AND_CONTINUE": PhaseOutcome.FAIL,
    "FAIL_SUBTEST": PhaseOutcome.FAIL,
    "SKIP": PhaseOutcome.SKIP,
    "REPEAT": PhaseOutcome.SKIP,
}


def _bare_name(value: object, scope: Scope, item: str) -> str | None:
    """Give the name alone of ``State.PASS`` and the like, in capitals."""
    plain = simplify(value, scope, item)
    if plain is None:
        return None
    match = _MEMBER.fullmatch(plain.strip()) if isinstance(plain, str) else None
    if match is None:
        return str(plain)
    name = match[1].upper()
    if name != plain:
        scope.coerced(item, "spelling of the verdict reduced to its name", plain)
    return name


def run_outcome(value: object, scope: Scope) -> RunOutcome:
    """Read the verdict of the whole test; an unknown one never becomes a PASS."""
    name = _bare_name(value, scope, "outcome")
    if name is None:
        scope.coerced("outcome", "no verdict yet: the test was running")
        return RunOutcome.RUNNING
    if name in RunOutcome.__members__:
        scope.mapped("outcome")
        return RunOutcome(name)
    scope.coerced("outcome", "unknown verdict taken as ERROR", value)
    return RunOutcome.ERROR


def measurement_outcome(value: object, scope: Scope) -> MeasurementOutcome:
    """Read the verdict of a measurement; skipped and unfinished ones are UNSET."""
    name = _bare_name(value, scope, "measurement outcome")
    if name is None:
        scope.coerced("measurement outcome", "no verdict taken as UNSET")
        return MeasurementOutcome.UNSET
    if name in MeasurementOutcome.__members__:
        return MeasurementOutcome(name)
    # OpenHTF also has PARTIALLY_SET and SKIPPED; the attributes keep them.
    scope.coerced("measurement outcome", "taken as UNSET", value)
    return MeasurementOutcome.UNSET


@attrs.frozen(kw_only=True)
class PhaseContext:
    """
    What a phase needs to know of its record.

    Attributes:
        run: the verdict of the whole test.
        unset_fails: whether measurements that were not set fail their phase, or None
            if the record does not say.
    """

    run: RunOutcome
    unset_fails: bool | None


def phase_outcome(
    raw: RawPhase,
    measurements: Iterable[Measurement],
    context: PhaseContext,
    scope: Scope,
) -> PhaseOutcome:
    """Read the verdict of a phase, or derive it where the record has none."""
    name = _bare_name(raw.outcome, scope, "phase outcome")
    if name is None:
        return _derived(raw, {item.outcome for item in measurements}, context, scope)
    if name in PhaseOutcome.__members__:
        return PhaseOutcome(name)
    scope.coerced("phase outcome", "unknown verdict taken as ERROR", raw.outcome)
    return PhaseOutcome.ERROR


def returned_result(result: object) -> object:
    """Give what a phase returned; newer records wrap it in an object."""
    if isinstance(result, Mapping):
        return cast("Mapping[object, object]", result).get("phase_result")
    return result


def _derived(
    raw: RawPhase,
    measured: set[MeasurementOutcome],
    context: PhaseContext,
    scope: Scope,
) -> PhaseOutcome:
    result = returned_result(raw.result)
    match = _MEMBER.fullmatch(result) if isinstance(result, str) else None
    returned = match[1] if match else None
    if returned != "CONTINUE" and result is not ABSENT:
        # No result is a timeout, any other text or object an exception.
        outcome = _BY_RESULT.get(returned or "", PhaseOutcome.ERROR)
        scope.coerced("phase outcome", "derived from the phase's result", outcome)
        return outcome
    outcome = _by_measurements(raw, measured, context)
    scope.coerced("phase outcome", "derived from the measurements' outcomes", outcome)
    return outcome


def _by_measurements(
    raw: RawPhase, measured: set[MeasurementOutcome], context: PhaseContext
) -> PhaseOutcome:
    passed = context.run is RunOutcome.PASS
    # Nothing says how such a phase ended, and something in the test went wrong.
    if raw.result is ABSENT and not measured and not passed:
        return PhaseOutcome.ERROR
    unset_fails = context.unset_fails
    if unset_fails is None:
        # A test that passed with unset measurements had allowed them.
        unset_fails = not passed
    if MeasurementOutcome.FAIL in measured:
        return PhaseOutcome.FAIL
    if unset_fails and MeasurementOutcome.UNSET in measured:
        return PhaseOutcome.FAIL
    return PhaseOutcome.PASS

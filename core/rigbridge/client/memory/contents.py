"""Whether a listed run holds what was measured, as far as the list shows it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rigbridge.client.listing import ReceivedRun
from rigbridge.wire import CreateRun, WireMeasurement, WirePhase

__all__ = ["agreement", "shows_content"]

# Stores keep numbers as doubles or as decimals, and times to the second at worst.
_RELATIVE = 1e-6
_MILLIS = 1000.0


def shows_content(run: ReceivedRun) -> bool:
    """Whether the list shows what the run measured."""
    return isinstance(run.phases, list) and bool(run.phases)


def agreement(body: CreateRun, run: ReceivedRun) -> bool | None:
    """
    Compare phases, their times, and measured values.

    Returns:
        True where both have phases and they are the same, False where anything is
        another, None where there is nothing to compare.
    """
    ours = body.phases if isinstance(body.phases, list) else []
    theirs = run.phases if isinstance(run.phases, list) else []
    if not ours or not theirs:
        return None
    if len(ours) != len(theirs):
        return False
    return all(map(_same_phase, _ordered(ours), _ordered(theirs)))


def _ordered(phases: Sequence[WirePhase]) -> list[WirePhase]:
    # A store need not keep the order; sorting is stable for phases of one name.
    return sorted(phases, key=lambda phase: phase.name.strip())


def _same_phase(ours: WirePhase, theirs: WirePhase) -> bool:
    # Stores trim names.
    if ours.name.strip() != theirs.name.strip() or ours.outcome != theirs.outcome:
        return False
    if abs(ours.start_time_millis - theirs.start_time_millis) > _MILLIS:
        return False
    mine, other = _measurements(ours), _measurements(theirs)
    # A list may name phases without their measurements.
    if not mine or not other:
        return True
    return len(mine) == len(other) and all(map(_same_measurement, mine, other))


def _measurements(phase: WirePhase) -> list[WireMeasurement]:
    found = phase.measurements if isinstance(phase.measurements, list) else []
    return sorted(found, key=lambda measurement: measurement.name.strip())


def _same_measurement(ours: WireMeasurement, theirs: WireMeasurement) -> bool:
    return (
        ours.name.strip() == theirs.name.strip()
        and ours.outcome == theirs.outcome
        and _same_value(ours.measured_value, theirs.measured_value)
    )


def _same_value(ours: object, theirs: object) -> bool:
    if isinstance(ours, bool) or isinstance(theirs, bool):
        # Some stores spell a truth value as a number.
        return not isinstance(theirs, (bool, int)) or ours == theirs
    if isinstance(ours, (int, float)) and isinstance(theirs, (int, float)):
        return math.isclose(ours, theirs, rel_tol=_RELATIVE)
    if isinstance(ours, str) and isinstance(theirs, str):
        return ours.strip() == theirs.strip()
    # Lists and objects come back in as many shapes as there are stores.
    return True

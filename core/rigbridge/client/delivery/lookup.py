"""
Finding one's own run again after an answer was lost.

The stock contract has no idempotency key, so the runs of the unit are compared: same
procedure, same start to the millisecond, same outcome.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from rigbridge.client.listing import ReceivedRun
from rigbridge.convert.times import from_iso, to_millis
from rigbridge.errors import ModelError
from rigbridge.wire import CreateRun

__all__ = ["can_be_found", "find"]


def can_be_found(body: CreateRun) -> bool:
    """Whether a run says enough, its start above all, to be told from others."""
    return _millis(body.started_at) is not None


def find(body: CreateRun, runs: Iterable[ReceivedRun]) -> ReceivedRun | None:
    """
    Find the run that a body would make among the runs of its unit.

    What the server leaves out is not compared, except for the start.
    """
    started = _millis(body.started_at)
    if started is None:
        return None
    for run in runs:
        if (
            _millis(run.started_at) == started
            and _same_outcome(body, run)
            and _same_procedure(body, run)
        ):
            return run
    return None


def _millis(text: object) -> int | None:
    if not isinstance(text, str):
        return None
    try:
        return to_millis(from_iso(text))
    except ModelError:
        return None


def _same_outcome(body: CreateRun, run: ReceivedRun) -> bool:
    if run.outcome is not None:
        return run.outcome == body.outcome
    # The older shapes have only the older verdict.
    passed = run.unread.get("runPassed", run.unread.get("run_passed"))
    return passed is None or passed == body.run_passed


def _same_procedure(body: CreateRun, run: ReceivedRun) -> bool:
    if run.procedure is None:
        return True
    procedure_id, name = body.procedure_id, body.procedure_name
    if isinstance(procedure_id, str) and procedure_id == run.procedure.id:
        return True
    if isinstance(name, str) and run.procedure.name is not None:
        return name == run.procedure.name
    # Lists give the UUID: a human identifier (FVT1) cannot be compared with it.
    return not (isinstance(procedure_id, str) and _is_uuid(procedure_id))


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True

"""The cells that all rows of a run have in common, from its body alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import attrs
import msgspec

from rigbridge.convert import read_plain
from rigbridge.convert.times import from_iso
from rigbridge.destinations import MeasurementRow
from rigbridge.kept.rows import run_cells
from rigbridge.model import RunOutcome
from rigbridge.wire import CreateRun

__all__ = ["head_cells"]

_MICROSECOND = timedelta(microseconds=1)


@attrs.frozen(kw_only=True)
class _UnitHead:
    """What of a unit has a cell."""

    serial_number: str
    part_number: str | None = None
    revision: str | None = None
    batch_number: str | None = None


@attrs.frozen(kw_only=True)
class _Head:
    """What of a body has a cell, and what tells when a run ended."""

    unit_under_test: _UnitHead
    run_passed: bool = False
    outcome: RunOutcome | None = None
    procedure_name: str | None = None
    procedure_id: str | None = None
    procedure_version: str | None = None
    operated_by: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    duration: str | None = None
    sub_units: msgspec.Raw | None = None


_decode = msgspec.json.Decoder(_Head).decode


def head_cells(run_id: str, body: str, duration: int | None) -> MeasurementRow:
    """
    Give what :func:`rigbridge.kept.rows.run_cells` gives of the restored run.

    Args:
        body: the body as it was sent, without what has tables of its own.
        duration: how long it took, in microseconds, as read when it was stored.

    Raises:
        ExceptionGroup, ModelError, ValueError: what makes no run.
    """
    head = _decode(body)
    if head.sub_units is not None:
        # Of an assembly more must be well than what has cells.
        whole = msgspec.json.decode(body, type=CreateRun)
        return run_cells(read_plain(whole, run_id=UUID(run_id)))
    outcome, unit = head.outcome, head.unit_under_test
    if outcome is None:
        outcome = RunOutcome.PASS if head.run_passed else RunOutcome.FAIL
    started = _moment(head.started_at)
    ended = _moment(head.ended_at)
    if ended is None and started is not None and duration is not None:
        ended = started + duration * _MICROSECOND
    return (
        run_id,
        outcome.value,
        _text(head.procedure_name),
        _text(head.procedure_id),
        _text(head.procedure_version),
        _text(unit.serial_number),
        _text(unit.part_number),
        _text(unit.revision),
        _text(unit.batch_number),
        None,
        _text(head.operated_by),
        started,
        ended,
        None,
        None,
    )


def _text(text: str | None) -> str | None:
    return text if text and not text.isspace() else None


def _moment(text: str | None) -> datetime | None:
    return None if _text(text) is None else from_iso(str(text))

"""The run: one unit that went through one procedure once; and the lines of its log."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import cast
from uuid import UUID, uuid4

import attrs

from rigbridge.errors import ModelError
from rigbridge.model.attachment import Attachment
from rigbridge.model.instrument import Instrument, different_names
from rigbridge.model.outcome import (
    LogLevel,
    RunOutcome,
    as_log_level,
    as_run_outcome,
)
from rigbridge.model.phase import Phase
from rigbridge.model.provenance import Provenance
from rigbridge.model.unit import ProcedureRef, SubUnit, Unit
from rigbridge.model.values import (
    JSONObject,
    as_path_text,
    as_tuple,
    aware_or_none,
    count_or_none,
    is_,
    json_object,
    optional_text,
    tuple_of,
    word_of,
)

__all__ = ["LogEntry", "Run"]


def _as_id(value: UUID | str) -> UUID:
    # What is no text goes to the check of the field, which names what is wrong.
    if type(value) is not str:
        return cast("UUID", value)
    try:
        return UUID(value)
    except ValueError:
        raise ModelError(f"{value!r} is no UUID", path="Run.id") from None


@attrs.frozen(kw_only=True)
class LogEntry:
    """
    A log line.

    Attributes:
        level: its severity, also as its plain word (``"INFO"``).
        message: its text, which may be empty and may span lines.
        time: when it was written, aware; None where unknown.
        source_file: the file that wrote it, or None.
        line: the line in that file, counted from 1, or None.

    Raises:
        ModelError: a field of the wrong kind; the error names it.
    """

    level: LogLevel = attrs.field(converter=as_log_level, validator=word_of(LogLevel))
    message: str = attrs.field(validator=is_(str))
    time: datetime | None = attrs.field(default=None, validator=aware_or_none)
    source_file: str | None = attrs.field(
        default=None, converter=as_path_text, validator=optional_text
    )
    line: int | None = attrs.field(default=None, validator=count_or_none)


# One function for each kind: type checkers take the type of an argument from it.
def _as_sub_units(members: Iterable[SubUnit]) -> tuple[SubUnit, ...]:
    return as_tuple(members)


def _as_instruments(members: Iterable[Instrument]) -> tuple[Instrument, ...]:
    return as_tuple(members)


def _as_phases(members: Iterable[Phase]) -> tuple[Phase, ...]:
    return as_tuple(members)


def _as_logs(members: Iterable[LogEntry]) -> tuple[LogEntry, ...]:
    return as_tuple(members)


def _as_attachments(members: Iterable[Attachment]) -> tuple[Attachment, ...]:
    return as_tuple(members)


@attrs.frozen(kw_only=True)
class Run:
    """
    One test run.

    Attributes:
        id: the idempotency key. For a file it follows from the content (see
            :func:`rigbridge.model.run_id`); by default it is a new random UUID.
        outcome: the verdict, from the source, also as its plain word (``"PASS"``);
            never recomputed.
        procedure: what was tested by.
        unit: what was tested.
        sub_units: the units built into it.
        started_at: when the test began, aware; None where unknown, never "now".
        ended_at: when it ended, likewise.
        operator: who ran it, as the source spells it, or None.
        station: where it ran, or None.
        instruments: what it was measured with; each has a name of its own.
        docstring: the author's explanation of the test.
        phases: its steps, flat and in document order; nesting is in their paths.
        logs: its log lines in order.
        attachments: its files in order.
        metadata: what else the source says, as strict JSON.
        source: where it was read from, or None for a run made by hand.

    Raises:
        ModelError: a field of the wrong kind; the error names it.
    """

    id: UUID = attrs.field(factory=uuid4, converter=_as_id, validator=is_(UUID))
    outcome: RunOutcome = attrs.field(
        converter=as_run_outcome, validator=word_of(RunOutcome)
    )
    procedure: ProcedureRef = attrs.field(validator=is_(ProcedureRef))
    unit: Unit = attrs.field(validator=is_(Unit))
    sub_units: tuple[SubUnit, ...] = attrs.field(
        default=(), converter=_as_sub_units, validator=tuple_of(SubUnit)
    )
    started_at: datetime | None = attrs.field(default=None, validator=aware_or_none)
    ended_at: datetime | None = attrs.field(default=None, validator=aware_or_none)
    operator: str | None = attrs.field(default=None, validator=optional_text)
    station: str | None = attrs.field(default=None, validator=optional_text)
    instruments: tuple[Instrument, ...] = attrs.field(
        default=(),
        converter=_as_instruments,
        validator=[tuple_of(Instrument), different_names],
    )
    docstring: str | None = attrs.field(default=None, validator=optional_text)
    phases: tuple[Phase, ...] = attrs.field(
        default=(), converter=_as_phases, validator=tuple_of(Phase)
    )
    logs: tuple[LogEntry, ...] = attrs.field(
        default=(), converter=_as_logs, validator=tuple_of(LogEntry)
    )
    attachments: tuple[Attachment, ...] = attrs.field(
        default=(), converter=_as_attachments, validator=tuple_of(Attachment)
    )
    metadata: JSONObject = attrs.field(factory=dict, validator=json_object)
    source: Provenance | None = attrs.field(
        default=None, validator=is_(Provenance, type(None))
    )

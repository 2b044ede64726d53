"""Stored runs as a person reads them: one in full, or many as rows of a table."""

# ruff: noqa: PLC0415 - each command imports what it needs: --help must stay fast

from __future__ import annotations

from typing import TYPE_CHECKING

from rigbridge.cli.output import count_of, say, say_table

if TYPE_CHECKING:
    from rigbridge.model import Attachment, Limit, Run
    from rigbridge.wire import ListedRun

__all__ = ["LISTED_COLUMNS", "listed_row", "say_run", "size_of"]

LISTED_COLUMNS = ("Outcome", "Procedure", "Unit", "Part", "Started", "Phases", "Run")
"""The columns of the table of stored runs."""

_UNKNOWN = "-"


def say_run(run: Run) -> None:
    """Say what is known of a run: its facts, then its phases, then its files."""
    _say_facts(run)
    _say_phases(run)
    _say_attachments(run)


def _say_facts(run: Run) -> None:
    facts = {
        "run": str(run.id),
        "outcome": run.outcome.value,
        "procedure": run.procedure.name or run.procedure.id,
        "version": run.procedure.version,
        "unit": run.unit.serial_number,
        "part": run.unit.part_number,
        "part name": run.unit.part_name,
        "revision": run.unit.revision,
        "batch": run.unit.batch_number,
        "made of": ", ".join(part.serial_number for part in run.sub_units) or None,
        "started": None if run.started_at is None else run.started_at.isoformat(),
        "ended": None if run.ended_at is None else run.ended_at.isoformat(),
        "operator": run.operator,
        "station": run.station,
        "source": None if run.source is None else run.source.uri,
    }
    for name, value in facts.items():
        if value is not None:
            say(f"{name + ':':<11}{value}")


def _say_phases(run: Run) -> None:
    rows: list[tuple[str, ...]] = []
    for phase in run.phases:
        indent = "  " * len(phase.path)
        rows.append((phase.outcome.value, indent + phase.name, "", "", ""))
        rows.extend(
            (
                item.outcome.value,
                f"{indent}  {item.name}",
                _shown(item.value),
                item.unit or "",
                "; ".join((*_range(item.limits), *item.validators)),
            )
            for item in phase.measurements
        )
    if rows:
        say("")
        say_table(("Outcome", "Phase, measurement", "Value", "Unit", "Limits"), rows)


def _say_attachments(run: Run) -> None:
    if run.attachments:
        say("")
        for attachment in run.attachments:
            say(f"attachment {attachment.name} ({size_of(attachment)})")


def _shown(value: object) -> str:
    if value is None:
        return ""
    from rigbridge.model import Series

    if isinstance(value, Series):
        return f"{len(value)} points, {len(value.axes)} columns"
    return str(value)


def _range(limits: Limit | None) -> tuple[str, ...]:
    if limits is None:
        return ()
    left = "" if limits.lower is None else f"{limits.lower} "
    right = "" if limits.upper is None else f" {limits.upper}"
    below = "<=" if limits.lower_inclusive else "<"
    above = "<=" if limits.upper_inclusive else "<"
    if not left and not right:
        return ()
    return (f"{left}{below if left else ''} x {above if right else ''}{right}".strip(),)


def size_of(attachment: Attachment) -> str:
    """Say how long an attachment is, or that the store holds no bytes of it."""
    if attachment.size is None:
        return "by reference"
    return count_of(attachment.size, "byte")


def listed_row(run: ListedRun) -> tuple[str, ...]:
    """Give the cells of a listed run, in the order of ``LISTED_COLUMNS``."""
    from msgspec import UnsetType

    procedure = run.procedure
    unit = run.unit
    part = None if unit is None else unit.part
    phases = run.phases
    return (
        run.outcome or _UNKNOWN,
        (procedure and procedure.name) or _UNKNOWN,
        (unit and unit.serial_number) or _UNKNOWN,
        (part and part.number) or _UNKNOWN,
        run.started_at or _UNKNOWN,
        _UNKNOWN if isinstance(phases, UnsetType) else str(len(phases or ())),
        run.id,
    )

"""Stored runs as a person reads them: one in full, or many as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rigbridge.cli.output import say, say_outcome, say_table
from rigbridge.cli.runs.finding import shown_ids
from rigbridge.cli.runs.reasons import reasons_of
from rigbridge.cli.runs.wording import criterion_of, size_of, value_of

if TYPE_CHECKING:
    from rigbridge.model import Run
    from rigbridge.wire import ListedRun

__all__ = ["say_listed", "say_run"]

_COLUMNS = ("Outcome", "Procedure", "Unit", "Station", "Started (UTC)", "Run")
_MEASURED = ("Outcome", "Phase, measurement", "Value", "Unit", "Limits", "Instrument")

_UNKNOWN = "-"


def say_run(run: Run) -> None:
    """Say what is known of a run: its facts, why it failed, its phases, its files."""
    _say_facts(run)
    _say_instruments(run)
    for reason in reasons_of(run):
        say(f"{'why:':<11}{reason}")
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
        if name == "outcome":
            say_outcome(f"{name + ':':<11}", run.outcome.value)
        elif value is not None:
            say(f"{name + ':':<11}{value}")


def _say_instruments(run: Run) -> None:
    moment = run.started_at or run.ended_at
    for item in run.instruments:
        words = [item.name]
        if item.serial_number is not None:
            words.append(f"serial number {item.serial_number}")
        if item.calibration_due is not None:
            overdue = " (overdue at the run)" if item.is_overdue(moment) else ""
            words.append(f"calibration due {item.calibration_due}{overdue}")
        say(f"instrument: {', '.join(words)}")


def _say_phases(run: Run) -> None:
    rows: list[tuple[str, ...]] = []
    for phase in run.phases:
        indent = "  " * len(phase.path)
        rows.append((phase.outcome.value, indent + phase.name, "", "", "", ""))
        rows.extend(
            (
                item.outcome.value,
                f"{indent}  {item.name}",
                value_of(item.value),
                item.unit or "",
                criterion_of(item),
                item.instrument or "",
            )
            for item in phase.measurements
        )
    if rows:
        say("")
        # Most runs name no instruments, and a terminal is narrow.
        width = len(_MEASURED) if any(row[-1] for row in rows) else len(_MEASURED) - 1
        say_table(_MEASURED[:width], [row[:width] for row in rows])


def _say_attachments(run: Run) -> None:
    if run.attachments:
        say("")
        for attachment in run.attachments:
            say(f"attachment {attachment.name} ({size_of(attachment)})")


def say_listed(runs: Sequence[ListedRun]) -> None:
    """Draw the table of listed runs."""
    say_table(_COLUMNS, map(_row, runs, shown_ids([run.id for run in runs])))


def _row(run: ListedRun, run_id: str) -> tuple[str, ...]:
    procedure, unit, sender = run.procedure, run.unit, run.created_by_station
    # What the report says counts before whose key sent it.
    station = run.station if isinstance(run.station, str) else None
    started = run.started_at
    return (
        run.outcome or _UNKNOWN,
        (procedure and procedure.name) or _UNKNOWN,
        (unit and unit.serial_number) or _UNKNOWN,
        station or (sender and sender.name) or _UNKNOWN,
        _UNKNOWN if started is None else started[:16].replace("T", " "),
        run_id,
    )

"""Runs as rows of a table and as JSON, the same fields for both."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rigbridge.imports import ImportedRun, SourceResult
    from rigbridge.model import Run
    from rigbridge.wire import ListedRun

__all__ = [
    "LISTED_COLUMNS",
    "RUN_COLUMNS",
    "imported_document",
    "listed_row",
    "result_document",
    "run_row",
]

RUN_COLUMNS = (
    "Outcome",
    "Procedure",
    "Unit",
    "Phases",
    "Measurements",
    "Attachments",
    "Run",
)
"""The columns of the table of imported runs."""

LISTED_COLUMNS = ("Outcome", "Procedure", "Unit", "Part", "Started", "Phases", "Run")
"""The columns of the table of stored runs."""

_UNKNOWN = "-"


def _measurements(run: Run) -> int:
    return sum(len(phase.measurements) for phase in run.phases)


def run_row(item: ImportedRun) -> tuple[str, ...]:
    """Give the cells of an imported run, in the order of ``RUN_COLUMNS``."""
    run = item.run
    return (
        run.outcome.value,
        run.procedure.name or run.procedure.id or _UNKNOWN,
        run.unit.serial_number or _UNKNOWN,
        str(len(run.phases)),
        str(_measurements(run)),
        str(len(run.attachments)),
        str(run.id) if item.receipt is None else item.receipt.stored_id,
    )


def imported_document(item: ImportedRun) -> dict[str, object]:
    """Give an imported run as JSON values."""
    run, receipt = item.run, item.receipt
    return {
        "id": str(run.id),
        "stored_id": None if receipt is None else receipt.stored_id,
        "created": None if receipt is None else receipt.created,
        "outcome": run.outcome.value,
        "procedure": run.procedure.name or run.procedure.id,
        "serial_number": run.unit.serial_number,
        "phases": len(run.phases),
        "measurements": _measurements(run),
        "attachments": len(run.attachments),
        "warnings": [] if receipt is None else list(receipt.warnings),
    }


def result_document(result: SourceResult, errors: Iterable[Any]) -> dict[str, object]:
    """Give what came of a source as JSON values."""
    return {
        "source": result.source,
        "adapter": result.adapter,
        "tried": result.tried,
        "runs": [imported_document(item) for item in result.runs],
        "errors": list(errors),
        "quarantined": [str(path) for path in result.quarantined],
        "report": result.report.as_document(),
    }


def listed_row(run: ListedRun) -> tuple[str, ...]:
    """Give the cells of a listed run, in the order of ``LISTED_COLUMNS``."""
    from msgspec import UnsetType  # noqa: PLC0415 - start fast

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

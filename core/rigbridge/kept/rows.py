"""A run as rows of a table: one a measurement, in their order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import cast

import msgspec

from rigbridge.convert import document_of_value
from rigbridge.convert.numbers import spell
from rigbridge.destinations import (
    MeasuredPhase,
    MeasuredValue,
    MeasurementKind,
    MeasurementRow,
    RunRows,
)
from rigbridge.model import Instrument, Limit, Measurement, MeasurementValue, Phase, Run
from rigbridge.wire import RowsOfPhase, RowsOfRun, SentCell

__all__ = [
    "COLUMNS",
    "PER_PHASE",
    "PER_RUN",
    "instrument_cells",
    "limit_cells",
    "measurement_cells",
    "measurement_rows",
    "phase_cells",
    "rows_from_wire",
    "rows_to_wire",
    "run_cells",
    "value_cells",
]

COLUMNS: Mapping[str, type] = {
    "run_id": str,
    "run_outcome": str,
    "procedure": str,
    "procedure_id": str,
    "procedure_version": str,
    "serial_number": str,
    "part_number": str,
    "revision": str,
    "batch_number": str,
    "station": str,
    "operator": str,
    "started_at": datetime,
    "ended_at": datetime,
    "instruments": str,
    "calibration_overdue": bool,
    "phase_index": int,
    "phase_path": str,
    "phase": str,
    "phase_outcome": str,
    "phase_started_at": datetime,
    "phase_ended_at": datetime,
    "measurement": str,
    "measurement_outcome": str,
    "number": float,
    "value": str,
    "unit": str,
    "lower_limit": float,
    "lower_inclusive": bool,
    "upper_limit": float,
    "upper_inclusive": bool,
    "validators": str,
    "instrument": str,
}
"""
The columns by name, with the kind of their values; each may be None.

``number`` is a value that is one, booleans not among them; ``value`` is any value as
text, a series or an object as JSON. ``phase_path`` names the phases around a phase.
``instruments`` names all of the run, ``calibration_overdue`` says whether one of them
was out of calibration, where that is known of any.
"""


PER_RUN = list(COLUMNS).index("phase_index")
"""How many cells, from the first one on, all rows of a run have in common."""

PER_PHASE = list(COLUMNS).index("measurement")
"""The same of a phase, those of its run among them."""

# What measurements of a kind have in common stands around the value.
_VALUE = list(COLUMNS).index("number") - PER_PHASE
_KINDS = tuple(COLUMNS.values())


def measurement_rows(run: Run) -> RunRows:
    """
    Give a row for each measurement of a run, in the order of ``COLUMNS``.

    Args:
        run: the run; one without measurements gives no row.
    """
    return RunRows(
        run_cells(run),
        [
            MeasuredPhase(
                phase_cells(index, phase), [*map(measurement_cells, phase.measurements)]
            )
            for index, phase in enumerate(run.phases)
            if phase.measurements
        ],
    )


def run_cells(run: Run) -> MeasurementRow:
    """Give the cells that all rows of a run have in common."""
    return (
        str(run.id),
        run.outcome.value,
        run.procedure.name,
        run.procedure.id,
        run.procedure.version,
        run.unit.serial_number,
        run.unit.part_number,
        run.unit.revision,
        run.unit.batch_number,
        run.station,
        run.operator,
        run.started_at,
        run.ended_at,
        *instrument_cells(run.instruments, run.started_at or run.ended_at),
    )


def instrument_cells(
    instruments: Iterable[Instrument], moment: datetime | None
) -> MeasurementRow:
    """Give the instruments of a run as text, and whether any was overdue."""
    words: list[str] = []
    overdue: list[bool] = []
    for item in instruments:
        serial = "" if item.serial_number is None else f" {item.serial_number}"
        due = item.calibration_due
        words.append(f"{item.name}{serial}{'' if due is None else f' (due {due})'}")
        if (known := item.is_overdue(moment)) is not None:
            overdue.append(known)
    return ("; ".join(words) or None, any(overdue) if overdue else None)


def phase_cells(index: int, phase: Phase) -> MeasurementRow:
    """Give the cells that all rows of a phase have in common."""
    return (
        index,
        " / ".join(phase.path),
        phase.name,
        phase.outcome.value,
        phase.started_at,
        phase.ended_at,
    )


def measurement_cells(measurement: Measurement) -> MeasuredValue:
    """Give the cells of one measurement."""
    kind = MeasurementKind(
        (measurement.name, measurement.outcome.value),
        (
            measurement.unit,
            *limit_cells(measurement.limits),
            "; ".join(measurement.validators) or None,
            measurement.instrument,
        ),
    )
    return (kind, *value_cells(measurement.value))


def limit_cells(limits: Limit | None) -> MeasurementRow:
    """Give each bound of a range, followed by whether it passes itself."""
    if limits is None:
        return (None, None, None, None)
    return (
        _number(limits.lower),
        limits.lower_inclusive,
        _number(limits.upper),
        limits.upper_inclusive,
    )


def value_cells(value: MeasurementValue) -> tuple[float | None, str | None]:
    """Give a value as a number, where it is one, and as text."""
    if type(value) is float and math.isfinite(value):
        # By far the most frequent, and by the shortest way.
        return value, msgspec.json.encode(value).decode()
    # In Python a bool is an int; a verdict is no number to be averaged.
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _number(value), _text(value)
    return None, _text(value)


def _number(value: float | None) -> float | None:
    if value is None:
        return None
    try:
        return float(value)
    except OverflowError:
        # An integer beyond every float stays in the column of texts.
        return None


def _text(value: MeasurementValue) -> str | None:
    if value is None or isinstance(value, str):
        return value
    spelled = spell(value)
    if isinstance(spelled, str):
        return spelled
    return msgspec.json.encode(document_of_value(value)).decode()


def rows_to_wire(run_id: str, rows: RunRows) -> RowsOfRun:
    """Write rows as JSON values; :func:`rows_from_wire` reads them."""
    return RowsOfRun(
        id=run_id,
        cells=_to_wire(rows.cells),
        phases=[
            RowsOfPhase(
                cells=_to_wire(cells),
                measured=[
                    _to_wire((*kind.start, number, text, *kind.end))
                    for kind, number, text in values
                ],
            )
            for cells, values in rows.phases
        ],
    )


def _to_wire(cells: MeasurementRow) -> list[SentCell]:
    # JSON knows neither times nor numbers that are not finite.
    return [
        cell.isoformat() if isinstance(cell, datetime) else spell(cell)
        for cell in cells
    ]


def rows_from_wire(found: RowsOfRun) -> RunRows:
    """
    Read rows that :func:`rows_to_wire` wrote.

    Raises:
        ValueError: they have not the columns, or a time that is none.
    """
    return RunRows(
        _cells(found.cells or (), _KINDS[:PER_RUN]),
        [
            MeasuredPhase(
                _cells(phase.cells, _KINDS[PER_RUN:PER_PHASE]),
                [_value_from_wire(cells) for cells in phase.measured],
            )
            for phase in found.phases
        ],
    )


def _value_from_wire(sent: Sequence[SentCell]) -> MeasuredValue:
    cells = _cells(sent, _KINDS[PER_PHASE:])
    number, text = cast("tuple[float | None, str | None]", cells[_VALUE : _VALUE + 2])
    return MeasurementKind(cells[:_VALUE], cells[_VALUE + 2 :]), number, text


def _cells(sent: Sequence[SentCell], kinds: Sequence[type]) -> MeasurementRow:
    return tuple(
        cell if cell is None or kind is str else _from_wire(kind, cell)
        for kind, cell in zip(kinds, sent, strict=True)
    )


def _from_wire(kind: type, cell: str | float | bool) -> float | bool | datetime:
    if kind is datetime:
        return datetime.fromisoformat(str(cell))
    # JSON does not tell an integer from a float that is one.
    return cast("bool", cell) if kind is bool else kind(cell)

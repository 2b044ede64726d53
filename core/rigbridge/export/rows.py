"""A run as rows of a table: one a measurement, in their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TypeAlias

import msgspec

from rigbridge.convert import document_of_value
from rigbridge.convert.numbers import spell
from rigbridge.model import Measurement, MeasurementValue, Phase, Run

__all__ = ["COLUMNS", "Cell", "Row", "measurement_rows"]

Cell: TypeAlias = str | float | bool | datetime | None
"""A value of a row."""

Row: TypeAlias = dict[str, Cell]
"""A row by the names of its columns."""

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
}
"""
The columns by name, with the kind of their values; each may be None.

``number`` is a value that is one, booleans not among them; ``value`` is any value as
text, a series or an object as JSON. ``phase_path`` names the phases around a phase.
"""


def measurement_rows(run: Run) -> Iterator[Row]:
    """
    Give a row for each measurement of a run.

    Args:
        run: the run; one without measurements gives no row.
    """
    common = {
        "run_id": str(run.id),
        "run_outcome": run.outcome.value,
        "procedure": run.procedure.name,
        "procedure_id": run.procedure.id,
        "procedure_version": run.procedure.version,
        "serial_number": run.unit.serial_number,
        "part_number": run.unit.part_number,
        "revision": run.unit.revision,
        "batch_number": run.unit.batch_number,
        "station": run.station,
        "operator": run.operator,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
    }
    for index, phase in enumerate(run.phases):
        for measurement in phase.measurements:
            yield {**common, **_of_phase(index, phase), **_of_measurement(measurement)}


def _of_phase(index: int, phase: Phase) -> Row:
    return {
        "phase_index": index,
        "phase_path": " / ".join(phase.path),
        "phase": phase.name,
        "phase_outcome": phase.outcome.value,
        "phase_started_at": phase.started_at,
        "phase_ended_at": phase.ended_at,
    }


def _of_measurement(measurement: Measurement) -> Row:
    value, limits = measurement.value, measurement.limits
    number = None
    # In Python a bool is an int; a verdict is no number to be averaged.
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        number = _number(value)
    return {
        "measurement": measurement.name,
        "measurement_outcome": measurement.outcome.value,
        "number": number,
        "value": _text(value),
        "unit": measurement.unit,
        "lower_limit": None if limits is None else _number(limits.lower),
        "lower_inclusive": None if limits is None else limits.lower_inclusive,
        "upper_limit": None if limits is None else _number(limits.upper),
        "upper_inclusive": None if limits is None else limits.upper_inclusive,
        "validators": "; ".join(measurement.validators) or None,
    }


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

"""
Measurements: name, verdict, value, unit and conditions.

A measurement with dimensions becomes a series whose last axis is the measured value.
The unit is OpenHTF's suffix (``V``); its code and name are kept in the attributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from rigbridge.errors import ModelError
from rigbridge.model import JSONValue, Measurement, MeasurementValue, Scalar, Series
from rigbridge_openhtf.raw_record import ABSENT, RawMeasurement, RawUnit
from rigbridge_openhtf.scope import Scope
from rigbridge_openhtf.translation.numbers import read_integer
from rigbridge_openhtf.translation.outcomes import measurement_outcome
from rigbridge_openhtf.translation.validators import read_conditions
from rigbridge_openhtf.translation.values import free_form, simplify, text_of

__all__ = ["read_measurement"]

# OpenHTF's objects for "no unit" have these names, and a blank suffix.
_NO_UNIT = ("None", "No dimension")


def read_measurement(raw: RawMeasurement, number: int, scope: Scope) -> Measurement:
    """
    Translate a measurement.

    Args:
        number: its position in the phase, counted from 1, for one without a name.
    """
    name = text_of(raw.name, scope, "measurement name")
    if name is None:
        name = f"measurement {number}"
        scope.coerced("measurement name", "blank, named by its position", name)
    conditions = read_conditions(raw.validators, scope)
    unit = _unit(raw.unit, scope)
    value: MeasurementValue = None
    if raw.value is not ABSENT:
        if raw.dimensions:
            value = _series(raw, name, unit, scope)
        else:
            value = _single(raw.value, scope)
    scope.mapped("measurement")
    return Measurement(
        name=name,
        outcome=measurement_outcome(raw.outcome, scope),
        value=value,
        # The unit of a series belongs to its last axis.
        unit=None if isinstance(value, Series) else unit,
        limits=conditions.limits,
        validators=conditions.validators,
        docstring=text_of(raw.docstring, scope, "docstring"),
        attributes=_attributes(raw, scope),
    )


def _attributes(raw: RawMeasurement, scope: Scope) -> dict[str, JSONValue]:
    attributes: dict[str, JSONValue] = {}
    if raw.unit is not None and raw.unit.name != "None":
        facts = _facts(raw.unit, scope, ("name", "code"))
        if facts:
            attributes["units"] = facts
    if raw.dimensions:
        attributes["dimensions"] = [
            _facts(axis, scope, ("name", "code", "suffix", "description"))
            for axis in raw.dimensions
        ]
    if raw.set_millis is not None and scope.settings.measurement_times:
        moment = read_integer(raw.set_millis, scope, "measurement time")
        attributes["set_time_millis"] = moment
    for key, value in raw.rest.items():
        if value is not None:
            attributes[key] = free_form(value, scope.at(f".{key}"), "attribute")
            scope.mapped("attribute")
    # The model has only UNSET for both.
    outcome = simplify(raw.outcome, scope, "measurement outcome")
    if outcome in ("SKIPPED", "PARTIALLY_SET"):
        attributes["outcome"] = outcome
    return attributes


def _facts(unit: RawUnit, scope: Scope, fields: Sequence[str]) -> dict[str, str]:
    facts: dict[str, str] = {}
    for field in fields:
        text = text_of(getattr(unit, field), scope, "unit")
        if text is not None:
            facts[field] = text
    return facts


def _unit(unit: RawUnit | None, scope: Scope) -> str | None:
    """Give the suffix; the name where a unit has none; None for OpenHTF's no-units."""
    if unit is None:
        return None
    suffix = text_of(unit.suffix, scope, "unit")
    if suffix is not None:
        scope.mapped("unit")
        return suffix
    name = text_of(unit.name, scope, "unit")
    if name is None or name in _NO_UNIT:
        return None
    scope.coerced("unit", "unit without a suffix called by its name", name)
    return name


def _axis(axis: RawUnit, scope: Scope) -> tuple[str | None, str | None]:
    """Give name and unit of a dimension."""
    described = text_of(axis.description, scope, "dimension")
    name = text_of(axis.name, scope, "dimension")
    if described is not None:
        # The author named the axis; the name of the record is that of its unit.
        return described, text_of(axis.suffix, scope, "unit")
    return (None if name in _NO_UNIT else name), _unit(axis, scope)


def _single(value: object, scope: Scope) -> MeasurementValue:
    plain = simplify(value, scope, "value")
    if isinstance(plain, (list, dict)):
        return cast("list[JSONValue]", free_form(plain, scope, "value"))
    # Unlike in free-form data, a float here may be NaN: the model has it.
    return plain


def _series(
    raw: RawMeasurement, name: str, unit: str | None, scope: Scope
) -> MeasurementValue:
    """Make the series; keep points that make none as a plain value."""
    axes = [_axis(axis, scope) for axis in raw.dimensions or ()]
    rows = _rows(raw.value, scope)
    problem: ModelError | None = None
    if rows is not None:
        try:
            return Series.from_rows(
                rows,
                names=[*(axis for axis, _ in axes), name],
                units=[*(axis_unit for _, axis_unit in axes), unit],
            )
        except ModelError as error:
            problem = error
    scope.coerced("value", "points that make no series kept as a plain value", problem)
    return _single(raw.value, scope)


def _rows(value: object, scope: Scope) -> list[list[Scalar]] | None:
    given = simplify(value, scope, "value")
    if not isinstance(given, list):
        return None
    rows: list[list[Scalar]] = []
    for member in given:
        row = simplify(member, scope, "value")
        if not isinstance(row, list):
            return None
        cells: list[Scalar] = []
        for cell in row:
            plain = simplify(cell, scope, "value")
            if isinstance(plain, (list, dict)):
                return None
            cells.append(plain)
        rows.append(cells)
    return rows

"""
Measurements to rows: names, specifications and values as the tables hold them.

A run has hundreds, most of them specified as in the run before: texts that repeat are
made once, and nothing is made to describe an error that is not there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import msgspec
from msgspec import UNSET, UnsetType

from rigbridge.wire import WireMeasurement
from rigbridge_store.fields import is_too_deep

__all__ = [
    "Definition",
    "MeasurementColumns",
    "NotWritableError",
    "measurement_columns",
]

Definition = tuple[str | None, ...]
"""The columns of a test point or a specification, without its digest."""

MeasurementColumns = tuple[
    tuple[str, str], Definition | None, str, float | None, str | None
]
"""Test point, specification, outcome, number and value."""

_UNSPECIFIED = (None,) * 5
_NEGATIVE_ZERO = "-0.0"

_encode = msgspec.json.Encoder().encode


# Raised without a text: the body is looked through again to name all problems, but only
# if there is one.
class NotWritableError(Exception):
    """A measurement that cannot be written; its fields tell why."""


def measurement_columns(measurement: WireMeasurement, phase: str) -> MeasurementColumns:
    """
    Make the columns of a measurement.

    Returns:
        Its test point (phase, name), its specification or None (unit, limits,
        validators, docstring), outcome, number and value.

    Raises:
        NotWritableError: a blank name, a number that is not finite, or a value that
            is nested too deeply.
    """
    name, units = measurement.name, measurement.units
    if not name or name.isspace():
        raise NotWritableError
    value = measurement.measured_value
    if type(value) is float and value and not value - value:
        # The most frequent kind needs no JSON, since a double holds all of it. Not so a
        # zero, whose sign SQLite loses, and what is not finite (x - x is NaN then).
        number: float | None = value
        text: str | None = None
    else:
        number, text = _value(value)
    # Most are specified as in the run before; lists have no hash to be found by.
    lists = measurement.validators or isinstance(units, list)
    specify = _specification if lists else _remembered
    specification = specify(
        units,
        # As keys, the zeros are equal; as texts, they are not.
        measurement.lower_limit or _signed(measurement.lower_limit),
        measurement.upper_limit or _signed(measurement.upper_limit),
        measurement.validators or None,
        measurement.docstring,
    )
    # _value_ and not value, which is a slower property.
    return ((phase, name), specification, measurement.outcome._value_, number, text)


def _specification(
    units: object,
    lower: object,
    upper: object,
    validators: object,
    docstring: str | UnsetType | None,
) -> Definition | None:
    columns = (
        _json(units),
        _NEGATIVE_ZERO if lower is _NEGATIVE_ZERO else _json(lower),
        _NEGATIVE_ZERO if upper is _NEGATIVE_ZERO else _json(upper),
        _json(validators),
        None if docstring is UNSET else docstring,
    )
    return None if columns == _UNSPECIFIED else columns


# Typed, since 1 and 1.0 and True are equal keys and different texts.
_remembered: Callable[..., Definition | None] = lru_cache(maxsize=4096, typed=True)(
    _specification
)


def _signed(zero: object) -> object:
    return _NEGATIVE_ZERO if repr(zero) == _NEGATIVE_ZERO else zero


def _json(value: object) -> str | None:
    if value is None or value is UNSET:
        return None
    if type(value) is float:
        # Only of a number that is not finite is the difference to itself not zero.
        if value - value:
            raise NotWritableError
        # repr gives the shortest text that reads back as the same double.
        return repr(value)
    return _encode(value).decode()


def _value(value: object) -> tuple[float | None, str | None]:
    """Give the columns of a measured value: its number, and JSON that says more."""
    if type(value) is float:
        return value, _json(value)
    # Deep nesting would exhaust the stack of whoever reads it back.
    if is_too_deep(value):
        raise NotWritableError
    if type(value) is not int:
        return None, _json(value)
    try:
        # The number can be searched; the JSON beside it keeps all digits.
        return float(value), _json(value)
    except OverflowError:
        return None, _json(value)

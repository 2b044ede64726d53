"""
Measurements to rows: names, specifications and values as the tables hold them.

A run has hundreds, most of them specified as in the run before: texts that repeat are
made once, and nothing is made to describe an error that is not there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import UNSET

from rigbridge.wire import WireMeasurement
from rigbridge_store.fields import is_too_deep
from rigbridge_store.intake.definitions import Definition

__all__ = ["NotWritableError", "measurement_row"]

_UNSPECIFIED = (None,) * 5
_NEGATIVE_ZERO = "-0.0"

_encode = msgspec.json.Encoder().encode


class NotWritableError(Exception):
    """A measurement that cannot be written; its fields tell why."""


def measurement_row(measurement: WireMeasurement, phase: str) -> tuple[Any, ...]:
    """
    Make the columns of a measurement.

    Args:
        measurement: as it came.
        phase: the name of its phase.

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
        # The most frequent kind; SQLite keeps no negative zero.
        columns: tuple[float | None, str | None] = (value, None)
    else:
        columns = _value(value)
    # Lists have no hash.
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
    return ((phase, name), specification, measurement.outcome._value_, *columns)


def _specification(
    units: Any, lower: Any, upper: Any, validators: Any, docstring: Any
) -> Definition | None:
    columns = (
        _json(units),
        _json(lower) if lower is not _NEGATIVE_ZERO else lower,
        _json(upper) if upper is not _NEGATIVE_ZERO else upper,
        _json(validators),
        None if docstring is UNSET else docstring,
    )
    return None if columns == _UNSPECIFIED else columns


_remembered: Callable[..., Definition | None] = lru_cache(maxsize=4096, typed=True)(
    _specification
)


def _signed(zero: Any) -> Any:
    return _NEGATIVE_ZERO if repr(zero) == _NEGATIVE_ZERO else zero


def _json(value: Any) -> str | None:
    if value is None or value is UNSET:
        return None
    if type(value) is float:
        # Only of a number that is not finite is the difference to itself not zero.
        if value - value:
            raise NotWritableError
        return repr(value)
    return _encode(value).decode()


def _value(value: Any) -> tuple[float | None, str | None]:
    """Give the columns of a measured value: its number, and JSON that says more."""
    if type(value) is float:
        return value, _json(value)
    if isinstance(value, (list, dict)) and is_too_deep(value):
        raise NotWritableError
    if type(value) is not int:
        return None, _json(value)
    try:
        return float(value), _json(value)
    except OverflowError:
        return None, _json(value)

"""
A measured value and its verdict.

Elsewhere a verdict comes from the report. Here the program that measures is the source,
and gives the limits together with the value: so the value is judged here, once.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Real
from typing import Any, cast

from rigbridge.errors import ModelError
from rigbridge.model import (
    Axis,
    Limit,
    Measurement,
    MeasurementOutcome,
    Series,
)
from rigbridge.model.measurement import MeasurementValue

__all__ = ["judged", "printable"]

_PLAIN = (str, bool, int, float, type(None), Series, dict)
_POINTS = (list, tuple, range, array)


def judged(
    name: str,
    value: object,
    *,
    unit: str | None,
    low: float | None = None,
    high: float | None = None,
    limits: Limit | None,
    equal: str | float | bool | None,
    outcome: MeasurementOutcome | str | None,
    docstring: str | None,
    instrument: str | None = None,
) -> Measurement:
    """
    Make the measurement of a value, with its verdict.

    Args:
        name: what was measured.
        value: a number, text, bool, None, a :class:`Series`, points, or a JSON object;
            also a number or an array of NumPy.
        unit: its unit.
        low: the lowest value that passes.
        high: the highest value that passes.
        limits: the range that it must lie in, instead of low and high; every point of
            a series must.
        equal: what it must be equal to.
        outcome: the verdict, where the program judged by itself.
        docstring: an explanation.
        instrument: the name of what it was measured with.

    Raises:
        ModelError: low or high together with limits, limits for what is no number, a
            lower limit above the upper, or a value of another kind.
    """
    if low is not None or high is not None:
        if limits is not None:
            raise ModelError(
                "low or high are given together with limits",
                path=f"measurement {name!r}",
                remedy="give either of them",
            )
        limits = Limit(lower=low, upper=high)
    plain = _plain(name, value, unit)
    validators: tuple[str, ...] = ()
    if equal is not None:
        equal = cast("str | float | bool", _plain(name, equal, None))
        validators = (f"x == {equal!r}",)
    verdict: MeasurementOutcome | str
    if outcome is not None:
        verdict = outcome
    elif limits is None and equal is None:
        verdict = MeasurementOutcome.UNSET
    else:
        passed = (limits is None or _is_within(name, plain, limits)) and (
            equal is None or _is_equal(plain, equal)
        )
        verdict = MeasurementOutcome.PASS if passed else MeasurementOutcome.FAIL
    return Measurement(
        name=printable(name),
        value=plain,
        # The unit of a series stands on its measured axis.
        unit=None if isinstance(plain, Series) else unit,
        limits=limits,
        outcome=verdict,
        validators=validators,
        docstring=None if docstring is None else printable(docstring),
        instrument=None if instrument is None else printable(instrument),
    )


def _plain(name: str, value: object, unit: str | None) -> MeasurementValue:
    # Scalars and arrays of NumPy and of its kin know their plain form.
    given: Any = value
    if not isinstance(value, (*_PLAIN, *_POINTS)) and hasattr(value, "tolist"):
        given = given.tolist()
    kind = cast("type[object]", type(given))
    if kind in _PLAIN and kind is not str:
        return cast("MeasurementValue", given)
    # An enumeration of texts is a text too, but the model takes plain ones only.
    if issubclass(kind, str):
        return printable(str(given))
    if issubclass(kind, _POINTS):
        return _series(name, cast("Iterable[object]", given), unit)
    if issubclass(kind, Integral):
        return int(given)
    if issubclass(kind, (Real, Decimal, Fraction)):
        return float(given)
    # The model's own check names what is wrong.
    return cast("MeasurementValue", given)


def _series(name: str, points: Iterable[object], unit: str | None) -> MeasurementValue:
    members = [
        cast("Any", point).tolist() if hasattr(point, "tolist") else point
        for point in points
    ]
    if any(isinstance(member, (list, tuple)) for member in members):
        # More than one dimension: kept as it was given, as JSON.
        return cast("MeasurementValue", _lists(members))
    return Series(axes=[Axis(name=printable(name), unit=unit, values=members)])


def _lists(member: object) -> object:
    if isinstance(member, (list, tuple)):
        return [_lists(inner) for inner in cast("list[object]", member)]
    return member


def _is_within(name: str, value: MeasurementValue, limits: Limit) -> bool:
    lower, upper = limits.lower, limits.upper
    if lower is not None and upper is not None and lower > upper:
        raise ModelError(
            f"the lower limit {lower} is above the upper limit {upper}",
            path=f"measurement {name!r}",
            remedy="give the lower one as low=, the upper one as high=",
        )
    if value is None:
        return False
    if isinstance(value, Series):
        return all(_is_within(name, point, limits) for point in value.axes[-1].values)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ModelError(
            f"has limits, but its value is a {type(value).__name__}",
            path=f"measurement {name!r}",
            remedy="use equal= for a text or a bool",
        )
    # Nothing that was measured: no comparison with it is true, as IEEE 754 has it.
    if isinstance(value, float) and math.isnan(value):
        return False
    above = lower is None or (
        value >= lower if limits.lower_inclusive else value > lower
    )
    below = upper is None or (
        value <= upper if limits.upper_inclusive else value < upper
    )
    return above and below


def _is_equal(value: MeasurementValue, expected: str | float | bool) -> bool:
    # For Python True is 1; a flag is no number here.
    if isinstance(value, bool) is not isinstance(expected, bool):
        return False
    return value == expected


def printable(text: str) -> str:
    """
    Replace halves of surrogate pairs, which no encoding can write.

    Serial lines and file names bring such texts; they must not cost the run.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text

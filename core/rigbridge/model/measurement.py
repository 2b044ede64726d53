"""One thing that was measured, with the limits it was judged by."""

from __future__ import annotations

from typing import Any, TypeAlias

import attrs

from rigbridge.model.limit import Limit
from rigbridge.model.outcome import MeasurementOutcome
from rigbridge.model.series import Series
from rigbridge.model.values import (
    JSONObject,
    JSONValue,
    Scalar,
    fail,
    is_,
    json_object,
    json_problem,
    optional_text,
    same_value,
    text,
    tuple_of,
)

__all__ = ["Measurement", "MeasurementValue"]

MeasurementValue: TypeAlias = Scalar | Series | list[JSONValue] | dict[str, JSONValue]
"""
What a measurement may hold. Floats may be non-finite. Lists and objects are strict
JSON and stand for values that the source gave as such; points belong in a Series.
"""

_PLAIN = frozenset({float, int, str, bool, type(None), Series})


def _value(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if type(value) in _PLAIN:
        return
    if not isinstance(value, (list, dict)):
        found = type(value).__name__
        raise fail(
            instance,
            attribute,
            f"must be a number, text, bool, Series, list, dict or None, not {found}",
        )
    if problem := json_problem(value):
        raise fail(instance, attribute, problem)


@attrs.frozen(kw_only=True)
class Measurement:
    """
    A measured value and its verdict.

    Attributes:
        name: its name; not blank.
        outcome: PASS, FAIL, or UNSET where the source judged nothing.
        value: what was measured; None where nothing was.
        unit: the unit as the source spells it. A series has its units on its axes.
        limits: the pass range, or None.
        validators: further conditions as readable text (``x != 5``).
        docstring: the author's explanation.
        attributes: what else the source says, as strict JSON.

    Raises:
        ModelError: a field of the wrong kind; the error names it.
    """

    name: str = attrs.field(validator=text)
    outcome: MeasurementOutcome = attrs.field(
        default=MeasurementOutcome.UNSET, validator=is_(MeasurementOutcome)
    )
    value: MeasurementValue = attrs.field(
        default=None, validator=_value, eq=attrs.cmp_using(eq=same_value)
    )
    unit: str | None = attrs.field(default=None, validator=optional_text)
    limits: Limit | None = attrs.field(default=None, validator=is_(Limit, type(None)))
    validators: tuple[str, ...] = attrs.field(
        default=(), converter=tuple[str, ...], validator=tuple_of(str)
    )
    docstring: str | None = attrs.field(default=None, validator=optional_text)
    attributes: JSONObject = attrs.field(factory=dict, validator=json_object)

"""One thing that was measured, with the limits it was judged by."""

from __future__ import annotations

from typing import TypeAlias

import attrs

from rigbridge.model.limit import Limit
from rigbridge.model.outcome import MeasurementOutcome, as_measurement_outcome
from rigbridge.model.series import Series
from rigbridge.model.values import (
    Field,
    JSONObject,
    JSONValue,
    Scalar,
    are_texts,
    as_texts,
    by,
    check_fields,
    empty_object,
    fail,
    is_,
    is_flat_object,
    is_text,
    json_object,
    json_problem,
    optional_text,
    same_value,
    text,
    tuple_of,
    word_of,
)

__all__ = ["Measurement", "MeasurementValue"]

MeasurementValue: TypeAlias = Scalar | Series | list[JSONValue] | dict[str, JSONValue]
"""
What a measurement may hold. Floats may be non-finite. Lists and objects are strict
JSON and stand for values that the source gave as such; points belong in a Series.
"""

_PLAIN = frozenset({float, int, str, bool, type(None), Series})


def _value(instance: object, attribute: Field, value: MeasurementValue) -> None:
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
        outcome: PASS, FAIL, or UNSET where the source judged nothing; also as a word.
        value: what was measured; None where nothing was.
        unit: the unit as the source spells it. A series has its units on its axes.
        limits: the pass range, or None.
        validators: further conditions as readable text (``x != 5``).
        docstring: the author's explanation.
        attributes: what else the source says, as strict JSON.

    Raises:
        ModelError: a field of the wrong kind; the error names it.
    """

    name: str = attrs.field(metadata=by(text))
    outcome: MeasurementOutcome = attrs.field(
        default=MeasurementOutcome.UNSET,
        converter=as_measurement_outcome,
        metadata=by(word_of(MeasurementOutcome)),
    )
    value: MeasurementValue = attrs.field(
        default=None, metadata=by(_value), eq=attrs.cmp_using(eq=same_value)
    )
    unit: str | None = attrs.field(default=None, metadata=by(optional_text))
    limits: Limit | None = attrs.field(
        default=None, metadata=by(is_(Limit, type(None)))
    )
    validators: tuple[str, ...] = attrs.field(
        default=(), converter=as_texts, metadata=by(tuple_of(str))
    )
    docstring: str | None = attrs.field(default=None, metadata=by(optional_text))
    attributes: JSONObject = attrs.field(factory=empty_object, metadata=by(json_object))

    def __attrs_post_init__(self) -> None:
        if not (
            is_text(self.name)
            and type(self.outcome) is MeasurementOutcome
            and type(self.value) in _PLAIN
            and (self.unit is None or is_text(self.unit))
            and (self.limits is None or type(self.limits) is Limit)
            and (not self.validators or are_texts(self.validators))
            and (self.docstring is None or is_text(self.docstring))
            and (not self.attributes or is_flat_object(self.attributes))
        ):
            check_fields(self)

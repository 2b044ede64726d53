"""One thing that was measured, with the limits it was judged by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, cast

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

__all__ = ["Measurement", "MeasurementStamp", "MeasurementValue"]

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


def _setter(name: str) -> Callable[[Measurement, object], None]:
    return cast(
        "Callable[[Measurement, object], None]", getattr(Measurement, name).__set__
    )


_NEW = object.__new__
_SET_NAME = _setter("name")
_SET_OUTCOME = _setter("outcome")
_SET_VALUE = _setter("value")
_SET_UNIT = _setter("unit")
_SET_LIMITS = _setter("limits")
_SET_VALIDATORS = _setter("validators")
_SET_DOCSTRING = _setter("docstring")
_SET_ATTRIBUTES = _setter("attributes")


class MeasurementStamp:
    """
    Makes measurements that differ in value and verdict only, at a third of the time.

    A table has the same name, unit and limits in every row: they are checked once and
    shared. What comes out equals what :class:`Measurement` makes of the same fields.

    Args:
        template: has everything but value and verdict.
    """

    __slots__ = ("_shared",)

    def __init__(self, template: Measurement) -> None:
        self._shared = (
            template.name,
            template.unit,
            template.limits,
            template.validators,
            template.docstring,
            template.attributes,
        )

    def make(self, value: Any, outcome: MeasurementOutcome) -> Measurement:
        """
        Make a measurement.

        Args:
            value: what was measured, as :class:`Measurement` takes it.
            outcome: its verdict.

        Raises:
            ModelError: a value that a measurement cannot hold.
        """
        name, unit, limits, validators, docstring, attributes = self._shared
        if type(value) not in _PLAIN:
            return Measurement(
                name=name,
                outcome=outcome,
                value=value,
                unit=unit,
                limits=limits,
                validators=validators,
                docstring=docstring,
                attributes=attributes,
            )
        made: Measurement = _NEW(Measurement)
        _SET_NAME(made, name)
        _SET_OUTCOME(made, outcome)
        _SET_VALUE(made, value)
        _SET_UNIT(made, unit)
        _SET_LIMITS(made, limits)
        _SET_VALIDATORS(made, validators)
        _SET_DOCSTRING(made, docstring)
        _SET_ATTRIBUTES(made, attributes)
        return made

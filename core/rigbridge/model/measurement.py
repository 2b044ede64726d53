"""One thing that was measured, with the limits it was judged by."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import Any, TypeAlias

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

__all__ = ["Measurement", "MeasurementRow", "MeasurementStamp", "MeasurementValue"]

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
        instrument: what it was measured with: the name of one of the run's
            instruments, or any other name, or None.
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
    instrument: str | None = attrs.field(default=None, metadata=by(optional_text))
    attributes: JSONObject = attrs.field(factory=empty_object, metadata=by(json_object))

    # In one expression: the checks of attrs, field by field, take several times as
    # long.
    def __attrs_post_init__(self) -> None:
        if not (
            is_text(self.name)
            and type(self.outcome) is MeasurementOutcome
            and type(self.value) in _PLAIN
            and (self.unit is None or is_text(self.unit))
            and (self.limits is None or type(self.limits) is Limit)
            and (not self.validators or are_texts(self.validators))
            and (self.docstring is None or is_text(self.docstring))
            and (self.instrument is None or is_text(self.instrument))
            and (not self.attributes or is_flat_object(self.attributes))
        ):
            check_fields(self)


class _Draft(Measurement):
    """
    A measurement whose fields are set one by one; then it is given its own class.

    Setting a field of a frozen object costs a call of Python. Here the interpreter
    writes into the slot at once: a measurement takes a quarter of the time.
    """

    __slots__ = ()
    # Both: with one of them alone, each assignment is a call again.
    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__
    # Calling the class is quicker than object.__new__ then.
    __init__: Any = object.__init__


class MeasurementRow:
    """
    Makes the measurements of a row of a table, at an eighth of the time.

    Every row has the same names, units and limits: they are checked once and shared.
    What comes out equals what :class:`Measurement` makes of the same fields.

    Args:
        templates: a measurement for each column, with everything but the value.
    """

    def __init__(self, templates: Sequence[Measurement]) -> None:
        self._templates = tuple(templates)
        self._shared = [
            (
                template.name,
                template.outcome,
                template.unit,
                template.limits,
                template.validators,
                template.docstring,
                template.instrument,
                template.attributes,
            )
            for template in self._templates
        ]

    def make(
        self, values: Sequence[Any], filled: Sequence[bool] | None = None
    ) -> list[Measurement]:
        """
        Make the measurements of a row.

        Args:
            values: the values, as :class:`Measurement` takes them: of every column, or
                of those that are filled.
            filled: which columns have a value; all by default.

        Raises:
            ModelError: a value that a measurement cannot hold.
        """
        # A list, an object or a class of its own is checked in the usual way.
        if not _PLAIN.issuperset(map(type, values)):
            templates = (
                self._templates if filled is None else compress(self._templates, filled)
            )
            pairs = zip(templates, values, strict=False)
            return [attrs.evolve(template, value=value) for template, value in pairs]
        # All at once, and apart from what is written into them: a sixth is saved.
        made: list[Any] = [_Draft() for _ in values]
        final = Measurement
        shared = self._shared if filled is None else compress(self._shared, filled)
        for draft, value, (
            name,
            outcome,
            unit,
            limits,
            validators,
            docstring,
            instrument,
            attributes,
        ) in zip(made, values, shared, strict=False):
            draft.name = name
            draft.outcome = outcome
            draft.value = value
            draft.unit = unit
            draft.limits = limits
            draft.validators = validators
            draft.docstring = docstring
            draft.instrument = instrument
            draft.attributes = attributes
            draft.__class__ = final
        return made


class MeasurementStamp:
    """
    Makes measurements that differ in value, verdict and attributes only.

    It takes a third of the time; see :class:`MeasurementRow`.

    Args:
        template: has everything but these.
    """

    __slots__ = ("_attributes", "_shared")

    def __init__(self, template: Measurement) -> None:
        self._attributes = template.attributes
        self._shared = (
            template.name,
            template.unit,
            template.limits,
            template.validators,
            template.docstring,
            template.instrument,
        )

    def make(
        self,
        value: Scalar,
        outcome: MeasurementOutcome,
        attributes: dict[str, str] | None = None,
    ) -> Measurement:
        """
        Make a measurement.

        Args:
            value: what was measured.
            outcome: its verdict.
            attributes: what else is said of it; that of the template by default.
        """
        draft: Any = _Draft()
        (
            draft.name,
            draft.unit,
            draft.limits,
            draft.validators,
            draft.docstring,
            draft.instrument,
        ) = self._shared
        draft.outcome = outcome
        draft.value = value
        draft.attributes = self._attributes if attributes is None else attributes
        draft.__class__ = Measurement
        made: Measurement = draft
        return made

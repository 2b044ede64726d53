"""Structured validators: as limits and text for everybody, as v2 shows them again."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, TypeGuard, TypeVar

import attrs
import msgspec
from msgspec import UNSET, UnsetType

from rigbridge.model import JSONValue, Limit, Measurement
from rigbridge_store.fields import known, text_or_none
from rigbridge_store.server.v2.bodies.sent_runs import Aggregation, Validator
from rigbridge_store.server.v2.bodies.shown_runs import ShownAggregation, ShownValidator

__all__ = [
    "as_limit",
    "as_text",
    "read_sent",
    "show_aggregations",
    "show_validators",
    "validators_of",
]

_T = TypeVar("_T")
_Judgement = Literal["PASS", "FAIL", "UNSET"]

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
_LOWER = (">", ">=")
_UPPER = ("<", "<=")
_RANGE = "range"
_PAIR = 2


def _is_number(value: Any) -> bool:
    # A boolean is an int to isinstance.
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_range(expected: JSONValue) -> TypeGuard[list[float]]:
    return (
        isinstance(expected, list)
        and len(expected) == _PAIR
        and all(map(_is_number, expected))
    )


def as_limit(
    validators: Iterable[Validator | str], lower: float | None, upper: float | None
) -> Limit | None:
    """
    Make the range that decisive validators demand; the first of each side counts.

    Args:
        lower: a bound that was given as such, which comes first.
        upper: likewise.
    """
    bounds = Limit(lower=lower, upper=upper)
    for validator in validators:
        if isinstance(validator, str) or known(validator.is_decisive) is False:
            continue
        expected = known(validator.expected_value)
        sign = text_or_none(validator.operator)
        if sign in _LOWER and _is_number(expected) and bounds.lower is None:
            bounds = attrs.evolve(bounds, lower=expected, lower_inclusive=sign == ">=")
        elif sign in _UPPER and _is_number(expected) and bounds.upper is None:
            bounds = attrs.evolve(bounds, upper=expected, upper_inclusive=sign == "<=")
        elif sign == _RANGE and _is_range(expected) and bounds == Limit():
            bounds = Limit(lower=expected[0], upper=expected[1])
    return None if bounds.lower is None and bounds.upper is None else bounds


def as_text(validators: Iterable[Validator | str]) -> tuple[str, ...]:
    """Say those validators that no range can: marginal ones, texts, other operators."""
    return tuple(
        _expression(validator)
        for validator in validators
        if isinstance(validator, str)
        or known(validator.is_decisive) is False
        or as_limit([validator], None, None) is None
    )


def _expression(validator: Validator | str) -> str:
    if isinstance(validator, str):
        return validator
    return text_or_none(validator.expression) or _generated(validator)


def _generated(validator: Validator) -> str:
    sign = text_or_none(validator.operator)
    expected = known(validator.expected_value)
    if sign is None:
        return "x" if expected is None else _written(expected)
    if sign == _RANGE and _is_range(expected):
        return f"{_written(expected[0])} <= x <= {_written(expected[1])}"
    return f"x {sign} {_written(expected)}"


def _written(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def read_sent(value: object, kind: type[_T]) -> _T | None:
    """Read what a v2 client sent; an attribute of another source is none."""
    if value is None:
        return None
    # Attributes of other reports may bear the same name and be anything.
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return None


def validators_of(measurement: Measurement) -> list[Validator]:
    """Give the validators of a measurement of any source."""
    sent = read_sent(measurement.attributes.get("validators"), list[Validator])
    if sent is not None:
        return sent
    limits = measurement.limits
    found: list[Validator] = []
    if limits is not None and limits.lower is not None:
        sign = ">=" if limits.lower_inclusive else ">"
        found.append(Validator(operator=sign, expected_value=limits.lower))
    if limits is not None and limits.upper is not None:
        sign = "<=" if limits.upper_inclusive else "<"
        found.append(Validator(operator=sign, expected_value=limits.upper))
    # The text of others is for people: nothing is made of it again.
    found += [Validator(expression=text) for text in measurement.validators]
    return found


def show_validators(
    validators: Sequence[Validator] | None, value: Any = UNSET
) -> list[ShownValidator] | None:
    """
    Show validators as v2 does; None where there are none.

    Args:
        value: what they judge. A verdict that was not sent is computed where that is
            a plain comparison, as for a limit.
    """
    if not validators:
        return None
    return [_shown(validator, value) for validator in validators]


def _shown(validator: Validator, value: Any) -> ShownValidator:
    given = known(validator.outcome)
    sign = text_or_none(validator.operator)
    expected = known(validator.expected_value)
    custom = text_or_none(validator.expression)
    structured = sign is not None and _is_comparable(expected)
    return ShownValidator(
        outcome=_judged(sign, expected, value) if given is None else given.value,
        operator=sign if structured else None,
        expected_value=expected if structured else None,
        expression=custom or _generated(validator),
        is_decisive=known(validator.is_decisive),
        is_expression_only=not structured,
        analytics_expression=None,
        has_custom_expression=custom is not None and custom != _generated(validator),
    )


def _is_comparable(expected: JSONValue) -> bool:
    """Whether v2 keeps an expected value apart: no objects, no mixed lists."""
    if isinstance(expected, list):
        return all(map(_is_number, expected)) or all(
            isinstance(item, str) for item in expected
        )
    return isinstance(expected, (bool, int, float, str))


def _judged(sign: str | None, expected: Any, value: Any) -> _Judgement:
    # Verdicts come from the source; only a plain comparison is computed here.
    if not _is_number(value):
        return "UNSET"
    if sign == _RANGE and _is_range(expected):
        return "PASS" if expected[0] <= value <= expected[1] else "FAIL"
    compare = _COMPARISONS.get(sign or "")
    if compare is None or not _is_number(expected):
        return "UNSET"
    return "PASS" if compare(value, expected) else "FAIL"


def show_aggregations(
    aggregations: Sequence[Aggregation] | None, place: str
) -> list[ShownAggregation] | None:
    """Show aggregations as v2 does; their ids continue that of their place."""
    if not aggregations:
        return None
    return [
        ShownAggregation(
            id=f"{place}.a{index}",
            type=item.type,
            outcome=None if (given := known(item.outcome)) is None else given.value,
            value=None if isinstance(item.value, UnsetType) else item.value,
            unit=known(item.unit),
            validators=show_validators(known(item.validators), item.value),
        )
        for index, item in enumerate(aggregations)
    ]

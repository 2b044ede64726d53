"""Several comparisons of one value to one: a range, and conditions as text."""

from __future__ import annotations

from rigbridge.model import Limit
from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.atml.data.units import unit_of
from rigbridge_teststand.atml.local_names import attributes_of
from rigbridge_teststand.comparisons import Comparison
from rigbridge_teststand.xml.elements import Element

__all__ = ["conditions_of", "in_unit_of", "joined"]


def joined(
    found: list[Comparison],
    operators: list[str],
    limits: Element | None,
    account: RunAccount,
) -> Comparison:
    """
    Join comparisons of one value.

    Where one of them suffices there is no single range, but a text.

    Args:
        operators: the words that join them, in upper case.
    """
    words = sorted(set(operators) - {"AND"}) if len(found) > 1 else []
    if not words or limits is None:
        return _join_all(found, limits, account)
    account.coerced("limit", "one of several suffices, kept as text", limits)
    parts = [" and ".join(conditions_of(each)) or "any x" for each in found]
    return Comparison(validators=(f" {'/'.join(words).lower()} ".join(parts),))


def _join_all(
    found: list[Comparison], limits: Element | None, account: RunAccount
) -> Comparison:
    """Join several limits: the first range stays one, the others become text."""
    first: Limit | None = None
    validators: list[str] = []
    for comparison in found:
        limit = comparison.limits
        # A measurement has one range.
        if limit is not None and first is None:
            first = limit
        elif limit is not None and limits is not None:
            account.coerced("limit", "one of several, kept as text", limits)
            validators.append(_described(limit))
        validators.extend(comparison.validators)
    return Comparison(limits=first, validators=tuple(validators))


def in_unit_of(
    datum: Element | None,
    comparison: Comparison,
    units: list[str],
    limits: Element | None,
    account: RunAccount,
) -> Comparison:
    """
    Give a comparison whose range is in the unit of the value.

    A range in another unit bounds other numbers, so it is kept as text.

    Args:
        units: those that the limits state.
    """
    own = None if datum is None else unit_of(attributes_of(datum), {})
    if comparison.limits is None or units == [own or units[0]]:
        return comparison
    if limits is not None:
        rule = "in another unit than the value, kept as text"
        account.coerced("limit", rule, limits, ", ".join(units))
    first, *others = conditions_of(comparison)
    return Comparison(validators=(f"{first}, in {' and '.join(units)}", *others))


def conditions_of(comparison: Comparison) -> list[str]:
    """Spell a comparison as conditions that all must hold."""
    if comparison.limits is None:
        return list(comparison.validators)
    return [_described(comparison.limits), *comparison.validators]


def _described(limit: Limit) -> str:
    """Spell a range as one condition."""
    below = "<=" if limit.lower_inclusive else "<"
    above = "<=" if limit.upper_inclusive else "<"
    if limit.lower is None:
        return "any x" if limit.upper is None else f"x {above} {limit.upper}"
    if limit.upper is None:
        return f"x {'>=' if limit.lower_inclusive else '>'} {limit.lower}"
    return f"{limit.lower} {below} x {above} {limit.upper}"

"""
``TestLimits`` to limits and validators.

The comparator of a bound tells whether it is the lower one; their order does not. A
pair under ``OR`` is an outside range, and becomes a validator.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TypeGuard

import attrs

from rigbridge.model import JSONValue, Limit, Scalar
from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.atml.data.data_types import data_type_of
from rigbridge_teststand.atml.data.values import read_datum, spelled
from rigbridge_teststand.atml.local_names import (
    all_text,
    attribute,
    child,
    children,
    read_text,
    version_of,
)
from rigbridge_teststand.comparisons import (
    Comparison,
    compare_numbers,
    compare_tolerance,
)
from rigbridge_teststand.numbers import read_number
from rigbridge_teststand.xml.elements import Element

__all__ = ["Judged", "read_limits"]

_LOWER = frozenset({"GT", "GE"})
_UPPER = frozenset({"LT", "LE"})
# The order of the two bounds of an outside range: below the low one, then above.
_OPPOSITE_FIRST = {"LT": 0, "LE": 0, "GT": 1, "GE": 1}
_TEXTS = {
    "EQ": "x == {}",
    "NE": "x != {}",
    "CIEQ": "x == {}, ignoring case",
    "CINE": "x != {}, ignoring case",
    "REGULAREXPRESSIONCASESENSITIVE": "x matches {}",
    "REGULAREXPRESSIONIGNORECASE": "x matches {}, ignoring case",
}
_OPERATORS = {"GT": ">", "GE": ">=", "LT": "<", "LE": "<="}
_TOLERANCE = "EQT"
_SIDES = 2


@attrs.frozen(kw_only=True)
class Judged:
    """
    The limits of a result.

    Attributes:
        comparison: the limits and validators.
        attributes: everything else in the limits, as strict JSON.
    """

    comparison: Comparison
    attributes: dict[str, JSONValue]


@attrs.frozen(kw_only=True)
class _Bound:
    comparator: str
    value: Scalar


def read_limits(
    limits: Element | None,
    properties: Element | None,
    data: Element | None,
    account: RunAccount,
) -> Judged:
    """
    Read the limits of a result.

    Args:
        limits: ``TestLimits``, or None.
        properties: ``TSLimitProperties`` of the result, or None.
        data: ``TestData``, or None; a text is never compared as a number.
        account: takes an entry for each limit.
    """
    attributes: dict[str, JSONValue] = {}
    datum = child(data, "Datum")
    is_text = datum is not None and data_type_of(datum) == "string"
    found: list[Comparison] = []
    for name, element in children(limits):
        if name == "Limits":
            inner = child(element, "Extension", "TSLimitProperties")
            reader = _LimitReader(
                properties if inner is None else inner,
                attributes,
                account,
                is_text=is_text,
            )
            found.extend(reader.comparisons(element))
        elif name in _SHAPES:
            reader = _LimitReader(properties, attributes, account, is_text=is_text)
            found.append(_SHAPES[name](reader, element))
        elif name == "Extension":
            inner = child(element, "TSLimitProperties")
            properties = properties if inner is None else inner
    if not found and properties is not None:
        _LimitReader(properties, attributes, account, is_text=is_text).keep_properties()
    return Judged(comparison=_joined(found, limits, account), attributes=attributes)


def _joined(
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


def _described(limit: Limit) -> str:
    parts: list[str] = []
    if limit.lower is not None:
        parts.append(f"x {'>=' if limit.lower_inclusive else '>'} {limit.lower}")
    if limit.upper is not None:
        parts.append(f"x {'<=' if limit.upper_inclusive else '<'} {limit.upper}")
    return " and ".join(parts) or "any x"


class _LimitReader:
    """Reads the shapes of one ``Limits`` element."""

    def __init__(
        self,
        properties: Element | None,
        attributes: dict[str, JSONValue],
        account: RunAccount,
        *,
        is_text: bool,
    ) -> None:
        self._is_text = is_text
        self._properties = properties
        self._attributes = attributes
        self._account = account

    def comparisons(self, limits: Element) -> Iterator[Comparison]:
        """Read the members of a ``Limits`` element; none is a value only logged."""
        self.keep_properties()
        for name, element in children(limits):
            shape = _SHAPES.get(name)
            if shape is not None:
                yield shape(self, element)
            elif name != "Extension":
                self._account.mapped["limit"] += 1
                self._account.coerced("limit", "unknown shape, kept as text", element)
                yield Comparison(validators=(_raw(element),))

    def keep_properties(self) -> None:
        """Keep TestStand's own properties: threshold type, raw limits, log only."""
        for name, element in children(self._properties):
            if name == "RawLimits":
                raw = {
                    side: spelled(_property(below)) for side, below in children(element)
                }
                if raw:
                    self._account.mapped["property"] += 1
                    self._attributes["raw_limits"] = raw
                continue
            value = _property(element)
            if value is not None:
                self._account.mapped["property"] += 1
                key = _PROPERTY_NAMES.get(name, f"limit.{name}")
                self._attributes[key] = spelled(value)

    def expected(self, element: Element) -> Comparison:
        """Read ``Expected``: equal or not, of numbers, texts and booleans."""
        bound = self._bound(element, "EQ")
        # EQT needs threshold and raw limits, else ErrorLimits; without them it is EQ.
        tolerance = self._tolerance(bound)
        if tolerance is None:
            tolerance = self._error_limits(element, bound)
        return self._single(element, bound) if tolerance is None else tolerance

    def single(self, element: Element) -> Comparison:
        """Read ``SingleLimit``: one bound, on the side that its comparator says."""
        return self._single(element, self._bound(element, ""))

    def pair(self, element: Element) -> Comparison:
        """Read ``LimitPair``: inside under ``AND``, outside under ``OR``."""
        bounds = [
            self._bound(below, "")
            for name, below in children(element)
            if name == "Limit"
        ]
        nominal = child(element, "Nominal")
        if nominal is not None:
            datum = _datum(nominal)
            if datum is not None:
                value = read_datum(datum, self._account)[0]
                self._account.mapped["property"] += 1
                self._attributes["nominal"] = spelled(value)
                tolerance = self._tolerance(_Bound(comparator="EQT", value=value))
                if tolerance is not None:
                    return tolerance
        if bounds and len(bounds) < _SIDES:
            self._account.coerced("limit", "one of two bounds is missing", element)
        operator = (attribute(element, "operator") or "AND").upper()
        if operator not in ("AND", "OR"):
            self._account.coerced("limit", "unknown operator", element, operator)
            return self._joined_by(operator.lower(), element, bounds)
        if not bounds or any(bound.value is None for bound in bounds):
            return self._without_bounds(element)
        if not all(_is_number(bound.value) for bound in bounds):
            return self._as_text(element, bounds)
        if operator == "OR":
            return self._outside(element, bounds)
        return self._inside(element, bounds, tolerance=nominal is not None)

    def mask(self, element: Element) -> Comparison:
        """Keep a ``Mask``, for which there is no range, as text."""
        self._account.mapped["limit"] += 1
        self._account.coerced("limit", "mask kept as text", element)
        return Comparison(validators=(f"mask {_raw(element)}",))

    def _bound(self, element: Element, default: str) -> _Bound:
        datum = _datum(element)
        value: Scalar = None
        if datum is not None:
            value, unit, _ = read_datum(datum, self._account)
            # The limit of a number may be given as a text, that of a text is one.
            if isinstance(value, str) and not self._is_text:
                number = _from_text(value)
                value = value if number is None else number
            if unit is not None:
                self._attributes.setdefault("limit_unit", unit)
        given = element.get("comparator")
        return _Bound(
            comparator=default if given is None else given.strip(), value=value
        )

    def _single(self, element: Element, bound: _Bound) -> Comparison:
        comp = bound.comparator.upper()
        if bound.value is None:
            return self._without_bounds(element)
        # TestStand writes no comparator if the step was forced to pass or fail.
        if not comp:
            return self._unjudged(element, [bound])
        if comp.startswith("REGULAREXPRESSION") or not _is_number(bound.value):
            return self._as_text(element, [bound])
        self._account.mapped["limit"] += 1
        return compare_numbers(
            "NE" if comp == "CINE" else "EQ" if comp == "CIEQ" else bound.comparator,
            _numeric(bound.value),
            None,
            report=self._account.report,
            place=partial(self._account.place, element),
        )

    def _as_text(self, element: Element, bounds: list[_Bound]) -> Comparison:
        validators: list[str] = []
        for bound in bounds:
            comp = bound.comparator.upper()
            shown = repr(bound.value)
            if comp.startswith("REGULAREXPRESSION"):
                shown = f"/{bound.value}/"
            if comp in _TEXTS:
                validators.append(_TEXTS[comp].format(shown) + self._doubt(element))
            elif comp in _OPERATORS:
                validators.append(f"x {_OPERATORS[comp]} {shown}")
            elif comp:
                self._account.coerced(
                    "comparator",
                    "unknown, kept as text",
                    element,
                    bound.comparator,
                )
                validators.append(f"{bound.comparator} {shown}")
            else:
                return self._unjudged(element, bounds)
        self._account.mapped["limit"] += 1
        return Comparison(validators=tuple(validators))

    def _doubt(self, element: Element) -> str:
        """Note the doubt about case that is in the oldest version."""
        if version_of(element.tag) != "2.02":
            return ""
        rule = "ATML 2.02 does not say whether case counts"
        self._account.coerced("comparator", rule, element)
        return ", perhaps ignoring case"

    def _unjudged(self, element: Element, bounds: list[_Bound]) -> Comparison:
        """Keep the bounds of a step that was forced to its verdict."""
        self._account.mapped["limit"] += 1
        self._account.coerced(
            "limit",
            "no comparator, bounds kept as attributes",
            element,
        )
        self._attributes["unused_limits"] = [spelled(bound.value) for bound in bounds]
        return Comparison()

    def _inside(
        self, element: Element, bounds: list[_Bound], *, tolerance: bool
    ) -> Comparison:
        lower = [bound for bound in bounds if bound.comparator.upper() in _LOWER]
        upper = [bound for bound in bounds if bound.comparator.upper() in _UPPER]
        if len(lower) + len(upper) != len(bounds) or len(lower) > 1 or len(upper) > 1:
            return self._as_text(element, bounds)
        comp = "".join(bound.comparator.upper() for bound in (*lower, *upper))
        if not comp:
            return Comparison()
        self._account.mapped["limit"] += 1
        if not lower:
            return compare_numbers(
                comp,
                _numeric(upper[0].value),
                None,
                report=self._account.report,
                place=partial(self._account.place, element),
            )
        found = compare_numbers(
            comp,
            _numeric(lower[0].value),
            _numeric(upper[0].value) if upper else None,
            report=self._account.report,
            place=partial(self._account.place, element),
        )
        if tolerance and found.limits is not None:
            return attrs.evolve(
                found, limits=attrs.evolve(found.limits, comparator=_TOLERANCE)
            )
        return found

    def _outside(self, element: Element, bounds: list[_Bound]) -> Comparison:
        ordered = sorted(
            bounds,
            key=lambda bound: _OPPOSITE_FIRST.get(bound.comparator.upper(), 2),
        )
        comps = [bound.comparator.upper() for bound in ordered]
        if [_OPPOSITE_FIRST.get(comp) for comp in comps] != [0, 1]:
            # Two bounds that are no outside range.
            return self._joined_by("or", element, bounds)
        self._account.mapped["limit"] += 1
        return compare_numbers(
            "".join(comps),
            _numeric(ordered[0].value),
            _numeric(ordered[1].value),
            report=self._account.report,
            place=partial(self._account.place, element),
        )

    def _joined_by(
        self, word: str, element: Element, bounds: list[_Bound]
    ) -> Comparison:
        """Keep bounds that make no range as one text."""
        shown = self._as_text(element, bounds)
        return Comparison(validators=(f" {word} ".join(shown.validators),))

    def _without_bounds(self, element: Element) -> Comparison:
        """Record limits without a value to compare with."""
        self._account.dropped("limit", "holds no bound", element, _raw(element) or None)
        return Comparison()

    def _tolerance(self, bound: _Bound) -> Comparison | None:
        """Compute the range from threshold type and raw limits, if they are there."""
        threshold = _property(child(self._properties, "ThresholdType"))
        raw = child(self._properties, "RawLimits")
        if raw is None or not isinstance(threshold, str) or not threshold:
            return None
        sides = {name: _property(element) for name, element in children(raw)}
        nominal = sides.get("Nominal", bound.value)
        self._account.mapped["limit"] += 1
        return compare_tolerance(
            threshold,
            _numeric(nominal),
            _numeric(sides.get("Low")),
            _numeric(sides.get("High")),
            report=self._account.report,
            place=partial(self._account.place, raw),
        )

    def _error_limits(self, element: Element, bound: _Bound) -> Comparison | None:
        """Read the bounds in the ``ErrorLimits`` of an expected value."""
        datum = _datum(element)
        errors = child(datum, "ErrorLimits")
        if errors is None or not _is_number(bound.value):
            return None
        for name, inner in children(errors):
            shape = _SHAPES.get(name)
            if shape is not None and name != "Expected":
                self._attributes["nominal"] = spelled(bound.value)
                found = shape(self, inner)
                if found.limits is not None:
                    return attrs.evolve(
                        found,
                        limits=attrs.evolve(found.limits, comparator=_TOLERANCE),
                    )
                return found
        return None


_SHAPES = {
    "Expected": _LimitReader.expected,
    "SingleLimit": _LimitReader.single,
    "LimitPair": _LimitReader.pair,
    "Mask": _LimitReader.mask,
}
_PROPERTY_NAMES = {
    "ThresholdType": "threshold_type",
    "IsComparisonTypeLog": "log_only",
    "IsTestMeasurement": "test_measurement",
}


def _datum(element: Element) -> Element | None:
    return child(element, "Datum")


def _property(element: Element | None) -> Scalar:
    """Read ``@value``, else the datum inside, else the text."""
    if element is None:
        return None
    given = attribute(element, "value")
    if given is None:
        given = attribute(child(element, "Datum"), "value") or read_text(element)
    if given in ("true", "false"):
        return given == "true"
    number = None if given is None else _from_text(given)
    return given if number is None else number


def _from_text(text: str) -> float | int | None:
    """Read a number that is the whole of a text."""
    stripped = text.strip()
    if not stripped or stripped[0] not in "+-.0123456789INin":
        return None
    try:
        return float(stripped) if not stripped.lstrip("+-").isdigit() else int(stripped)
    except ValueError:
        return None


def _numeric(value: Scalar) -> float | None:
    if isinstance(value, str):
        return read_number(value)
    return value if _is_number(value) else None


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _raw(element: Element) -> str:
    return " ".join(all_text(element).split())

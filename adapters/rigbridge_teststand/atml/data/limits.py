"""``TestLimits`` to limits and validators."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

import attrs

from rigbridge.model import JSONValue, Scalar
from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.atml.data.bounds import (
    LOWER,
    BoundComparer,
    LimitBound,
    is_number,
    number_in,
    text_in,
)
from rigbridge_teststand.atml.data.data_types import RADIX, data_type_of
from rigbridge_teststand.atml.data.indexed_arrays import spelled
from rigbridge_teststand.atml.data.limit_forms import PROPERTY_NAMES, RAW_SIDES
from rigbridge_teststand.atml.data.properties import property_number, whole_number
from rigbridge_teststand.atml.data.several_limits import in_unit_of, joined
from rigbridge_teststand.atml.data.values import flatten, read_datum
from rigbridge_teststand.atml.local_names import (
    attribute,
    child,
    children,
    version_of,
)
from rigbridge_teststand.comparisons import (
    Comparison,
    compare_numbers,
    compare_tolerance,
)
from rigbridge_teststand.xml.elements import Element

__all__ = ["Judged", "read_limits"]

_SIDES = 2
_SIDE_NAMES = ("LimitLow", "LimitHigh")
_TOLERANCES = re.compile(
    r"ErrorLimits(\.(LimitPair|SingleLimit|Expected))?(\.Limit)?"
    r"(\.(comparator|operator))?( #\d+)?"
)
_LIMIT_UNIT = "limit_unit"
_UNIT = re.compile(rf"{_LIMIT_UNIT}( #\d+)?")
_OF_TESTSTAND = "www.ni.com/TestStand"


@attrs.frozen(kw_only=True)
class Judged:
    """
    The limits of a result.

    Attributes:
        attributes: everything else in the limits, as strict JSON.
    """

    comparison: Comparison
    attributes: dict[str, JSONValue]


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
    """
    attributes: dict[str, JSONValue] = {}
    datum = child(data, "Datum")
    is_text = datum is not None and data_type_of(datum) == "string"
    found: list[Comparison] = []
    operators: list[str] = []
    if properties is not None:
        _keep_properties(properties, attributes, account)
    for name, element in children(limits):
        if name == "Limits":
            inner = child(element, "Extension", "TSLimitProperties")
            if inner is not None:
                _keep_properties(inner, attributes, account)
            reader = _LimitReader(
                properties if inner is None else inner,
                attributes,
                account,
                is_text=is_text,
            )
            found.extend(reader.comparisons(element))
            if (operator := attribute(element, "operator")) is not None:
                operators.append(operator.upper())
        elif name in _SHAPES:
            reader = _LimitReader(properties, attributes, account, is_text=is_text)
            found.append(_SHAPES[name](reader, element))
        elif name == "Extension":
            inner = child(element, "TSLimitProperties")
            if inner is not None:
                _keep_properties(inner, attributes, account)
                properties = inner
    comparison = joined(found, operators, limits, account)
    if _LIMIT_UNIT in attributes:
        units = [str(unit) for key, unit in attributes.items() if _UNIT.fullmatch(key)]
        comparison = in_unit_of(datum, comparison, units, limits, account)
    return Judged(comparison=comparison, attributes=attributes)


def _keep_properties(
    properties: Element, attributes: dict[str, JSONValue], account: RunAccount
) -> None:
    """Keep TestStand's own properties: threshold type, raw limits, log only."""
    for name, element in children(properties):
        if name == "RawLimits":
            raw: dict[str, JSONValue] = {
                side: spelled(property_number(below))
                for side, below in children(element)
                if side in RAW_SIDES
            }
            if raw:
                account.mapped["property"] += 1
                attributes["raw_limits"] = raw
        elif name in PROPERTY_NAMES:
            value = property_number(element)
            if value is not None:
                account.mapped["property"] += 1
                attributes[PROPERTY_NAMES[name]] = spelled(value)
        else:
            flatten(element, f"limit.{name}", attributes, account)


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
        self._comparer = BoundComparer(attributes, account)

    def comparisons(self, limits: Element) -> Iterator[Comparison]:
        """Read the members of a ``Limits`` element; none is a value only logged."""
        if (given := attribute(limits, "name")) is not None:
            self._note("limits_name", given)
        if (comparator := attribute(limits, "comparator")) is not None:
            yield self._sides(limits, comparator)
        for name, element in children(limits):
            shape = _SHAPES.get(name)
            if shape is not None:
                yield shape(self, element)
            elif name in _SIDE_NAMES and comparator is not None:
                continue
            elif name == "Description":
                flatten(element, "limits_description", self._attributes, self._account)
            elif name == "Extension":
                self._keep_extension(element)
            else:
                self._account.mapped["limit"] += 1
                self._account.coerced("limit", "unknown shape, kept as text", element)
                flatten(element, f"limit.{name}", self._attributes, self._account)
                yield Comparison(validators=(f"{name} {text_in(element)}".strip(),))

    def _sides(self, limits: Element, comparator: str) -> Comparison:
        """Read ``LimitLow`` and ``LimitHigh``, which NI does not write."""
        stated: list[float | None] = []
        for name in _SIDE_NAMES:
            datum = child(limits, name)
            value: Scalar = None
            if datum is not None:
                value, unit, details = read_datum(datum, self._account)
                if unit is not None:
                    self._note(_LIMIT_UNIT, unit)
                for key, detail in details.items():
                    self._note(f"limit.{key}", detail)
            stated.append(number_in(value))
        self._account.mapped["limit"] += 1
        return compare_numbers(
            comparator,
            *stated,
            report=self._account.report,
            place=partial(self._account.place, limits),
        )

    def _keep_extension(self, extension: Element) -> None:
        """Keep the blocks of an extension that are not TestStand's."""
        for kind, block in children(extension):
            if kind != "TSLimitProperties":
                key = f"limits_extension.{kind}"
                flatten(block, key, self._attributes, self._account)

    def _note(self, key: str, value: JSONValue) -> None:
        """Keep a detail; one that differs from an earlier gets a number."""
        numbered, count = key, 1
        while self._attributes.setdefault(numbered, value) != value:
            count += 1
            numbered = f"{key} #{count}"

    def expected(self, element: Element) -> Comparison:
        """Read ``Expected``: equal or not, of numbers, texts and booleans."""
        bound = self._bound(element, "EQ")
        errors = child(_datum(element), "ErrorLimits")
        stated = [] if errors is None else self._error_limits(errors)
        tolerance = self._tolerance(bound.value, stated)
        if tolerance is not None:
            return tolerance
        if errors is not None and is_number(bound.value):
            return self._vague(element, bound.value, stated, text_in(errors))
        return self._comparer.single(element, bound)

    def single(self, element: Element) -> Comparison:
        """Read ``SingleLimit``: one bound, on the side that its comparator says."""
        return self._comparer.single(element, self._bound(element, ""))

    def pair(self, element: Element) -> Comparison:
        """Read ``LimitPair``: inside under ``AND``, outside under ``OR``."""
        if (given := attribute(element, "name")) is not None:
            self._note("limit_name", given)
        bounds = [
            self._bound(below, "")
            for name, below in children(element)
            if name == "Limit"
        ]
        operator = (attribute(element, "operator") or "AND").upper()
        nominal = self._nominal(child(element, "Nominal"))
        if nominal is not None:
            tolerance = self._tolerance(nominal, bounds)
            if tolerance is not None:
                return tolerance
            if operator == "AND" and _are_tolerances(element, nominal, bounds):
                return self._vague(element, nominal, bounds, "")
        if bounds and len(bounds) < _SIDES:
            self._account.coerced("limit", "one of two bounds is missing", element)
        if operator not in ("AND", "OR"):
            self._account.coerced("limit", "unknown operator", element, operator)
            return self._comparer.joined_by(operator.lower(), element, bounds)
        return self._comparer.pair(element, operator, bounds)

    def _nominal(self, element: Element | None) -> Scalar:
        """Read the nominal value of a pair."""
        datum = None if element is None else _datum(element)
        if datum is None:
            return None
        value: Scalar
        value, unit, details = read_datum(datum, self._account)
        self._account.mapped["property"] += 1
        self._note("nominal", spelled(value))
        if unit is not None:
            self._note(_LIMIT_UNIT, unit)
        for key, detail in details.items():
            self._note(f"nominal.{key}", detail)
        return value

    def mask(self, element: Element) -> Comparison:
        """Keep a ``Mask``, for which there is no range, as text."""
        self._account.mapped["limit"] += 1
        self._account.coerced("limit", "mask kept as text", element)
        flatten(element, "mask", self._attributes, self._account)
        datum = child(element, "Expected", "Datum")
        terms = ["x"]
        for name, below in children(element):
            if name == "MaskValue":
                shown = _shown(child(below, "Datum"), self._account)
                terms.append(f"{attribute(below, 'operation') or 'AND'} {shown}")
        if datum is None or len(terms) == 1:
            return Comparison(validators=(f"mask {text_in(element)}".strip(),))
        shown = f"{' '.join(terms)} == {_shown(datum, self._account)}"
        return Comparison(validators=(shown,))

    def _bound(self, element: Element, default: str) -> LimitBound:
        datum = _datum(element)
        value: Scalar = None
        if datum is not None:
            value, unit, details = read_datum(datum, self._account)
            # The limit of a number may be given as a text, that of a text is one. What
            # are no octal digits is no decimal number either.
            if (
                isinstance(value, str)
                and not self._is_text
                and data_type_of(datum) not in RADIX
            ):
                number = whole_number(value)
                value = value if number is None else number
            if unit is not None:
                self._note(_LIMIT_UNIT, unit)
            for key, detail in details.items():
                # The tolerances in it are read apart.
                if _TOLERANCES.fullmatch(key) is None:
                    self._note(f"limit.{key}", detail)
        if (name := attribute(element, "name")) is not None:
            self._note("limit_name", name)
        given = element.get("comparator")
        return LimitBound(
            comparator=default if given is None else given.strip(), value=value
        )

    def _tolerance(
        self, nominal: Scalar, stated: list[LimitBound]
    ) -> Comparison | None:
        """Compute the range of a tolerance whose kind the extension says."""
        threshold = property_number(child(self._properties, "ThresholdType"))
        raw = child(self._properties, "RawLimits")
        if self._properties is None or not isinstance(threshold, str) or not threshold:
            return None
        sides = {name: property_number(element) for name, element in children(raw)}
        if raw is not None:
            self._keep_printed(nominal, stated, list(sides.values()))
        else:
            if not stated:
                return None
            for bound in stated:
                below = bound.comparator.upper() in LOWER
                sides["Low" if below else "High"] = bound.value
        self._account.mapped["limit"] += 1
        return compare_tolerance(
            threshold,
            number_in(sides.get("Nominal", nominal)),
            number_in(sides.get("Low")),
            number_in(sides.get("High")),
            report=self._account.report,
            place=partial(
                self._account.place, self._properties if raw is None else raw
            ),
        )

    def _keep_printed(
        self, nominal: Scalar, stated: list[LimitBound], raw: list[Scalar]
    ) -> None:
        """Keep what the limits state otherwise than the raw limits, which count."""
        printed = [bound.value for bound in stated if bound.value not in raw]
        if printed:
            self._attributes["printed_limits"] = list(map(spelled, printed))
        if nominal not in raw:
            self._note("nominal", spelled(nominal))

    def _error_limits(self, errors: Element) -> list[LimitBound]:
        """Read the tolerances in the ``ErrorLimits`` of an expected value."""
        bounds: list[LimitBound] = []
        for name, shape in children(errors):
            if name == "LimitPair":
                inner = [below for kind, below in children(shape) if kind == "Limit"]
                bounds += [self._bound(below, "") for below in inner]
            elif name in _SHAPES and name != "Mask":
                bounds.append(self._bound(shape, ""))
        return bounds

    def _vague(
        self, element: Element, nominal: Scalar, stated: list[LimitBound], text: str
    ) -> Comparison:
        """Keep a tolerance whose kind nothing says: it sets no bounds."""
        self._account.mapped["limit"] += 1
        self._account.coerced(
            "limit", "tolerance of an unknown kind, kept as text", element
        )
        self._attributes["nominal"] = spelled(nominal)
        if stated:
            self._attributes["tolerances"] = [
                {"comparator": bound.comparator, "value": spelled(bound.value)}
                for bound in stated
            ]
        shown = " and ".join(
            f"{'-' if bound.comparator.upper() in LOWER else '+'}{bound.value}"
            for bound in stated
        )
        shown = shown or text or "a tolerance"
        note = "the report does not say of which kind"
        return Comparison(validators=(f"x == {nominal} within {shown}, {note}",))


_SHAPES = {
    "Expected": _LimitReader.expected,
    "SingleLimit": _LimitReader.single,
    "LimitPair": _LimitReader.pair,
    "Mask": _LimitReader.mask,
    # Right inside a result, as exporters other than NI write it.
    "Limit": _LimitReader.single,
}


def _are_tolerances(pair: Element, nominal: Scalar, bounds: list[LimitBound]) -> bool:
    """
    Tell whether the bounds beside a nominal value may be distances from it.

    TestStand's 2.02 writes distances there, and without its extension nothing says so.
    By the schema they are bounds, which hold the nominal value between them.
    """
    if version_of(pair.tag) == "2.02":
        spaces = map(str, pair.nsmap.values())
        if any(space.startswith(_OF_TESTSTAND) for space in spaces):
            return True
    if not is_number(nominal):
        return False
    return not all(
        not is_number(bound.value)
        or (
            bound.value <= nominal
            if bound.comparator.upper() in LOWER
            else bound.value >= nominal
        )
        for bound in bounds
    )


def _datum(element: Element) -> Element | None:
    return child(element, "Datum")


def _shown(datum: Element | None, account: RunAccount) -> str:
    """Spell a value as the report does."""
    if datum is None:
        return "?"
    value, _, details = read_datum(datum, account)
    return str(details.get("spelled", value))

"""
The rows of WATS' multiple tests, which TestStand writes as a plain collection.

WATS' own step types keep an array ``Measurement`` of containers, each with a value, a
comparison and a status. ATML knows no such test, so TestStand writes the array as
additional data; its rows are judged measurements all the same.
"""

from __future__ import annotations

import re
from functools import partial

import attrs

from rigbridge.model import JSONValue, MeasurementOutcome
from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.atml.data.indexed_arrays import is_of_collections
from rigbridge_teststand.atml.data.values import DATA, read_datum
from rigbridge_teststand.atml.local_names import (
    LOCAL_NAMES,
    attribute,
    child,
    child_elements,
    children,
)
from rigbridge_teststand.comparisons import (
    NO_COMPARISON,
    Comparison,
    compare_numbers,
    compare_text,
)
from rigbridge_teststand.vocabulary import MEASUREMENT_OUTCOMES
from rigbridge_teststand.xml.elements import Element

__all__ = ["ROWS", "WATSRow", "rows_of"]

ROWS = "Measurement"
"""The name of the result that holds the rows."""

_ROW = re.compile(r"(?:Measurement)?(\[\d+\])")
_VALUES = ("Data", "StringData", "PassFail")
_JUDGING = frozenset({"Comp", "Status", "MeasName", "Units", "StringLimit", "Limits"})


@attrs.frozen(kw_only=True)
class WATSRow:
    """
    A row of a multiple test.

    Attributes:
        name: its name, or None.
        index: its place among the rows, as ``[0]``.
        unit: the unit of the value, or None.
        comparison: what the value was compared with.
        attributes: limits that were not compared with.
    """

    name: str | None
    index: str
    value: Element
    outcome: MeasurementOutcome
    unit: str | None
    comparison: Comparison
    attributes: dict[str, JSONValue]
    others: list[Element]


def rows_of(data: Element | None, account: RunAccount) -> list[WATSRow] | None:
    """
    Read the rows in the data of a result; None where it is something else.

    Args:
        data: ``TestData``, or None.
    """
    holder = child(data, "Collection")
    if holder is None:
        holder = child(data, "IndexedArray")
        if holder is None or not is_of_collections(holder):
            return None
    found: list[tuple[str, dict[str, Element], list[Element]]] = []
    for item in child_elements(holder):
        given = attribute(item, "name") or attribute(item, "position") or ""
        label = _ROW.fullmatch(given)
        inner = child(item, "Collection")
        if label is None:
            return None
        # The members of an array hold their items right inside.
        items = child_elements(item if inner is None else inner)
        named = {attribute(below, "name") or "": below for below in items}
        if len(named) != len(items) or named.keys().isdisjoint(("Status", "MeasName")):
            return None
        if named.keys().isdisjoint(_VALUES):
            return None
        found.append((label[1], named, items))
    return [_row(*each, account) for each in found] or None


def _row(
    index: str, named: dict[str, Element], items: list[Element], account: RunAccount
) -> WATSRow:
    kind = next(name for name in _VALUES if name in named)
    value = next(below for name, below in children(named[kind]) if name in DATA)
    status = (_text(named.get("Status"), account) or "").strip().lower()
    comparator = _text(named.get("Comp"), account) or ""
    comparison = NO_COMPARISON
    stated: dict[str, JSONValue] = {}
    if kind == "StringData":
        expected = _text(named.get("StringLimit"), account)
        if expected:
            stated["String"] = expected
        comparison = compare_text(
            comparator,
            expected,
            report=account.report,
            place=partial(account.place, named[kind]),
        )
    elif kind == "Data":
        sides = _sides(named.get("Limits"), account)
        stated.update(
            {side: bound for side, bound in sides.items() if bound is not None}
        )
        comparison = compare_numbers(
            comparator,
            sides.get("Low"),
            sides.get("High"),
            report=account.report,
            place=partial(account.place, named[kind]),
        )
    is_used = comparison.limits is not None or bool(comparison.validators)
    attributes: dict[str, JSONValue] = {}
    if comparator and not is_used:
        attributes["comparator"] = comparator
    if stated and not is_used:
        attributes["unused_limits"] = stated
    if is_used or stated:
        account.mapped["limit"] += 1
    return WATSRow(
        name=(_text(named.get("MeasName"), account) or "").strip() or None,
        index=index,
        value=value,
        outcome=MEASUREMENT_OUTCOMES.get(status, MeasurementOutcome.UNSET),
        unit=(_text(named.get("Units"), account) or "").strip() or None,
        comparison=comparison,
        attributes=attributes,
        others=[
            item
            for item in items
            if (attribute(item, "name") or "") not in {*_JUDGING, kind}
        ],
    )


def _text(item: Element | None, account: RunAccount) -> str | None:
    datum = child(item, "Datum")
    value = None if datum is None else read_datum(datum, account)[0]
    return None if value is None else str(value)


def _sides(item: Element | None, account: RunAccount) -> dict[str, float | None]:
    """Read the bounds in the item ``Limits``."""
    found: dict[str, float | None] = {}
    holder = child(item, "Collection")
    for below in () if holder is None else child_elements(holder):
        datum = child(below, "Datum")
        if LOCAL_NAMES[below.tag] == "Item" and datum is not None:
            value = read_datum(datum, account)[0]
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                found[attribute(below, "name") or ""] = value
    return found

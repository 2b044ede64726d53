"""
``TestResult``, ``Data`` and ``Parameters`` to measurements.

A result is a judged measurement if it has limits, an outcome of its own, or a mark that
makes it one. All others are additional results, which have no verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PureWindowsPath
from sys import intern
from typing import Any

from rigbridge.model import (
    Attachment,
    JSONValue,
    Measurement,
    MeasurementOutcome,
    MeasurementValue,
    Series,
)
from rigbridge_teststand.arrays import array_series, list_series, matrix_series
from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.atml.data.data_types import DATA_TYPES, TYPE
from rigbridge_teststand.atml.data.indexed_arrays import IndexedArray
from rigbridge_teststand.atml.data.limits import Judged, read_limits
from rigbridge_teststand.atml.data.values import DATA, flatten, value_of
from rigbridge_teststand.atml.local_names import (
    LOCAL_NAMES,
    NAME,
    attribute,
    attributes_of,
    child,
    child_elements,
    children,
    read_text,
)
from rigbridge_teststand.comparisons import Comparison
from rigbridge_teststand.vocabulary import MEASUREMENT_OUTCOMES, parameter_direction
from rigbridge_teststand.xml.elements import Element

__all__ = ["REPORT_TEXT", "DataReader", "ResultParts"]

REPORT_TEXT = "ReportText"
"""The name of a result that is a text for the log, and no value."""

_SINGLE = frozenset({"Numeric", "String"})
_MARKS = ("IsComparisonTypeLog", "IsTestMeasurement")
_ATTRIBUTES = ".Attributes"
# A limit against recursion without end; real data are a few levels deep.
_MAX_DEPTH = 48
_REFERENCES = {"NI_TDMSReference": "File", "NI_HyperlinkPath": ""}
_UNSET = MeasurementOutcome.UNSET
_UNJUDGED = Judged(comparison=Comparison(), attributes={})


class ResultParts:
    """
    The parts of a ``TestResult``, found in one pass.

    Attributes:
        element: the element.
        name: its name, or empty; 2.02 holds it in the ID.
        data: ``TestData``, or None.
        limits: ``TestLimits``, or None.
        outcome: its own ``Outcome``, or None.
        properties: ``TSLimitProperties``, or None.
        others: its other children.
        is_judged: whether it is a measurement of the test, and no additional result.
    """

    data: Element | None = None
    limits: Element | None = None
    outcome: Element | None = None
    properties: Element | None = None
    others: Sequence[Element] = ()
    is_judged: bool = False

    def __init__(self, element: Element) -> None:
        self.element = element
        given = element.get(NAME, "").strip() or attribute(element, "ID") or ""
        self.name = intern(given)
        others: list[Element] = []
        # Backwards, so that the first of several stays.
        for below in child_elements(element)[::-1]:
            kind = LOCAL_NAMES[below.tag]
            if kind == "TestData":
                self.data = below
            elif kind == "TestLimits":
                self.limits = below
            elif kind == "Outcome":
                self.outcome = below
            elif kind != "Extension" or self._is_more(below):
                others.append(below)
        if others:
            self.others = others[::-1]
        if self.limits is not None or self.outcome is not None:
            self.is_judged = True
        elif self.properties is not None:
            marks = (child(self.properties, mark) for mark in _MARKS)
            self.is_judged = any(map(_flag, marks))

    def _is_more(self, extension: Element) -> bool:
        """Take the properties of an extension; return whether it has more."""
        properties = child(extension, "TSLimitProperties")
        if properties is not None:
            self.properties = properties
        return properties is None or len(extension) > 1

    @property
    def is_single(self) -> bool:
        """Whether it bears the name of a single test's value."""
        return self.name in _SINGLE


def _flag(element: Element | None) -> bool:
    given = attribute(element, "value") or attribute(child(element, "Datum"), "value")
    return given in ("true", "1") or (read_text(element) or "").lower() == "true"


class DataReader:
    """
    Reads the data of the steps of a run, one step after the other.

    Args:
        account: takes an entry for each element.
    """

    def __init__(self, account: RunAccount) -> None:
        self._account = account
        self._step = ""
        self._names: dict[str, int] = {}
        self._found: list[Measurement] = []
        # These attributes are the same for nearly all values, and held once.
        self._nothing: dict[str, JSONValue] = {}
        self._additional: dict[str, JSONValue] = {"kind": "additional"}
        self._parameter: dict[str, JSONValue] = {
            "kind": "additional",
            "direction": "in",
        }
        self.attachments: list[Attachment] = []

    def begin(self, step: str) -> list[Measurement]:
        """
        Begin a step.

        Args:
            step: its name, which its single measurement takes.

        Returns:
            The list that its measurements are added to; repeated names get numbers.
        """
        self._step = step
        self._names = {}
        self._found = []
        return self._found

    def judged(self, result: ResultParts, inherited: MeasurementOutcome) -> None:
        """
        Read a result that was judged.

        Args:
            result: the result.
            inherited: the outcome where it has none of its own.
        """
        given = result.name
        name = self._step if given in _SINGLE or not given else given
        outcome = inherited if result.outcome is None else _outcome(result.outcome)
        judged = read_limits(
            result.limits, result.properties, result.data, self._account
        )
        more = self._details(result) if result.others else self._nothing
        is_empty = True
        for element in () if result.data is None else child_elements(result.data):
            if LOCAL_NAMES[element.tag] in DATA:
                is_empty = False
                self._read(name, element, more, outcome, judged)
            else:
                self._account.dropped("property", "no data of a known kind", element)
        # The verdict of a result without data must not be lost.
        if is_empty:
            self._add(name, result.element, None, None, more, outcome, judged)

    def additional(self, result: ResultParts) -> None:
        """Read an additional result."""
        attributes = self._additional
        if result.others:
            attributes = {**attributes, **self._details(result)}
        name = result.name or self._step
        if (direction := parameter_direction(name)) is not None:
            attributes = {**attributes, "direction": direction}
        data = [] if result.data is None else child_elements(result.data)
        if not data:
            self._account.dropped("measurement", "holds no value", result.element)
        for element in data:
            if LOCAL_NAMES[element.tag] in DATA:
                self._read(name, element, attributes)
            else:
                self._account.dropped("property", "no data of a known kind", element)

    def _details(self, result: ResultParts) -> dict[str, JSONValue]:
        """Read the other children of a result, such as a description."""
        found: dict[str, JSONValue] = {}
        for element in result.others:
            name = LOCAL_NAMES[element.tag]
            if name != "Extension":
                flatten(element, name.lower(), found, self._account)
                continue
            for kind, block in children(element):
                if kind != "TSLimitProperties":
                    flatten(block, f"extension.{kind}", found, self._account)
        return found

    def action(self, data: Element) -> list[Element]:
        """
        Read the ``Data`` of an action, each item under its own name.

        Returns:
            The data that are report texts, and no values.
        """
        texts: list[Element] = []
        for element in child_elements(data):
            kind = LOCAL_NAMES[element.tag]
            if kind == "Collection":
                self._items("", element, self._additional, 0, texts)
            elif kind in DATA:
                self._read(self._step, element, self._additional)
        return texts

    def parameters(self, parameters: Element) -> None:
        """Read ``Parameters``: the inputs of a step."""
        for kind, parameter in children(parameters):
            if kind != "Parameter":
                self._account.dropped("property", "no parameter", parameter)
                continue
            given = attribute(parameter, "ID")
            name = attribute(parameter, "name") or given
            shown = name or "parameter"
            if not shown.endswith("[In]"):
                shown += " [In]"
            attributes = self._parameter
            if given is not None and given != name:
                attributes = {**attributes, "parameter_id": given}
            before = len(self._found)
            for data, element in children(child(parameter, "Data")):
                if data in DATA:
                    self._read(shown, element, attributes)
            if len(self._found) == before:
                self._unusual(parameter, shown, attributes)

    def _unusual(
        self, parameter: Element, shown: str, attributes: dict[str, JSONValue]
    ) -> None:
        """Keep the content of a parameter without data."""
        found: dict[str, Any] = {}
        # A throw-away account: each value is counted as a measurement instead.
        for element in parameter:
            flatten(element, shown, found, RunAccount())
        for key, value in found.items():
            self._add(key, parameter, value, None, attributes, _UNSET, _UNJUDGED)

    def _read(  # noqa: PLR0917 - each part of a measurement
        self,
        name: str,
        element: Element,
        attributes: dict[str, JSONValue],
        outcome: MeasurementOutcome = _UNSET,
        judged: Judged = _UNJUDGED,
        depth: int = 0,
    ) -> None:
        shape = LOCAL_NAMES[element.tag]
        if depth > _MAX_DEPTH:
            self._account.dropped("property", "nested too deep", element)
            return
        given = attributes_of(element)
        kind = DATA_TYPES[given.get(TYPE) or given.get("type") or ""]
        if kind in _REFERENCES:
            self._reference(name, element, kind, attributes)
        elif shape == "Datum":
            value, unit, details = value_of(element, kind, given, self._account)
            if details:
                attributes = {**attributes, **details}
            self._add(name, element, value, unit, attributes, outcome, judged)
        elif shape == "Collection":
            self._items(name, element, attributes, depth + 1)
        else:
            self._array(name, element, attributes, outcome, judged)

    def _items(
        self,
        prefix: str,
        collection: Element,
        attributes: dict[str, JSONValue],
        depth: int,
        texts: list[Element] | None = None,
    ) -> None:
        items: list[tuple[str, Element]] = []
        described: dict[str, dict[str, JSONValue]] = {}
        for item in child_elements(collection):
            if LOCAL_NAMES[item.tag] != "Item":
                reason = "stands among the items of a collection"
                self._account.dropped("property", reason, item)
                continue
            name = intern(item.get(NAME, "").strip())
            # TestStand writes the attributes of X as a sibling X.Attributes.
            if name.endswith(_ATTRIBUTES):
                described[name.removesuffix(_ATTRIBUTES)] = self._described(item)
            elif texts is not None and name == REPORT_TEXT:
                self._text(item, texts, items)
            else:
                items.append((name, item))
        for name, item in items:
            own = attributes
            if name in described:
                own = {**attributes, **described[name]}
            if (direction := parameter_direction(name)) is not None:
                own = {**own, "direction": direction}
            full = f"{prefix}.{name}" if prefix and name else prefix or name
            for element in child_elements(item):
                if LOCAL_NAMES[element.tag] in DATA:
                    self._read(full, element, own, depth=depth)

    @staticmethod
    def _text(
        item: Element, texts: list[Element], items: list[tuple[str, Element]]
    ) -> None:
        datum = child(item, "Datum")
        if datum is None:
            items.append((REPORT_TEXT, item))
        else:
            texts.append(datum)

    def _described(self, item: Element) -> dict[str, JSONValue]:
        found: dict[str, JSONValue] = {}
        flatten(item, "described", found, self._account)
        return found

    def _reference(
        self, name: str, element: Element, kind: str, attributes: dict[str, JSONValue]
    ) -> None:
        """Keep the name of a file that a result refers to; it is never opened."""
        found: dict[str, Any] = {}
        flatten(element, name, found, self._account)
        path = found.get(f"{name}.{_REFERENCES[kind]}" if _REFERENCES[kind] else name)
        base = PureWindowsPath(path).name.strip() if isinstance(path, str) else ""
        if base:
            self._account.mapped["attachment"] += 1
            self.attachments.append(Attachment(name=base))
        own = {**attributes, "reference": kind}
        for key, value in found.items():
            self._add(key, element, value, None, own, _UNSET, _UNJUDGED)

    def _array(
        self,
        name: str,
        element: Element,
        attributes: dict[str, JSONValue],
        outcome: MeasurementOutcome,
        judged: Judged,
    ) -> None:
        unit = attribute(element, "unit") or attribute(element, "nonStandardUnit")
        members = IndexedArray(element, self._account)
        values = members.line()
        rows: list[tuple[str, Series]] | None = None
        value: Series | list[JSONValue] | None = []
        if values is not None:
            value = list_series(values, unit)
        elif (cells := members.cells()).members:
            rows = matrix_series(cells, attributes)
            value = array_series(cells, unit) if rows is None else None
        for label, series in [("", value)] if rows is None else rows:
            shown = f"{name}{label}"
            self._add(shown, element, series, None, attributes, outcome, judged)

    def _add(  # noqa: PLR0917 - each part of a measurement
        self,
        name: str,
        element: Element,
        value: MeasurementValue,
        unit: str | None,
        attributes: dict[str, JSONValue],
        outcome: MeasurementOutcome,
        judged: Judged,
    ) -> None:
        if unit is not None:
            self._account.mapped["unit"] += 1
        if judged.attributes:
            more = judged.attributes
            attributes = {**attributes, **more} if attributes else more
        name = name.strip() or "(unnamed)"
        if name in self._names:
            name = self._numbered(name, element)
        else:
            self._names[name] = 1
        comparison = judged.comparison
        self._found.append(
            Measurement(
                name=name,
                outcome=outcome,
                value=value,
                unit=unit,
                limits=comparison.limits,
                validators=comparison.validators,
                attributes=attributes,
            )
        )

    def _numbered(self, name: str, element: Element) -> str:
        """Number a name that the step has used before."""
        while name in self._names:
            self._account.coerced("measurement name", "repeated, numbered", element)
            self._names[name] += 1
            name = f"{name} #{self._names[name]}"
        self._names[name] = 1
        return name


def _outcome(outcome: Element) -> MeasurementOutcome:
    stated = (attribute(outcome, "value") or "").lower()
    return MEASUREMENT_OUTCOMES.get(stated, _UNSET)

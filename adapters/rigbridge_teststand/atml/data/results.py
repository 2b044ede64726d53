"""
``TestResult``, ``Data`` and ``Parameters`` to measurements.

A result is a judged measurement if it has limits, an outcome of its own, or a mark that
makes it one. All others are additional results, which have no verdict.
"""

from __future__ import annotations

from pathlib import PureWindowsPath
from typing import Any

from rigbridge.model import (
    Attachment,
    JSONValue,
    Measurement,
    MeasurementOutcome,
    MeasurementValue,
    Series,
)
from rigbridge_teststand.arrays import (
    array_series,
    complex_series,
    list_series,
    matrix_series,
)
from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.atml.data.data_types import (
    DATA_TYPES,
    KNOWN_TYPES,
    QUALITY,
    data_type_of,
)
from rigbridge_teststand.atml.data.indexed_arrays import IndexedArray, is_of_collections
from rigbridge_teststand.atml.data.items import named_items
from rigbridge_teststand.atml.data.limits import Judged, read_limits
from rigbridge_teststand.atml.data.properties import whole_number
from rigbridge_teststand.atml.data.result_parts import (
    DATA_HOLDER,
    MADE_UP,
    MEMBER,
    RESULT_ATTRIBUTES,
    SINGLE,
    ResultParts,
)
from rigbridge_teststand.atml.data.units import default_unit
from rigbridge_teststand.atml.data.values import DATA, flatten, keep_rest, put, value_of
from rigbridge_teststand.atml.data.wats_rows import ROWS, WATSRow, rows_of
from rigbridge_teststand.atml.forms import SCHEMA_TYPE, content_of, record_unread
from rigbridge_teststand.atml.local_names import (
    LOCAL_NAMES,
    NAME,
    STATUS,
    attribute,
    attributes_of,
    child,
    child_elements,
    children,
)
from rigbridge_teststand.comparisons import Comparison
from rigbridge_teststand.vocabulary import MEASUREMENT_OUTCOMES, parameter_direction
from rigbridge_teststand.xml.elements import Element

__all__ = ["REPORT_TEXT", "DataReader"]

REPORT_TEXT = "ReportText"
"""The name of a result that is a text for the log, and no value."""

# A limit against recursion without end; real data are a few levels deep.
_MAX_DEPTH = 48

_REFERENCES = {"NI_TDMSReference": "File", "NI_HyperlinkPath": ""}
_ACQUIRED = "acquisitionTimeStamp"
_UNSET = MeasurementOutcome.UNSET
_UNJUDGED = Judged(comparison=Comparison(), attributes={})


class DataReader:
    """Reads the data of the steps of a run, one step after the other."""

    def __init__(self, account: RunAccount) -> None:
        self._account = account
        self._step = ""
        self._names: dict[str, int] = {}
        self._found: list[Measurement] = []
        # Whether a value without a type is a number.
        self._is_number = False
        # The unit of values that state none.
        self._default: str | None = None
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
            inherited: the outcome where it has none of its own.
        """
        given = result.name
        name = self._step if given in SINGLE or not given else given
        stated = result.status
        outcome = inherited
        if stated is not None:
            outcome = MEASUREMENT_OUTCOMES.get(stated.lower(), _UNSET)
        judged = read_limits(
            result.limits, result.properties, result.data, self._account
        )
        more = self.details(result) or self._nothing
        found = [] if result.data is None else child_elements(result.data)
        data = [element for element in found if LOCAL_NAMES[element.tag] in DATA]
        self._is_number = given == "Numeric"
        if not data or _is_collection(data[0]):
            # The verdict is on all of them, and the report names no single value.
            self._add(name, result.element, None, None, more, outcome, judged)
            for element in data:
                self._read(name, element, self._additional)
            return
        for element in data:
            self._read(name, element, more, outcome, judged)
        self._is_number = False

    def additional(self, result: ResultParts) -> None:
        """Read an additional result."""
        attributes = self._additional
        if more := self.details(result):
            attributes = {**attributes, **more}
        if result.name == ROWS and (rows := rows_of(result.data, self._account)):
            for row in rows:
                self._row(row, more)
            return
        name = result.name or self._step
        if (direction := parameter_direction(name)) is not None:
            attributes = {**attributes, "direction": direction}
        found = [] if result.data is None else child_elements(result.data)
        data = [element for element in found if LOCAL_NAMES[element.tag] in DATA]
        count = len(self._found)
        for element in data:
            self._read(name, element, attributes)
        if len(self._found) == count and more:
            self._add(name, result.element, None, None, attributes, _UNSET, _UNJUDGED)
        elif not data:
            self._account.dropped("measurement", "holds no value", result.element, name)

    def _row(self, row: WATSRow, more: dict[str, JSONValue]) -> None:
        """Read a row of a multiple test of WATS."""
        name = row.name or f"{self._step}{row.index}"
        judged = Judged(comparison=row.comparison, attributes=row.attributes)
        before = self._default
        self._default = row.unit
        self._read(name, row.value, more, row.outcome, judged)
        self._default = before
        self._named_items(name, row.others, self._additional, 0)

    def details(self, result: ResultParts) -> dict[str, JSONValue]:
        """
        Read what a result holds beside its data and limits.

        Returns:
            Its ID, time stamp, description and whatever else, as strict JSON.
        """
        found: dict[str, JSONValue] = {}
        if len(result.element.keys()) > 1 or not result.name:
            self._unnamed(result, found)
        if result.data is not None:
            put(found, "acquired", attribute(result.data, _ACQUIRED), self._account)
        if result.status is not None:
            self._status(result, found)
        for element in result.others:
            name = LOCAL_NAMES[element.tag]
            if name != "Extension":
                flatten(element, name.lower(), found, self._account)
                continue
            for kind, block in children(element):
                if block is not result.properties:
                    flatten(block, f"extension.{kind}", found, self._account)
        return found

    def _unnamed(self, result: ResultParts, into: dict[str, JSONValue]) -> None:
        """Keep the ID of a result, and attributes that no schema has."""
        for key, given in attributes_of(result.element).items():
            text = given.strip()
            if key == "ID" and text != result.name and not MADE_UP.match(text):
                put(into, "result_id", text, self._account)
            elif key not in RESULT_ATTRIBUTES and key[0] != "{":
                put(into, key, text, self._account)

    def _status(self, result: ResultParts, into: dict[str, JSONValue]) -> None:
        """Keep what a result says of its status beside a verdict."""
        stated = result.status
        if stated and stated.lower() not in MEASUREMENT_OUTCOMES:
            put(into, "raw_status", stated, self._account)
        if result.outcome is not None:
            put(into, STATUS, attribute(result.element, STATUS), self._account)
            is_text = attribute(result.outcome, "value") is None
            read = "" if is_text else "value"
            keep_rest(result.outcome, "outcome", into, self._account, (read,))

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
            if kind == "Parameter":
                self._parameter_of(parameter)

    def _parameter_of(self, parameter: Element) -> None:
        given = attribute(parameter, "ID")
        name = attribute(parameter, "name") or given
        shown = name or "parameter"
        if not shown.endswith("[In]"):
            shown += " [In]"
        details: dict[str, JSONValue] = {}
        if given is not None and given != name:
            details["parameter_id"] = given
        inside = children(parameter)
        holders = [below for kind, below in inside if kind == "Data"]
        data = [e for below in holders for k, e in children(below) if k in DATA]
        if not data:
            # All that is inside stands for the value.
            holders = [below for _, below in inside]
        read: list[str | Element] = ["ID", "name", *holders]
        keep_rest(parameter, "parameter", details, self._account, read)
        for holder in holders if data else ():
            record_unread(holder, DATA_HOLDER, self._account)
        attributes = {**self._parameter, **details} if details else self._parameter
        count = len(self._found)
        for element in data:
            self._read(shown, element, attributes)
        if not data:
            self._without_data(parameter, shown, attributes)
        elif len(self._found) == count:
            self._add(shown, parameter, None, None, attributes, _UNSET, _UNJUDGED)

    def _without_data(
        self, parameter: Element, shown: str, attributes: dict[str, JSONValue]
    ) -> None:
        """Keep the content of a parameter without data."""
        found: dict[str, Any] = {}
        # Each value is counted as a measurement, and not as a property.
        uncounted = RunAccount(self._account.report, self._account.place)
        for element in parameter:
            flatten(element, shown, found, uncounted)
        for key, value in (found or {shown: None}).items():
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
            self._account.dropped(
                "property", "nested too deep", element, content_of(element)
            )
            return
        given = attributes_of(element)
        kind = DATA_TYPES[given.get(SCHEMA_TYPE) or given.get("type") or ""]
        if kind in _REFERENCES:
            self._reference(name, element, kind, attributes, outcome, judged)
        elif shape == "Datum":
            value, unit, details = value_of(element, kind, given, self._account)
            if details:
                attributes = {**attributes, **details}
            if kind not in KNOWN_TYPES and isinstance(value, str):
                value = self._untyped(value, judged, element)
            if unit is None:
                unit = self._default
            self._add(name, element, value, unit, attributes, outcome, judged)
        elif shape == "Collection":
            self._items(name, element, attributes, depth + 1)
        elif is_of_collections(element):
            self._collections(name, element, attributes, depth + 1)
        else:
            self._array(name, element, attributes, outcome, judged)

    def _untyped(
        self, text: str, judged: Judged, element: Element
    ) -> str | float | None:
        """Read a value without a known type as a number where it was judged as one."""
        if not self._is_number and judged.comparison.limits is None:
            return text
        number = whole_number(text)
        if number is None:
            return text
        self._account.coerced(
            "value", "without a type, read as a number", element, text
        )
        return number

    def _collections(
        self,
        name: str,
        element: Element,
        attributes: dict[str, JSONValue],
        depth: int,
    ) -> None:
        """Read an array of collections, each under the place that it has."""
        for count, (kind, member) in enumerate(children(element)):
            if kind == "Element":
                place = attribute(member, "position") or f"[{count}]"
                self._items(f"{name}{place}", member, attributes, depth)
                record_unread(member, MEMBER, self._account)

    def _items(
        self,
        prefix: str,
        collection: Element,
        attributes: dict[str, JSONValue],
        depth: int,
        texts: list[Element] | None = None,
    ) -> None:
        before = self._default
        more: dict[str, JSONValue] = {}
        self._default = default_unit(attributes_of(collection), more, before)
        items: list[Element] = []
        for item in child_elements(collection):
            if LOCAL_NAMES[item.tag] != "Item":
                continue
            datum = None
            if texts is not None and item.get(NAME, "").strip() == REPORT_TEXT:
                datum = child(item, "Datum")
            if datum is None:
                items.append(item)
            elif texts is not None:
                texts.append(datum)
        if more:
            attributes = {**attributes, **more}
        count = len(self._found)
        self._named_items(prefix, items, attributes, depth)
        self._default = before
        if len(self._found) == count and not texts:
            shown = content_of(collection)
            self._account.dropped("measurement", "holds no value", collection, shown)

    def _named_items(
        self,
        prefix: str,
        items: list[Element],
        attributes: dict[str, JSONValue],
        depth: int,
    ) -> None:
        """Read items, each under its own name."""
        for name, item, more in named_items(items, self._account):
            # Mostly the same table for all: a report has many thousand values.
            own = {**attributes, **more} if more else attributes
            full = f"{prefix}.{name}" if prefix and name else prefix or name
            data = [e for e in child_elements(item) if LOCAL_NAMES[e.tag] in DATA]
            if not data:
                self._account.dropped("measurement", "holds no value", item, full)
            for element in data:
                self._read(full, element, own, depth=depth)

    def _reference(  # noqa: PLR0917 - each part of a measurement
        self,
        name: str,
        element: Element,
        kind: str,
        attributes: dict[str, JSONValue],
        outcome: MeasurementOutcome,
        judged: Judged,
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
        for key, value in (found or {name: None}).items():
            self._add(key, element, value, None, own, outcome, judged)
            # One verdict is on the reference, whatever it consists of.
            outcome, judged = _UNSET, _UNJUDGED

    def _array(
        self,
        name: str,
        element: Element,
        attributes: dict[str, JSONValue],
        outcome: MeasurementOutcome,
        judged: Judged,
    ) -> None:
        members = IndexedArray(element, self._account)
        values = members.line()
        rows: list[tuple[str, Series]] | None = None
        value: Series | list[JSONValue] | None = []
        unit = members.unit or self._default
        if values is not None:
            value = list_series(values, unit)
        elif members.is_complex:
            value = complex_series(
                members.cells("real"), members.cells("imaginary"), unit
            )
        elif (cells := members.cells()).members:
            rows = matrix_series(cells, attributes, unit)
            value = array_series(cells, unit) if rows is None else None
        details = members.details
        for below in child_elements(element):
            if LOCAL_NAMES[below.tag] in QUALITY:
                flatten(below, LOCAL_NAMES[below.tag], details, self._account)
        if details:
            attributes = {**attributes, **details}
        for label, series in [("", value)] if rows is None else rows:
            shown = f"{name}{label}"
            if unit is not None and series:
                self._account.mapped["unit"] += 1
            # An array without members has no axis that could hold its unit.
            own = None if series else unit
            self._add(shown, element, series, own, attributes, outcome, judged)

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


def _is_collection(element: Element) -> bool:
    """Tell whether an element holds data of several names."""
    shape = LOCAL_NAMES[element.tag]
    if shape == "Collection":
        return data_type_of(element) not in _REFERENCES
    return shape == "IndexedArray" and is_of_collections(element)

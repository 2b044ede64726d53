"""
``TestResult``, ``Data`` and ``Parameters`` to measurements.

A result is a measurement that was judged when it has limits, an outcome of its own, or
is marked as one; everything else is additional data, which nobody judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PureWindowsPath
from typing import Any

from rigbridge.adapters import ConversionReport
from rigbridge.model import Attachment, Measurement, MeasurementOutcome
from rigbridge_teststand.arrays import Cells, rows_of, series_of
from rigbridge_teststand.atml.limits import Judged, read_limits
from rigbridge_teststand.atml.names import attribute, child, children, read_text
from rigbridge_teststand.atml.values import (
    Value,
    flatten,
    is_data,
    kind_of,
    read_cells,
    read_datum,
)
from rigbridge_teststand.comparisons import Comparison
from rigbridge_teststand.documents import place_of
from rigbridge_teststand.element import Element
from rigbridge_teststand.statuses import MEASUREMENT_OUTCOMES

__all__ = ["DataReader", "Naming", "is_judged", "is_single"]

_SINGLE = frozenset({"Numeric", "String"})
_MARKS = ("IsComparisonTypeLog", "IsTestMeasurement")
_ATTRIBUTES = ".Attributes"
_MAX_DEPTH = 48
_REFERENCES = {"NI_TDMSReference": "File", "NI_HyperlinkPath": ""}


def is_judged(result: Element) -> bool:
    """Whether a ``TestResult`` is a measurement of the test, and no further data."""
    if child(result, "TestLimits") is not None or child(result, "Outcome") is not None:
        return True
    properties = child(result, "Extension", "TSLimitProperties")
    return any(_flag(child(properties, mark)) for mark in _MARKS)


def is_single(result: Element) -> bool:
    """Whether a ``TestResult`` bears the name of a single test's value."""
    return (attribute(result, "name") or attribute(result, "ID")) in _SINGLE


def _flag(element: Element | None) -> bool:
    given = attribute(element, "value") or attribute(child(element, "Datum"), "value")
    return given in ("true", "1") or (read_text(element) or "").lower() == "true"


class Naming:
    """Keeps the names of one step's measurements apart."""

    def __init__(self, report: ConversionReport) -> None:
        self._seen: dict[str, int] = {}
        self._report = report

    def unique(self, name: str, place: Element) -> str:
        """Number a name that the step has used before."""
        name = name.strip() or "(unnamed)"
        count = self._seen[name] = self._seen.get(name, 0) + 1
        if count == 1:
            return name
        self._report.coerced(
            "measurement name", "repeated, numbered", place=place_of(place)
        )
        return self.unique(f"{name} #{count}", place)


class DataReader:
    """
    Reads the data of one step.

    Args:
        step: the step's name, which its single measurement takes.
        report: where everything is accounted for.
    """

    def __init__(self, step: str, report: ConversionReport) -> None:
        self._step = step
        self._report = report
        self._naming = Naming(report)
        self.attachments: list[Attachment] = []

    def judged(
        self, result: Element, inherited: MeasurementOutcome
    ) -> Iterator[Measurement]:
        """
        Read a result that was judged.

        Args:
            result: the ``TestResult``.
            inherited: the outcome where it has none of its own.
        """
        # 2.02 holds the name of a result in its ID.
        given = attribute(result, "name") or attribute(result, "ID") or ""
        name = self._step if given in _SINGLE or not given else given
        outcome = _outcome(child(result, "Outcome"), inherited)
        judged = read_limits(
            child(result, "TestLimits"),
            child(result, "Extension", "TSLimitProperties"),
            self._report,
        )
        data = child(result, "TestData")
        inside = [below for kind, below in children(data) if is_data(kind)]
        if not inside:
            yield self._made(name, result, Value(value=None), outcome, judged, {})
        for element in inside:
            yield from self._read(
                name, element, outcome=outcome, judged=judged, attributes={}, depth=0
            )
        self._rest(result, {"TestData", "TestLimits", "Outcome", "Extension"})

    def additional(self, result: Element) -> Iterator[Measurement]:
        """Read a ``TestResult`` that nobody judged."""
        name = attribute(result, "name") or attribute(result, "ID") or self._step
        yield from self.data(name, child(result, "TestData"))
        self._rest(result, {"TestData", "Outcome", "Extension"})

    def data(
        self, name: str, container: Element | None, **attributes: Any
    ) -> Iterator[Measurement]:
        """
        Read the data that stand in an element as measurements that nobody judged.

        Args:
            name: the name; that of the items follows after a dot.
            container: ``TestData`` or ``Data``.
            attributes: further attributes of each measurement.
        """
        for kind, element in children(container):
            if is_data(kind):
                yield from self._read(
                    name,
                    element,
                    attributes={"kind": "additional", **attributes},
                    depth=0,
                )

    def items(
        self, collection: Element, prefix: str = "", **attributes: Any
    ) -> Iterator[Measurement]:
        """Read the items of a collection, each under its own name."""
        yield from self._items(
            collection, prefix, {"kind": "additional", **attributes}, 0
        )

    def _rest(self, result: Element, taken: set[str]) -> None:
        for name, element in children(result):
            if name not in taken:
                self._report.dropped(
                    "property", "no place in a measurement", place=place_of(element)
                )

    def _read(
        self,
        name: str,
        element: Element,
        *,
        attributes: dict[str, Any],
        depth: int,
        outcome: MeasurementOutcome = MeasurementOutcome.UNSET,
        judged: Judged | None = None,
    ) -> Iterator[Measurement]:
        kind = kind_of(element)
        shape = element.tag.rpartition("}")[2]
        if depth > _MAX_DEPTH:
            self._report.dropped("property", "nested too deep", place=place_of(element))
            return
        if kind in _REFERENCES:
            yield from self._reference(name, element, kind, attributes)
            return
        if shape == "Collection":
            yield from self._items(element, name, attributes, depth + 1)
            return
        if shape == "IndexedArray":
            cells = read_cells(element, self._report)
            yield from self._array(name, element, cells, outcome, judged, attributes)
            return
        value = read_datum(element, self._report)
        yield self._made(name, element, value, outcome, judged, attributes)

    def _items(
        self,
        collection: Element,
        prefix: str,
        attributes: dict[str, Any],
        depth: int,
    ) -> Iterator[Measurement]:
        items = [
            (attribute(item, "name") or "", item)
            for kind, item in children(collection)
            if kind == "Item"
        ]
        described = {
            name.removesuffix(_ATTRIBUTES): self._described(item)
            for name, item in items
            if name.endswith(_ATTRIBUTES)
        }
        for name, item in items:
            if name.endswith(_ATTRIBUTES):
                continue
            full = f"{prefix}.{name}" if prefix and name else prefix or name
            further = {**attributes, **described.get(name, {})}
            for kind, element in children(item):
                if is_data(kind):
                    yield from self._read(
                        full, element, attributes=further, depth=depth
                    )

    def _described(self, item: Element) -> dict[str, Any]:
        found: dict[str, Any] = {}
        flatten(item, "described", found, self._report)
        found.pop("described.name", None)
        return found

    def _reference(
        self, name: str, element: Element, kind: str, attributes: dict[str, Any]
    ) -> Iterator[Measurement]:
        """Read a reference to a file; it is named, never opened."""
        found: dict[str, Any] = {}
        flatten(element, name, found, self._report)
        path = found.get(f"{name}.{_REFERENCES[kind]}" if _REFERENCES[kind] else name)
        base = PureWindowsPath(path).name.strip() if isinstance(path, str) else ""
        if base:
            self._report.mapped("attachment")
            self.attachments.append(Attachment(name=base))
        for key, value in found.items():
            self._report.mapped("measurement")
            yield Measurement(
                name=self._naming.unique(key, element),
                value=value,
                attributes={**attributes, "reference": kind},
            )

    def _made(  # noqa: PLR0917 - each part of a measurement
        self,
        name: str,
        element: Element,
        value: Value,
        outcome: MeasurementOutcome,
        judged: Judged | None,
        attributes: dict[str, Any],
    ) -> Measurement:
        self._report.mapped("measurement")
        if value.unit is not None:
            self._report.mapped("unit")
        comparison = Comparison() if judged is None else judged.comparison
        return Measurement(
            name=self._naming.unique(name, element),
            outcome=outcome,
            value=value.value,
            unit=value.unit,
            limits=comparison.limits,
            validators=comparison.validators,
            attributes={
                **attributes,
                **value.attributes,
                **({} if judged is None else judged.attributes),
            },
        )

    def _array(  # noqa: PLR0917 - likewise
        self,
        name: str,
        element: Element,
        cells: Cells,
        outcome: MeasurementOutcome,
        judged: Judged | None,
        attributes: dict[str, Any],
    ) -> Iterator[Measurement]:
        unit = attribute(element, "unit") or attribute(element, "nonStandardUnit")
        value: Any
        if not cells.members:
            value = []
            rows = None
        else:
            rows = rows_of(cells, attributes)
            value = series_of(cells, unit) if rows is None else None
        if rows is None:
            made = Value(value=value)
            yield self._made(name, element, made, outcome, judged, attributes)
            return
        for label, series in rows:
            yield self._made(
                f"{name}{label}",
                element,
                Value(value=series),
                outcome,
                judged,
                attributes,
            )


def _outcome(
    outcome: Element | None, inherited: MeasurementOutcome
) -> MeasurementOutcome:
    if outcome is None:
        return inherited
    stated = (attribute(outcome, "value") or "").lower()
    return MEASUREMENT_OUTCOMES.get(stated, MeasurementOutcome.UNSET)

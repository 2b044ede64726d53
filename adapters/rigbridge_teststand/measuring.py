"""The data of one step result to measurements, recognized by structure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rigbridge.adapters import ConversionReport, Place
from rigbridge.model import Axis, Measurement, MeasurementOutcome, Series
from rigbridge_teststand.comparisons import (
    Comparison,
    compare_numbers,
    compare_text,
    compare_tolerance,
)
from rigbridge_teststand.documents import line_of, place_of
from rigbridge_teststand.element import Element
from rigbridge_teststand.numbers import read_number
from rigbridge_teststand.properties import elements, members, text
from rigbridge_teststand.statuses import MEASUREMENT_OUTCOMES

__all__ = ["BOOKKEEPING", "read_measurements", "read_scalar"]

BOOKKEEPING = frozenset({"Status", "Error", "ReportText", "Common", "TS"})
"""The properties of every result, which are no data of its step type."""

_JUDGING = frozenset({"Comp", "Limits", "RawLimits", "Units"})
_NAMING = frozenset({"Status", "MeasName"})
# What of the limits the comparison or the attributes take.
_LIMITS = frozenset({"Low", "High", "String", "ThresholdType"})
_MAX_DEPTH = 32


def read_scalar(prop: Element, report: ConversionReport) -> Any:
    """Read a String, Number or Boolean property; absent and references are None."""
    content = text(prop)
    if content is None:
        return None
    kind = prop.get("Type")
    if kind == "Number":
        number = read_number(content)
        if number is None and content.strip():
            report.coerced(
                "value", "no number, kept as text", place=place_of(prop), detail=content
            )
            return content
        return number
    if kind == "Boolean":
        return content.strip().lower() == "true"
    return None if kind == "Reference" else content


def read_measurements(
    step: str,
    status: str,
    data: dict[str, Element],
    report: ConversionReport,
) -> Iterator[Measurement]:
    """
    Read what a step measured.

    Args:
        step: the step's name, which its single measurement takes.
        status: the step's status in lower case.
        data: its properties by name.
        report: where each measurement is accounted for.
    """
    taken = set(BOOKKEEPING)
    judged = MEASUREMENT_OUTCOMES.get(status, MeasurementOutcome.UNSET)
    tested = "Comp" in data or "Limits" in data
    if "Numeric" in data and tested:
        yield _numeric(step, judged, data["Numeric"], data, report)
        taken |= _JUDGING | {"Numeric"}
    elif "String" in data and tested:
        yield _textual(step, judged, data["String"], data, report)
        taken |= _JUDGING | {"String"}
    elif "PassFail" in data:
        report.mapped("measurement")
        yield Measurement(
            name=step, outcome=judged, value=read_scalar(data["PassFail"], report)
        )
        taken.add("PassFail")
    rows = data.get("Measurement")
    if rows is not None and _is_multiple(rows):
        taken.add("Measurement")
        yield from _multiple(step, rows, report)
    for name, prop in data.items():
        if name not in taken:
            yield from _additional(name, prop, report)
        elif name == "Limits":
            yield from _further_limits(name, prop, report)


def _further_limits(
    name: str, limits: Element, report: ConversionReport
) -> Iterator[Measurement]:
    for side, prop in members(limits).items():
        if side not in _LIMITS:
            yield from _additional(f"{name}.{side}", prop, report)


def _numeric(
    name: str,
    outcome: MeasurementOutcome,
    value: Element,
    data: dict[str, Element],
    report: ConversionReport,
) -> Measurement:
    limits = members(data.get("Limits"))
    place = Place(line=line_of(value))
    comparator = text(data.get("Comp")) or ""
    threshold = (text(limits.get("ThresholdType")) or "").strip()
    raw = data.get("RawLimits")
    if comparator.strip().upper() == "EQT" and threshold and raw is not None:
        sides = members(raw)
        comparison = compare_tolerance(
            threshold,
            _number(sides.get("Nominal"), report),
            _number(sides.get("Low"), report),
            _number(sides.get("High"), report),
            report=report,
            place=place,
        )
    else:
        comparison = compare_numbers(
            comparator,
            _number(limits.get("Low"), report),
            _number(limits.get("High"), report),
            report=report,
            place=place,
        )
    attributes = {
        key: entry
        for key, entry in (
            ("raw_limits", _texts(raw)),
            ("threshold_type", threshold),
        )
        if entry
    }
    return _made(
        name,
        outcome,
        value,
        data,
        report,
        comparison=comparison,
        attributes=attributes,
    )


def _textual(
    name: str,
    outcome: MeasurementOutcome,
    value: Element,
    data: dict[str, Element],
    report: ConversionReport,
) -> Measurement:
    expected = text(data.get("StringLimit"))
    if expected is None:
        expected = text(members(data.get("Limits")).get("String"))
    comparison = compare_text(
        text(data.get("Comp")) or "",
        expected,
        report=report,
        place=Place(line=line_of(value)),
    )
    return _made(name, outcome, value, data, report, comparison=comparison)


def _made(
    name: str,
    outcome: MeasurementOutcome,
    value: Element,
    data: dict[str, Element],
    report: ConversionReport,
    *,
    comparison: Comparison | None = None,
    attributes: dict[str, Any] | None = None,
) -> Measurement:
    comparison = Comparison() if comparison is None else comparison
    report.mapped("measurement")
    if comparison.limits is not None:
        report.mapped("limit")
    unit = (text(data.get("Units")) or "").strip()
    return Measurement(
        name=name,
        outcome=outcome,
        value=read_scalar(value, report),
        unit=unit or None,
        limits=comparison.limits,
        validators=comparison.validators,
        attributes=attributes or {},
    )


def _number(prop: Element | None, report: ConversionReport) -> float | None:
    content = text(prop)
    if prop is None or content is None or not content.strip():
        return None
    number = read_number(content)
    if number is None:
        report.dropped("limit", "is no number", place=place_of(prop), detail=content)
    return number


def _texts(prop: Element | None) -> dict[str, str]:
    found = {name: text(child) for name, child in members(prop).items()}
    return {name: value for name, value in found.items() if value}


def _is_multiple(rows: Element) -> bool:
    return all("Status" in members(value.find("Prop")) for _, value in elements(rows))


def _multiple(
    step: str, rows: Element, report: ConversionReport
) -> Iterator[Measurement]:
    seen: dict[str, int] = {}
    for index, value in elements(rows):
        row = value.find("Prop")
        if row is None:
            report.dropped("measurement", "holds no value", place=place_of(value))
            continue
        data = members(row)
        given = text(data.get("MeasName")) or row.get("Name") or ""
        name = given.strip() or f"{step}{index}"
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            report.coerced(
                "measurement name", "repeated, numbered", place=place_of(row)
            )
            name = f"{name} #{seen[name]}"
        status = (text(data.get("Status")) or "").strip().lower()
        outcome = MEASUREMENT_OUTCOMES.get(status, MeasurementOutcome.UNSET)
        taken = set(_NAMING)
        if "Data" in data:
            yield _numeric(name, outcome, data["Data"], data, report)
            taken |= _JUDGING | {"Data"}
        elif "StringData" in data:
            yield _textual(name, outcome, data["StringData"], data, report)
            taken |= _JUDGING | {"StringData", "StringLimit"}
        elif "PassFail" in data:
            yield _made(name, outcome, data["PassFail"], data, report)
            taken |= {"PassFail", "Units"}
        else:
            report.dropped("measurement", "holds no value", place=place_of(row))
        for extra, prop in data.items():
            if extra not in taken:
                yield from _additional(f"{name}.{extra}", prop, report)
            elif extra == "Limits":
                yield from _further_limits(f"{name}.{extra}", prop, report)


def _additional(
    name: str, prop: Element, report: ConversionReport, depth: int = 0
) -> Iterator[Measurement]:
    """Turn further data of a result into measurements that nobody judged."""
    if depth > _MAX_DEPTH:
        report.dropped("property", "nested too deep", place=place_of(prop))
        return
    kind = prop.get("Type")
    if kind == "Array":
        yield from _array(name, prop, report, depth)
        return
    children = members(prop)
    if children:
        for child, below in children.items():
            yield from _additional(f"{name}.{child}", below, report, depth + 1)
        return
    value = read_scalar(prop, report)
    if value is None:
        if kind not in ("Obj", "Reference", "TEResult"):
            report.dropped("property", "has no value", place=place_of(prop))
        return
    report.mapped("measurement")
    yield Measurement(name=name, value=value, attributes={"kind": "additional"})


def _array(
    name: str, array: Element, report: ConversionReport, depth: int
) -> Iterator[Measurement]:
    cells = list(elements(array))
    if not cells:
        report.dropped("property", "empty array", place=place_of(array))
        return
    kind = array.get("ElementType")
    nested = any(value.find("Prop") is not None for _, value in cells)
    if not nested and all(index.count("[") == 1 for index, _ in cells):
        points: list[Any] = [value.text or "" for _, value in cells]
        if kind == "Number":
            points = [
                point if (number := read_number(point)) is None else number
                for point in points
            ]
            if any(isinstance(point, float) for point in points):
                points = [
                    float(point) if isinstance(point, int) else point
                    for point in points
                ]
        report.mapped("measurement")
        yield Measurement(
            name=name,
            value=Series(
                axes=(
                    Axis(name="index", values=[_index(index) for index, _ in cells]),
                    Axis(values=points),
                )
            ),
            attributes={"kind": "additional"},
        )
        return
    for index, value in cells:
        inner = value.find("Prop")
        if inner is not None:
            yield from _additional(f"{name}{index}", inner, report, depth + 1)
        else:
            report.mapped("measurement")
            content = value.text or ""
            number = read_number(content) if kind == "Number" else None
            yield Measurement(
                name=f"{name}{index}",
                value=content if number is None else number,
                attributes={"kind": "additional"},
            )


def _index(spelled: str) -> int | str:
    inner = spelled.strip("[]")
    return int(inner) if inner.isdecimal() and inner.isascii() else spelled

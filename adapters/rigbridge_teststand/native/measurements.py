"""
The data of a step result to measurements.

The kind of test follows from the structure. Sites make step types of their own, so
the name of a type tells little.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import attrs

from rigbridge.adapters import ConversionReport, Place
from rigbridge.model import JSONValue, Measurement, MeasurementOutcome
from rigbridge_teststand.comparisons import (
    NO_COMPARISON,
    Comparison,
    compare_numbers,
    compare_text,
    compare_tolerance,
)
from rigbridge_teststand.native.additional_results import (
    AdditionalResultReader,
    read_attributes,
)
from rigbridge_teststand.native.execution_data import COMMON_PROPERTIES
from rigbridge_teststand.native.properties import (
    array_elements,
    read_scalar,
    subproperties,
    value_text,
)
from rigbridge_teststand.numbers import has_decimal_comma, parse_plain, read_number
from rigbridge_teststand.vocabulary import MEASUREMENT_OUTCOMES
from rigbridge_teststand.xml.elements import (
    Element,
    place_of,
    record_coerced,
    record_dropped,
)

__all__ = ["read_measurements"]

_JUDGING = frozenset({"Comp", "Limits", "RawLimits", "Units"})
_OF_NUMBER = COMMON_PROPERTIES | _JUDGING | {"Numeric"}
_OF_TEXT = COMMON_PROPERTIES | _JUDGING | {"String"}
_OF_VERDICT = COMMON_PROPERTIES | {"PassFail", "Units"}
_NAMING = frozenset({"Status", "MeasName"})
# The limits that the comparison or the attributes take.
_LIMITS = frozenset({"Low", "High", "String", "ThresholdType"})


def read_measurements(
    step: str,
    status: str,
    data: dict[str, Element],
    additional: AdditionalResultReader,
    report: ConversionReport,
) -> list[Measurement]:
    """
    Read the measurements of a step; repeated names are numbered.

    Args:
        step: the step's name, which its single measurement takes.
        status: the step's status in lower case.
        data: its properties by name.
        additional: reads the values that were not judged.
        report: takes an entry for each measurement.
    """
    # Actions and flow control have no data.
    if data.keys() <= COMMON_PROPERTIES:
        return []
    found = list(_read(step, status, data, additional, report))
    if len(found) > 1 and len({item.name for item in found}) < len(found):
        return _numbered(found, data, report)
    return found


def _numbered(
    found: list[Measurement], data: dict[str, Element], report: ConversionReport
) -> list[Measurement]:
    taken: set[str] = set()
    unique: list[Measurement] = []
    for item in found:
        name, count = item.name, 1
        while name in taken:
            count += 1
            name = f"{item.name} #{count}"
        taken.add(name)
        if name == item.name:
            unique.append(item)
            continue
        report.coerced(
            "measurement name",
            "repeated, numbered",
            place=_step_place(data),
            detail=item.name,
        )
        attributes = {**item.attributes, "original_name": item.name}
        unique.append(attrs.evolve(item, name=name, attributes=attributes))
    return unique


def _step_place(data: dict[str, Element]) -> Place:
    prop = next(iter(data.values()))
    step = prop.getparent()
    return place_of(prop if step is None else step)


def _read(
    step: str,
    status: str,
    data: dict[str, Element],
    additional: AdditionalResultReader,
    report: ConversionReport,
) -> Iterator[Measurement]:
    taken = COMMON_PROPERTIES
    judged = MEASUREMENT_OUTCOMES.get(status, MeasurementOutcome.UNSET)
    # Without a comparator or limits the value is an additional result.
    tested = "Comp" in data or "Limits" in data
    if tested and "Numeric" in data:
        yield _numeric(step, judged, data["Numeric"], data, report)
        taken = _OF_NUMBER
    elif tested and "String" in data:
        yield _textual(step, judged, data["String"], data, report)
        taken = _OF_TEXT
    elif "PassFail" in data:
        yield _verdict(step, judged, data["PassFail"], data, report)
        taken = _OF_VERDICT
    rows = data.get("Measurement")
    if rows is not None and _is_multiple(rows):
        taken |= {"Measurement"}
        yield from _multiple(step, rows, additional, report)
    for name, prop in data.items():
        if name not in taken:
            yield from additional.read(name, prop)
        elif name == "Limits":
            yield from _additional_limits(name, prop, additional)


def _additional_limits(
    name: str, limits: Element, additional: AdditionalResultReader
) -> Iterator[Measurement]:
    for side, prop in subproperties(limits).items():
        if side not in _LIMITS:
            yield from additional.read(f"{name}.{side}", prop)


def _verdict(
    name: str,
    outcome: MeasurementOutcome,
    value: Element,
    data: dict[str, Element],
    report: ConversionReport,
) -> Measurement:
    """Read a pass/fail value; one that contradicts the verdict was forced."""
    passed = read_scalar(value, report)
    judged = {MeasurementOutcome.PASS: True, MeasurementOutcome.FAIL: False}
    attributes: dict[str, JSONValue] = {}
    if isinstance(passed, bool) and judged.get(outcome, passed) is not passed:
        # The run modes Force Pass and Force Fail leave the value as it is.
        attributes["forced"] = True
        record_coerced(report, value, "verdict", "contradicts the value, both kept")
    return _made(name, outcome, value, data, report, attributes=attributes)


def _numeric(
    name: str,
    outcome: MeasurementOutcome,
    value: Element,
    data: dict[str, Element],
    report: ConversionReport,
) -> Measurement:
    limits = subproperties(data.get("Limits"))
    comparator = value_text(data.get("Comp")) or ""
    threshold = (value_text(limits.get("ThresholdType")) or "").strip()
    raw = data.get("RawLimits")
    printed: dict[str, str] = {}
    if comparator.strip().upper() == "EQT" and threshold and raw is not None:
        # They are either the tolerances once more or what is computed from them.
        printed = _bounds_of(limits)
        sides = subproperties(raw)
        comparison = compare_tolerance(
            threshold,
            _number(sides.get("Nominal"), report),
            _number(sides.get("Low"), report),
            _number(sides.get("High"), report),
            report=report,
            place=partial(place_of, value),
        )
    else:
        comparison = compare_numbers(
            comparator,
            _number(limits.get("Low"), report),
            _number(limits.get("High"), report),
            report=report,
            place=partial(place_of, value),
        )
    attributes: dict[str, JSONValue] = {}
    if stated := _texts(raw):
        attributes["raw_limits"] = stated
    if threshold:
        attributes["threshold_type"] = threshold
    if printed:
        attributes["printed_limits"] = printed
    if unused := _unused(comparison, limits, report):
        attributes["unused_limits"] = unused
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
    limits = subproperties(data.get("Limits"))
    # WATS keeps the limit of a multiple test here.
    expected = value_text(data.get("StringLimit"))
    if expected is None:
        expected = value_text(limits.get("String"))
    comparison = compare_text(
        value_text(data.get("Comp")) or "",
        expected,
        report=report,
        place=partial(place_of, value),
    )
    stated = {"String": data["StringLimit"]} if "StringLimit" in data else limits
    unused = _unused(comparison, stated, report)
    return _made(
        name,
        outcome,
        value,
        data,
        report,
        comparison=comparison,
        attributes={"unused_limits": unused} if unused else None,
    )


def _unused(
    comparison: Comparison, limits: dict[str, Element], report: ConversionReport
) -> dict[str, str]:
    """Give printed bounds that were not compared with."""
    if comparison.limits is not None or comparison.validators:
        return {}
    unused = _bounds_of(limits)
    if unused:
        report.mapped("limit")
    return unused


def _bounds_of(limits: dict[str, Element]) -> dict[str, str]:
    stated = {side: value_text(limits.get(side)) for side in ("Low", "High", "String")}
    return {side: bound for side, bound in stated.items() if bound}


def _made(
    name: str,
    outcome: MeasurementOutcome,
    value: Element,
    data: dict[str, Element],
    report: ConversionReport,
    *,
    comparison: Comparison = NO_COMPARISON,
    attributes: dict[str, JSONValue] | None = None,
) -> Measurement:
    report.mapped("measurement")
    if comparison.limits is not None or comparison.validators:
        report.mapped("limit")
    unit = (value_text(data.get("Units")) or "").strip()
    if unit:
        report.mapped("unit")
    attributes = attributes or {}
    # Beside its value a property may hold metadata, which is rare.
    if len(value) > 1:
        attributes = {**read_attributes(value, report), **attributes}
    return Measurement(
        name=name,
        outcome=outcome,
        value=read_scalar(value, report),
        unit=unit or None,
        limits=comparison.limits,
        validators=comparison.validators,
        attributes=attributes,
    )


def _number(prop: Element | None, report: ConversionReport) -> float | None:
    content = value_text(prop)
    if prop is None or content is None or not content.strip():
        return None
    number = parse_plain(content)
    if number is not None:
        return number
    number = read_number(content)
    if number is None:
        record_dropped(report, prop, "limit", "is no number", content)
    elif has_decimal_comma(content):
        record_coerced(report, prop, "limit", "decimal comma read as point", content)
    return number


def _texts(prop: Element | None) -> dict[str, str]:
    if prop is None:
        return {}
    found = {name: value_text(child) for name, child in subproperties(prop).items()}
    return {name: value for name, value in found.items() if value}


def _is_multiple(rows: Element) -> bool:
    """Tell the measurements of a multiple test from any other array of that name."""
    first = [subproperties(value.find("Prop")) for _, value in array_elements(rows)]
    return not first or any("Status" in row or "MeasName" in row for row in first)


def _multiple(
    step: str,
    rows: Element,
    additional: AdditionalResultReader,
    report: ConversionReport,
) -> Iterator[Measurement]:
    # Each member has its own status; the status of the step sums them up.
    for index, value in array_elements(rows):
        row = value.find("Prop")
        if row is None:
            record_dropped(report, value, "measurement", "holds no value")
            continue
        data = subproperties(row)
        # WATS names members in MeasName, TestStand in the attribute Name.
        given = value_text(data.get("MeasName")) or row.get("Name") or ""
        name = given.strip() or f"{step}{index}"
        status = (value_text(data.get("Status")) or "").strip().lower()
        outcome = MEASUREMENT_OUTCOMES.get(status, MeasurementOutcome.UNSET)
        taken = set(_NAMING)
        if "Data" in data:
            yield _numeric(name, outcome, data["Data"], data, report)
            taken |= _JUDGING | {"Data"}
        elif "StringData" in data:
            yield _textual(name, outcome, data["StringData"], data, report)
            taken |= _JUDGING | {"StringData", "StringLimit"}
        elif "PassFail" in data:
            yield _verdict(name, outcome, data["PassFail"], data, report)
            taken |= {"PassFail", "Units"}
        else:
            record_dropped(report, row, "measurement", "holds no value")
        for extra, prop in data.items():
            if extra not in taken:
                yield from additional.read(f"{name}.{extra}", prop)
            elif extra == "Limits":
                yield from _additional_limits(f"{name}.{extra}", prop, additional)

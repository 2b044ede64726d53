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
    is_logged,
)
from rigbridge_teststand.native.additional_results import AdditionalResultReader
from rigbridge_teststand.native.execution_data import COMMON_PROPERTIES
from rigbridge_teststand.native.kept_properties import (
    keep_properties,
    keep_property,
    read_attributes,
)
from rigbridge_teststand.native.properties import (
    STRUCTURED,
    TYPE,
    array_elements,
    read_scalar,
    record_spelling,
    subproperties,
    value_text,
)
from rigbridge_teststand.numbers import parse_plain, read_number
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
# What is read as a text; the other properties that are taken are objects.
_TEXTS = frozenset(
    {"Comp", "Units", "Numeric", "String", "PassFail", "Data", "StringData"}
    | {"StringLimit", "Status", "MeasName"}
)
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
    # Without a comparator or limits the value was not judged.
    tested = "Comp" in data or "Limits" in data
    rows = data.get("Measurement")
    is_multiple = rows is not None and _is_multiple(rows)
    if tested and "Numeric" in data:
        yield _numeric(step, judged, data["Numeric"], data, report)
        taken = _OF_NUMBER
    elif tested and "String" in data:
        yield _textual(step, judged, data["String"], data, report)
        taken = _OF_TEXT
    elif "PassFail" in data:
        yield _verdict(step, judged, data["PassFail"], data, report)
        taken = _OF_VERDICT
    elif "Numeric" in data and _is_plain(data["Numeric"]) and not is_multiple:
        yield _logged(step, data["Numeric"], data, report)
        taken = COMMON_PROPERTIES | {"Numeric", "Units"}
    if rows is not None and is_multiple:
        taken |= {"Measurement"}
        yield from _multiple(step, rows, additional, report)
    for name, prop in data.items():
        if name not in taken:
            yield from additional.read(name, prop)
        elif name in _TEXTS and name not in COMMON_PROPERTIES and not _is_plain(prop):
            # It is no text, so none of the above took it.
            yield from additional.read(name, prop)


def _is_plain(prop: Element) -> bool:
    return prop.get(TYPE) not in STRUCTURED


def _logged(
    name: str, value: Element, data: dict[str, Element], report: ConversionReport
) -> Measurement:
    """Read a value that was recorded with its unit, and not judged."""
    unset = MeasurementOutcome.UNSET
    return _made(name, unset, value, data, report, attributes={"kind": "additional"})


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
    _keep_raw_limits(raw, attributes, report)
    if threshold:
        attributes["threshold_type"] = threshold
    if printed:
        attributes["printed_limits"] = printed
    elif unused := _unused(comparison, limits, report):
        attributes["unused_limits"] = unused
    _keep_other_limits(data.get("Limits"), attributes, report)
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
    expected = wats = value_text(data.get("StringLimit"))
    if expected is None:
        expected = value_text(limits.get("String"))
    comparison = compare_text(
        value_text(data.get("Comp")) or "",
        expected,
        report=report,
        place=partial(place_of, value),
    )
    stated = {**limits, "String": data["StringLimit"]} if wats is not None else limits
    attributes: dict[str, JSONValue] = {}
    if unused := _unused(comparison, stated, report):
        attributes["unused_limits"] = unused
    _keep_raw_limits(data.get("RawLimits"), attributes, report)
    _keep_other_limits(data.get("Limits"), attributes, report)
    return _made(
        name,
        outcome,
        value,
        data,
        report,
        comparison=comparison,
        attributes=attributes,
    )


def _unused(
    comparison: Comparison, limits: dict[str, Element], report: ConversionReport
) -> dict[str, str]:
    """Give printed bounds that the value was not compared with."""
    stated = _bounds_of(limits)
    if not stated:
        return {}
    used = comparison.limits
    if used is None and not comparison.validators:
        report.mapped("limit")
        return stated
    bounds: set[float | None] = set() if used is None else {used.lower, used.upper}
    return {
        side: bound
        for side, bound in stated.items()
        if (number := read_number(bound)) is None or number not in bounds
        # A validator holds the bound as it was read.
        if not any(
            said in text
            for text in comparison.validators
            for said in (repr(bound), str(number))
        )
    }


def _bounds_of(limits: dict[str, Element]) -> dict[str, str]:
    stated = {side: value_text(limits.get(side)) for side in ("Low", "High", "String")}
    return {side: bound for side, bound in stated.items() if bound}


def _keep_raw_limits(
    raw: Element | None, attributes: dict[str, JSONValue], report: ConversionReport
) -> None:
    """Keep the limits as the sequence has them, before any computation."""
    if raw is None:
        return
    sides = subproperties(raw)
    stated = {name: value_text(side) for name, side in sides.items()}
    if known := {name: value for name, value in stated.items() if value}:
        attributes["raw_limits"] = known
    if not sides:
        keep_property("raw_limits", raw, attributes, report)
    odd = {name: side for name, side in sides.items() if stated[name] is None}
    keep_properties(odd, "raw_limits", attributes, report)


def _keep_other_limits(
    container: Element | None,
    attributes: dict[str, JSONValue],
    report: ConversionReport,
) -> None:
    """Keep what else the limits state, such as the nominal value."""
    limits = subproperties(container)
    if container is not None and not limits:
        keep_property("limits", container, attributes, report)
    for side, prop in limits.items():
        if side == "Nominal" and (nominal := value_text(prop)):
            attributes["nominal"] = nominal
        elif side not in _LIMITS or value_text(prop) is None:
            keep_property(f"limits.{side}", prop, attributes, report)


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
    comparator = value_text(data.get("Comp")) or ""
    if comparison is NO_COMPARISON and not is_logged(comparator):
        # Without limits it was not compared, but the sequence says how.
        attributes = {**attributes, "comparator": comparator.strip()}
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
    else:
        record_spelling(report, prop, "limit", content)
    return number


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
        if "Data" in data:
            made = _numeric(name, outcome, data["Data"], data, report)
            taken = _NAMING | _JUDGING | {"Data"}
        elif "StringData" in data:
            made = _textual(name, outcome, data["StringData"], data, report)
            taken = _NAMING | _JUDGING | {"StringData", "StringLimit"}
        elif "PassFail" in data:
            made = _verdict(name, outcome, data["PassFail"], data, report)
            taken = _NAMING | {"PassFail", "Units"}
        else:
            made = None
            taken = _NAMING
            record_dropped(report, row, "measurement", "holds no value", name)
        if made is not None:
            yield _with_row_texts(made, row, data, status)
        for extra, prop in data.items():
            if extra not in taken or (extra in _TEXTS and not _is_plain(prop)):
                yield from additional.read(f"{name}.{extra}", prop)


def _with_row_texts(
    made: Measurement, row: Element, data: dict[str, Element], status: str
) -> Measurement:
    """Add the words of a member of a multiple test that no field has taken."""
    said: dict[str, JSONValue] = {}
    if status and status not in MEASUREMENT_OUTCOMES:
        said["raw_status"] = (value_text(data.get("Status")) or "").strip()
    named = (row.get("Name") or "").strip()
    if named and named != made.name:
        said["property_name"] = named
    return attrs.evolve(made, attributes={**made.attributes, **said}) if said else made

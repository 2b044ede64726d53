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
    Properties,
    array_elements,
    properties_of,
    read_member,
    record_spelling,
    subproperties,
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
_OF_LOGGED = COMMON_PROPERTIES | {"Numeric", "Units"}
_NAMING = frozenset({"Status", "MeasName"})
# What is read as a text; the other properties that are taken are objects.
_TEXTS = frozenset(
    {"Comp", "Units", "Numeric", "String", "PassFail", "Data", "StringData"}
    | {"StringLimit", "Status", "MeasName"}
)
_CHECKED = _TEXTS - COMMON_PROPERTIES
_SIDES = ("Low", "High", "String")
_VALUES_OF_VERDICTS = {MeasurementOutcome.PASS: True, MeasurementOutcome.FAIL: False}
# The limits that the comparison or the attributes take.
_LIMITS = frozenset({"Low", "High", "String", "ThresholdType"})


def read_measurements(
    step: str,
    status: str,
    props: Properties,
    additional: AdditionalResultReader,
    report: ConversionReport,
) -> list[Measurement]:
    """
    Read the measurements of a step; repeated names are numbered.

    Args:
        status: the step's status in lower case.
    """
    # Actions and flow control have no data.
    if props.elements.keys() <= COMMON_PROPERTIES:
        return []
    found = list(_read(step, status, props, additional, report))
    if len(found) > 1 and len({item.name for item in found}) < len(found):
        return _numbered(found, props, report)
    return found


def _numbered(
    found: list[Measurement], props: Properties, report: ConversionReport
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
            place=_step_place(props),
            detail=item.name,
        )
        attributes = {**item.attributes, "original_name": item.name}
        unique.append(attrs.evolve(item, name=name, attributes=attributes))
    return unique


def _step_place(props: Properties) -> Place:
    prop = next(iter(props.elements.values()))
    step = prop.getparent()
    return place_of(prop if step is None else step)


def _read(
    step: str,
    status: str,
    props: Properties,
    additional: AdditionalResultReader,
    report: ConversionReport,
) -> Iterator[Measurement]:
    taken = COMMON_PROPERTIES
    judged = MEASUREMENT_OUTCOMES.get(status, MeasurementOutcome.UNSET)
    names = props.elements
    # Without a comparator or limits the value was not judged.
    tested = "Comp" in names or "Limits" in names
    rows = props.elements["Measurement"] if "Measurement" in names else None
    is_multiple = rows is not None and _is_multiple(rows)
    if tested and "Numeric" in names:
        yield _numeric(step, judged, "Numeric", props, report)
        taken = _OF_NUMBER
    elif tested and "String" in names:
        yield _textual(step, judged, "String", props, report)
        taken = _OF_TEXT
    elif "PassFail" in names:
        yield _verdict(step, judged, props, report)
        taken = _OF_VERDICT
    elif "Numeric" in names and _is_plain(props, "Numeric") and not is_multiple:
        yield _logged(step, props, report)
        taken = _OF_LOGGED
    if rows is not None and is_multiple:
        taken |= {"Measurement"}
        yield from _multiple(step, rows, additional, report)
    for name in names:
        if name not in taken:
            yield from additional.read(name, props.elements[name])
        elif name in _CHECKED and not _is_plain(props, name):
            # It is no text, so none of the above took it.
            yield from additional.read(name, props.elements[name])


def _is_plain(props: Properties, name: str) -> bool:
    return name in props.texts or props.elements[name].get(TYPE) not in STRUCTURED


def _place(props: Properties, name: str) -> Place:
    return place_of(props.elements[name])


def _logged(name: str, props: Properties, report: ConversionReport) -> Measurement:
    """Read a value that was recorded with its unit, and not judged."""
    unset = MeasurementOutcome.UNSET
    kind: dict[str, JSONValue] = {"kind": "additional"}
    return _made(name, unset, "Numeric", props, report, attributes=kind)


def _verdict(
    name: str,
    outcome: MeasurementOutcome,
    props: Properties,
    report: ConversionReport,
) -> Measurement:
    """Read a pass/fail value; one that contradicts the verdict was forced."""
    made = _made(name, outcome, "PassFail", props, report, attributes={})
    judged = _VALUES_OF_VERDICTS.get(outcome)
    if not isinstance(made.value, bool) or judged in (None, made.value):
        return made
    # The run modes Force Pass and Force Fail leave the value as it is.
    rule = "contradicts the value, both kept"
    record_coerced(report, props.elements["PassFail"], "verdict", rule)
    return attrs.evolve(made, attributes={**made.attributes, "forced": True})


def _numeric(
    name: str,
    outcome: MeasurementOutcome,
    value: str,
    props: Properties,
    report: ConversionReport,
) -> Measurement:
    limits = props.below("Limits")
    comparator = props.texts.get("Comp", "")
    threshold = limits.texts.get("ThresholdType", "").strip()
    has_raw = "RawLimits" in props.elements
    printed: dict[str, str] = {}
    if comparator.strip().upper() == "EQT" and threshold and has_raw:
        # They are either the tolerances once more or what is computed from them.
        printed = _bounds_of(limits.texts)
        sides = props.below("RawLimits")
        comparison = compare_tolerance(
            threshold,
            _number(sides, "Nominal", report),
            _number(sides, "Low", report),
            _number(sides, "High", report),
            report=report,
            place=partial(_place, props, value),
        )
    else:
        comparison = compare_numbers(
            comparator,
            _number(limits, "Low", report),
            _number(limits, "High", report),
            report=report,
            place=partial(_place, props, value),
        )
    attributes: dict[str, JSONValue] = {}
    _keep_raw_limits(props, attributes, report)
    if threshold:
        attributes["threshold_type"] = threshold
    if printed:
        attributes["printed_limits"] = printed
    elif unused := _unused(comparison, limits.texts, report):
        attributes["unused_limits"] = unused
    _keep_other_limits(props, limits, attributes, report)
    return _made(
        name,
        outcome,
        value,
        props,
        report,
        comparison=comparison,
        attributes=attributes,
    )


def _textual(
    name: str,
    outcome: MeasurementOutcome,
    value: str,
    props: Properties,
    report: ConversionReport,
) -> Measurement:
    limits = props.below("Limits")
    stated = limits.texts
    # WATS keeps the limit of a multiple test here.
    if "StringLimit" in props.texts:
        stated = {**stated, "String": props.texts["StringLimit"]}
    comparison = compare_text(
        props.texts.get("Comp", ""),
        stated.get("String"),
        report=report,
        place=partial(_place, props, value),
    )
    attributes: dict[str, JSONValue] = {}
    if unused := _unused(comparison, stated, report):
        attributes["unused_limits"] = unused
    _keep_raw_limits(props, attributes, report)
    _keep_other_limits(props, limits, attributes, report)
    return _made(
        name,
        outcome,
        value,
        props,
        report,
        comparison=comparison,
        attributes=attributes,
    )


def _unused(
    comparison: Comparison, limits: dict[str, str], report: ConversionReport
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


def _bounds_of(limits: dict[str, str]) -> dict[str, str]:
    return {side: bound for side in _SIDES if (bound := limits.get(side))}


def _keep_raw_limits(
    props: Properties, attributes: dict[str, JSONValue], report: ConversionReport
) -> None:
    """Keep the limits as the sequence has them, before any computation."""
    if "RawLimits" not in props.elements:
        return
    sides = props.below("RawLimits")
    if known := {name: value for name, value in sides.texts.items() if value}:
        attributes["raw_limits"] = known
    if not sides.elements:
        keep_property("raw_limits", props.elements["RawLimits"], attributes, report)
    if len(sides.texts) < len(sides.elements):
        odd = {
            name: side
            for name, side in sides.elements.items()
            if name not in sides.texts
        }
        keep_properties(odd, "raw_limits", attributes, report)


def _keep_other_limits(
    props: Properties,
    limits: Properties,
    attributes: dict[str, JSONValue],
    report: ConversionReport,
) -> None:
    """Keep what else the limits state, such as the nominal value."""
    if "Limits" in props.elements and not limits.elements:
        keep_property("limits", props.elements["Limits"], attributes, report)
    for side in limits.elements:
        if side == "Nominal" and (nominal := limits.texts.get(side)):
            attributes["nominal"] = nominal
        elif side not in _LIMITS or side not in limits.texts:
            key = f"limits.{side}"
            keep_property(key, limits.elements[side], attributes, report)


def _made(
    name: str,
    outcome: MeasurementOutcome,
    value: str,
    props: Properties,
    report: ConversionReport,
    *,
    comparison: Comparison = NO_COMPARISON,
    attributes: dict[str, JSONValue],
) -> Measurement:
    report.mapped("measurement")
    if comparison.limits is not None or comparison.validators:
        report.mapped("limit")
    unit = props.texts.get("Units", "").strip()
    if unit:
        report.mapped("unit")
    comparator = props.texts.get("Comp", "")
    if comparison is NO_COMPARISON and not is_logged(comparator):
        # Without limits it was not compared, but the sequence says how.
        attributes = {**attributes, "comparator": comparator.strip()}
    # Beside its value a property may hold metadata, which is rare.
    if len(props.elements[value]) > 1:
        described = read_attributes(props.elements[value], report)
        attributes = {**described, **attributes}
    return Measurement(
        name=name,
        outcome=outcome,
        value=read_member(props, value, report),
        unit=unit or None,
        limits=comparison.limits,
        validators=comparison.validators,
        attributes=attributes,
    )


def _number(props: Properties, name: str, report: ConversionReport) -> float | None:
    content = props.texts.get(name)
    if content is None or not content.strip():
        return None
    number = parse_plain(content)
    if number is not None:
        return number
    prop = props.elements[name]
    number = read_number(content)
    if number is None:
        # It is an attribute of the measurement, as what is printed and not used.
        record_coerced(report, prop, "limit", "no number, kept as text", content)
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
        data = properties_of(row)
        # WATS names members in MeasName, TestStand in the attribute Name.
        given = data.texts.get("MeasName") or row.get("Name") or ""
        name = given.strip() or f"{step}{index}"
        status = data.texts.get("Status", "").strip().lower()
        outcome = MEASUREMENT_OUTCOMES.get(status, MeasurementOutcome.UNSET)
        if "Data" in data.elements:
            made = _numeric(name, outcome, "Data", data, report)
            taken = _NAMING | _JUDGING | {"Data"}
        elif "StringData" in data.elements:
            made = _textual(name, outcome, "StringData", data, report)
            taken = _NAMING | _JUDGING | {"StringData", "StringLimit"}
        elif "PassFail" in data.elements:
            made = _verdict(name, outcome, data, report)
            taken = _NAMING | {"PassFail", "Units"}
        else:
            made = None
            taken = _NAMING
            record_dropped(report, row, "measurement", "holds no value", name)
        if made is not None:
            yield _with_row_texts(made, row, data, status)
        for extra, prop in data.elements.items():
            if extra not in taken or (extra in _TEXTS and not _is_plain(data, extra)):
                yield from additional.read(f"{name}.{extra}", prop)


def _with_row_texts(
    made: Measurement, row: Element, data: Properties, status: str
) -> Measurement:
    """Add the words of a member of a multiple test that no field has taken."""
    said: dict[str, JSONValue] = {}
    if status and status not in MEASUREMENT_OUTCOMES:
        said["raw_status"] = data.texts.get("Status", "").strip()
    named = (row.get("Name") or "").strip()
    if named and named != made.name:
        said["property_name"] = named
    return attrs.evolve(made, attributes={**made.attributes, **said}) if said else made

"""The header of a report: unit, station, operator and start."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import attrs

from rigbridge.adapters import ConversionReport, ReadContext
from rigbridge.convert.times import from_iso
from rigbridge.errors import ModelError
from rigbridge.model import JSONValue, SubUnit, Unit
from rigbridge_teststand.native.properties import (
    TYPE,
    array_elements,
    element_property,
    read_scalar,
    subproperties,
    text_of,
    value_text,
)
from rigbridge_teststand.numbers import read_count
from rigbridge_teststand.xml.elements import (
    Element,
    place_of,
    record_coerced,
    record_dropped,
)

__all__ = ["NativeHeader", "keep_as_metadata", "read_header"]

_NO_SERIAL = frozenset({"NONE", "\\"})
_UNIT = frozenset(
    {"SerialNumber", "PartNumber", "UUTPartNumber", "UUTPartRevisionNumber"}
    | {"BatchSerialNumber", "Comment"}
)
_STATION = frozenset({"LoginName", "StationID"})
_ALL: frozenset[str] = frozenset()
_OBJECTS = frozenset({"Obj", "TEResult"})
_METADATA = {
    "TestSocketIndex": "test_socket_index",
    "UUTLoopIndex": "uut_loop_index",
}
_YEAR = re.compile(r"(?<!\d)(\d{4})(?!\d)")
_LINK_FIELDS = 8
_EARLIEST, _LATEST = 1990, 2100


@attrs.frozen(kw_only=True)
class NativeHeader:
    """What a report says before its results."""

    unit: Unit
    sub_units: tuple[SubUnit, ...]
    station: str | None
    operator: str | None
    started_at: datetime | None
    engine_started_at: datetime | None
    comment: str | None
    metadata: dict[str, JSONValue]


def read_header(report: Element, context: ReadContext) -> NativeHeader:
    """
    Read the header of a ``Report`` or ``TSReport``.

    Args:
        report: the element.
        context: gives wall times their zone, and takes the account.
    """
    props = subproperties(report)
    info = {
        item.get("key", ""): (item.get("value") or "").strip()
        for item in report.iterchildren("ReportInfo")
    }
    account = context.report
    metadata: dict[str, JSONValue] = {f"report_info.{key}": info[key] for key in info}
    uut = subproperties(props.get("UUT"))
    station = subproperties(props.get("StationInfo"))
    unit = _unit(uut, info, account)
    sub_units = _sub_units(uut, account)
    keep_as_metadata(uut, "uut", _UNIT, metadata, account)
    keep_as_metadata(station, "station", _STATION, metadata, account)
    for attribute, value in report.attrib.items():
        if value and attribute != "Type":
            metadata[f"report.{attribute!s}"] = str(value)
    socket = _link_fields(report.get("Link") or "")
    if socket and (at := read_count(socket[0])) is not None:
        metadata.setdefault("test_socket_index", at)
    name = text_of(station, "StationID")
    account.mapped("unit under test")
    return NativeHeader(
        unit=unit,
        sub_units=sub_units,
        station=name,
        operator=text_of(station, "LoginName"),
        started_at=_started(report, props, info, name, context),
        engine_started_at=_stated(report, info, "EngineStarted", context),
        comment=text_of(uut, "Comment"),
        metadata=metadata,
    )


def _unit(
    uut: dict[str, Element], info: dict[str, str], account: ConversionReport
) -> Unit:
    serial = text_of(uut, "SerialNumber") or info.get("SN") or None
    if serial is not None and serial.upper() in _NO_SERIAL:
        prop = uut.get("SerialNumber")
        if prop is not None:
            record_coerced(
                account, prop, "serial number", "placeholder read as none", serial
            )
        serial = None
    numbers = [text_of(uut, name) for name in ("UUTPartNumber", "PartNumber")]
    if None not in numbers and numbers[0] != numbers[1]:
        second = uut.get("PartNumber")
        if second is not None:
            record_dropped(
                account,
                second,
                "part number",
                "another one is given for the same unit",
                numbers[1],
            )
    return Unit(
        serial_number=serial,
        part_number=numbers[0] or numbers[1] or info.get("PN") or None,
        revision=text_of(uut, "UUTPartRevisionNumber") or info.get("Rev") or None,
        batch_number=text_of(uut, "BatchSerialNumber"),
    )


def _sub_units(
    uut: dict[str, Element], account: ConversionReport
) -> tuple[SubUnit, ...]:
    found: list[SubUnit] = []
    parts = subproperties(uut.get("MiscUUTResult")).get("UUT_Part_Info")
    for _, value in array_elements(parts):
        serial = text_of(subproperties(element_property(value)), "Part_Serial_Number")
        if serial is None:
            record_dropped(account, value, "sub-unit", "has no serial number")
        else:
            account.mapped("sub-unit")
            found.append(SubUnit(serial_number=serial))
    return tuple(found)


def keep_as_metadata(
    container: dict[str, Element],
    prefix: str,
    taken: frozenset[str],
    metadata: dict[str, JSONValue],
    account: ConversionReport,
) -> None:
    """
    Keep what has no field of its own as metadata, flattened with dots.

    Args:
        container: the properties of an object.
        prefix: what the keys begin with.
        taken: the properties right below it that have a field.
        metadata: where the values go.
        account: where each is recorded.
    """
    pending = [(prefix, container, taken)]
    while pending:
        path, props, known = pending.pop()
        for name, child in props.items():
            if name in known:
                continue
            key = _METADATA.get(name) or f"{path}.{name}"
            kind = child.get(TYPE)
            if kind == "Array":
                for index, value in array_elements(child):
                    within = element_property(value)
                    if within is not None:
                        below = {within.get("Name") or "": within}
                        if within.find("Prop") is not None:
                            below = subproperties(within)
                        pending.append((f"{key}{index}", below, _ALL))
                    elif value.text:
                        _put(f"{key}{index}", value.text, metadata, account)
            elif kind in _OBJECTS or child.find("Prop") is not None:
                pending.append((key, subproperties(child), _ALL))
            else:
                _keep(key, child, metadata, account)


def _keep(
    key: str,
    prop: Element,
    metadata: dict[str, JSONValue],
    account: ConversionReport,
) -> None:
    value = (
        read_count((value_text(prop) or "").strip() or None)
        if key in _METADATA.values()
        else read_scalar(prop, account)
    )
    if isinstance(value, float) and value - value != 0:
        value = str(value)
    if value is not None and value != "":
        _put(key, value, metadata, account)


def _put(
    key: str, value: Any, metadata: dict[str, JSONValue], account: ConversionReport
) -> None:
    unique, count = key, 1
    while unique in metadata:
        count += 1
        unique = f"{key} #{count}"
    account.mapped("property")
    metadata[unique] = value


def _started(
    report: Element,
    props: dict[str, Element],
    info: dict[str, str],
    station: str | None,
    context: ReadContext,
) -> datetime | None:
    stated = _stated(report, info, "Start", context)
    if stated is None:
        stated = _stated(report, info, "StartUTC", context)
    if stated is not None:
        context.report.mapped("time")
        return stated
    wall = _wall_time(
        subproperties(props.get("StartDate")), subproperties(props.get("StartTime"))
    )
    if wall is None:
        wall = _from_link(report.get("Link") or "")
        if wall is not None:
            record_coerced(
                context.report, report, "time", "read from the report's link"
            )
    if wall is None:
        record_coerced(context.report, report, "time", "start is unknown")
        return None
    context.report.mapped("time")
    return context.time_zone.localize(
        wall, report=context.report, place=partial(place_of, report), station=station
    )


def _stated(
    report: Element, info: dict[str, str], key: str, context: ReadContext
) -> datetime | None:
    """Read a time with a zone of the ``ReportInfo`` entries that WATS writes."""
    if not info.get(key):
        return None
    try:
        return from_iso(info[key])
    except ModelError as error:
        record_coerced(
            context.report,
            report,
            "time",
            "unreadable, taken as unknown",
            f"{key}: {error.message}",
        )
        return None


def _wall_time(date: dict[str, Element], time: dict[str, Element]) -> datetime | None:
    year = read_count(text_of(date, "Year"))
    if year is None or not _EARLIEST <= year <= _LATEST:
        shown = f"{text_of(date, 'Text') or ''} {text_of(date, 'ShortText') or ''}"
        match = _YEAR.search(shown)
        year = int(match[1]) if match else None
    numbers = [
        year,
        read_count(text_of(date, "Month")),
        read_count(text_of(date, "MonthDay")),
        read_count(text_of(time, "Hours")),
        read_count(text_of(time, "Minutes")),
        read_count(text_of(time, "Seconds")),
    ]
    millis = read_count(text_of(time, "Milliseconds")) or 0
    return _datetime(numbers, millis)


def _link_fields(link: str) -> list[str]:
    """Give the socket, and the date and time, that name a report; else nothing."""
    # The socket index before the date may be negative, hence from the end.
    fields = link.rsplit("-", _LINK_FIELDS - 1)
    return fields if len(fields) == _LINK_FIELDS else []


def _from_link(link: str) -> datetime | None:
    fields = _link_fields(link)
    if not fields:
        return None
    numbers = [read_count(field) for field in fields[1:]]
    if numbers[0] is None or not _EARLIEST <= numbers[0] <= _LATEST:
        return None
    return _datetime(numbers[:-1], numbers[-1] or 0)


def _datetime(numbers: list[int | None], millis: int) -> datetime | None:
    known = [number for number in numbers if number is not None]
    if len(known) != len(numbers):
        return None
    try:
        year, month, day, hour, minute, second = known
        wall = datetime(  # noqa: DTZ001 - a wall time; the policy gives it its zone
            year, month, day, hour, minute, second
        )
        # A counter of milliseconds may reach the thousand, which is the next second.
        return wall + timedelta(milliseconds=millis) if 0 <= millis <= 1000 else None  # noqa: PLR2004
    except (ValueError, OverflowError):
        return None

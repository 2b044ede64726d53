"""The header of a report: unit, station, operator and start."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import partial

import attrs

from rigbridge.adapters import ConversionReport, ReadContext
from rigbridge.convert.times import from_iso
from rigbridge.errors import ModelError
from rigbridge.model import JSONValue, SubUnit, Unit
from rigbridge_teststand.native.kept_properties import keep_property
from rigbridge_teststand.native.properties import (
    array_elements,
    element_property,
    subproperties,
    text_of,
    value_text,
)
from rigbridge_teststand.native.strays import record_stray_attributes
from rigbridge_teststand.numbers import read_count
from rigbridge_teststand.vocabulary import is_placeholder
from rigbridge_teststand.xml.elements import (
    Element,
    place_of,
    record_coerced,
)

__all__ = ["NativeHeader", "read_header"]

_UNIT = frozenset(
    {"SerialNumber", "PartNumber", "UUTPartNumber", "UUTPartRevisionNumber"}
    | {"BatchSerialNumber", "Comment"}
)
_STATION = frozenset({"LoginName", "StationID"})
_NONE: frozenset[str] = frozenset()
_OF_DATE = frozenset({"Year", "Month", "MonthDay"})
_OF_TIME = frozenset({"Hours", "Minutes", "Seconds", "Milliseconds"})
_INFO = frozenset({"key", "value", "type"})
_COUNTS = {
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
    account = context.report
    metadata: dict[str, JSONValue] = {}
    info = _report_info(report, metadata, account)
    uut = subproperties(props.get("UUT"))
    station = subproperties(props.get("StationInfo"))
    unit = _unit(uut, info, account)
    sub_units = _sub_units(uut, account)
    taken = _UNIT
    if text_of(uut, "PartNumber") not in (None, unit.part_number):
        # WATS has a number of its own for the same unit.
        taken -= {"PartNumber"}
    _keep_rest("uut", props.get("UUT"), taken, metadata, account)
    _keep_rest("station", props.get("StationInfo"), _STATION, metadata, account)
    date, time = props.get("StartDate"), props.get("StartTime")
    wall = _wall_time(report, subproperties(date), subproperties(time), account)
    # The numbers are in the start, and all else is kept.
    is_read = wall is not None
    _keep_rest(
        "report.StartDate", date, _OF_DATE if is_read else _NONE, metadata, account
    )
    _keep_rest(
        "report.StartTime", time, _OF_TIME if is_read else _NONE, metadata, account
    )
    for attribute, value in report.attrib.items():
        if value and attribute != "Type":
            metadata[f"report.{attribute!s}"] = str(value)
    socket = _link_fields(report.get("Link") or "")
    if socket and (at := read_count(socket[0])) is not None:
        metadata.setdefault("test_socket_index", at)
    name = _stated_name(station, "StationID", "station", account)
    account.mapped("unit under test")
    started_at = _started(report, info, wall, name, context)
    return NativeHeader(
        unit=unit,
        sub_units=sub_units,
        station=name,
        operator=_stated_name(station, "LoginName", "operator", account),
        started_at=started_at,
        engine_started_at=_stated(report, info, "EngineStarted", context),
        comment=text_of(uut, "Comment"),
        metadata=metadata,
    )


def _unit(
    uut: dict[str, Element], info: dict[str, str], account: ConversionReport
) -> Unit:
    serial = _stated_name(uut, "SerialNumber", "serial number", account)
    numbers = [
        _stated_name(uut, name, "part number", account)
        for name in ("UUTPartNumber", "PartNumber")
    ]
    return Unit(
        serial_number=serial or _known(info.get("SN")),
        part_number=numbers[0] or numbers[1] or _known(info.get("PN")),
        revision=text_of(uut, "UUTPartRevisionNumber") or info.get("Rev") or None,
        batch_number=text_of(uut, "BatchSerialNumber"),
    )


def _known(text: str | None) -> str | None:
    return None if not text or is_placeholder(text) else text


def _stated_name(
    props: dict[str, Element], name: str, item: str, account: ConversionReport
) -> str | None:
    """Read a name or a number; None where it stands for one that is not known."""
    text = text_of(props, name)
    if text is None or not is_placeholder(text):
        return text
    record_coerced(account, props[name], item, "placeholder read as none", text)
    return None


def _report_info(
    report: Element, metadata: dict[str, JSONValue], account: ConversionReport
) -> dict[str, str]:
    """Read the ``ReportInfo`` entries that WATS writes; the first of a key counts."""
    info: dict[str, str] = {}
    for item in report.iterchildren("ReportInfo"):
        key, value = item.get("key", ""), (item.get("value") or "").strip()
        record_stray_attributes(item, _INFO, account)
        unique, count = key, 1
        while unique in info:
            count += 1
            unique = f"{key} #{count}"
        info[unique] = value
        metadata[f"report_info.{unique}"] = value
    return info


def _sub_units(
    uut: dict[str, Element], account: ConversionReport
) -> tuple[SubUnit, ...]:
    found: list[SubUnit] = []
    parts = subproperties(uut.get("MiscUUTResult")).get("UUT_Part_Info")
    for _, value in array_elements(parts):
        serial = text_of(subproperties(element_property(value)), "Part_Serial_Number")
        if serial is None:
            rule = "has no serial number, kept as metadata"
            record_coerced(account, value, "sub-unit", rule)
        else:
            account.mapped("sub-unit")
            found.append(SubUnit(serial_number=serial))
    return tuple(found)


def _keep_rest(
    prefix: str,
    container: Element | None,
    taken: frozenset[str],
    metadata: dict[str, JSONValue],
    account: ConversionReport,
) -> None:
    """Keep all of a part of the header that has no field of its own."""
    props = subproperties(container)
    if container is not None and not props:
        keep_property(prefix, container, metadata, account)
    for name, prop in props.items():
        # What should be a text and is none has no field either.
        if name in taken and value_text(prop) is not None and len(prop) == 1:
            continue
        if name in _COUNTS and (number := read_count(text_of(props, name))) is not None:
            account.mapped("property")
            metadata[_COUNTS[name]] = number
            continue
        keep_property(f"{prefix}.{name}", prop, metadata, account)


def _started(
    report: Element,
    info: dict[str, str],
    wall: datetime | None,
    station: str | None,
    context: ReadContext,
) -> datetime | None:
    stated = _stated(report, info, "Start", context)
    if stated is None:
        stated = _stated(report, info, "StartUTC", context)
    if stated is not None:
        context.report.mapped("time")
        return stated
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


def _wall_time(
    report: Element,
    date: dict[str, Element],
    time: dict[str, Element],
    account: ConversionReport,
) -> datetime | None:
    year = read_count(text_of(date, "Year"))
    if year is None or not _EARLIEST <= year <= _LATEST:
        shown = f"{text_of(date, 'Text') or ''} {text_of(date, 'ShortText') or ''}"
        match = _YEAR.search(shown)
        year = int(match[1]) if match else None
        if year is not None:
            record_coerced(
                account, report, "time", "year taken from the text of the date", shown
            )
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

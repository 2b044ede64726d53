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
    Properties,
    array_elements,
    element_property,
    subproperties,
    text_of,
)
from rigbridge_teststand.native.strays import StrayParts, record_stray_attributes
from rigbridge_teststand.numbers import read_count, text_behind
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
_NUMBERS = _OF_DATE | _OF_TIME | _COUNTS.keys()
_PARTS = ("UUT", "StationInfo", "StartDate", "StartTime")
_YEAR = re.compile(r"(?<!\d)(\d{4})(?!\d)")
_LINK_FIELDS = 8
_EARLIEST, _LATEST = 1990, 2100


@attrs.frozen(kw_only=True)
class NativeHeader:
    """
    What a report says before its results.

    Attributes:
        parts: the elements that say it, each with what else may be in it.
    """

    unit: Unit
    sub_units: tuple[SubUnit, ...]
    station: str | None
    operator: str | None
    started_at: datetime | None
    engine_started_at: datetime | None
    comment: str | None
    metadata: dict[str, JSONValue]
    parts: dict[Element, StrayParts]


def read_header(report: Element, context: ReadContext) -> NativeHeader:
    """
    Read the header of a ``Report`` or ``TSReport``.

    Args:
        context: gives wall times their zone, and takes the account.
    """
    account = context.report
    props = subproperties(report)
    parts: dict[Element, StrayParts] = {}
    found: dict[str, Properties] = {}
    for part in _PARTS:
        found[part] = Properties()
        element = props.get(part)
        if element is not None:
            parts[element] = StrayParts(element, account)
            found[part] = parts[element].read(element)
    # Paths are followed one by one: the same names stand at other depths, too
    # (``StartTime`` in the engine's data, ``Passed`` among the colours).
    uut, station, date, time = (found[part] for part in _PARTS)
    metadata: dict[str, JSONValue] = {}
    info = _report_info(report, metadata, account)
    unit = _unit(uut, info, account)
    sub_units = _sub_units(uut, account)
    taken = _UNIT
    if _text(uut, "PartNumber") not in (None, unit.part_number):
        # WATS has a number of its own for the same unit.
        taken -= {"PartNumber"}
    _keep_rest("uut", props.get("UUT"), uut, taken, metadata, account)
    _keep_rest(
        "station", props.get("StationInfo"), station, _STATION, metadata, account
    )
    wall = _wall_time(report, date, time, account)
    # The numbers are in the start, and all else is kept.
    is_read = wall is not None
    for part, stated, known in (
        ("StartDate", date, _OF_DATE),
        ("StartTime", time, _OF_TIME),
    ):
        taken = known if is_read else _NONE
        _keep_rest(f"report.{part}", props.get(part), stated, taken, metadata, account)
    for attribute, value in report.attrib.items():
        if value and attribute != "Type":
            metadata[f"report.{attribute!s}"] = str(value)
    # Of the units of a batch often nothing else tells which is which.
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
        comment=_text(uut, "Comment"),
        metadata=metadata,
        parts=parts,
    )


def _text(props: Properties, name: str) -> str | None:
    """Give the value of a property; None where it is missing or blank."""
    return props.texts.get(name, "").strip() or None


def _unit(uut: Properties, info: dict[str, str], account: ConversionReport) -> Unit:
    # WATS writes its own fields beside those of TestStand, which it leaves empty or
    # fills with what the operator typed.
    serial = _stated_name(uut, "SerialNumber", "serial number", account)
    numbers = [
        _stated_name(uut, name, "part number", account)
        for name in ("UUTPartNumber", "PartNumber")
    ]
    return Unit(
        serial_number=serial or _known(info.get("SN")),
        part_number=numbers[0] or numbers[1] or _known(info.get("PN")),
        revision=_text(uut, "UUTPartRevisionNumber") or info.get("Rev") or None,
        batch_number=_text(uut, "BatchSerialNumber"),
    )


def _known(text: str | None) -> str | None:
    return None if not text or is_placeholder(text) else text


def _stated_name(
    props: Properties, name: str, item: str, account: ConversionReport
) -> str | None:
    """Read a name or a number; None where it stands for one that is not known."""
    text = _text(props, name)
    if text is None or not is_placeholder(text):
        return text
    record_coerced(
        account, props.elements[name], item, "placeholder read as none", text
    )
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


def _sub_units(uut: Properties, account: ConversionReport) -> tuple[SubUnit, ...]:
    found: list[SubUnit] = []
    # The prototype of this array describes such a part and is none.
    others = uut.below("MiscUUTResult")
    if "UUT_Part_Info" not in others.elements:
        return ()
    parts = others.elements["UUT_Part_Info"]
    for _, value in array_elements(parts):
        serial = text_of(subproperties(element_property(value)), "Part_Serial_Number")
        if serial is None:
            rule = "has no serial number, kept as metadata"
            record_coerced(account, value, "sub-unit", rule)
        else:
            account.mapped("sub-unit")
            found.append(SubUnit(serial_number=serial))
    return tuple(found)


def _keep_rest(  # noqa: PLR0917 - an object in two forms
    prefix: str,
    container: Element | None,
    props: Properties,
    taken: frozenset[str],
    metadata: dict[str, JSONValue],
    account: ConversionReport,
) -> None:
    """Keep all of a part of the header that has no field of its own."""
    if container is not None and not props.elements:
        keep_property(prefix, container, metadata, account)
    for name, prop in props.elements.items():
        # What should be a text and is none has no field either, nor has the text behind
        # a number.
        is_whole = name not in _NUMBERS or text_behind(_text(props, name) or "") is None
        if name in taken and name in props.texts and len(prop) == 1 and is_whole:
            continue
        if name in _COUNTS and (number := read_count(_text(props, name))) is not None:
            account.mapped("property")
            metadata[_COUNTS[name]] = number
            if is_whole:
                continue
        keep_property(f"{prefix}.{name}", prop, metadata, account)


def _started(
    report: Element,
    info: dict[str, str],
    wall: datetime | None,
    station: str | None,
    context: ReadContext,
) -> datetime | None:
    # These have a zone, and seven digits of a second; the date and the time of day are
    # those of the station's clock.
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
    date: Properties,
    time: Properties,
    account: ConversionReport,
) -> datetime | None:
    # Some releases write the years since 1900, or none. The texts are in the language
    # of the station (``fredag 1. juli 2022``), so nothing but a year is taken of them.
    year = read_count(_text(date, "Year"))
    if year is None or not _EARLIEST <= year <= _LATEST:
        shown = f"{_text(date, 'Text') or ''} {_text(date, 'ShortText') or ''}"
        match = _YEAR.search(shown)
        year = int(match[1]) if match else None
        if year is not None:
            record_coerced(
                account, report, "time", "year taken from the text of the date", shown
            )
    numbers = [
        year,
        read_count(_text(date, "Month")),
        read_count(_text(date, "MonthDay")),
        read_count(_text(time, "Hours")),
        read_count(_text(time, "Minutes")),
        read_count(_text(time, "Seconds")),
    ]
    millis = read_count(_text(time, "Milliseconds")) or 0
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
    # Unpadded, as in ``-1-2022-7-1-15-47-48-927``.
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
        return wall + timedelta(milliseconds=millis) if 0 <= millis <= 1000 else None
    except (ValueError, OverflowError):
        return None

"""How values look on a page: times, spans, sizes, numbers and verdicts."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from urllib.parse import quote, urlencode

from rigbridge_store.tables.values import from_micros

__all__ = [
    "FILTERS",
    "export_url",
    "format_day",
    "format_moment",
    "format_number",
    "format_percent",
    "format_size",
    "format_span",
    "format_value",
    "measurement_url",
    "procedure_url",
    "process_url",
    "runs_url",
    "shorten",
    "unit_url",
]

_SIZES = ("B", "kB", "MB", "GB", "TB")
_KILO = 1000
# Integers below are written whole; a serial or a counter must not be rounded.
_EXACT = 10**24
_NOTHING = "—"
_ALL, _HALF = 100, 0.5
_LONGEST = 64
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def _moment(value: int | datetime) -> datetime:
    return from_micros(value) if isinstance(value, int) else value.astimezone(UTC)


def format_moment(value: int | datetime) -> str:
    """Write a time to the second; every time on the pages is in UTC."""
    return f"{_moment(value):%Y-%m-%d %H:%M:%S}"


def format_day(value: int | datetime) -> str:
    """Write the day of a time."""
    return f"{_moment(value):%Y-%m-%d}"


def _iso(value: int | datetime) -> str:
    return _moment(value).isoformat().replace("+00:00", "Z")


def format_span(value: float | timedelta) -> str:
    """Write a span, given in microseconds, to about three digits."""
    micros = (
        value / timedelta(microseconds=1) if isinstance(value, timedelta) else value
    )
    seconds = micros / 1e6
    if abs(seconds) < 1:
        return f"{seconds * 1000:.3g} ms"
    if seconds < _MINUTE:
        return f"{seconds:.3g} s"
    whole = round(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def format_size(count: int) -> str:
    """Write a number of bytes."""
    size = float(count)
    for unit in _SIZES:
        if size < _KILO or unit == _SIZES[-1]:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.3g} {unit}"
        size /= _KILO
    raise AssertionError  # the last unit takes all


def format_number(value: float, digits: int = 6) -> str:
    """Write a number to some significant digits."""
    if isinstance(value, int) and abs(value) < _EXACT:
        return str(value)
    try:
        number = float(value)
    # An integer of JSON may be larger than any double.
    except OverflowError:
        return f"{str(value)[:digits]}…"
    if not math.isfinite(number):
        return {math.inf: "∞", -math.inf: "-∞"}.get(number, "NaN")
    return f"{number:.{digits}g}"


def format_percent(value: float | None) -> str:
    """Write a part of one as a percentage; never rounded to none or all."""
    if value is None:
        return _NOTHING
    shown = round(value * 100, 1)
    # One failure among ten thousand must not read as 100 %.
    if (shown == 0) != (value == 0) or (shown == _ALL) != (value == 1):
        shown = 0.1 if value < _HALF else 99.9
    return f"{shown:.0f} %" if shown in (0, 100) else f"{shown:.1f} %"


def format_value(value: object) -> str:
    """Write a measured value that is no series."""
    if value is None:
        return _NOTHING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return format_number(value, 8)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _pretty(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def shorten(text: str) -> str:
    """Cut a name that would fill a page; the page of the thing itself shows it all."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def unit_url(serial: str) -> str:
    """Give the address of a unit's page."""
    return f"/units?{urlencode({'serial': serial}, quote_via=quote, errors='replace')}"


def measurement_url(
    procedure_id: str,
    phase: str,
    name: str,
    more: Mapping[str, str | None] | None = None,
) -> str:
    """Give the address of the page of a measurement over time."""
    query = {"phase": phase, "name": name, **(more or {})}
    where = f"/procedures/{quote(procedure_id, safe='')}/measurement"
    return _address(where, query)


def procedure_url(procedure_id: str, more: Mapping[str, str | None]) -> str:
    """Give the address of a procedure's page."""
    return _address(f"/procedures/{quote(procedure_id, safe='')}", more)


def process_url(procedure_id: str, more: Mapping[str, str | None]) -> str:
    """Give the address of the page of a procedure's limits and durations."""
    return _address(f"/procedures/{quote(procedure_id, safe='')}/process", more)


def runs_url(query: Mapping[str, str | None], **more: str | None) -> str:
    """Give the address of a list of runs."""
    return _address("/runs", {**query, **more})


def export_url(query: Mapping[str, str | None], form: str) -> str:
    """Give the address of a list of runs as a file of a format."""
    return _address("/export", {**query, "format": form})


def _address(path: str, query: Mapping[str, str | None]) -> str:
    given = {name: value for name, value in query.items() if value}
    if not given:
        return path
    # Half of a surrogate pair may stand in what a client asks for.
    return f"{path}?{urlencode(given, quote_via=quote, errors='replace')}"


def _quoted(path: object) -> str:
    return shlex.quote(str(path))


FILTERS: Mapping[str, Callable[..., str]] = MappingProxyType(
    {
        "day": format_day,
        "export_url": export_url,
        "iso": _iso,
        "measurement_url": measurement_url,
        "moment": format_moment,
        "number": format_number,
        "percent": format_percent,
        "pretty": _pretty,
        "procedure_url": procedure_url,
        "process_url": process_url,
        "runs_url": runs_url,
        "quoted": _quoted,
        "short": shorten,
        "size": format_size,
        "span": format_span,
        "unit_url": unit_url,
        "value": format_value,
    }
)
"""What the templates call, by name."""

"""Properties and times of a file as plain values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import cast

from rigbridge.adapters import ConversionReport, Place
from rigbridge.model import JSONValue
from rigbridge_tdms.library import Timestamp

__all__ = ["is_time", "plain_properties", "shown_time", "time_of"]

_EPOCH = datetime(1904, 1, 1, tzinfo=UTC)
_FRACTIONS = 2**64


def is_time(value: object) -> bool:
    """Say whether a property is a time."""
    return hasattr(value, "second_fractions")


def time_of(value: object) -> datetime | None:
    """
    Give a time, or None where it is none that was set.

    The epoch of the format, 1904-01-01, stands in files whose program set no time, and
    a time beyond the calendar means nothing either.
    """
    if not is_time(value):
        return None
    stamp = cast("Timestamp", value)
    seconds, fractions = int(stamp.seconds), int(stamp.second_fractions)
    if seconds == 0:
        return None
    try:
        return _EPOCH + timedelta(
            seconds=seconds, microseconds=fractions * 1_000_000 // _FRACTIONS
        )
    except OverflowError:
        return None


def shown_time(stamp: Timestamp) -> str | None:
    """Write a time as ISO 8601 has it; None for the epoch, which means no time."""
    found = time_of(stamp)
    if found is not None:
        return found.isoformat()
    return None if int(stamp.seconds) == 0 else f"{int(stamp.seconds)} s since 1904"


def plain_properties(
    properties: Mapping[str, object],
    left: set[str],
    place: str,
    report: ConversionReport,
) -> dict[str, JSONValue]:
    """Give properties as plain values."""
    made: dict[str, JSONValue] = {}
    for name, value in properties.items():
        if name in left:
            continue
        if is_time(value):
            made[name] = shown_time(cast("Timestamp", value))
        elif isinstance(value, float) and not math.isfinite(value):
            report.coerced(
                "attribute",
                "a number that is not finite, as text",
                place=Place(path=f"{place}.{name}"),
                detail=str(value),
            )
            made[name] = str(value)
        elif value is None or isinstance(value, (str, int, float)):
            made[name] = value
        else:
            made[name] = str(value)
    if made:
        report.mapped("attribute", len(made))
    return made

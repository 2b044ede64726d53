"""The settings of the adapter: which properties of a file say what of its run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import cast

import attrs

from rigbridge.adapters.text.verdicts import LoggedVerdict
from rigbridge.errors import ConfigurationError

__all__ = ["FIELDS", "OF_CHANNEL", "TDMSSettings", "named_property", "plain_name"]

OF_CHANNEL = ("lower_limit", "upper_limit", "measurement_outcome")
"""The fields that the properties of a channel hold."""


FIELDS: Mapping[str, tuple[str, ...]] = {
    "serial_number": ("serial number", "uut serial number", "uut", "dut", "sn"),
    "part_number": ("part number", "uut part number", "model number"),
    "revision": ("revision", "part revision"),
    "batch_number": ("batch", "batch number", "lot", "lot number"),
    "procedure": ("procedure", "test name", "test program"),
    "procedure_version": ("procedure version", "test version"),
    "station": ("station", "station id", "station name"),
    "operator": ("operator", "operator name", "author"),
    "started_at": ("started at", "start time", "datetime"),
    "ended_at": ("ended at", "end time", "stop time"),
    "outcome": ("outcome", "verdict", "test result"),
    "lower_limit": ("lower limit", "low limit", "limit low", "lsl", "min limit"),
    "upper_limit": ("upper limit", "high limit", "limit high", "usl", "max limit"),
    "measurement_outcome": ("outcome", "verdict", "result", "status", "test result"),
}
"""
The names that properties have where nothing is declared: of the file, or of a group
where each is a run, and the last three of a channel.
"""


def plain_name(name: str) -> str:
    """Give a name without case and signs: ``UUT_Serial`` is ``uutserial``."""
    return re.sub(r"[\W_]+", "", name).casefold()


def named_property(
    properties: Mapping[str, object], names: Iterable[str]
) -> str | None:
    """Find the property that has one of some plain names: the first of these counts."""
    known = {plain_name(name): name for name in properties}
    return next((known[name] for name in names if name in known), None)


def _runs(value: object) -> str:
    if value not in ("file", "group"):
        raise ConfigurationError(f"must be file or group, not {value!r}", place="runs")
    return str(value)


def _properties(value: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, Mapping):
        raise ConfigurationError("must be a table", place="properties")
    made: dict[str, tuple[str, ...]] = {}
    for key, given in cast("Mapping[object, object]", value).items():
        place = f"properties.{key}"
        if key not in FIELDS:
            raise ConfigurationError(
                f"{key!r} is no field",
                place=place,
                remedy=f"one of {', '.join(FIELDS)}",
            )
        listed = [given] if isinstance(given, str) else given
        if not isinstance(listed, Iterable) or isinstance(listed, Mapping):
            raise ConfigurationError("must be the name of a property", place=place)
        names = tuple(cast("Iterable[object]", listed))
        if not all(isinstance(name, str) and name.strip() for name in names):
            raise ConfigurationError("must be names of properties", place=place)
        made[str(key)] = tuple(map(str, names))
    return made


def _verdict(value: object, place: str) -> LoggedVerdict:
    word = value.upper() if isinstance(value, str) else value
    if word not in set(LoggedVerdict):
        raise ConfigurationError(
            f"{value!r} is no outcome",
            place=place,
            remedy=f"one of {', '.join(LoggedVerdict)}",
        )
    return LoggedVerdict(str(word))


def _outcomes(value: object) -> dict[str, LoggedVerdict]:
    if not isinstance(value, Mapping):
        raise ConfigurationError("must be a table", place="outcomes")
    return {
        str(word).strip().casefold(): _verdict(given, f"outcomes.{word}")
        for word, given in cast("Mapping[object, object]", value).items()
    }


def _outcome(value: object) -> LoggedVerdict | None:
    return None if value is None else _verdict(value, "outcome")


@attrs.frozen(kw_only=True)
class TDMSSettings:
    """
    What the site declares about its TDMS files.

    Attributes:
        properties: the properties of a file that hold a field of its run: a name, or
            several, of which the first that is there counts; case and signs do not
            matter. A field that is not declared has the usual names. An empty list:
            none.
        runs: what is a run: ``file``, or each ``group``, whose own properties then go
            before those of the file.
        procedure: the procedure's name where no property holds it.
        outcomes: what words of verdicts mean, beside the usual ones.
        outcome: what a run without a verdict counts as, and that is recorded; ERROR by
            default, since nothing in the file judges it.

    Raises:
        ConfigurationError: a setting is wrong; the error names its path.
    """

    properties: Mapping[str, tuple[str, ...]] = attrs.field(
        factory=dict[str, tuple[str, ...]], converter=_properties
    )
    runs: str = attrs.field(default="file", converter=_runs)
    procedure: str | None = None
    outcomes: Mapping[str, LoggedVerdict] = attrs.field(
        factory=dict[str, LoggedVerdict], converter=_outcomes
    )
    outcome: LoggedVerdict | None = attrs.field(default=None, converter=_outcome)

    def names_of(self, field: str) -> tuple[str, ...]:
        """Give the names of the properties that may hold a field, without signs."""
        return tuple(map(plain_name, self.properties.get(field, FIELDS[field])))

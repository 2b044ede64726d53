"""
What a time without a zone means: the policy of a site, explicit and recorded.

TestStand and most rigs print local wall time. The zone is a setting, by station where
stations differ; without one it is the zone of the machine that reads, and that is
recorded as coerced, since it is a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

from rigbridge.errors import ConfigurationError
from rigbridge.model.report import ConversionReport, Place

__all__ = ["ASSUMED_ZONE", "TimeZonePolicy"]

ASSUMED_ZONE = "time zone of this machine assumed, since time_zone is not set"
"""The rule by which a time without a zone is read where the site names none."""


def _zone(name: str, key: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigurationError(
            f"{name!r} is no time zone of the IANA database",
            place=key,
            remedy="use a name such as Europe/Berlin or UTC",
        ) from error


@attrs.frozen
class TimeZonePolicy:
    """
    Gives naive wall times their zone.

    Attributes:
        default: the IANA name of the zone, or None for that of this machine.
        stations: the IANA name by station, where it differs from the default.

    Raises:
        ConfigurationError: a name that is no time zone; the error names the key.
    """

    default: str | None = None
    stations: Mapping[str, str] = attrs.field(factory=dict[str, str])
    _zones: dict[str | None, tzinfo | None] = attrs.field(
        init=False, factory=dict[str | None, tzinfo | None], repr=False, eq=False
    )

    def __attrs_post_init__(self) -> None:
        self._zones[None] = (
            None if self.default is None else _zone(self.default, "time_zone")
        )
        for station, name in self.stations.items():
            self._zones[station] = _zone(name, f"time_zones.{station}")

    def localize(
        self,
        wall: datetime,
        *,
        report: ConversionReport,
        place: Place | Callable[[], Place],
        station: str | None = None,
    ) -> datetime:
        """
        Make an aware UTC time of a wall time.

        An hour that the autumn change repeats is taken as its first occurrence; one
        that the spring change leaves out is moved forward; both are recorded.

        Args:
            wall: the time as printed; returned as it is in UTC if it has an offset.
            station: the station that printed it, if known.
        """
        if wall.tzinfo is not None:
            return wall.astimezone(UTC)
        zone = self._zones.get(station) or self._zones[None]
        if zone is None:
            report.coerced(
                "time",
                ASSUMED_ZONE,
                place=place,
                detail=wall.isoformat(),
            )
            first = wall.replace(fold=0).astimezone()
            second = wall.replace(fold=1).astimezone()
        else:
            first = wall.replace(tzinfo=zone, fold=0)
            second = wall.replace(tzinfo=zone, fold=1)
        before, after = _offset(first), _offset(second)
        if before > after:
            report.coerced(
                "time",
                "ambiguous at the end of daylight saving, first occurrence taken",
                place=place,
                detail=wall.isoformat(),
            )
        elif before < after:
            # The offset before the gap carries the clock forward over it.
            report.coerced(
                "time",
                "does not exist at the start of daylight saving, moved forward",
                place=place,
                detail=wall.isoformat(),
            )
        return (wall - before).replace(tzinfo=UTC, fold=0)


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta()

"""Wall times: the zone is the site's, and what is doubtful is said."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from rigbridge.adapters import ASSUMED_ZONE, ReadContext, Source, Spool, TimeZonePolicy
from rigbridge.model import Run
from rigbridge_teststand.atml.adapter import TestStandATMLAdapter
from rigbridge_teststand.native.adapter import TestStandXMLAdapter

FIXTURES = Path(__file__).parent / "fixtures"
BERLIN = TimeZonePolicy(default="Europe/Berlin")


def atml(start: str) -> tuple[str, bytes]:
    """Give a file of ATML that starts at a time."""
    content = (FIXTURES / "atml-5.00-chinese.xml").read_bytes()
    return "atml", content.replace(b"2024-03-01T08:00:00.25", start.encode())


def native(start: str) -> tuple[str, bytes]:
    """Give a native file that starts at a time."""
    moment = datetime.fromisoformat(start)
    text = (FIXTURES / "native-batch-of-two.xml").read_bytes().decode("cp1252")
    for name, old, new in (
        ("Year", 2024, moment.year),
        ("Month", 3, moment.month),
        ("MonthDay", 4, moment.day),
        ("Hours", 9, moment.hour),
        ("Minutes", 5, moment.minute),
    ):
        for quote in "'\"":
            at = f"Name={quote}{name}{quote} Type='Number'><Value>"
            text = text.replace(f"{at}{old}<", f"{at}{new}<")
    return "xml", text.encode("cp1252")


def read(content: tuple[str, bytes], zone: TimeZonePolicy) -> tuple[Run, set[str]]:
    """Read the first run, and the rules that were applied to times."""
    kind, data = content
    adapter = TestStandATMLAdapter() if kind == "atml" else TestStandXMLAdapter()
    with Spool() as spool:
        context = ReadContext(adapter=adapter.name, spool=spool, time_zone=zone)
        run = next(iter(adapter.read(Source.from_bytes(data, "a.xml"), context)))
    rules = {item.rule for item in context.report.entries if item.item == "time"}
    return run, rules


@pytest.mark.parametrize("make", [atml, native])
class TestDaylightSaving:
    """Case 91: the nights on which clocks are changed."""

    def test_an_hour_that_comes_twice(self, make: object) -> None:
        """The first occurrence is taken, and that is said."""
        assert callable(make)
        run, rules = read(make("2024-10-27T02:30:00"), BERLIN)
        assert run.started_at is not None
        assert run.started_at.replace(second=0, microsecond=0) == datetime(
            2024, 10, 27, 0, 30, tzinfo=UTC
        )
        rule = "ambiguous at the end of daylight saving, first occurrence taken"
        assert rule in rules

    def test_an_hour_that_never_comes(self, make: object) -> None:
        """The clock is moved forward, and that is said."""
        assert callable(make)
        run, rules = read(make("2024-03-31T02:30:00"), BERLIN)
        assert run.started_at is not None
        assert run.started_at.replace(second=0, microsecond=0) == datetime(
            2024, 3, 31, 1, 30, tzinfo=UTC
        )
        rule = "does not exist at the start of daylight saving, moved forward"
        assert rule in rules

    def test_an_ordinary_hour(self, make: object) -> None:
        """The zone of the configuration applies and nothing is said."""
        assert callable(make)
        run, rules = read(make("2024-02-01T02:30:00"), BERLIN)
        assert run.started_at is not None
        assert run.started_at.hour == 1
        assert rules == set()

    def test_a_station_with_a_zone_of_its_own(self, make: object) -> None:
        """The station's zone goes before the default."""
        assert callable(make)
        stations = {"rig-7": "Asia/Shanghai", "ST-3": "Asia/Shanghai"}
        zone = TimeZonePolicy(default="Europe/Berlin", stations=stations)
        run, _ = read(make("2024-07-01T12:30:00"), zone)
        assert run.started_at is not None
        assert run.started_at.hour == 4

    def test_no_zone_at_all_is_said(self, make: object) -> None:
        """The zone of the machine that reads is a guess."""
        assert callable(make)
        _, rules = read(make("2024-07-01T12:30:00"), TimeZonePolicy())
        assert ASSUMED_ZONE in rules

"""A lot: what its records say of all of its parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import attrs

from rigbridge.adapters import ConversionReport, Place, ReadContext
from rigbridge.model import JSONValue
from rigbridge_stdf.parts.summaries import LotSummary
from rigbridge_stdf.parts.texts import clean_text, json_number, note_text, wall_time
from rigbridge_stdf.records.record import Fields, Record
from rigbridge_stdf.settings import STDFSettings

__all__ = ["Lot"]

# What a tester without groups of sites writes as SITE_GRP (V4, SDR and WIR).
_ALL_SITES = 255
# What a field holds where it holds nothing.
_MISSING: Mapping[str, object] = {
    "BURN_TIM": 0xFFFF,
    "CENTER_X": -0x8000,
    "CENTER_Y": -0x8000,
    "WAFR_SIZ": 0.0,
    "DIE_HT": 0.0,
    "DIE_WID": 0.0,
    "WF_UNITS": 0,
}
_TIMES = frozenset({"SETUP_T", "START_T", "FINISH_T", "MOD_TIM"})
# These have fields of their own in a run, or say which record is meant.
_PLACED = frozenset(
    {
        *("LOT_ID", "PART_TYP", "NODE_NAM", "JOB_NAM", "JOB_REV", "OPER_NAM"),
        *("DSGN_REV", "WAFER_ID", "HEAD_NUM", "SITE_GRP", "SITE_NUM", "SITE_CNT"),
        "NUM_BINS",
    }
)
# Counts of a lot say what its runs say.
_COUNTS = frozenset({"PART_CNT", "RTST_CNT", "ABRT_CNT", "GOOD_CNT", "FUNC_CNT"})
_MAX_AUDITS = 1_000
MAX_PINS = 1 << 16
"""Pins and sites of a lot that have a name: as many as STDF can number."""


@attrs.define
class _Wafer:
    """A wafer that is being tested, and what is said of it at its end."""

    start: object
    identity: str | None
    metadata: dict[str, JSONValue]
    place: Place


class Lot:
    """What is known of a lot so far."""

    def __init__(
        self, summary: LotSummary, settings: STDFSettings, context: ReadContext
    ) -> None:
        self.summary = summary
        self.information: Fields = {}
        self.pins: dict[int, str] = {}
        self.station: str | None = None
        self._settings = settings
        self._context = context
        self._place = Place(path="MIR")
        self._account = ConversionReport()
        self._metadata: dict[str, JSONValue] = {}
        self._audits: list[JSONValue] = []
        self._sites: dict[tuple[int, int], tuple[int, dict[str, JSONValue]]] = {}
        self._wafers: dict[tuple[int, int], _Wafer] = {}
        self._ended: dict[tuple[int, int], int] = {}

        self._takers: dict[str, Callable[[Record, Fields], None]] = {
            "ATR": self._take_audit,
            "RDR": self._take_retests,
            "SDR": self._take_sites,
            "PMR": self._take_pin,
            "WCR": self._take_wafer_form,
            "WIR": self._begin_wafer,
            "WRR": self._end_wafer,
        }

    @property
    def account(self) -> ConversionReport:
        """What was recorded of the lot, for each of its runs."""
        return self._account

    def text(self, name: str) -> str | None:
        """Give a text of MIR; None where it has none."""
        return clean_text(self.information.get(name))

    def take_information(self, record: Record, fields: Fields) -> None:
        """Take MIR, and MRR, which the summary has read before."""
        self.information = fields
        self._place = record.place
        self.station = self.text("NODE_NAM")
        self._metadata |= self._described("MIR", fields, record.place)
        end = Place(path="MRR")
        self._metadata |= self._described("MRR", self.summary.end, end)

    def take(self, record: Record, fields: Fields) -> None:
        """Take a record of the whole lot; any other is not for it."""
        taker = self._takers.get(record.name)
        if taker is not None:
            taker(record, fields)

    def _take_audit(self, record: Record, fields: Fields) -> None:
        """Take ATR: what has changed the file before."""
        audit = self._described("ATR", fields, record.place)
        if len(self._audits) < _MAX_AUDITS:
            self._audits.append(audit)
            self._metadata["ATR"] = self._audits
        else:
            self._account.dropped("audit", "one of too many", place=record.place)

    def _take_retests(self, record: Record, fields: Fields) -> None:
        """Take RDR: which bins are tested again."""
        del record
        self._metadata["RDR.RTST_BIN"] = list(fields.get("RTST_BIN", [])) or "all"

    def _take_wafer_form(self, record: Record, fields: Fields) -> None:
        """Take WCR: the form of the wafers."""
        self._metadata |= self._described("WCR", fields, record.place)

    def _take_sites(self, record: Record, fields: Fields) -> None:
        """Take SDR: the equipment of sites."""
        equipment = self._described("SDR", fields, record.place)
        group = fields.get("SITE_GRP", _ALL_SITES)
        # Bounded as a whole: a record names up to 255 sites, and a file may have any
        # number of such records.
        for site in fields.get("SITE_NUM", [])[: MAX_PINS - len(self._sites)]:
            self._sites[fields.get("HEAD_NUM", 1), site] = group, equipment

    def _take_pin(self, record: Record, fields: Fields) -> None:
        """Take PMR: the name of a pin."""
        # LOG_NAM first: it is what people call the pin, PHY_NAM what the package does,
        # CHAN_NAM what the tester does.
        names = (clean_text(fields.get(name)) for name in _PIN_NAMES)
        name = next((name for name in names if name is not None), None)
        is_known = len(self.pins) < MAX_PINS and "PMR_INDX" in fields
        if name is not None and is_known:
            note_text(name, self._account, record.place)
            self.pins[fields["PMR_INDX"]] = name

    def _begin_wafer(self, record: Record, fields: Fields) -> None:
        """Take WIR, and the WRR of the same wafer, which the summary has read."""
        key = fields.get("HEAD_NUM", 1), fields.get("SITE_GRP", _ALL_SITES)
        ends = self.summary.wafers.get(key, [])
        number = self._ended.get(key, 0)
        end: Fields = ends[number] if number < len(ends) else {}
        self._wafers[key] = _Wafer(
            fields.get("START_T"),
            # Its end corrects its beginning.
            clean_text(end.get("WAFER_ID")) or clean_text(fields.get("WAFER_ID")),
            self._described("WRR", end, record.place),
            record.place,
        )

    def _end_wafer(self, record: Record, fields: Fields) -> None:
        """Take WRR: no part of the wafer follows."""
        del record
        key = fields.get("HEAD_NUM", 1), fields.get("SITE_GRP", _ALL_SITES)
        self._ended[key] = self._ended.get(key, 0) + 1
        self._wafers.pop(key, None)

    def _wafer(self, head: int, site: int) -> _Wafer | None:
        group = self._sites.get((head, site), (_ALL_SITES, {}))[0]
        # A tester without SDR records has one group for everything.
        for key in ((head, group), (head, _ALL_SITES)):
            if key in self._wafers:
                return self._wafers[key]
        # With a single wafer under test there is nothing to choose, whatever the groups
        # say.
        of_head = [wafer for (at, _), wafer in self._wafers.items() if at == head]
        return of_head[0] if len(of_head) == 1 else None

    def wafer(self, head: int, site: int) -> str | None:
        """Name the wafer that a site of a head tests; None where there is none."""
        wafer = self._wafer(head, site)
        return None if wafer is None else wafer.identity

    def metadata(self, head: int, site: int) -> dict[str, JSONValue]:
        """Give what is said of a part at a site, beside what its own records say."""
        wafer = self._wafer(head, site)
        found = {**self._metadata, **self._sites.get((head, site), (0, {}))[1]}
        if wafer is not None:
            found |= wafer.metadata
            if wafer.identity is not None:
                found["wafer"] = wafer.identity
        return found

    def started_at(
        self, head: int, site: int, report: ConversionReport
    ) -> datetime | None:
        """Give the start of the wafer, else of the lot: no part has one of its own."""
        wafer = self._wafer(head, site)
        # Parts have no start in STDF. That of the wafer is nearer than that of the lot.
        for seconds, place in (
            (None, self._place) if wafer is None else (wafer.start, wafer.place),
            (self.information.get("START_T"), self._place),
        ):
            moment = self._moment(seconds, place, report)
            if moment is not None:
                report.coerced(
                    "start", "that of the lot or wafer, parts have none", place=place
                )
                return moment
        return None

    def _moment(
        self, seconds: object, place: Place, report: ConversionReport
    ) -> datetime | None:
        wall = wall_time(seconds, is_utc=self._settings.times == "utc")
        if wall is None:
            return None
        return self._context.time_zone.localize(
            wall, report=report, place=place, station=self.station
        )

    def _described(
        self, name: str, fields: Fields, place: Place
    ) -> dict[str, JSONValue]:
        found: dict[str, JSONValue] = {}
        for field, value in fields.items():
            kept = self._kept(field, value, place)
            if kept is not None:
                found[f"{name}.{field}"] = kept
        self._account.mapped("metadata", len(found))
        return found

    def _kept(self, field: str, value: Any, place: Place) -> JSONValue:
        if field in _COUNTS:
            return None
        if field in _TIMES:
            moment = self._moment(value, place, self._account)
            return None if moment is None else moment.isoformat()
        if isinstance(value, str):
            text = clean_text(value)
            note_text(text, self._account, place)
            return None if field in _PLACED else text
        if field in _PLACED or value == _MISSING.get(field):
            return None
        return json_number(value)


_PIN_NAMES = ("LOG_NAM", "PHY_NAM", "CHAN_NAM")

"""
What stands at the end of a lot and belongs to its parts: names of bins and tests.

A file is read twice: first for these records alone, by their headers, so that a run
has the names of its bins although they come last, and no run has to wait for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import attrs

from rigbridge.adapters import ConversionReport, Source
from rigbridge.errors import SourceError
from rigbridge_stdf.parts.texts import clean_text
from rigbridge_stdf.records.files import RecordFile
from rigbridge_stdf.records.record import Fields, Record

__all__ = ["MAX_TESTS", "LotSummary", "PartBin", "read_summaries"]

MAX_TESTS = 100_000
"""How many tests a lot may define; a program has some thousands."""

# Bounds of what is kept in memory; real files have a few of each.
_MAX_LOTS = 1_000
_MAX_WAFERS = 1_000
_MAX_TRAILING = 10_000


@attrs.frozen
class PartBin:
    """
    A bin of a lot.

    Attributes:
        name: its name, or None.
        passes: whether its parts passed; None where the file does not say.
    """

    name: str | None
    passes: bool | None


_UNKNOWN = PartBin(None, None)


@attrs.define
class LotSummary:
    """
    What is said of a lot behind its parts.

    Attributes:
        soft_bins: likewise.
        test_names: the names of tests by number, of TSR.
        wafers: what WRR says, by head and site group, in order.
        parts: how many PRR the lot has.
        trailing: the texts and data behind the last of them.
    """

    hard_bins: dict[int, PartBin] = attrs.field(factory=dict[int, PartBin])
    soft_bins: dict[int, PartBin] = attrs.field(factory=dict[int, PartBin])
    test_names: dict[int, str] = attrs.field(factory=dict[int, str])
    wafers: dict[tuple[int, int], list[Fields]] = attrs.field(
        factory=dict[tuple[int, int], list[Fields]]
    )
    end: Fields = attrs.field(factory=dict[str, object])
    parts: int = 0
    trailing: list[Record] = attrs.field(factory=list[Record])

    def hard_bin(self, number: int) -> PartBin:
        """Give a hardware bin; one that is not described has no name."""
        return self.hard_bins.get(number, _UNKNOWN)

    def soft_bin(self, number: int) -> PartBin:
        """Give a software bin likewise."""
        return self.soft_bins.get(number, _UNKNOWN)

    def add(self, record: Record, source: str) -> None:
        """Take what a record says."""
        taker = _TAKERS.get(record.name)
        if taker is not None:
            taker(self, record.fields(source))
        elif record.name == "PRR":
            self.parts += 1
            # What stood before the end of this part is not behind the last one.
            self.trailing.clear()
        elif record.name in {"DTR", "GDR"} and len(self.trailing) < _MAX_TRAILING:
            self.trailing.append(record)


def read_summaries(source: Source) -> list[LotSummary]:
    """
    Read the summaries of a file, one for each lot.

    What is wrong with the file is not said here: it is read again for its parts.
    """
    summaries = [LotSummary()]
    has_begun = False
    try:
        for record in _records(source):
            if record.name == "MIR":
                if has_begun and len(summaries) < _MAX_LOTS:
                    summaries.append(LotSummary())
                has_begun = True
            try:
                summaries[-1].add(record, source.uri)
            except SourceError:
                # Said when the file is read for its parts.
                continue
    except SourceError:
        pass
    return summaries


def _records(source: Source) -> Iterator[Record]:
    with source.open() as stream:
        file = RecordFile.open(
            stream, source.head, source.uri, ConversionReport(), wanted=_WANTED
        )
        yield from file.records


def _hard_bin(summary: LotSummary, fields: Fields) -> None:
    _add_bin(summary.hard_bins, fields, "HBIN")


def _soft_bin(summary: LotSummary, fields: Fields) -> None:
    _add_bin(summary.soft_bins, fields, "SBIN")


def _add_bin(bins: dict[int, PartBin], fields: Fields, prefix: str) -> None:
    number = fields.get(f"{prefix}_NUM")
    if number is None or (len(bins) >= MAX_TESTS and number not in bins):
        return
    # A bin is described for each site and for all of them: what one lacks, another has.
    known = bins.get(number, _UNKNOWN)
    passes = {"P": True, "F": False}.get(fields.get(f"{prefix}_PF", ""))
    bins[number] = PartBin(
        known.name or clean_text(fields.get(f"{prefix}_NAM")),
        passes if known.passes is None else known.passes,
    )


def _test(summary: LotSummary, fields: Fields) -> None:
    name = clean_text(fields.get("TEST_NAM")) or clean_text(fields.get("TEST_LBL"))
    number = fields.get("TEST_NUM")
    if name and number is not None and len(summary.test_names) < MAX_TESTS:
        # setdefault: TSR comes for each site and once for all, mostly with the same
        # name.
        summary.test_names.setdefault(number, name)


def _wafer(summary: LotSummary, fields: Fields) -> None:
    # What comes after keeps what its beginning says.
    if sum(map(len, summary.wafers.values())) < _MAX_WAFERS:
        key = fields.get("HEAD_NUM", 1), fields.get("SITE_GRP", 255)
        summary.wafers.setdefault(key, []).append(fields)


def _end(summary: LotSummary, fields: Fields) -> None:
    summary.end = fields


_TAKERS: dict[str, Callable[[LotSummary, Fields], None]] = {
    "HBR": _hard_bin,
    "SBR": _soft_bin,
    "TSR": _test,
    "WRR": _wafer,
    "MRR": _end,
}

_WANTED = frozenset({*_TAKERS, "MIR", "PRR", "DTR", "GDR"})

"""A file of either form as its records."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import IO

import attrs

from rigbridge.adapters import ConversionReport, Match
from rigbridge_stdf.records.ascii import AsciiRecords, begins_as_ascii
from rigbridge_stdf.records.binary import BinaryRecords, byte_order_of
from rigbridge_stdf.records.record import Record

__all__ = ["RecordFile", "claim"]

# FAR is the first record: its length 2 in either byte order, type 0, subtype 10.
_FAR = re.compile(rb"(?:\x00\x02|\x02\x00)\x00\x0a.(.)", re.DOTALL)
_NAMES = (".stdf", ".std", ".atdf", ".atd")
_LIKELY = 3
"""How many known records in a row make a file without a FAR a likely one."""


@attrs.frozen
class RecordFile:
    """
    The records of a file that is open.

    Attributes:
        records: in order; going on raises what the reader of its form raises.
        read_float: reads a float at a position of a binary record; None for text.
    """

    records: Iterator[Record]
    format: str
    read_float: Callable[[bytes, int], float] | None

    @classmethod
    def open(
        cls,
        stream: IO[bytes],
        head: bytes,
        source: str,
        report: ConversionReport,
        *,
        wanted: frozenset[str] | None = None,
    ) -> RecordFile:
        """
        Begin to read a file.

        Args:
            head: its first bytes, which the stream gives again.
            report: where what is odd about the file as a whole is recorded.
            wanted: the records that are given, by name; all by default. It saves time
                in STDF alone.

        Raises:
            UnrecognizedSourceError: it is neither STDF V4 nor ATDF.
        """
        if begins_as_ascii(head):
            lines = AsciiRecords(stream, head, source, report)
            return cls(iter(lines), "ATDF", None)
        records = BinaryRecords(stream, head, source, report, wanted=wanted)
        return cls(iter(records), "STDF", records.read_float)


def claim(head: bytes, name: str) -> Match | None:
    """Say whether a file is of either form, by its beginning and its name."""
    if begins_as_ascii(head):
        return Match(0.95, "FAR record of ATDF")
    far = _FAR.match(head)
    if far is not None:
        return Match(0.95, f"FAR record of STDF version {far[1][0]}")
    found = byte_order_of(head)
    if found is not None and found[1] >= _LIKELY:
        # Below what other adapters claim by a magic number.
        return Match(0.6, f"{found[1]} records of STDF, without a FAR")
    if name.lower().endswith(_NAMES):
        # The name alone: a damaged beginning is better told by this adapter than by
        # none.
        return Match(0.1, "the name of an STDF file")
    return None

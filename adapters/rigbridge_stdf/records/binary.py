"""
The records of a binary file, one after the other.

A record says its own length, so that one whose fields are damaged costs only itself,
and one of an unknown type is passed over. What breaks that order (a file that is cut
off, bytes of something else) ends the file with an error that names the byte.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import IO

from rigbridge.adapters import ConversionReport, Place
from rigbridge.errors import MalformedSourceError, UnrecognizedSourceError
from rigbridge_stdf.records.decoding import ByteOrder, decoder_for, vax_float
from rigbridge_stdf.records.layouts import LAYOUTS, RECORD_NAMES
from rigbridge_stdf.records.record import Decoder, Record

__all__ = ["BinaryRecords", "byte_order_of"]

_HEADER = 4
_FAR = (0, 10)
_END = "MRR"
# Other versions have other fields under the same names of records.
_VERSION = 4
# The length of a FAR is 2. Read in the wrong byte order it is 0x0200.
_TWO, _SWAPPED_TWO = 2, 0x0200
# CPU_TYPE of FAR (V4): 0 a DEC VAX, 1 a Sun, 2 a PC.
_VAX = 0
_BYTE_ORDERS: Mapping[int, ByteOrder] = {_VAX: "<", 1: ">", 2: "<"}
"""The byte order of each CPU type: VAX, Sun, x86."""

_CHUNK = 1 << 18
_TRIED = 8
"""How many records are followed to find the byte order of a file without a FAR."""


def byte_order_of(head: bytes) -> tuple[ByteOrder, int] | None:
    """
    Find the byte order of a file by the lengths of its first records.

    Returns:
        The order, and how many records with known names follow each other in it;
        None where the file does not begin with records of STDF.
    """
    found: list[tuple[int, ByteOrder]] = []
    orders: tuple[ByteOrder, ByteOrder] = ("<", ">")
    for order in orders:
        header = struct.Struct(f"{order}HBB")
        at = count = 0
        while count < _TRIED and at + _HEADER <= len(head):
            length, kind, subtype = header.unpack_from(head, at)
            # The first record must fit, since otherwise most texts would count as one.
            if (kind, subtype) not in RECORD_NAMES or (not at and length > len(head)):
                break
            count += 1
            at += _HEADER + length
        found.append((count, order))
    count, order = max(found)
    # Equal counts tell nothing: both orders may read the same few records.
    return (order, count) if count and found[0][0] != found[1][0] else None


class BinaryRecords:
    """
    Reads the records of a binary file.

    Args:
        head: its first bytes, which the stream gives again.
        report: where what is odd about the file as a whole is recorded.
        wanted: the names of the records that are given; all by default.

    Raises:
        UnrecognizedSourceError: it is of another version, or no STDF file at all.
    """

    def __init__(
        self,
        stream: IO[bytes],
        head: bytes,
        source: str,
        report: ConversionReport,
        *,
        wanted: frozenset[str] | None = None,
    ) -> None:
        self._wanted = wanted
        self._stream = stream
        self._source = source
        self._report = report
        found = byte_order_of(head)
        if found is None:
            raise UnrecognizedSourceError(
                "does not begin with records of STDF",
                source=source,
                place="byte 0",
                remedy="look at what the file is; ATDF begins with 'FAR:A'",
            )
        self._number = 0
        self._last = ("none", 0, 0)
        self._set_order(found[0], is_vax=False)

    def _set_order(self, order: ByteOrder, *, is_vax: bool) -> None:
        self.order: ByteOrder = order
        self.is_vax = is_vax
        self._header = struct.Struct(f"{order}HBB")
        self._float = struct.Struct(f"{order}f")
        # What stands here for an unknown number is added when it is met.
        self._decoders: dict[tuple[int, int], tuple[str, Decoder | None]] = {
            number: (layout.name, decoder_for(layout, order, is_vax=is_vax))
            for number, layout in LAYOUTS.items()
        }

    def read_float(self, content: bytes, at: int) -> float:
        """Read a float of four bytes of the last record, as its file stores them."""
        if self.is_vax:
            return vax_float(content, at)
        return float(self._float.unpack_from(content, at)[0])

    def __iter__(self) -> Iterator[Record]:
        """
        Give the records in order.

        Raises:
            MalformedSourceError: it is cut off, or holds something else than records.
            UnrecognizedSourceError: it is of another version.
        """
        is_over = False
        for offset, code, content in self._frames():
            # Behind MRR another file may follow, which begins with a record that is
            # known.
            if is_over and code not in RECORD_NAMES:
                raise self._garbage(offset)
            self._number += 1
            if code == _FAR:
                self._begin(content, offset)
            name, decoder = self._decoders.get(code) or self._unknown(*code)
            if self._wanted is None or name in self._wanted:
                yield Record(name, self._number, offset, content, decoder)
            is_over = name == _END
            if decoder is not None:
                self._last = (name, self._number, offset)

    def _frames(self) -> Iterator[tuple[int, tuple[int, int], bytes]]:
        """Give each record's position, its two numbers and its content."""
        buffer, at, begin = b"", 0, 0
        while chunk := self._stream.read(_CHUNK):
            # The rest of a record is carried over to the next chunk.
            buffer, begin, at = buffer[at:] + chunk, begin + at, 0
            while at + _HEADER <= len(buffer):
                length, kind, subtype = self._header.unpack_from(buffer, at)
                # Type 0: a record of the beginning of a file, or zeros that fill up the
                # block of a tape.
                if not kind:
                    offset = begin + at
                    if not (length or subtype):
                        self._end_in_zeros(buffer[at:], offset)
                        return
                    length = self._turned(length, subtype)
                end = at + _HEADER + length
                if end > len(buffer):
                    break
                yield begin + at, (kind, subtype), buffer[at + _HEADER : end]
                at = end
        if len(buffer) > at:
            if buffer[at:].strip(b"\0"):
                raise self._cut_off(begin + at, len(buffer) - at)
            self._padding(begin + at)

    def _turned(self, length: int, subtype: int) -> int:
        """Turn the byte order at a FAR of a tester of the other kind."""
        if subtype == _FAR[1] and length == _SWAPPED_TWO:
            # Another file was appended to this one.
            self._set_order("<" if self.order == ">" else ">", is_vax=False)
            return _TWO
        return length

    def _end_in_zeros(self, rest: bytes, offset: int) -> None:
        """Make sure that only zeros follow, as blocks of tapes are filled up."""
        while rest:
            if rest.strip(b"\0"):
                raise self._garbage(offset)
            rest = self._stream.read(_CHUNK)
        self._padding(offset)

    def _unknown(self, kind: int, subtype: int) -> tuple[str, Decoder | None]:
        name = RECORD_NAMES.get((kind, subtype), f"{kind}.{subtype}")
        self._decoders[kind, subtype] = (name, None)
        return name, None

    def _begin(self, content: bytes, offset: int) -> None:
        """Take what a FAR says; the record lengths have told the byte order."""
        place = Place(path=f"record {self._number} (FAR) at byte {offset}")
        if len(content) < _TWO:
            self._report.coerced("byte order", "FAR is empty", place=place)
            return
        cpu, version = content[0], content[1]
        if version != _VERSION:
            raise UnrecognizedSourceError(
                f"is STDF of version {version}; rigbridge reads version 4",
                source=self._source,
                place=str(place),
                remedy="let the tester write V4, or convert the file",
            )
        if _BYTE_ORDERS.get(cpu) != self.order:
            self._report.coerced(
                "byte order",
                "that of the record lengths, FAR says another",
                place=place,
                detail=f"CPU_TYPE {cpu}",
            )
        # A VAX is little endian: with record lengths of the other order CPU_TYPE must
        # be wrong.
        is_vax = cpu == _VAX and self.order == "<"
        if is_vax:
            self._report.coerced("float", "those of a VAX, as FAR says", place=place)
        if is_vax != self.is_vax:
            self._set_order("<", is_vax=is_vax)

    def _padding(self, offset: int) -> None:
        self._report.omitted(
            "padding",
            "zeros behind the last record",
            place=Place(path=f"byte {offset}"),
        )

    def _garbage(self, offset: int) -> MalformedSourceError:
        return self._ends(offset, "holds something else than records from here on")

    def _cut_off(self, offset: int, length: int) -> MalformedSourceError:
        return self._ends(
            offset,
            f"is cut off within record {self._number + 1}, of which {length} bytes "
            "are there, or holds something else than records",
        )

    def _ends(self, offset: int, what: str) -> MalformedSourceError:
        name, number, at = self._last
        return MalformedSourceError(
            f"{what}; the last record that was known is {name}, record {number} at "
            f"byte {at}",
            source=self._source,
            place=f"record {self._number + 1} at byte {offset}",
            remedy="copy the file again; the runs before are kept",
        )

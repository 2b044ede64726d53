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
_VERSION = 4
_TWO, _SWAPPED_TWO = 2, 0x0200
_VAX = 0
_BYTE_ORDERS: Mapping[int, ByteOrder] = {_VAX: "<", 1: ">", 2: "<"}
"""The byte order of each CPU type: VAX, Sun, x86."""

_CHUNK = 1 << 18
_TRIED = 8
"""How many records are followed to find the byte order of a file without a FAR."""


def byte_order_of(head: bytes) -> tuple[ByteOrder, int] | None:
    """
    Find the byte order of a file by the lengths of its first records.

    Args:
        head: the beginning of the file.

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
            if (kind, subtype) not in RECORD_NAMES or (not at and length > len(head)):
                break
            count += 1
            at += _HEADER + length
        found.append((count, order))
    count, order = max(found)
    return (order, count) if count and found[0][0] != found[1][0] else None


class BinaryRecords:
    """
    Reads the records of a binary file.

    Args:
        stream: the file, from its beginning.
        head: its first bytes, which the stream gives again.
        source: the file, for errors.
        report: where what is odd about the file as a whole is recorded.

    Raises:
        UnrecognizedSourceError: it is of another version, or no STDF file at all.
    """

    def __init__(
        self, stream: IO[bytes], head: bytes, source: str, report: ConversionReport
    ) -> None:
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
        window = _Window(self._stream)
        is_over = False
        while header := window.peek(_HEADER):
            offset = window.offset
            if len(header) < _HEADER:
                if header.strip(b"\0"):
                    raise self._cut_off(offset, len(header))
                self._padding(offset)
                return
            length, kind, subtype = self._header.unpack(header)
            if (kind, subtype) == _FAR and length == _SWAPPED_TWO:
                # Another file was appended, from a tester of the other kind.
                self._set_order("<" if self.order == ">" else ">", is_vax=False)
                length = _TWO
            if not any(header) and window.is_zero():
                self._end_in_zeros(window)
                return
            if is_over and (kind, subtype) not in RECORD_NAMES:
                raise self._garbage(offset)
            content = window.take(_HEADER + length)[_HEADER:]
            if len(content) < length:
                raise self._cut_off(offset, _HEADER + len(content))
            self._number += 1
            if (kind, subtype) == _FAR:
                self._begin(content, offset)
            name, decoder = self._decoders.get((kind, subtype)) or self._unknown(
                kind, subtype
            )
            yield Record(name, self._number, offset, content, decoder)
            is_over = name == _END
            if decoder is not None:
                self._last = (name, self._number, offset)

    def _end_in_zeros(self, window: _Window) -> None:
        if not window.only_zeros_follow():
            raise self._garbage(window.offset)
        self._padding(window.offset)

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


class _Window:
    """The bytes of a stream from a position on, as far as they are needed."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._buffer = b""
        self._at = 0
        self.offset = 0

    def peek(self, length: int) -> bytes:
        """Give the next bytes, fewer at the end, without moving behind them."""
        while self._at + length > len(self._buffer):
            chunk = self._stream.read(_CHUNK)
            if not chunk:
                break
            self._buffer, self._at = self._buffer[self._at :] + chunk, 0
        return self._buffer[self._at : self._at + length]

    def take(self, length: int) -> bytes:
        """Give the next bytes, fewer at the end, and move behind them."""
        taken = self.peek(length)
        self._at += len(taken)
        self.offset += len(taken)
        return taken

    def is_zero(self) -> bool:
        """Whether what was read beyond the position is nothing but zeros."""
        return not self._buffer[self._at :].strip(b"\0")

    def only_zeros_follow(self) -> bool:
        """Read the rest, and tell whether it is nothing but zeros."""
        while chunk := self._stream.read(_CHUNK):
            if chunk.strip(b"\0"):
                return False
        return True

"""
The content of a binary record to its fields, by the table of its layout.

Every length and count is checked against the bytes that are there before anything is
made of it, so that a hostile one costs no memory.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, TypeAlias

from rigbridge_stdf.records.layouts import RecordLayout
from rigbridge_stdf.records.record import Decoder, Fields, RecordDamageError

__all__ = ["BEYOND", "ByteOrder", "as_text", "decoder_for", "vax_float"]

ByteOrder: TypeAlias = Literal["<", ">"]
"""Little or big endian, as ``struct`` writes it."""

BEYOND = "bytes behind its last field"
"""The field that says how many bytes a record has beyond those of the standard."""

_CODES = {
    "U1": "B",
    "U2": "H",
    "U4": "I",
    "U8": "Q",
    "I1": "b",
    "I2": "h",
    "I4": "i",
    "R4": "f",
    "R8": "d",
}
# The types of the values of a GDR, by their codes; 0 is a byte of padding.
_GENERIC = {
    1: "U1",
    2: "U2",
    3: "U4",
    4: "I1",
    5: "I2",
    6: "I4",
    7: "R4",
    8: "R8",
    10: "Cn",
    11: "Bn",
    12: "Dn",
    13: "N1",
}

_Reader: TypeAlias = Callable[[bytes, int], tuple[Any, int]]
"""Reads a value at a position; gives it with the position behind it."""


def as_text(content: bytes) -> str:
    """Read a text: UTF-8, of which ASCII is a part, else windows-1252."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def vax_float(content: bytes, at: int) -> float:
    """
    Read a float of four bytes that a VAX wrote.

    Its words are swapped, and its exponent is two higher than that of IEEE 754.
    """
    high, low = struct.unpack_from("<HH", content, at)
    exponent = high >> 7 & 0xFF
    if not exponent:
        # With the sign set it is no number, and never a result.
        return float("nan") if high >> 15 else 0.0
    fraction = 0.5 + ((high & 0x7F) << 16 | low) / (1 << 24)
    value = float(fraction * 2.0 ** (exponent - 128))
    return -value if high >> 15 else value


class _Values:
    """Reads single values in one byte order."""

    def __init__(self, order: ByteOrder, *, is_vax: bool) -> None:
        self._count = struct.Struct(f"{order}H")
        self.order = order
        self.bulk = dict(_CODES)
        readers: dict[str, _Reader] = {
            kind: partial(_number, struct.Struct(order + code))
            for kind, code in _CODES.items()
        }
        if is_vax:
            readers["R4"] = _vax_number
            # struct knows no floats of a VAX, so they are read one by one.
            del self.bulk["R4"]
        readers |= {
            "C1": _character,
            "Cn": _text,
            "Bn": _bytes,
            "N1": _nibble,
            "Dn": self._bits,
            "Vn": self._generic,
        }
        self.readers = readers

    def _bits(self, content: bytes, at: int) -> tuple[list[int], int]:
        (count,) = self._count.unpack_from(content, at)
        end = at + 2 + (count + 7) // 8
        _check(content, end)
        found = [
            8 * index + bit
            for index, byte in enumerate(content[at + 2 : end])
            if byte
            for bit in range(8)
            if byte >> bit & 1
        ]
        # What fills up the last byte is no bit of the field.
        while found and found[-1] >= count:
            found.pop()
        return found, end

    def _generic(self, content: bytes, at: int) -> tuple[Any, int]:
        while at < len(content) and content[at] == 0:
            at += 1
        if at == len(content):
            # Some programs count what fills up as a value.
            return None, at
        kind = _GENERIC.get(content[at])
        if kind is None:
            raise RecordDamageError(f"a value has the unknown type {content[at]}")
        value, end = self.readers[kind](content, at + 1)
        # Bits and bytes of a program of its own mean nothing here but themselves.
        if kind in {"Bn", "Dn"}:
            value = content[at + 2 if kind == "Bn" else at + 3 : end].hex().upper()
        return value, end


def _check(content: bytes, end: int) -> None:
    if end > len(content):
        raise IndexError


def _number(number: struct.Struct, content: bytes, at: int) -> tuple[Any, int]:
    return number.unpack_from(content, at)[0], at + number.size


def _vax_number(content: bytes, at: int) -> tuple[float, int]:
    return vax_float(content, at), at + 4


def _character(content: bytes, at: int) -> tuple[str, int]:
    return as_text(content[at : at + 1]), at + 1


def _text(content: bytes, at: int) -> tuple[str, int]:
    end = at + 1 + content[at]
    _check(content, end)
    return as_text(content[at + 1 : end]), end


def _bytes(content: bytes, at: int) -> tuple[str, int]:
    end = at + 1 + content[at]
    _check(content, end)
    return content[at + 1 : end].hex().upper(), end


def _nibble(content: bytes, at: int) -> tuple[int, int]:
    return content[at] & 0x0F, at + 1


def decoder_for(layout: RecordLayout, order: ByteOrder, *, is_vax: bool) -> Decoder:
    """
    Give what reads the content of one kind of record.

    Args:
        order: the byte order of the file.
        is_vax: whether its floats are those of a VAX.
    """
    values = _Values(order, is_vax=is_vax)
    steps = [
        (field.name, values.readers[field.kind], field.kind, field.counted_by)
        for field in layout.fields
    ]

    def decode(content: bytes) -> Fields:
        fields: dict[str, Any] = {}
        at, end = 0, len(content)
        name = ""
        try:
            for name, read, kind, count in steps:
                if count is not None:
                    # The counter is missing where the record ended before it; then the
                    # array is missing, too.
                    if count not in fields:
                        break
                    fields[name], at = _array(values, kind, content, at, fields[count])
                elif at >= end:
                    break
                else:
                    fields[name], at = read(content, at)
        except (struct.error, IndexError):
            # Raised by whatever reads behind the end; where that was is told once,
            # here.
            raise RecordDamageError(
                f"{name} at its byte {at} goes beyond its {end} bytes"
            ) from None
        if at < end and content[at:].strip(b"\0"):
            # A maker may have added fields: the known ones stand as they are.
            fields[BEYOND] = end - at
        return fields

    return decode


def _array(
    values: _Values, kind: str, content: bytes, at: int, count: int
) -> tuple[list[Any], int]:
    # Arrays at the end of a record may be left out as a whole.
    if at == len(content):
        return [], at
    if kind == "N1":
        end = at + (count + 1) // 2
        _check(content, end)
        # The lower half of a byte comes first (V4, N*1).
        halves = [half for byte in content[at:end] for half in (byte & 15, byte >> 4)]
        return halves[:count], end
    if kind in values.bulk:
        # In one call, after struct has checked that all bytes are there: the count
        # alone allocates nothing.
        numbers = struct.Struct(f"{values.order}{count}{values.bulk[kind]}")
        return list(numbers.unpack_from(content, at)), at + numbers.size
    found: list[Any] = []
    for _ in range(count):
        value, at = values.readers[kind](content, at)
        found.append(value)
    return found, at

"""
A writer of STDF of its own, for files whose every byte a test knows.

It shares no table with the reader: what both had wrong would otherwise look right.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest

from rigbridge.adapters import Source
from rigbridge.testing import Reading, read_all
from rigbridge_stdf import STDFAdapter, STDFSettings

START = 1_700_000_000  # 2023-11-14 22:13:20


def cn(text: str | bytes = "") -> bytes:
    """Write a text behind its length."""
    content = text if isinstance(text, bytes) else text.encode()
    return bytes([len(content)]) + content


class Lot:
    """
    A file that is being written.

    Args:
        order: ``<`` or ``>``.
        cpu: the CPU type; that of the order by default.
    """

    def __init__(self, order: str = "<", cpu: int | None = None) -> None:
        self.order = order
        self.content = b""
        self.far(2 if order == "<" else 1, 4)
        if cpu is not None:
            self.content = self.content[:-2] + bytes([cpu, 4])

    def pack(self, codes: str, *values: Any) -> bytes:
        """Pack numbers in the order of the file."""
        return struct.pack(self.order + codes, *values)

    def add(self, kind: int, subtype: int, content: bytes = b"") -> Lot:
        """Append a record."""
        self.content += self.pack("HBB", len(content), kind, subtype) + content
        return self

    def far(self, cpu: int, version: int) -> Lot:
        """Append FAR."""
        return self.add(0, 10, bytes([cpu, version]))

    def mir(self, *, texts: tuple[str, ...] | None = None, start: int = START) -> Lot:
        """Append MIR; texts are the fields from LOT_ID on."""
        given = ("LOT7", "CHIP", "tester-3", "T9", "prog", "1.2", "sub", "eve")
        content = self.pack("IIB", start - 60, start, 1) + b"P  "
        content += self.pack("H", 65535) + b" "
        content += b"".join(map(cn, given if texts is None else texts))
        return self.add(1, 10, content)

    def pir(self, site: int = 0) -> Lot:
        """Append PIR at head 1."""
        return self.add(5, 10, bytes([1, site]))

    def ptr(
        self,
        number: int,
        result: float,
        *,
        site: int = 0,
        flags: int = 0,
        parametric: int = 0xC0,
        text: str | bytes = "",
        rest: bytes = b"",
    ) -> Lot:
        """Append PTR; ``rest`` stands behind TEST_TXT."""
        content = self.pack("IBBBBf", number, 1, site, flags, parametric, result)
        return self.add(15, 10, content + cn(text) + rest)

    def limits(
        self,
        low: float,
        high: float,
        *,
        units: str = "V",
        optional: int = 0x0E,
        scale: int = 0,
    ) -> bytes:
        """Write what stands in a PTR behind TEST_TXT, up to UNITS."""
        scales = self.pack("Bbbb", optional, scale, scale, scale)
        return cn() + scales + self.pack("ff", low, high) + cn(units)

    def prr(
        self,
        part_id: str = "SN-0001",
        *,
        site: int = 0,
        flags: int = 0,
        bins: tuple[int, int] = (1, 1),
        at: tuple[int, int] = (-32768, -32768),
        time: int = 0,
        rest: bytes = b"",
    ) -> Lot:
        """Append PRR at head 1; ``rest`` stands behind PART_ID."""
        content = bytes([1, site, flags]) + self.pack("HHH", 1, *bins)
        content += self.pack("hhI", *at, time) + cn(part_id) + rest
        return self.add(5, 20, content)

    def part(self, part_id: str = "SN-0001", *, site: int = 0, flags: int = 0) -> Lot:
        """Append a whole part without tests."""
        return self.pir(site).prr(part_id, site=site, flags=flags)

    def hbr(self, number: int, verdict: str, name: str) -> Lot:
        """Append HBR for all sites."""
        content = b"\xff\x00" + self.pack("HI", number, 1) + verdict.encode()
        return self.add(1, 40, content + cn(name))

    def sbr(self, number: int, verdict: str, name: str) -> Lot:
        """Append SBR for all sites."""
        content = b"\xff\x00" + self.pack("HI", number, 1) + verdict.encode()
        return self.add(1, 50, content + cn(name))

    def mrr(self) -> Lot:
        """Append MRR."""
        return self.add(1, 20, self.pack("I", START + 3600))

    def dtr(self, text: str | bytes) -> Lot:
        """Append DTR."""
        return self.add(50, 30, cn(text))


@pytest.fixture(name="lot", scope="session")
def _lot() -> type[Lot]:
    """Give the writer."""
    return Lot


@pytest.fixture(name="read", scope="session")
def _read() -> Callable[..., Reading]:
    """Read what was written, with settings of the adapter."""

    def read(
        content: Lot | bytes | str, *, zone: str | None = "UTC", **settings: Any
    ) -> Reading:
        if isinstance(content, Lot):
            content = content.content
        elif isinstance(content, str):
            content = content.encode()
        return read_all(
            STDFAdapter(STDFSettings(**settings)),
            Source.from_bytes(content, "lot.stdf"),
            time_zone=zone,
        )

    return read

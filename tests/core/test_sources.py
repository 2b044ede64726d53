"""Sources: bytes that are unpacked where they are packed, and no further than that."""

from __future__ import annotations

import gzip
import io

import pytest

from rigbridge.adapters import Source
from rigbridge.adapters import source as module
from rigbridge.errors import UnsafeSourceError


class TestPacked:
    """Content that is gzip."""

    def test_it_is_unpacked(self) -> None:
        """Whoever reads sees what was packed, and may go back in it."""
        content = b"line one\nline two\n" * 1000
        source = Source.from_bytes(gzip.compress(content), "a.xml.gz")
        with source.open() as stream:
            assert stream.read(9) == b"line one\n"
            assert stream.seek(0) == 0
            assert stream.read() == content
        assert source.head == content[: len(source.head)]

    def test_closing_closes_what_is_below(self) -> None:
        """No file stays open behind the unpacked content."""
        below = io.BytesIO(gzip.compress(b"x"))
        source = Source(name="a", uri="a", opener=lambda: below)
        source.open().close()
        assert below.closed

    def test_a_bomb_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What unpacks to a thousand times its size is no report."""
        monkeypatch.setattr(module, "_HARMLESS", 1 << 20)
        packed = gzip.compress(b" " * (8 << 20), 9)
        source = Source.from_bytes(packed, "a.xml.gz")
        with (
            source.open() as stream,
            pytest.raises(UnsafeSourceError, match="300 times") as caught,
        ):
            stream.read()
        assert caught.value.source == "a.xml.gz"

    def test_a_small_file_may_be_packed_well(self) -> None:
        """Up to a harmless size nobody counts."""
        source = Source.from_bytes(gzip.compress(b" " * (8 << 20), 9), "a")
        with source.open() as stream:
            assert len(stream.read()) == 8 << 20

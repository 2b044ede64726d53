"""A source: what can be read of it is read, and what cannot is said with a remedy."""

from __future__ import annotations

import gzip
import hashlib
import os
from pathlib import Path

import pytest

from rigbridge.adapters import Source, is_blank
from rigbridge.adapters.unpacking import MAX_RATIO, MAX_UNPACKED
from rigbridge.errors import SourceUnreadableError, UnsafeSourceError

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")


def read(source: Source) -> bytes:
    """Read the whole content of a source."""
    with source.open() as stream:
        return stream.read()


class TestNames:
    """What a source is called."""

    @posix
    def test_a_name_of_any_bytes_is_text(self, tmp_path: Path) -> None:
        """Name and address can be written as UTF-8; the file is still found."""
        path = tmp_path / os.fsdecode(b"caf\xe9.xml")
        path.write_bytes(b"<a/>")
        source = Source.from_path(path)
        assert source.name == "caf\\xe9.xml"
        assert source.uri.encode().endswith(b"caf\\xe9.xml")
        assert read(source) == b"<a/>"


class TestFiles:
    """What can be opened."""

    @posix
    def test_a_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        """A named pipe is refused at once, whether or not anybody writes to it."""
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(SourceUnreadableError, match="is no regular file"):
            read(Source.from_path(tmp_path / "pipe"))

    @posix
    def test_an_endless_device_is_refused(self) -> None:
        """A device that never ends is not read."""
        with pytest.raises(SourceUnreadableError, match="is no regular file"):
            _ = Source.from_path(Path("/dev/zero")).digest

    @posix
    def test_links_in_a_circle_are_said(self, tmp_path: Path) -> None:
        """A link that leads back to itself is an error of its own words."""
        (tmp_path / "a").symlink_to("b")
        (tmp_path / "b").symlink_to("a")
        with pytest.raises(SourceUnreadableError, match="symbolic links"):
            read(Source.from_path(tmp_path / "a"))


class TestChanges:
    """A file that is written to while it is looked at."""

    def test_a_small_file_is_read_once(self, tmp_path: Path) -> None:
        """What was recognized is what is read, hashed and handed on."""
        path = tmp_path / "report.xml"
        path.write_bytes(b"<first/>")
        source = Source.from_path(path)
        assert source.head == b"<first/>"
        path.write_bytes(b"<second/>")
        with source.stored() as stream:
            assert stream.read() == read(source) == b"<first/>"
        assert source.digest == hashlib.sha256(b"<first/>").hexdigest()

    @pytest.mark.parametrize("size", [2**18 - 1, 2**18, 2**18 + 1, 2**21])
    def test_a_file_of_any_size_is_whole(self, tmp_path: Path, size: int) -> None:
        """Content and digest are those of the file, where it is kept and where not."""
        content = os.urandom(size)
        path = tmp_path / "log.bin"
        path.write_bytes(content)
        source = Source.from_path(path)
        assert source.digest == hashlib.sha256(content).hexdigest()
        assert read(source) == content


class TestBlank:
    """What holds no text."""

    @pytest.mark.parametrize(
        "content", [b"", b" \r\n\t", b"\xef\xbb\xbf\n", b"\xff\xfe\n\x00", b"\n" * 9000]
    )
    def test_blanks_and_marks_are_none(self, content: bytes) -> None:
        """Whichever the encoding and however many."""
        assert is_blank(content)

    @pytest.mark.parametrize("content", [b"\xef\xbb\xbfa", b"\n" * 9000 + b"<a/>"])
    def test_anything_else_is_text(self, content: bytes) -> None:
        """Wherever it stands."""
        assert not is_blank(content)


class TestCompression:
    """Compressed sources."""

    CONTENT = bytes(range(256)) * 1000

    def test_gzip_is_read_as_what_it_holds(self) -> None:
        """The content is unpacked; head and digest are those of content and file."""
        packed = gzip.compress(self.CONTENT)
        source = Source.from_bytes(packed, "x.gz")
        assert read(source) == self.CONTENT
        assert source.head == self.CONTENT[: len(source.head)]

    def test_a_bomb_is_refused(self) -> None:
        """A few bytes that unpack to far more are not read to their end."""
        packed = gzip.compress(bytes(MAX_UNPACKED + (1 << 20)))
        assert len(packed) * MAX_RATIO < MAX_UNPACKED
        with pytest.raises(UnsafeSourceError, match="200 times its size"):
            read(Source.from_bytes(packed, "x.xml.gz"))

    @pytest.mark.parametrize(
        "damaged",
        [
            gzip.compress(CONTENT)[:-9],
            gzip.compress(CONTENT, 0)[:-5] + bytes(5),
            gzip.compress(CONTENT)[:12] + b"\xff\xee" + gzip.compress(CONTENT)[14:],
            b"\x1f\x8b",
            b"\x1f\x8bnothing of the kind",
        ],
        ids=["cut", "checksum", "flipped", "two bytes", "no gzip"],
    )
    def test_damage_is_said_whichever_it_is(self, damaged: bytes) -> None:
        """Whatever the unpacking raises is one error that names file and remedy."""
        source = Source.from_bytes(damaged, "report.xml.gz")
        with pytest.raises(SourceUnreadableError) as caught:
            read(source)
        assert str(caught.value).startswith("report.xml.gz: its compression is damaged")
        assert caught.value.remedy == "copy the file again"

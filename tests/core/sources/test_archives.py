"""Members of archives as sources; names and sizes that are not to be trusted."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import py7zr
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigbridge.errors import RigbridgeError
from rigbridge.sources import Scan, Selection
from rigbridge.sources.archives import archive_members
from rigbridge.sources.found import FoundSource
from rigbridge.sources.members import Unpacking

LARGE = bytes(range(256)) * 5000
FILES = {"one.xml": b"<one/>", "folder/two.xml": b"<two/>", "large.bin": LARGE}


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Make a zip archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    """Make a tar archive."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def seven_zipped(files: dict[str, bytes]) -> bytes:
    """Make a 7z archive."""
    stream = io.BytesIO()
    with py7zr.SevenZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(content, name)
    return stream.getvalue()


FORMS: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "r.zip": zipped,
    "stored.ZIP": lambda files: zipped(files, zipfile.ZIP_STORED),
    "lzma.zip": lambda files: zipped(files, zipfile.ZIP_LZMA),
    "r.tar": tarred,
    "r.tar.gz": lambda files: gzip.compress(tarred(files)),
    "r.tgz": lambda files: gzip.compress(tarred(files)),
    "r.tar.bz2": lambda files: bz2.compress(tarred(files)),
    "r.txz": lambda files: lzma.compress(tarred(files)),
    "r.7z": seven_zipped,
    "nested.tar.gz": lambda files: gzip.compress(tarred({"in.zip": zipped(files)})),
    "nested.zip": lambda files: zipped({"in/side.tar": tarred(files)}),
}


def read(path: Path, selection: Selection | None = None) -> dict[str, bytes | str]:
    """Read all that an archive gives, each in the form another process gets."""
    found: dict[str, bytes | str] = {}
    with Scan((path,), selection) as scan:
        for item in scan:
            sent = pickle.loads(pickle.dumps(item))  # noqa: S301 - our own
            key = sent.uri.removeprefix(str(path))
            try:
                with sent.source().open() as stream:
                    found[key] = stream.read()
                assert sent.size == len(found[key])
            except RigbridgeError as error:
                found[key] = str(error)
    return found


@pytest.mark.parametrize("name", FORMS)
def test_members_are_read_from_every_form(tmp_path: Path, name: str) -> None:
    """Also those in an archive in an archive, and large ones."""
    path = tmp_path / name
    path.write_bytes(FORMS[name](FILES))
    within = {"nested.tar.gz": "in.zip!/", "nested.zip": "in/side.tar!/"}
    start = f"!/{within.get(name, '')}"
    assert read(path) == {start + key: content for key, content in FILES.items()}


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_single_compressed_file_is_read(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    """By what it holds, whatever its name is."""
    path = tmp_path / "report.xml.packed"
    path.write_bytes(pack(b"<report/>"))
    (found,) = Scan((path,))
    assert found.source().head == b"<report/>"


@pytest.mark.parametrize("name", ["r.zip", "r.tar.gz", "r.7z"])
def test_damaged_archives_are_said(tmp_path: Path, name: str) -> None:
    """Cut off in the middle: never silently less."""
    content = FORMS[name](FILES)
    path = tmp_path / name
    path.write_bytes(content[: len(content) // 2])
    said = [text for text in read(path).values() if isinstance(text, str)]
    assert said
    assert all(str(path) in text for text in said)


@pytest.mark.parametrize("name", ["r.zip", "r.tar", "r.tar.xz", "r.7z", "empty.zip"])
def test_what_is_no_archive_is_said(tmp_path: Path, name: str) -> None:
    """The name alone makes none."""
    path = tmp_path / name
    path.write_bytes(b"" if name.startswith("empty") else b"no archive at all " * 99)
    (said,) = read(path).values()
    assert isinstance(said, str)
    assert "is no whole" in said


def test_the_index_of_an_archive_within_is_not_taken_for_its_own(
    tmp_path: Path,
) -> None:
    """An archive that was cut off would have lost the rest of its members unnoticed."""
    inner = zipped({"a.xml": b"<x/>"})
    whole = zipped({"a.xml": b"<x/>", "in.zip": inner}, zipfile.ZIP_STORED)
    path = tmp_path / "r.zip"
    for end in (whole.index(inner) + len(inner), len(whole) - 30):
        path.write_bytes(whole[:end])
        (said,) = read(path).values()
        assert "is no whole zip archive" in str(said)


def test_a_damaged_header_is_not_taken_for_the_end(tmp_path: Path) -> None:
    """The members behind it are missing, and that is said."""
    content = bytearray(tarred({f"{at}.xml": b"<x/>" for at in range(9)}))
    content[4 * 1024 : 4 * 1024 + 200] = b"\xff" * 200
    path = tmp_path / "r.tar"
    path.write_bytes(content)
    found = read(path)
    assert len(found) == 5
    assert "holds more behind" in str(found[""])


@pytest.mark.parametrize("name", ["r.zip", "r.tar"])
def test_names_that_climb_out_are_only_names(tmp_path: Path, name: str) -> None:
    """Nothing is written to where they point."""
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    hostile = ["../up.xml", "/etc/up.xml", "C:\\up.xml", "..\\up.xml", "\n.xml"]
    path = inside / name
    path.write_bytes(FORMS[name](dict.fromkeys(hostile, LARGE)))
    with Scan((path,)) as scan:
        items = list(scan)
        assert [item.name for item in items[:4]] == ["up.xml"] * 4
        assert all(item.path is None for item in items)
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [path]


def test_one_name_twice_is_two_sources(tmp_path: Path) -> None:
    """Both versions of a report are wanted."""
    path = tmp_path / "r.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.xml", "first")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.xml", "second")
    assert read(path) == {"!/a.xml": b"first", "!/a.xml!2": b"second"}


def test_encrypted_members_are_said(tmp_path: Path) -> None:
    """The others are read."""
    content = bytearray(zipped({"a.xml": b"secret", "b.xml": b"open"}))
    for magic, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(magic) + flags] |= 1
    path = tmp_path / "r.zip"
    path.write_bytes(content)
    found = read(path)
    assert "is encrypted" in str(found["!/a.xml"])
    assert found["!/b.xml"] == b"open"


def test_an_encrypted_7z_archive_is_said(tmp_path: Path) -> None:
    """Its names may be encrypted, too."""
    for hidden in (False, True):
        path = tmp_path / f"{hidden}.7z"
        with py7zr.SevenZipFile(
            path, "w", password="x", header_encryption=hidden
        ) as archive:
            archive.writestr(b"secret", "a.xml")
        assert "is encrypted" in str(read(path)[""])


def test_links_and_devices_in_a_tar_are_said(tmp_path: Path) -> None:
    """They hold no bytes of their own."""
    path = tmp_path / "r.tar"
    with tarfile.open(path, "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo(f"{kind!r}.xml")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    said = read(path).values()
    assert len(said) == 3
    assert all("is a link" in str(text) for text in said)


def members(content: bytes, name: str, spool: Path, left: int) -> list[FoundSource]:
    """Go through an archive that may give only so many bytes."""
    archive = FoundSource(name=name, uri=name, opener=lambda: io.BytesIO(content))
    return list(
        archive_members(archive, Unpacking(lambda: spool, left), lambda _: True)
    )


@pytest.mark.parametrize("name", [name for name in FORMS if name != "stored.ZIP"])
def test_a_bomb_is_stopped(tmp_path: Path, name: str) -> None:
    """By all that comes out of the archive together, nested or not."""
    content = FORMS[name]({f"{at}.xml": bytes(200_000) for at in range(9)})
    *_, last = members(content, name, tmp_path, 1_000_000)
    with pytest.raises(RigbridgeError, match="times its size, as no report"):
        _ = last.source().head
    assert not list(tmp_path.iterdir())


def test_archives_in_archives_end(tmp_path: Path) -> None:
    """One that holds itself, in effect."""
    content = b"<x/>"
    for _ in range(6):
        content = zipped({"in.zip" if content != b"<x/>" else "x.xml": content})
    (found,) = members(content, "out.zip", tmp_path, 1 << 20)
    with pytest.raises(RigbridgeError, match="archives deep"):
        _ = found.source().head


def test_patterns_reach_into_archives(tmp_path: Path) -> None:
    """An archive is like a folder of its name."""
    path = tmp_path / "r.zip"
    path.write_bytes(zipped(FILES))
    assert list(read(path, Selection(include=("*.xml",)))) == [
        "!/one.xml",
        "!/folder/two.xml",
    ]
    scan = Scan((tmp_path,), Selection(exclude=("r.zip/folder/**",)))
    assert [item.name for item in scan] == ["one.xml", "large.bin"]
    assert scan.counts.excluded == 1
    assert not list(Scan((tmp_path,), Selection(exclude=("*.zip",))))


def test_a_member_is_looked_up_by_the_time_of_its_archive(tmp_path: Path) -> None:
    """The times in archives are rough, and some tools write none."""
    path = tmp_path / "r.zip"
    path.write_bytes(zipped({"a.xml": b"<x/>"}))
    os.utime(path, ns=(10**18, 10**18 + 7))
    (found,) = Scan((path,))
    assert (found.size, found.mtime_ns) == (4, 10**18 + 7)
    assert found.key == os.fsencode(path) + b"!/a.xml"
    assert found.archive == path


@given(st.binary(max_size=300), st.integers(0, 2000), st.sampled_from(list(FORMS)))
def test_no_damage_breaks_the_reader(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int, name: str
) -> None:
    """Whatever is in an archive, members are given or an error of ours."""
    content = FORMS[name]({"a.xml": b"<a/>" * 99, "b.xml": b"<b/>"})
    at %= len(content)
    damaged = content[:at] + noise + content[at + len(noise) // 2 :]
    spool = tmp_path_factory.getbasetemp()
    for found in members(damaged, name, spool, 1 << 20):
        try:
            _ = found.source().digest
        except RigbridgeError as error:
            assert error.source  # noqa: PT017 - either is right

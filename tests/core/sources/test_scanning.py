"""Folders, patterns and what is no report."""

from __future__ import annotations

import errno
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from rigbridge.errors import ConfigurationError, SourceUnreadableError
from rigbridge.sources import FolderWalk, Scan, ScanCounts, Selection, folders

TREE = ("a/one.xml", "a/one.log", "a/old/two.xml", "b/three.XML", "four.xml")

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has nothing like it")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with some files, each of which holds its own name."""
    for name in TREE:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def names(tree: Path, *named: str | Path, **patterns: list[str]) -> list[str]:
    """Scan, and give the paths below the tree."""
    selection = Selection(ignore_case=False, **patterns)
    return [
        Path(item.uri).relative_to(tree).as_posix()
        for item in Scan(named or (tree,), selection)
    ]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ({"include": ["*.xml"]}, ["four.xml", "a/one.xml", "a/old/two.xml"]),
        ({"include": ["a/*.xml"]}, ["a/one.xml"]),
        ({"include": ["a/**/*.xml"]}, ["a/one.xml", "a/old/two.xml"]),
        ({"include": ["/*.xml"]}, ["four.xml"]),
        ({"include": ["[!f]*.xml"]}, ["a/one.xml", "a/old/two.xml"]),
        ({"exclude": ["old", "*.log"]}, ["four.xml", "a/one.xml", "b/three.XML"]),
        ({"exclude": ["a/**"]}, ["four.xml", "b/three.XML"]),
        (
            {"include": ["*.xml"], "exclude": ["two.*"]},
            ["four.xml", "a/one.xml"],
        ),
    ],
)
def test_patterns_choose_files(
    tree: Path, patterns: dict[str, list[str]], expected: list[str]
) -> None:
    """A pattern without a slash is for names, one with a slash for paths."""
    assert names(tree, **patterns) == expected


def test_case_does_not_matter_where_the_system_does_not_mind(tree: Path) -> None:
    """On Windows *.xml also takes THREE.XML."""
    scan = Scan((tree / "b",), Selection(include=("*.xml",), ignore_case=True))
    assert [item.name for item in scan] == ["three.XML"]


def test_what_patterns_leave_out_is_counted(tree: Path) -> None:
    """Files one by one, a folder as a folder."""
    scan = Scan((tree,), Selection(exclude=("*.log", "old")))
    assert len(list(scan)) == 3
    assert (scan.counts.excluded, scan.counts.excluded_folders) == (1, 1)
    assert scan.counts.excluded_words() == (
        "; 1 file and 1 folder left out by patterns"
    )


def test_a_pattern_of_nothing_is_refused() -> None:
    """It would leave out everything."""
    with pytest.raises(ConfigurationError, match="is no pattern"):
        Scan((), Selection(include=("/",)))


def test_a_path_with_a_pattern_is_gone_through(tree: Path) -> None:
    """Shells of Windows hand it over as it is."""
    assert names(tree, str(tree / "a" / "*.xml")) == ["a/one.xml"]
    assert names(tree, str(tree / "**" / "t*.xml")) == ["a/old/two.xml"]


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(tree: Path) -> None:
    """What exists is meant."""
    (tree / "a[1].xml").write_text("")
    assert names(tree, str(tree / "a[1].xml")) == ["a[1].xml"]


@posix
def test_special_files_are_passed_over_and_said(tree: Path) -> None:
    """Reading a pipe would wait for ever."""
    os.mkfifo(tree / "pipe.xml")
    scan = Scan((tree,), Selection(include=("pipe*",)))
    assert not list(scan)
    assert scan.counts.example == f"{tree / 'pipe.xml'} is a pipe"
    (named,) = Scan((tree / "pipe.xml",))
    with pytest.raises(SourceUnreadableError, match="no regular file"):
        _ = named.source().head


@posix
def test_links_in_circles_end(tree: Path) -> None:
    """Each folder is visited once, whatever leads to it."""
    (tree / "a" / "up").symlink_to(tree)
    (tree / "c").symlink_to(tree / "a")
    assert sorted(names(tree)) == sorted(TREE)


@posix
def test_a_name_that_is_no_text_can_be_read_and_shown(tmp_path: Path) -> None:
    """POSIX lets a name hold any bytes."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/m\xfcller.xml"))
    path.write_bytes(b"content")
    sent = pickle.dumps(list(Scan((tmp_path,))))
    (found,) = pickle.loads(sent)  # noqa: S301 - our own
    assert found.uri == f"{tmp_path}/m\\xfcller.xml"
    assert found.key == os.fsencode(path)
    assert found.source().head == b"content"


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.EACCES, "permissions"),
        (errno.EIO, "the disk or the network"),
        (errno.ENAMETOOLONG, "nearer to it"),
    ],
)
def test_a_folder_that_cannot_be_listed_is_said(
    tree: Path, monkeypatch: pytest.MonkeyPatch, number: int, remedy: str
) -> None:
    """The others are read. The system may not even say which folder it is."""
    listed, identity = os.scandir, folders.folder_identity

    def scandir(folder: str | Path) -> Any:
        if Path(folder).name == "old":
            raise OSError(number, os.strerror(number), str(folder))
        return listed(folder)

    def identity_of(folder: Path) -> Any:
        return None if folder.name == "old" else identity(folder)

    # A mode would not hold root off.
    with monkeypatch.context() as patched:
        patched.setattr(os, "scandir", scandir)
        patched.setattr(folders, "folder_identity", identity_of)
        found = list(Scan((tree,)))
    assert len(found) == len(TREE)
    with pytest.raises(SourceUnreadableError, match=f"old: cannot be listed.*{remedy}"):
        _ = found[-1].source().head


def test_a_named_folder_that_goes_meanwhile_is_said(tree: Path) -> None:
    """What was below it was not all seen; where it was mounted, a folder is left."""
    found = iter(Scan((tree,)))
    first = next(found)
    tree.rename(tree.with_name("away"))
    tree.mkdir()
    *_, last = found
    assert first.path is not None
    assert last.path == tree
    with pytest.raises(SourceUnreadableError, match="cannot be listed: No such file"):
        _ = last.source().head


def test_a_file_that_vanishes_is_said(tree: Path) -> None:
    """Between the scan and the reading."""
    found = list(Scan((tree / "b",)))
    (tree / "b" / "three.XML").unlink()
    with pytest.raises(SourceUnreadableError, match="there is no such file"):
        _ = found[0].source().head


def test_a_data_folder_among_the_reports_is_left_out(tree: Path) -> None:
    """It holds what was made of reports; folders of such names elsewhere are read."""
    for name in (
        "data/ledger.sqlite",
        "data/ledger.sqlite-wal",
        "data/store.sqlite",
        "data/attachments/ab/cd",
        "data/quarantine/one/item.xml",
        "data/report.xml",
        "attachments/report.xml",
    ):
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    found = names(tree)
    assert [name for name in found if name not in TREE] == [
        "attachments/report.xml",
        "data/report.xml",
    ]
    # Watching looks at single files by the same rule.
    data = tree / "data"
    walk = FolderWalk(Selection(), ScanCounts())
    assert walk.one(tree, data / "report.xml") is not None
    assert walk.one(tree, data / "attachments" / "ab" / "cd") is None
    assert walk.one(tree, data / "store.sqlite") is None
    assert names(tree, data) == ["data/report.xml", "data/quarantine/one/item.xml"]

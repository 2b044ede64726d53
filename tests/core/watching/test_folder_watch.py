"""Folders that are watched: what is complete, what comes later, what is in the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from importlib import resources
from pathlib import Path

import pytest

from rigbridge.configuration import Configuration, load_configuration
from rigbridge.destinations import DestinationSettings
from rigbridge.errors import (
    ConfigurationError,
    MalformedSourceError,
    NoAnswerError,
    RigbridgeError,
    SourceUnreadableError,
)
from rigbridge.imports import After, FileStep, SourceResult
from rigbridge.sources import FoundSource, Selection
from rigbridge.watching import FolderWatch, Watching, WatchRule, watch_rules

ALL = Selection()


class Desk:
    """Stands in for an import: notes names, and fails as told."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.error: RigbridgeError | None = None
        self.meanwhile: Callable[[], object] = lambda: None
        self.came = threading.Event()

    def __call__(
        self, files: Iterable[FoundSource], stop: Callable[[], bool]
    ) -> Iterator[SourceResult]:
        """Import files."""
        del stop
        for found in files:
            self.names.append(found.name)
            self.meanwhile()
            errors = () if self.error is None else (self.error,)
            self.came.set()
            yield SourceResult(source=found.uri, path=found.path, errors=errors)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """A folder."""
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    """Settings for a fresh data folder."""
    data = tmp_path / "data"
    return Configuration(destination_settings=DestinationSettings(data=data))


class Watched:
    """A watch of which each look is made by hand."""

    def __init__(
        self,
        inbox: Path,
        configuration: Configuration,
        selection: Selection = ALL,
    ) -> None:
        self.desk, self.clock = Desk(), Clock()
        made = WatchRule(folder=inbox, configuration=configuration, selection=selection)
        self.watch = FolderWatch(made, self.desk, self.clock)

    def look(self, seconds: float = 0.0) -> list[str]:
        """Let time pass, look, and give what was imported meanwhile."""
        self.clock.now += seconds
        before = len(self.desk.names)
        self.watch.look()
        self.watch.import_complete(lambda: False)
        return self.desk.names[before:]


@pytest.fixture
def watched(inbox: Path, configuration: Configuration) -> Watched:
    """A watch of the folder."""
    return Watched(inbox, configuration)


def test_a_file_is_imported_once_it_stays_the_same(
    inbox: Path, watched: Watched
) -> None:
    """Size and time, for the seconds that were set."""
    assert watched.look() == []
    (inbox / "a.xml").write_text("<a>")
    assert watched.look() == []
    assert watched.look(1.5) == []
    (inbox / "a.xml").write_text("<a></a>")
    assert watched.look(1.5) == []
    assert watched.watch.state.waiting == 1
    assert watched.look(2.5) == ["a.xml"]
    assert watched.look(9) == []


def test_a_file_that_changes_later_is_imported_again(
    inbox: Path, watched: Watched
) -> None:
    """It may hold another run by then."""
    (inbox / "a.xml").write_text("<a/>")
    watched.look()
    assert watched.look(3) == ["a.xml"]
    (inbox / "a.xml").write_text("<a/><a/>")
    watched.look()
    assert watched.look(3) == ["a.xml"]


def test_old_files_need_not_settle(inbox: Path, watched: Watched) -> None:
    """What lies there at the start was written long ago."""
    (inbox / "a.xml").write_text("<a/>")
    os.utime(inbox / "a.xml", (1, 1))
    assert watched.look() == ["a.xml"]


def test_a_folder_may_vanish_and_come_back(inbox: Path, watched: Watched) -> None:
    """A share that is not mounted is no end."""
    watched.look()
    inbox.rename(inbox.with_name("away"))
    watched.look()
    assert not watched.watch.state.present
    inbox.with_name("away").rename(inbox)
    (inbox / "a.xml").write_text("<a/>")
    watched.look()
    assert watched.look(3) == ["a.xml"]


def test_a_file_that_does_not_open_is_tried_again(
    inbox: Path, watched: Watched
) -> None:
    """Whatever was in the way, it changed neither its size nor its time."""
    (inbox / "a.xml").write_text("<a/>")
    watched.desk.error = SourceUnreadableError("there is no such file")
    watched.desk.meanwhile = lambda: inbox.rename(inbox.with_name("away"))
    watched.look()
    assert watched.look(3) == ["a.xml"]
    inbox.with_name("away").rename(inbox)
    watched.desk.meanwhile, watched.desk.error = lambda: None, None
    assert watched.look() == []
    assert watched.look(60) == ["a.xml"]
    assert watched.look(60) == []


def test_a_store_that_is_out_is_tried_again(inbox: Path, watched: Watched) -> None:
    """Later, not at once; a bad file is not tried again as it is."""
    (inbox / "a.xml").write_text("<a/>")
    watched.desk.error = NoAnswerError("out")
    watched.look()
    assert watched.look(3) == ["a.xml"]
    watched.desk.error = MalformedSourceError("is bad")
    assert watched.look(3) == []
    assert watched.look(60) == ["a.xml"]
    assert watched.look(60) == []
    assert watched.watch.state.last_error == "is bad"


def test_patterns_hold(inbox: Path, configuration: Configuration) -> None:
    """Also below."""
    watched = Watched(
        inbox, configuration, selection=Selection(include=("*.xml",), exclude=("old",))
    )
    (inbox / "old").mkdir()
    for name in ("a.xml", "a.txt", "old/b.xml", ".hidden.xml"):
        (inbox / name).write_text("<a/>")
    watched.look()
    assert watched.look(3) == ["a.xml"]


@pytest.mark.parametrize("poll", [False, True])
def test_a_change_is_noticed(
    inbox: Path, configuration: Configuration, *, poll: bool
) -> None:
    """By the system's word, or by looking again and again."""
    desk = Desk()
    rule = WatchRule(folder=inbox, configuration=configuration, poll=poll, settle=0.2)
    watch, stop = FolderWatch(rule, desk), threading.Event()
    thread = threading.Thread(target=watch.run, args=(stop,))
    thread.start()
    try:
        (inbox / "day").mkdir()
        (inbox / "day" / "a.xml").write_text("<a/>")
        assert desk.came.wait(30)
    finally:
        stop.set()
        thread.join()
    assert desk.names == ["a.xml"]


@pytest.mark.parametrize("after", [After.KEEP, After.MOVE])
def test_a_restart_reads_nothing_again(
    inbox: Path, tmp_path: Path, configuration: Configuration, after: After
) -> None:
    """The ledger knows the files; a move that was not come to is done then."""
    example = resources.files("rigbridge.examples") / "teststand-batch-of-two.xml"
    path = inbox / "a.xml"
    path.write_bytes(example.read_bytes())
    os.utime(path, (1_600_000_000, 1_600_000_000))
    (inbox / "bad.xml").write_bytes(b"<bad")
    os.utime(inbox / "bad.xml", (1_600_000_000, 1_600_000_000))

    def watched(step: FileStep, names: set[str]) -> list[str]:
        """Watch until nothing waits, and give what was read."""
        read: list[str] = []
        rule = WatchRule(folder=inbox, configuration=configuration, step=step)
        with Watching((rule,), lambda result: read.append(result.source)) as watching:
            (state,) = watching.states
            ended = threading.Event()
            while not state.present or state.waiting or len(read) < len(names):
                assert not ended.wait(0.02)
            while after is not After.KEEP and not names and path.exists():
                assert not ended.wait(0.02)
        assert {Path(each).name for each in read} == names
        return read

    watched(FileStep(), {"a.xml", "bad.xml"})
    step = FileStep()
    if after is After.MOVE:
        step = FileStep(after=after, folder=tmp_path / "done", bad=tmp_path / "bad")
    watched(step, set())
    assert path.exists() == (after is After.KEEP)
    if after is After.MOVE:
        assert [each.name for each in (tmp_path / "done").iterdir()] == ["a.xml"]
        assert (tmp_path / "bad" / "bad.xml.reason.txt").is_file()


def test_the_command_imports_until_it_is_interrupted(
    inbox: Path, tmp_path: Path
) -> None:
    """What is there, and what comes; Ctrl-C is a clean end."""
    source = resources.files("rigbridge.examples")
    first, second, *_ = (
        item for item in source.iterdir() if item.name.endswith((".json", ".xml"))
    )
    (inbox / first.name).write_bytes(first.read_bytes())
    command = [sys.executable, "-m", "rigbridge", "watch", str(inbox), "--json"]
    command += ["--data", str(tmp_path / "data"), "--settle", "0.2"]
    command += ["--after", "move", "--after-folder", str(tmp_path / "done")]
    with subprocess.Popen(
        [*command, "--time-zone", "UTC"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["runs"]
        (inbox / second.name).write_bytes(second.read_bytes())
        assert json.loads(process.stdout.readline())["runs"]
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert {path.name for path in (tmp_path / "done").iterdir()} == {
        first.name,
        second.name,
    }


class TestRules:
    """The tables of the settings."""

    def rules(self, tmp_path: Path, text: str) -> list[WatchRule]:
        """Read the rules of a file."""
        file = tmp_path / "rigbridge.toml"
        file.write_text(text)
        configuration = load_configuration(file=file, data=tmp_path / "data")
        return list(watch_rules(configuration))

    def test_a_folder_has_rules_of_its_own(self, tmp_path: Path) -> None:
        """Zone, identity and what becomes of its files; paths as of the file."""
        (rule,) = self.rules(
            tmp_path,
            """
            time_zone = "UTC"
            [[watch]]
            folder = "inbox"
            adapter = "csv"
            time_zone = "Europe/Berlin"
            identity = { operators = { kim = "kim@example.com" } }
            after = "move"
            after_folder = "done"
            include = ["*.csv"]
            """,
        )
        assert rule.folder == tmp_path / "inbox"
        assert rule.step.folder == tmp_path / "done"
        assert rule.step.after is After.MOVE
        assert rule.configuration.time_zone.default == "Europe/Berlin"
        assert rule.configuration.identity.operators["kim"] == "kim@example.com"

    @pytest.mark.parametrize(
        ("text", "place"),
        [
            ("[[watch]]\nfolder = 1", "watch[0]"),
            ("[[watch]]\nfolder = 'a'\nshape = 1", "watch[0].shape"),
            ("[[watch]]\nfolder = 'a'\nafter = 'burn'", "watch[0].after"),
            ("[[watch]]\nfolder = 'a'\nsettle = -1", "watch[0]"),
            ("[watch]\nfolder = 'a'", "watch"),
        ],
    )
    def test_what_is_wrong_is_named(
        self, tmp_path: Path, text: str, place: str
    ) -> None:
        """By its table and key."""
        with pytest.raises(ConfigurationError) as caught:
            self.rules(tmp_path, text)
        assert caught.value.place == place

    def test_no_folder_is_watched_twice(
        self, inbox: Path, configuration: Configuration
    ) -> None:
        """Each file would be imported twice."""
        rules = [
            WatchRule(folder=folder, configuration=configuration)
            for folder in (inbox, inbox / "below")
        ]
        with pytest.raises(ConfigurationError, match="is watched already"):
            Watching(rules)

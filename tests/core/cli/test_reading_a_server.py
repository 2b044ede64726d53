"""``runs``, ``stations`` and ``procedures`` with ``--to URL``, as with a folder."""

from __future__ import annotations

import json
import re
import shlex
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import attrs
import pytest
from typer.testing import CliRunner, Result

from rigbridge.cli.main import app
from rigbridge.destinations import DestinationSettings
from rigbridge.errors import RigbridgeError, UnauthorizedError
from rigbridge.kept import encode_run
from rigbridge.model import (
    Attachment,
    Instrument,
    Limit,
    LogEntry,
    Measurement,
    Phase,
    ProcedureRef,
    Run,
    Unit,
)
from rigbridge.testing.run_store.server import RunStoreServer
from rigbridge_store import RunStore
from rigbridge_store.destination import LocalDestination
from rigbridge_store.server import ServerSettings, StoreServer

DOCS = Path(__file__).parents[3] / "docs"
START = datetime(2026, 3, 4, 8, 0, tzinfo=UTC)
FAILED = UUID("aaaa1111-0000-4000-8000-000000000001")
LIKE_IT = UUID("aaaa2222-0000-4000-8000-000000000002")
_METER = Instrument(name="dmm", serial_number="MY53", calibration_due="2026-03-01")
OTHER = UUID("bbbb3333-0000-4000-8000-000000000003")


@attrs.frozen
class Place:
    """A store in a folder that a server serves, too."""

    data: Path
    url: str
    key: str

    def call(self, *words: object, there: bool = True, answer: str = "") -> Result:
        """Run a command on the server, or on the folder."""
        where = ("--to", self.url) if there else ("--to", "local")
        # Each call is of a machine of its own, whose data folder has no store.
        data = self.data if not there else self.data / "elsewhere"
        return CliRunner().invoke(
            app,
            [*map(str, words), *where, "--data", str(data)],
            env={"RIGBRIDGE_API_KEY": self.key, "COLUMNS": "80"},
            input=answer,
        )

    def json(self, *words: object, there: bool = True) -> Any:
        """Run a command with JSON, and give what it printed."""
        done = self.call(*words, "--json", there=there)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)


def _run(run_id: UUID, outcome: str, hours: int, *files: Path) -> Run:
    return Run(
        id=run_id,
        outcome=outcome,
        procedure=ProcedureRef(name="Final test" if hours < 2 else "Burn-in"),
        unit=Unit(serial_number=f"SN-{hours}"),
        started_at=START + timedelta(hours=hours),
        station="rig-7",
        instruments=[_METER] if hours == 0 else [],
        phases=[
            Phase(name="Power", outcome=outcome),
            Phase(
                name="Rail",
                path=("Power",),
                outcome=outcome,
                measurements=[
                    Measurement(
                        name="supply",
                        outcome=outcome,
                        value=3.9,
                        unit="V",
                        limits=Limit(lower=3.2, upper=3.4),
                    )
                ],
            ),
        ],
        logs=[
            LogEntry(level="INFO", message="on"),
            LogEntry(level="ERROR", message="relay stuck\nmore"),
        ],
        attachments=[Attachment.from_file(file) for file in files],
        metadata={"bench": {"slot": 4}},
    )


@contextmanager
def _serving(folder: Path) -> Iterator[tuple[Path, str]]:
    with RunStore.open(folder / "store") as store:
        server = StoreServer(store, port=0, settings=ServerSettings())
        up = threading.Event()
        thread = threading.Thread(target=server.run, args=(lambda _: up.set(),))
        thread.start()
        assert up.wait(30)
        try:
            yield folder / "store", server.url
        finally:
            server.stop()
            thread.join(30)


@pytest.fixture(scope="module")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    with _serving(tmp_path_factory.mktemp("served")) as served:
        yield served


@contextmanager
def _filled(data: Path, url: str, tmp_path: Path) -> Iterator[Place]:
    (tmp_path / "scope.png").write_bytes(b"picture")
    (tmp_path / "own.txt").write_bytes(b"own")
    shared, own = tmp_path / "scope.png", tmp_path / "own.txt"
    local = LocalDestination(DestinationSettings(data=data))
    local.submit(_run(FAILED, "FAIL", 0, shared, own))
    local.submit(_run(LIKE_IT, "PASS", 1, shared))
    local.submit(_run(OTHER, "PASS", 2))
    with RunStore.open(data) as store:
        key = store.create_user_key("mara")
        store.create_station_key("Line 1")
    yield Place(data, url, key)
    for run_id in (FAILED, LIKE_IT, OTHER):
        with suppress(RigbridgeError):
            local.remove_run(str(run_id))
    local.close()


@pytest.fixture
def place(_served: tuple[Path, str], tmp_path: Path) -> Iterator[Place]:
    """Give a served store with three runs, of which two have the same file."""
    with _filled(*_served, tmp_path) as filled:
        yield filled


@pytest.fixture
def new_place(tmp_path: Path) -> Iterator[Place]:
    """Give the same with nothing in it that other tests have made."""
    with (
        _serving(tmp_path / "new") as served,
        _filled(*served, tmp_path) as filled,
    ):
        yield filled


class TestRuns:
    """What a store holds, wherever it is."""

    @pytest.mark.parametrize(
        ("options", "ids"),
        [
            ((), [OTHER, LIKE_IT, FAILED]),
            (("--outcome", "fail"), [FAILED]),
            (("--procedure", "final TEST"), [LIKE_IT, FAILED]),
            (("--serial", "sn-2"), [OTHER]),
            (("--since", "2026-03-04T09:00:00"), [OTHER, LIKE_IT]),
            (("--until", "2026-03-04T09:00:00"), [FAILED]),
            (("--limit", "1"), [OTHER]),
            (("--station", "RIG-7"), [OTHER, LIKE_IT, FAILED]),
            (("--station", "Line 1"), []),
        ],
    )
    def test_lists_are_the_same(
        self, place: Place, options: tuple[str, ...], ids: list[UUID]
    ) -> None:
        """Every choice gives the same runs here and there."""
        here, there = (
            place.json("runs", "list", *options, there=there) for there in (False, True)
        )
        for run in there:
            # What a client could not read; there is none.
            assert run.pop("unread", {}) == {}
        assert here == there
        assert [run["id"] for run in there] == list(map(str, ids))

    def test_a_run_comes_back_whole(self, place: Place) -> None:
        """The server gives what the folder gives; the beginning of its id will do."""
        here = place.json("runs", "show", FAILED, there=False)
        assert place.json("runs", "show", "AAAA1") == here
        assert here["metadata"] == {"bench": {"slot": 4}}

    def test_it_says_why_a_run_failed(self, place: Place) -> None:
        """Each failed measurement with its criterion, then the first logged error."""
        said = place.call("runs", "show", "aaaa1").stdout.splitlines()
        assert [line.split(None, 1)[1] for line in said if line.startswith("why:")] == [
            "FAIL Power / Rail: supply = 3.9 V (3.2 <= x <= 3.4)",
            "log ERROR: relay stuck",
        ]

    def test_an_ambiguous_beginning_names_the_candidates(self, place: Place) -> None:
        """Each with its unit, and nothing is done."""
        done = place.call("runs", "show", "aaaa")
        assert isinstance(done.exception, RigbridgeError)
        assert f"{FAILED} SN-0 Final test FAIL" in str(done.exception)
        assert f"{LIKE_IT} SN-1 Final test PASS" in str(done.exception)

    @pytest.mark.parametrize("beginning", ["cccc", "nobody", "%", "aaaa_"])
    def test_an_unknown_beginning_is_said(self, place: Place, beginning: str) -> None:
        """Signs that no id has are no pattern."""
        done = place.call("runs", "show", beginning)
        assert "no run's id begins with" in str(done.exception)

    def test_exports_are_the_same(self, place: Place, tmp_path: Path) -> None:
        """Files and attachments of an export are those of the folder's own."""
        for name in ("runs.csv", "runs.jsonl"):
            files = [tmp_path / side / name for side in ("here", "there")]
            for file in files:
                place.json("runs", "export", file, there=file == files[1])
            assert files[0].read_bytes() == files[1].read_bytes()
        contents = [
            sorted(
                (path.name, path.read_bytes())
                for path in (tmp_path / side / "runs.jsonl.attachments").iterdir()
            )
            for side in ("here", "there")
        ]
        assert contents[0] == contents[1]
        assert len(contents[0]) == 2

    def test_a_file_is_attached_by_a_beginning(
        self, place: Place, tmp_path: Path
    ) -> None:
        """``runs attach`` takes what ``runs list`` shows."""
        (tmp_path / "late.txt").write_text("late")
        done = place.call("runs", "attach", "bbbb", tmp_path / "late.txt")
        assert f"attached 1 of 1 file to run {OTHER}" in done.stdout


class TestDeleting:
    """Runs that go for good."""

    @pytest.mark.parametrize("there", [True, False])
    def test_it_says_what_goes(self, place: Place, *, there: bool) -> None:
        """A content that another run has stays."""
        done = place.call("runs", "delete", "aaaa1", "--yes", there=there)
        assert "2 phases, 1 measurement and 1 attachment (own.txt)" in done.stdout
        assert "scope.png stays, since other runs have the same" in done.stdout
        assert "deleted 1 run" in done.stdout
        assert len(place.json("runs", "list")) == 2

    def test_nobody_there_is_a_no(self, place: Place) -> None:
        """Without a terminal and without --yes nothing is deleted."""
        done = place.call("runs", "delete", "aaaa1")
        assert done.exit_code == 1
        assert "use --yes" in done.stderr
        assert len(place.json("runs", "list")) == 3

    def test_all_are_found_before_any_goes(self, place: Place) -> None:
        """A misspelled second id costs the first nothing."""
        done = place.call("runs", "delete", "aaaa1", "cccc", "--yes")
        assert "no run's id begins with 'cccc'" in str(done.exception)
        assert len(place.json("runs", "list")) == 3


class TestStationsAndProcedures:
    """What those do who look after a store."""

    @pytest.mark.parametrize("there", [True, False])
    def test_a_new_name_makes_a_procedure(self, place: Place, *, there: bool) -> None:
        """It is said, with the names that are close."""
        name = f"final-test {there}"
        linked = place.call("stations", "link", "line 1", name, there=there).stdout
        assert f"created procedure {name}" in linked
        assert f"station Line 1 may use procedure {name}" in linked
        again = place.json("stations", "link", "line 1", name, there=there)
        assert not again["created"]
        stations = place.json("stations", "list", there=there)
        assert (
            name
            in next(item for item in stations if item["name"] == "Line 1")["procedures"]
        )
        place.json("stations", "unlink", "line 1", name, there=there)
        gone = place.json("procedures", "delete", name, "--yes", there=there)
        assert (gone["name"], gone["runs"]) == (name, 0)
        found = place.json("procedures", "list", there=there)
        assert name not in {item["name"] for item in found}

    def test_existing_refuses_a_new_name(self, place: Place) -> None:
        """With the names that are close."""
        done = place.call("stations", "link", "line 1", "Final-test", "--existing")
        assert "Did you mean 'Final test'?" in str(done.exception)

    def test_an_unknown_station_is_asked_for(self, place: Place) -> None:
        """The closest name is offered."""
        done = place.call("stations", "link", "line1", "Final test")
        assert "Did you mean 'Line 1'?" in str(done.exception)

    def test_a_procedure_goes_with_its_runs(self, place: Place) -> None:
        """How many those were is said."""
        done = place.call("procedures", "delete", "burn-in", "--yes")
        assert "deleted procedure Burn-in with 1 run" in done.stdout
        assert len(place.json("runs", "list")) == 2


class TestAStationsKey:
    """What the key of a station reaches."""

    def test_it_reads_its_own(self, place: Place) -> None:
        """Runs of procedures that it is not linked to are not there."""
        with RunStore.open(place.data) as store:
            key = store.create_station_key("Line 9")
            store.administration.link_station("Line 9", "Burn-in")
        own = attrs.evolve(place, key=key)
        assert [run["id"] for run in own.json("runs", "list")] == [str(OTHER)]
        assert "no run's id" in str(own.call("runs", "show", "aaaa1").exception)
        refused = own.call("runs", "delete", OTHER, "--yes")
        assert "Use the key of a user" in str(refused.exception)


class TestAForeignStore:
    """A store that has v1 alone."""

    @pytest.fixture
    def foreign(self, tmp_path: Path) -> Iterator[Place]:
        """Serve a stock store with one run."""
        with RunStoreServer() as server:
            yield Place(tmp_path, server.url, server.api_key)

    @pytest.mark.parametrize(
        ("command", "words"),
        [
            ("runs list", "lists no runs but those of one unit"),
            (f"runs show {FAILED}", "gives no whole runs back"),
            ("stations list", "has its stations and procedures elsewhere"),
        ],
    )
    def test_what_it_cannot_is_said(
        self, foreign: Place, command: str, words: str
    ) -> None:
        """In words, with what can be done instead."""
        done = foreign.call(*command.split())
        assert words in str(done.exception)
        assert "rigbridge runs list --serial SN" in str(done.exception)

    def test_the_runs_of_a_unit_are_chosen_here(self, foreign: Place) -> None:
        """The other choices count for what v1 lists."""
        for run_id, outcome in ((FAILED, "FAIL"), (LIKE_IT, "PASS")):
            run = attrs.evolve(
                _run(run_id, outcome, 0), unit=Unit(serial_number="SN-0")
            )
            file = foreign.data / f"{outcome}.jsonl"
            file.write_bytes(encode_run(run))
            assert foreign.call("import", file).exit_code == 0
        listed = foreign.json("runs", "list", "--serial", "SN-0")
        assert len(listed) == 2
        (failed,) = foreign.json(
            "runs", "list", "--serial", "SN-0", "--outcome", "FAIL"
        )
        assert failed["outcome"] == "FAIL"


def test_a_server_of_ours_replaces_runs(place: Place, tmp_path: Path) -> None:
    """The id stays; over HTTP it is only said that the run differs."""
    path = tmp_path / "r.csv"
    path.write_text(
        "serial_number,part_number,procedure,started_at,measurement,value,outcome\n"
        "SN-R,A,P,2024-01-15 10:00:00,m,1,PASS\n"
    )

    def imported(zone: str, *more: str) -> Any:
        done = place.call("import", path, "--json", "--time-zone", zone, *more)
        assert done.exit_code == 0, done.output
        (run,) = json.loads(done.stdout.splitlines()[0])["runs"]
        return run

    first = imported("UTC")
    differs = imported("Europe/Berlin", "--again")
    assert (differs["status"], differs["differences"]) == ("differs", [])
    replaced = imported("Europe/Berlin", "--again", "--replace")
    assert (replaced["status"], replaced["id"]) == ("replaced", first["id"])
    (listed,) = place.json("runs", "list", "--serial", "SN-R")
    assert listed["id"] == first["id"]
    assert listed["started_at"].startswith("2024-01-15T09:00")
    place.call("runs", "delete", first["id"], "--yes")


def test_a_foreign_server_replaces_nothing(tmp_path: Path) -> None:
    """A deleted run frees no id there, so it is refused before anything is read."""
    (tmp_path / "r.csv").write_text("serial_number,procedure\n")
    with RunStoreServer() as server:
        place = Place(tmp_path, server.url, server.api_key)
        done = place.call("import", tmp_path / "r.csv", "--again", "--replace")
    assert "cannot be replaced" in str(done.exception)


def _sessions(page: str) -> list[tuple[str, str]]:
    """Give the commands of a page, each with what it prints."""
    shown = "\n".join(
        re.findall(r"^```console\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    )
    return re.findall(
        r"^\$ rigbridge (.+)\n((?:(?!\$ ).*\n)*)", f"{shown}\n", re.MULTILINE
    )


def _normal(text: str) -> str:
    """Cut ids as a terminal shows them, and tables to one width."""
    text = re.sub(r"\b([0-9a-f]{8})(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", r"\1", text)
    lines = [re.sub(r" {2,}", "  ", line).rstrip() for line in text.splitlines()]
    return "\n".join(filter(None, lines))


def test_the_sessions_of_the_docs_run_as_they_are_shown(
    new_place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Times are fixed here, ids cut, and made-up ids stand for any."""
    monkeypatch.chdir(tmp_path)
    sessions = _sessions((DOCS / "how-to" / "ask-a-store.md").read_text("utf-8"))
    assert len(sessions) > 10
    for command, shown in sessions:
        words = shlex.split(command.replace(" --to https://store.example.com", ""))
        done = new_place.call(*words)
        assert done.exit_code == 0, (command, done.output)
        printed = _normal(
            done.stdout.replace(new_place.url, "https://store.example.com")
        )
        # Procedures and stations get ids of their own.
        known = re.sub(r"\b(?!aaaa|bbbb)[0-9a-f]{8}\b", "ID", printed)
        expected = re.sub(r"\b(?!aaaa|bbbb)[0-9a-f]{8}\b", "ID", _normal(shown))
        assert known == expected, command


def test_quiet_commands_give_what_was_asked_for_alone(tmp_path: Path) -> None:
    """A key, the names of adapters, nothing of the demo; also where the shell asks."""

    def told(*words: object) -> str:
        done = CliRunner().invoke(app, [*map(str, words), "-q"])
        assert done.exit_code == 0, done.output
        return done.stdout

    assert told("demo", "--data", tmp_path) == ""
    key = told("keys", "create", "user", "--name", "mara", "--data", tmp_path).strip()
    assert key.startswith("rb_")
    assert told("keys", "list", "--data", tmp_path).split() == [key.split("_")[1]]
    assert "openhtf-json" in told("adapters", "list").split()


def test_a_refused_key_is_said(place: Place) -> None:
    """A store that lets nobody in is not taken for one of another kind."""
    stranger = attrs.evolve(place, key="wrong")
    for words in (("runs", "list"), ("stations", "list"), ("procedures", "list")):
        done = stranger.call(*words)
        assert isinstance(done.exception, UnauthorizedError)


def test_names_that_are_close_are_suggested(place: Place) -> None:
    """Where a procedure or a station found nothing."""
    done = place.call("runs", "list", "--procedure", "Fnal test")
    assert "did you mean 'Final test'?" in done.stdout
    done = place.call("runs", "list", "--station", "rig 8")
    assert "did you mean 'rig-7'?" in done.stdout

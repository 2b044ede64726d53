"""The Python interface, as the reference page shows it and as strangers use it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

import rigbridge
from rigbridge.destinations import DestinationSettings
from rigbridge.testing.run_store import RunStoreServer

ROOT = Path(__file__).parents[2]
FILE = re.compile(r"^# file: (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

Python = Callable[..., subprocess.CompletedProcess[str]]


def examples(name: str) -> list[str]:
    """Give the Python programs of a page."""
    return FENCE.findall((ROOT / "docs" / name).read_text(encoding="utf-8"))


@pytest.fixture
def python(tmp_path: Path) -> Python:
    """Run a program in a folder that holds a report of two runs and an image."""
    report = ROOT / "core/rigbridge/examples/teststand-batch-of-two.xml"
    (tmp_path / "report.xml").write_bytes(report.read_bytes())
    (tmp_path / "scope.png").write_bytes(b"an image")

    def run(program: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the destination that the page shows, without an index."""
    source = tmp_path_factory.mktemp("line-file")
    text = (ROOT / "docs/how-to/write-a-destination.md").read_text(encoding="utf-8")
    for name, body in re.findall(
        r"^# file: (\S+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL
    ):
        (source / name).write_text(body, encoding="utf-8")
    target = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index"]
    command += ["--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    command += ["--target", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


class TestThePage:
    """The page reference/python.md."""

    @pytest.mark.parametrize("number", range(len(examples("reference/python.md"))))
    def test_its_examples_run(
        self, python: Python, number: int, run_store_server: RunStoreServer
    ) -> None:
        """Each example is a whole program that does what it says."""
        program = examples("reference/python.md")[number]
        program = program.replace("https://store.example.com", run_store_server.url)
        done = python(program, RIGBRIDGE_API_KEY=run_store_server.api_key)
        assert done.returncode == 0, done.stderr
        assert done.stdout
        if "Client(" in program:
            first, second, *_ = run_store_server.runs
            stored = {stored.id for stored in (first, second)}
            assert stored <= set(done.stdout.split())
            names = [name for name, _ in run_store_server.attachments(first.id)]
            assert "scope.png" in names
        if "open_outbox" in program:
            assert done.stdout == "0 runs still wait, 0 are parked\n"
        if "#" in program and "must be" in program:
            assert done.stdout.strip() in program

    def test_it_names_every_public_name(self) -> None:
        """What ``rigbridge`` offers stands on the page."""
        text = (ROOT / "docs/reference/python.md").read_text(encoding="utf-8")
        words = set(re.findall(r"\w+", text))
        ours = set(rigbridge.__all__) - {"__version__"}
        enumerations = {name for name in ours if name.endswith(("Outcome", "Level"))}
        assert ours - enumerations <= words


class TestADestinationOfOthers:
    """That of how-to/write-a-destination.md, installed as others would."""

    @pytest.mark.parametrize("to", ["line-file", "line-file://here"])
    def test_it_is_found_by_name(
        self, python: Python, installed: Path, tmp_path: Path, to: str
    ) -> None:
        """``to`` names it, alone or in an address; its settings reach it."""
        (tmp_path / "rigbridge.toml").write_text(
            f'to = "{to}"\n[destinations.line-file]\npath = "all.jsonl"\n'
        )
        program = """
import rigbridge
with rigbridge.open_outbox() as outbox:
    for run in rigbridge.read("report.xml"):
        outbox.submit(run)
    print(outbox.flush(30))
"""
        done = python(program, PYTHONPATH=str(installed))
        assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr
        lines = (tmp_path / "all.jsonl").read_text(encoding="utf-8").splitlines()
        assert len([json.loads(line)["id"] for line in lines]) == 2

    def test_it_stores_each_run_once_with_its_files(
        self, python: Python, installed: Path, tmp_path: Path
    ) -> None:
        """A run that comes again is known; files are copied; its runs are listed."""
        (tmp_path / "rigbridge.toml").write_text('to = "line-file"\n')
        program = """
import attrs, rigbridge
from rigbridge.configuration import load_configuration
from rigbridge.opening import open_destination
first, second = rigbridge.read("report.xml")
file = rigbridge.Attachment.from_file("scope.png")
first = attrs.evolve(first, attachments=[*first.attachments, file])
destination = open_destination(load_configuration())
print(*(destination.submit(run).created for run in (first, second, first)))
print(*(run.id == str(second.id) for run in destination.list_runs(
    second.unit.serial_number)))
"""
        done = python(program, PYTHONPATH=str(installed))
        assert done.stdout == "True True False\nTrue\n", done.stderr
        assert len((tmp_path / "runs.jsonl").read_bytes().splitlines()) == 2
        (copy,) = (tmp_path / "runs.files").glob("*/scope.png")
        assert copy.read_bytes() == b"an image"

    def test_the_short_class_takes_runs(self, python: Python, tmp_path: Path) -> None:
        """The first class of the page does without the rest."""
        short = examples("how-to/write-a-destination.md")[0]
        (tmp_path / "short.py").write_text(short)
        program = """
import types, rigbridge, short
destination = short.LineFile(types.SimpleNamespace(own={}))
for run in rigbridge.read("report.xml"):
    print(destination.submit(run).created)
try:
    destination.attach("1", rigbridge.Attachment.from_file("scope.png"))
except rigbridge.RigbridgeError as error:
    print(error)
"""
        done = python(program)
        assert done.stdout == "True\nTrue\na line holds no files\n", done.stderr

    def test_the_page_names_every_setting(self) -> None:
        """All fields of DestinationSettings are on the page."""
        text = (ROOT / "docs/how-to/write-a-destination.md").read_text("utf-8")
        fields = {field.name for field in attrs.fields(DestinationSettings)}
        assert fields <= set(re.findall(r"`(\w+)`", text))

    def test_an_unknown_one_lists_the_installed(
        self, python: Python, installed: Path
    ) -> None:
        """The error names the setting and what could stand there."""
        program = "import rigbridge; rigbridge.open_outbox(to='line-fil')"
        done = python(program, PYTHONPATH=str(installed))
        assert "ConfigurationError: argument: to: 'line-fil' is neither" in done.stderr
        assert "installed: http, line-file, local" in done.stderr

    def test_settings_of_one_that_is_not_installed(
        self, python: Python, tmp_path: Path
    ) -> None:
        """A table for nobody is a mistake."""
        (tmp_path / "rigbridge.toml").write_text("[destinations.line-fil]\n")
        done = python("import rigbridge; rigbridge.open_outbox().flush(1)")
        assert "destinations.line-fil: there is no such destination" in done.stderr


BROKEN = """
class Broken:
    def __init__(self, settings):
        self.away = (settings.url or "").endswith("away")
    def submit(self, run, report=None):
        if self.away:
            raise PermissionError(13, "no write", "share")
        raise ValueError("no such\\ntable")
    def attach(self, stored_id, attachment):
        raise NotImplementedError("later")
    def list_runs(self, serial_number):
        yield from ()
        raise KeyError("x")
    def recent_runs(self, limit, selection=None):
        raise KeyError("x")
    get_run = open_attachment = read_runs = read_rows = list_runs
    def get_run(self, stored_id):
        raise KeyError(stored_id)
    def close(self):
        pass
class Unmade(Broken):
    def __init__(self, settings):
        raise KeyError("url")
"""


class TestADestinationThatFails:
    """Whatever its code raises is an error that says whose code it is."""

    @pytest.fixture
    def broken(self, tmp_path: Path) -> Path:
        """Install destinations whose every method fails."""
        folder = tmp_path / "site"
        metadata = folder / "broken_store-2.5.dist-info"
        metadata.mkdir(parents=True)
        (folder / "broken_store.py").write_text(BROKEN)
        (metadata / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: broken-store\nVersion: 2.5\n"
        )
        (metadata / "entry_points.txt").write_text(
            "[rigbridge.destinations]\n"
            "broken = broken_store:Broken\nunmade = broken_store:Unmade\n"
        )
        return folder

    @pytest.mark.parametrize(
        ("command", "words"),
        [
            (
                "runs attach " + "0" * 32 + " scope.png",
                "attach at broken_store.py:10: NotImpl",
            ),
            (
                "runs list --serial SN-1",
                "list_runs at broken_store.py:13: KeyError: 'x",
            ),
            ("runs list", "recent_runs at broken_store.py:15: KeyError: 'x'"),
            ("runs show " + "0" * 32, "get_run at broken_store.py:18: KeyError: '000"),
            ("import report.xml", "submit at broken_store.py:8: ValueError: no such t"),
        ],
    )
    def test_the_command_line_says_so(
        self, python: Python, broken: Path, command: str, words: str
    ) -> None:
        """One line an error, never a traceback."""
        program = (
            f"import sys; sys.argv[1:] = {[*command.split(), '--to', 'broken']!r}\n"
            "from rigbridge.cli.main import run; run()"
        )
        done = python(program, PYTHONPATH=str(broken))
        assert done.returncode == 1
        wanted = f"destination broken of broken-store 2.5 failed in {words}"
        assert wanted in done.stderr
        assert "(report it to the authors of broken-store)" in done.stderr
        assert "Traceback" not in done.stderr

    def test_one_that_cannot_be_made(self, python: Python, broken: Path) -> None:
        """It is a plugin that does not load."""
        program = (
            "import sys; sys.argv[1:] = ['runs', 'list', '--to', 'unmade']\n"
            "from rigbridge.cli.main import run; run()"
        )
        done = python(program, PYTHONPATH=str(broken))
        wanted = "destination 'unmade' of broken-store 2.5 cannot be made: KeyError"
        assert wanted in done.stderr
        assert "Traceback" not in done.stderr

    @pytest.mark.parametrize(
        ("to", "state", "words"),
        [
            ("broken", "parked", "ValueError"),
            ("broken://away", "pending", "Permission"),
        ],
    )
    def test_the_outbox_keeps_the_run(
        self, python: Python, broken: Path, to: str, state: str, words: str
    ) -> None:
        """A mistake parks the run; what the system refuses is tried again."""
        program = f"""
import rigbridge
with rigbridge.open_outbox(to={to!r}, send=False) as outbox:
    for run in rigbridge.read("report.xml"):
        outbox.submit(run)
    outbox.flush(60)
    for entry in outbox.entries():
        print(entry.state, entry.reason)
"""
        done = python(program, PYTHONPATH=str(broken))
        lines = done.stdout.splitlines()
        assert len(lines) == 2, done.stderr
        for line in lines:
            assert line.startswith(f"{state} destination broken of broken-store 2.5 ")
            assert words in line


class TestTheRunStoreForTests:
    """``rigbridge.testing.run_store``."""

    def test_it_needs_no_pytest(self, python: Python) -> None:
        """Who tests with another framework, or by hand, can use it."""
        done = python(
            "import sys; sys.modules['pytest'] = sys.modules['hypothesis'] = None\n"
            "from rigbridge.testing.run_store import Dialect, Fault, RunStoreServer\n"
            "with RunStoreServer(Dialect()) as server: print(server.url, Fault.RESET)"
        )
        assert done.returncode == 0, done.stderr

"""The docs and the code say the same; every name is taken from the code."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import attrs
import pytest
import typer.main
from typer.testing import CliRunner

import rigbridge.errors
import rigbridge.model
import rigbridge.wire
from rigbridge.adapters import ADAPTER_GROUP
from rigbridge.adapters.identity import UNIT_GROUPS, IdentityRules
from rigbridge.cli.main import app
from rigbridge.configuration import KEYS, sources
from rigbridge.destinations import DESTINATION_GROUP
from rigbridge.machine.plugins import PluginLoader

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
KINDS = ("tutorial", "how-to", "reference", "explanation")
PAGES = sorted(
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "CHANGELOG.md",
        *DOCS.rglob("*.md"),
    ]
)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def short(path: Path) -> str:
    """Name a page for a test's id."""
    return str(path.relative_to(ROOT))


def page(name: str) -> str:
    """Read a page of the docs."""
    return (DOCS / name).read_text(encoding="utf-8")


def code_words(text: str) -> set[str]:
    """Collect every word that stands in code style, parts of dotted names too."""
    spans = re.findall(r"`([^`\n]+)`", FENCE.sub("", text))
    return {word for span in spans for word in re.findall(r"[\w-]+", span)}


def fences(path: Path, *languages: str) -> list[str]:
    """Give the code blocks of a page in some languages."""
    found = FENCE.findall(path.read_text(encoding="utf-8"))
    return [body for language, body in found if language in languages]


# Typer brings a click of its own, so its commands have no public type.
def commands(command: Any = None, name: str = "rigbridge") -> Iterator[tuple[str, Any]]:
    """Go through the commands of the program, without the groups."""
    command = typer.main.get_command(app) if command is None else command
    if not hasattr(command, "list_commands"):
        yield name, command
        return
    # Those that adapters offer are loaded when they are asked for.
    for word in command.list_commands(None):
        yield from commands(command.get_command(None, word), f"{name} {word}")


COMMANDS: dict[str, Any] = dict(commands())
SECTIONS: dict[str, str] = dict(
    re.findall(
        r"^## (rigbridge .+?)\n(.*?)(?=^## |\Z)",
        page("reference/command-line.md"),
        re.MULTILINE | re.DOTALL,
    )
)


def flags(command: Any) -> set[str]:
    """Name the long options of a command."""
    return {
        name
        for parameter in command.params
        for name in parameter.opts
        if name.startswith("--")
    } - {"--help"}


class TestCommandLine:
    """reference/command-line.md and the program."""

    def test_every_command_has_a_section_and_no_other_has_one(self) -> None:
        """The sections are the commands that exist."""
        assert set(SECTIONS) == set(COMMANDS)

    @pytest.mark.parametrize("name", sorted(COMMANDS))
    def test_every_option_is_named(self, name: str) -> None:
        """The section of a command names exactly the options that it has."""
        named = set(re.findall(r"`(--[a-z-]+)", SECTIONS.get(name, "")))
        assert named == flags(COMMANDS[name])

    @pytest.mark.parametrize("name", sorted(COMMANDS))
    def test_every_command_has_help_and_json(self, name: str) -> None:
        """Each command explains itself and can print JSON."""
        assert COMMANDS[name].help
        assert "--json" in flags(COMMANDS[name])

    @pytest.mark.parametrize("path", PAGES, ids=short)
    def test_examples_use_what_exists(self, path: Path) -> None:
        """A command line in a page names an existing command with its options."""
        lines = "\n".join(fences(path, "console", "sh")).replace("\\\n", " ")
        for line in re.findall(r"^(?:\$ )?(rigbridge .+)$", lines, re.MULTILINE):
            words = line.split()
            name = next(
                (
                    " ".join(words[:count])
                    for count in (3, 2)
                    if " ".join(words[:count]) in COMMANDS
                ),
                None,
            )
            assert name is not None, line
            used = {word for word in words if word.startswith("--")}
            assert used <= flags(COMMANDS[name]), line


class TestReference:
    """The other reference pages."""

    def test_errors(self) -> None:
        """Each error class has a row that also names what it descends from."""
        rows = dict(
            re.findall(
                r"^\| `(\w+)` \| (.+?) \|", page("reference/errors.md"), re.MULTILINE
            )
        )
        assert set(rows) == set(rigbridge.errors.__all__)
        for name, parents in rows.items():
            kind = getattr(rigbridge.errors, name)
            bases = [base.__name__ for base in kind.__bases__]
            assert re.findall(r"`(\w+)`", parents) == bases, name

    def test_settings(self) -> None:
        """Each key, each variable and each rule of identity is named."""
        words = code_words(page("reference/configuration.md"))
        assert set(KEYS) <= words
        assert {field.name for field in attrs.fields(IdentityRules)} <= words
        assert set(UNIT_GROUPS) <= words
        source = inspect.getsource(sources)
        assert set(re.findall(r"\b(?:RIGBRIDGE|TOFUPILOT)_[A-Z0-9_]+", source)) <= words

    def test_adapters(self) -> None:
        """Each group, each of our adapters and each of their settings is named."""
        text = page("reference/adapters.md")
        words = code_words(text)
        assert f"`{ADAPTER_GROUP}`" in text
        assert f"`{DESTINATION_GROUP}`" in text
        assert set(PluginLoader(DESTINATION_GROUP).names) <= words
        loader = PluginLoader(ADAPTER_GROUP)
        ours = [name for name in loader.names if loader.owner(name)[0] == "rigbridge"]
        sections = dict(
            re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        )
        assert set(sections) == set(ours)
        for name in ours:
            kind: Any = loader.load(name)
            settings = attrs.fields(kind.settings_type)
            assert {field.alias for field in settings} <= code_words(sections[name])

    def test_payload_mapping(self) -> None:
        """Each attribute of the model and each field of the body is named."""
        words = code_words(page("reference/payload-mapping.md"))
        model = ("Run", "Unit", "SubUnit", "ProcedureRef", "Phase", "Measurement")
        for name in (*model, "Limit", "LogEntry"):
            fields = attrs.fields(getattr(rigbridge.model, name))
            assert {field.name for field in fields} <= words, name
        for name in (
            "CreateRun",
            "WireUnit",
            "WirePhase",
            "WireMeasurement",
            "WireLog",
        ):
            fields = attrs.fields(getattr(rigbridge.wire, name))
            assert {field.name for field in fields} <= words, name


@pytest.mark.parametrize("path", PAGES, ids=short)
class TestPages:
    """What holds for every page."""

    def test_it_has_one_title(self, path: Path) -> None:
        """A page begins with its title."""
        assert path.read_text(encoding="utf-8").startswith("# ")

    def test_its_links_lead_somewhere(self, path: Path) -> None:
        """A link to a file of the project names one that exists."""
        text = FENCE.sub("", path.read_text(encoding="utf-8"))
        links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text)
        local = [link for link in links if "://" not in link]
        assert [link for link in local if not (path.parent / link).exists()] == []

    def test_its_python_imports_what_exists(self, path: Path) -> None:
        """Each Python example is valid, and what it imports of ours exists."""
        for body in fences(path, "python"):
            for node in ast.walk(ast.parse(body)):
                if isinstance(node, ast.Import):
                    for alias in node.names:
                        if alias.name.startswith("rigbridge"):
                            importlib.import_module(alias.name)
                elif isinstance(node, ast.ImportFrom):
                    name = node.module or ""
                    if name.startswith("rigbridge"):
                        module = importlib.import_module(name)
                        assert all(hasattr(module, item.name) for item in node.names)


class TestKinds:
    """The docs come in four kinds, and the README leads to all of them."""

    def test_every_page_is_of_a_kind(self) -> None:
        """A page stands in the folder of its kind."""
        kinds = {path.relative_to(DOCS).parts[0] for path in DOCS.rglob("*.md")}
        assert kinds - {"examples"} == set(KINDS)

    def test_the_readme_leads_to_every_page(self) -> None:
        """The README links each page of the docs."""
        text = (ROOT / "README.md").read_text(encoding="utf-8")
        pages = [short(path) for path in PAGES if path.is_relative_to(DOCS)]
        wanted = [name for name in pages if not name.startswith("docs/examples/")]
        assert [name for name in wanted if f"({name})" not in text] == []


def _fresh_environment(folder: Path) -> dict[str, str]:
    """Make an environment that sees what is installed here, and has no network."""
    venv.create(folder)
    (site,) = folder.glob("lib/python*/site-packages")
    ours = sysconfig.get_path("purelib")
    (site / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    for name in ("rigbridge", "pip"):
        program = folder / "bin" / name
        program.write_text(f'#!/bin/sh\nexec python -m {name} "$@"\n')
        program.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        # pip takes this one by its opposite: no isolation.
        "PIP_NO_BUILD_ISOLATION": "0",
        "NO_COLOR": "1",
        "COLUMNS": "200",
    }


class TestExamples:
    """Examples that are whole programs do run."""

    def test_the_adapter_of_the_how_to_is_made_as_it_says(self, tmp_path: Path) -> None:
        """Every file and command of the page, in order, in a fresh environment."""
        path = DOCS / "how-to" / "write-an-adapter.md"
        work = tmp_path / "work"
        work.mkdir()
        for body in fences(path, "python"):
            name = body.partition("\n")[0].removeprefix("# file: ")
            (work / name).write_text(body, encoding="utf-8")
        (work / "pyproject.toml").write_text(fences(path, "toml")[0], "utf-8")
        (work / "rig.log").write_text(fences(path, "text")[0], "utf-8")
        environment = _fresh_environment(tmp_path / "venv")
        (commands_shown,) = fences(path, "sh")
        said = ""
        for command in commands_shown.splitlines():
            done = subprocess.run(
                ["sh", "-c", command],  # noqa: S607 - as a reader's shell does
                cwd=work,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, command + done.stdout + done.stderr
            said += done.stdout
        assert re.search(r"example-rig +example-rig +1\.0 +loaded", said), said
        assert '"serial_number":"SN-0042"' in said

    def test_the_log_of_the_how_to_is_read_by_its_profile(self, tmp_path: Path) -> None:
        """The profile that the page shows makes two runs of the log that it shows."""
        path = DOCS / "how-to" / "import-csv-logs.md"
        (tmp_path / "rigbridge.toml").write_text(fences(path, "toml")[0], "utf-8")
        (tmp_path / "bench_2026-03.csv").write_text(fences(path, "csv")[0], "utf-8")
        done = subprocess.run(
            [
                *(sys.executable, "-m", "rigbridge", "convert"),
                *("--format", "model", "bench_2026-03.csv"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        first, second = map(json.loads, done.stdout.splitlines())
        assert (first["outcome"], second["outcome"]) == ("FAIL", "PASS")
        assert first["unit"]["serial_number"] == "0000019"
        assert first["started_at"] == "2026-03-04T04:06:07Z"
        supply, ripple = first["phases"][0]["measurements"]
        assert (supply["value"], supply["limits"]["lower"]) == (3.31, 3.2)
        assert (ripple["outcome"], ripple["limits"]["upper"]) == ("FAIL", 0.1)

    def test_the_archive_of_the_how_to_is_imported_as_it_says(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Every command of the page, in order, on a folder of reports."""
        monkeypatch.chdir(tmp_path)
        (tmp_path / "archive").mkdir()
        (tmp_path / "rigbridge.toml").write_text("time_zone = 'UTC'\n", "utf-8")
        examples = Path(str(resources.files("rigbridge.examples")))
        shutil.copy(examples / "teststand-batch-of-two.xml", tmp_path / "archive")
        said: list[str] = []
        for body in fences(DOCS / "how-to" / "import-an-archive.md", "console"):
            for line in body.splitlines():
                words = line.removeprefix("$ rigbridge ").split()
                result = CliRunner().invoke(app, words, catch_exceptions=False)
                assert result.exit_code == 0, line + result.output
                said.append(result.stdout)
        planned, followed, known, account, again, replaced = said
        assert "to be created" in planned
        assert "a dry run, nothing was stored" in planned
        assert followed.startswith("2 runs of 1 file;")
        assert "1 file imported before" in known
        assert "verified: the store holds 2 runs as noted" in account
        assert "2 of them there already" in again
        assert "failed" in replaced
        assert (tmp_path / "account.html").is_file()

    def test_the_log_of_the_tutorial_comes_to_the_store(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Every file and command of the page, in order, in a folder of its own."""
        path = DOCS / "tutorial" / "from-a-log-to-the-store.md"
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("RIGBRIDGE_DATA", str(tmp_path / "data"))
        (tmp_path / "bench_0313.csv").write_text(fences(path, "csv")[0], "utf-8")
        (tmp_path / "rigbridge.toml").write_text(fences(path, "toml")[0], "utf-8")
        said: list[str] = []
        for body in fences(path, "console"):
            for line in body.splitlines():
                words = line.removeprefix("$ rigbridge ").split()
                result = CliRunner().invoke(app, words, catch_exceptions=False)
                assert result.exit_code == 0, line + result.output
                said.append(result.stdout)
        learned, tried, rehearsed, stored, listed, known, made = said
        assert learned == ""
        assert "Flow                   4.02 l/min [3.8..4.4]" in tried
        assert "3 runs, 6 measurements, 0 left out" in tried
        assert "a dry run, nothing was stored" in rehearsed
        assert stored.startswith("3 runs of 1 file;")
        assert "FAIL     Pump final test  P-0142" in listed
        assert "2024-03-13 13:09" in listed
        assert "1 file imported before" in known
        assert "python -m pytest" in made
        assert (tmp_path / "rigbridge-pump-bench/pyproject.toml").is_file()

    @pytest.mark.parametrize(
        "name", ["README.md", "docs/how-to/send-openhtf-results.md"]
    )
    def test_the_openhtf_example_stores_its_run(
        self, name: str, tmp_path: Path
    ) -> None:
        """The test program that a page shows runs, and its run is in the store."""
        program = tmp_path / "final_test.py"
        program.write_text(fences(ROOT / name, "python")[0], encoding="utf-8")
        done = subprocess.run(
            [sys.executable, program], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        program = Path(sys.executable).parent / "rigbridge"
        command = [str(program), "runs", "list", "--serial", "SN-0042", "--json"]
        listed = subprocess.run(command, capture_output=True, text=True, check=True)
        (run,) = json.loads(listed.stdout)
        assert run["outcome"] == "PASS"
        assert run["procedure"]["name"] == "Final test"

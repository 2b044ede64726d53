"""The files around the code agree with each other and with the code."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import rigbridge

ROOT = Path(__file__).parents[2]


def text(name: str) -> str:
    """Read a file of the checkout."""
    return (ROOT / name).read_text(encoding="utf-8")


def targets() -> set[str]:
    """Name the targets of the Makefile."""
    return set(re.findall(r"^([a-z][a-z-]*):(?!=)", text("Makefile"), re.MULTILINE))


class TestVersion:
    """One version, said in three places."""

    def test_the_package_knows_it(self, pyproject: dict[str, Any]) -> None:
        """``rigbridge.__version__`` is the version of the distribution."""
        assert rigbridge.__version__ == pyproject["project"]["version"]

    def test_the_changelog_begins_with_it(self, pyproject: dict[str, Any]) -> None:
        """The first heading of the changelog names this version, released or not."""
        heading = re.search(r"^## \[(.+?)\]", text("CHANGELOG.md"), re.MULTILINE)
        assert heading is not None
        assert heading[1] == pyproject["project"]["version"]


class TestLock:
    """The lock pins what pyproject.toml asks for."""

    def pinned(self) -> dict[str, Requirement]:
        """Read the lock, by canonical name."""
        lines = text("requirements-dev.lock").splitlines()
        requirements = [Requirement(line) for line in lines]
        return {canonicalize_name(item.name): item for item in requirements}

    def asked(self, pyproject: dict[str, Any]) -> list[Requirement]:
        """Read what the project, its extras and its dev group ask for."""
        lines = [
            *pyproject["build-system"]["requires"],
            *pyproject["project"]["dependencies"],
            *pyproject["dependency-groups"]["dev"],
        ]
        for extra in pyproject["project"]["optional-dependencies"].values():
            lines += extra
        found = [Requirement(line) for line in lines]
        return [item for item in found if item.name != "rigbridge"]

    def test_each_line_pins_one_version(self) -> None:
        """A line is a name, one exact version and at most a marker; no address."""
        line = re.compile(r"[a-z0-9.-]+==[a-z0-9.]+( ; [^:]+)?")
        lines = text("requirements-dev.lock").splitlines()
        assert [entry for entry in lines if not line.fullmatch(entry)] == []

    def test_it_holds_everything_that_is_asked_for(
        self, pyproject: dict[str, Any]
    ) -> None:
        """Each requirement is pinned to a version that it allows; else: make lock."""
        pinned = self.pinned()
        lacking: list[str] = []
        for item in self.asked(pyproject):
            pin = pinned.get(canonicalize_name(item.name))
            version = None if pin is None else next(iter(pin.specifier)).version
            if version is None or not item.specifier.contains(version):
                lacking.append(f"{item} is pinned to {version}")
        assert lacking == []


class TestCommands:
    """The commands that people and machines type."""

    def test_the_readme_names_existing_targets(self) -> None:
        """Each ``make`` command in README, CONTRIBUTING and docs exists."""
        pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
        pages += (ROOT / "docs").rglob("*.md")
        named: set[str] = set()
        for page in pages:
            words = page.read_text(encoding="utf-8")
            named |= set(re.findall(r"(?:^|`)make ([a-z-]+)", words, re.MULTILINE))
        assert {"demo", "test"} <= named
        assert named <= targets()

    def test_ci_runs_the_command_of_the_readme(self) -> None:
        """CI calls ``make test`` and ``make check``, and nothing of its own instead."""
        script = text(".ci/run")
        assert re.search(r"\bmake test\b", script)
        assert re.search(r"^make check$", script, re.MULTILINE)
        assert "pytest" not in script

    def test_ci_allows_no_skip(self) -> None:
        """CI switches on the mode in which a skipped test fails."""
        assert "RIGBRIDGE_NO_SKIP=1 make test" in text(".ci/run")

    def test_hooks_come_from_no_other_place(self) -> None:
        """Every pre-commit hook is local and runs from the project's environment."""
        config = text(".pre-commit-config.yaml")
        assert re.findall(r"repo: (.+)", config) == ["local"]
        assert set(re.findall(r"language: (.+)", config)) == {"system"}
        entries = re.findall(r"entry: (.+)", config)
        assert entries
        assert all(entry.startswith(".venv/bin/") for entry in entries)


class TestSources:
    """What stands in the files that git keeps."""

    def test_no_file_names_a_folder_of_one_machine(self) -> None:
        """No kept file names the folder in which this checkout happens to stand."""
        command = ["git", "grep", "--fixed-strings", "-l", f"{ROOT}/"]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.stdout == ""

    def test_no_file_holds_the_marks_of_a_merge(self) -> None:
        """No kept file holds what git writes where two changes meet."""
        command = ["git", "grep", "-l", "-I", "-E", "^(<{7}|[|]{7}|>{7})( |$)"]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert (done.stdout, done.stderr) == ("", "")

    def test_each_test_says_what_it_holds_true(self) -> None:
        """Each test function and each test class has a docstring."""
        silent = [
            f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
            for path in sorted((ROOT / "tests").rglob("*.py"))
            for node in ast.walk(ast.parse(path.read_bytes()))
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            and node.name.lower().startswith("test")
            and not ast.get_docstring(node)
        ]
        assert silent == []

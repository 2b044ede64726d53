"""What a user installs: the names in the wheel, its data and its entry points."""

from __future__ import annotations

import zipfile
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TOP_LEVEL = {
    "rigbridge",
    "rigbridge_csv",
    "rigbridge_junit",
    "rigbridge_openhtf",
    "rigbridge_pytest",
    "rigbridge_runs",
    "rigbridge_stdf",
    "rigbridge_store",
    "rigbridge_tdms",
    "rigbridge_teststand",
}


def content(wheel: zipfile.ZipFile) -> set[str]:
    """Name the files of a wheel without its own metadata."""
    return {name for name in wheel.namelist() if ".dist-info/" not in name}


class TestWheel:
    """The built wheel."""

    def test_it_installs_our_names(self, wheel: zipfile.ZipFile) -> None:
        """The top-level names are our packages and nothing else."""
        assert {name.partition("/")[0] for name in content(wheel)} == TOP_LEVEL

    def test_it_says_that_it_is_typed(self, wheel: zipfile.ZipFile) -> None:
        """Each package brings its marker for type checkers."""
        assert {f"{name}/py.typed" for name in TOP_LEVEL} <= content(wheel)

    def test_it_brings_the_examples(self, wheel: zipfile.ZipFile) -> None:
        """Every example report of the checkout is in the wheel."""
        folder = ROOT / "core" / "rigbridge" / "examples"
        reports = {
            f"rigbridge/examples/{path.relative_to(folder).as_posix()}"
            for path in folder.rglob("*")
            if path.is_file() and path.suffix not in (".py", ".pyc")
        }
        assert reports
        assert reports <= content(wheel)

    def test_it_brings_every_file_of_the_packages(self, wheel: zipfile.ZipFile) -> None:
        """Nothing that a package holds is left out by a packaging rule."""
        held = {
            path.relative_to(ROOT / root).as_posix()
            for root in ("core", "adapters", "plugins")
            for path in (ROOT / root).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert content(wheel) == held

    def test_it_brings_the_licence(self, wheel: zipfile.ZipFile) -> None:
        """The licence travels with the code."""
        assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())

    def test_the_source_distribution_makes_the_same_wheel(
        self, wheel: zipfile.ZipFile, wheel_of_sdist: zipfile.ZipFile
    ) -> None:
        """A wheel built from the source distribution holds the same files."""
        assert set(wheel_of_sdist.namelist()) == set(wheel.namelist())


class TestEntryPoints:
    """What pyproject.toml offers to others."""

    def entries(self, pyproject: dict[str, Any]) -> list[EntryPoint]:
        """Read every entry point that the project declares, scripts included."""
        groups: dict[str, dict[str, str]] = {
            **pyproject["project"]["entry-points"],
            "console_scripts": pyproject["project"]["scripts"],
        }
        return [
            EntryPoint(name=name, value=value, group=group)
            for group, members in groups.items()
            for name, value in members.items()
        ]

    def test_each_resolves(self, pyproject: dict[str, Any]) -> None:
        """Each declared entry point can be imported."""
        for entry in self.entries(pyproject):
            assert entry.load() is not None

    def test_adapters_have_the_name_that_they_are_offered_under(
        self, pyproject: dict[str, Any]
    ) -> None:
        """The name of an adapter class equals the name of its entry point."""
        offered = [
            entry
            for entry in self.entries(pyproject)
            if entry.group == "rigbridge.adapters"
        ]
        assert offered
        assert [entry.load().name for entry in offered] == [
            entry.name for entry in offered
        ]

    def test_each_group_is_one_that_the_code_asks_for(
        self, pyproject: dict[str, Any]
    ) -> None:
        """No plugin is offered in a group that nothing loads."""
        from rigbridge.adapters import ADAPTER_GROUP
        from rigbridge.cli.main import COMMAND_GROUP
        from rigbridge.destinations import DESTINATION_GROUP

        groups = set(pyproject["project"]["entry-points"])
        assert groups == {
            ADAPTER_GROUP,
            COMMAND_GROUP,
            DESTINATION_GROUP,
            "pytest11",
        }


@pytest.mark.parametrize("name", sorted(TOP_LEVEL))
def test_the_pinned_list_is_the_same(name: str, pyproject: dict[str, Any]) -> None:
    """The list for check-wheel-contents names the same packages."""
    assert name in pyproject["tool"]["check-wheel-contents"]["toplevel"]

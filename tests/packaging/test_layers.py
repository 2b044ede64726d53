"""Who may import whom, read from the source without running it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ADAPTERS = sorted(path.parent.name for path in ROOT.glob("adapters/*/__init__.py"))
PLUGINS = sorted(path.parent.name for path in ROOT.glob("plugins/*/__init__.py"))

# What an adapter may import beside rigbridge and the standard library: what the base
# install brings for reading and for data, and the library of its vendor.
SHARED = {
    "attr",
    "attrs",
    "cattrs",
    "charset_normalizer",
    "lxml",
    "msgspec",
    "platformdirs",
}
VENDOR = {
    "rigbridge_tdms": {"nptdms"},
    # Its fixture for those who test their test scripts is a plugin of pytest.
    "rigbridge_openhtf": {"openhtf", "pytest"},
    # The library that reads workbooks, and that of the command line for its commands.
    "rigbridge_csv": {"openpyxl", "typer"},
}


def imports(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield place and top-level name of everything that a folder imports."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path} has a relative import"
                names = [node.module or ""]
            for name in names:
                where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
                yield where, name.partition(".")[0]


def strangers(folder: Path, allowed: set[str]) -> list[str]:
    """List what a folder imports beside the standard library and the allowed."""
    known = allowed | set(sys.stdlib_module_names)
    return [f"{where}: {name}" for where, name in imports(folder) if name not in known]


class TestLayers:
    """Imports point inwards: plugins and adapters know the core, never the reverse."""

    def test_the_core_knows_no_other_package_of_ours(self) -> None:
        """Nothing in core imports a package named rigbridge_*."""
        found = [
            f"{where}: {name}"
            for where, name in imports(ROOT / "core")
            if name.startswith("rigbridge_")
        ]
        assert found == []

    @pytest.mark.parametrize("name", ADAPTERS)
    def test_an_adapter_knows_the_core_and_its_vendor(self, name: str) -> None:
        """An adapter imports rigbridge, itself, its vendor's library and readers."""
        allowed = {"rigbridge", name} | SHARED | VENDOR.get(name, set())
        assert strangers(ROOT / "adapters" / name, allowed) == []

    @pytest.mark.parametrize("name", PLUGINS)
    def test_a_plugin_knows_no_other_part_of_ours(self, name: str) -> None:
        """A plugin imports no package of ours but rigbridge and itself."""
        found = [
            f"{where}: {other}"
            for where, other in imports(ROOT / "plugins" / name)
            if other.startswith("rigbridge_") and other != name
        ]
        assert found == []

    def test_every_package_is_looked_at(self) -> None:
        """The lists above are not empty, so the rules do apply to something."""
        assert ADAPTERS
        assert PLUGINS

"""Public names: what ``__all__`` says is what there is, and all of it is explained."""

from __future__ import annotations

import ast
import importlib
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("core", "adapters", "plugins")
MODULES = sorted(path for root in SOURCES for path in (ROOT / root).rglob("*.py"))
PACKAGES = sorted(
    ".".join(path.parent.relative_to(ROOT).parts[1:])
    for path in MODULES
    if path.name == "__init__.py"
)

# What a package may import without offering it: a package behind an extra raises the
# error while it is imported.
GUARDS = {
    "AdapterUnavailableError",
    "TYPE_CHECKING",
    "annotations",
    "deferred_names",
}


def short(path: Path) -> str:
    """Name a module for a test's id."""
    return str(path.relative_to(ROOT))


def declared(tree: ast.Module) -> list[str]:
    """Read ``__all__`` of a module; empty if it has none."""
    for node in tree.body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id == "__all__"
        ):
            return list(ast.literal_eval(node.value))
    return []


def definitions(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    """Yield each name that a module defines, and whether words explain it."""
    for index, node in enumerate(tree.body):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, bool(ast.get_docstring(node))
            continue
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        after = tree.body[index + 1] if index + 1 < len(tree.body) else None
        explained = (
            isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
            and isinstance(after.value.value, str)
        )
        for target in targets:
            # Typer applications, tables and type aliases explain themselves.
            if isinstance(target, ast.Name) and target.id.isupper():
                yield target.id, explained


class TestPackages:
    """The public surface of each package."""

    @pytest.mark.parametrize("name", PACKAGES)
    def test_all_is_what_is_visible(self, name: str) -> None:
        """``__all__`` is sorted as ruff sorts it and equals the visible names."""
        package = importlib.import_module(name)
        # Lazy names become visible once they were asked for.
        for offered in getattr(package, "__all__", ()):
            getattr(package, offered)
        visible = {
            attribute
            for attribute in dir(package)
            if not attribute.startswith("_")
            and not isinstance(getattr(package, attribute), types.ModuleType)
            and attribute not in GUARDS
        }
        listed = set(getattr(package, "__all__", ())) - {"__version__"}
        assert listed == visible


@pytest.mark.parametrize("path", MODULES, ids=short)
class TestModules:
    """What holds for every module."""

    def test_it_is_explained(self, path: Path) -> None:
        """The module and each of its public names have words that explain them."""
        tree = ast.parse(path.read_bytes())
        assert ast.get_docstring(tree)
        public = set(declared(tree)) - {"__version__"}
        silent = [
            name
            for name, explained in definitions(tree)
            if name in public and not explained
        ]
        assert silent == []

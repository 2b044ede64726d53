"""
The rules that keep the house in order, read from the source without running it.

Each rule is a function that takes modules and gives what is wrong with them, so that
the tests at the end can also show that it finds what it forbids.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("core", "adapters", "plugins")

# Floors, bottom up. A module may import from its own folder and from floors below,
# never from another folder on its own floor.
FLOORS = {
    "rigbridge": (
        ("errors", "examples"),
        ("machine",),
        ("model",),
        ("wire",),
        ("adapters",),
        ("destinations",),
        ("convert",),
        ("kept",),
        ("client", "outbox", "configuration", "ledger"),
        ("opening", "sources"),
        ("hosting", "imports", "export"),
        ("watching",),
        ("agent", "interface", "session"),
        ("testing",),
        ("cli",),
        # Its lazy names reach everywhere; inside, only its version may be asked for.
        ("__init__", "__main__"),
    ),
    "rigbridge_store": (
        ("refusals", "results"),
        ("fields",),
        ("tables",),
        ("access",),
        ("files",),
        ("intake",),
        ("reading",),
        ("opened_store", "upkeep", "administration"),
        ("store",),
        ("preparer",),
        ("submission",),
        ("pages",),
        ("server",),
        ("destination",),
        ("__init__",),
    ),
}

# The same for the folders of an adapter; its single modules may stand between them.
FOLDERS = {
    "rigbridge_csv": (
        ("text",),
        ("profiles",),
        ("tables",),
        ("forms",),
        ("learning",),
    ),
    "rigbridge_openhtf": (("translation",), ("documents",), ("live",)),
    "rigbridge_stdf": (("records",), ("parts",)),
    "rigbridge_teststand": (("xml",), ("native", "atml")),
}

MOST_MODULES = 16
LONGEST = 520
SHORTEST = 40
MOST_ANY = 640
MOST_RELAXED = 2

# Modules under 40 lines that hold a concept of their own, each with the reason.
SHORT = {
    "rigbridge.machine.loopback": "addresses are neither folders nor threads",
    "rigbridge.testing.plugin": "pytest loads it by its entry point",
    "rigbridge_store.tables.migrations.env": "Alembic loads it by its name",
    "rigbridge_store.tables.migrations.versions.v0001_first_tables": "one version",
}

# Words that say nothing about what a module or a class holds, and words and names of
# which nobody guesses what they give.
VAGUE = {"common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}
RIDDLES = {"asking", "beside", "choosing", "further", "growing", "quick", "said"}
RIDDLE_PHRASES = ("has_learnt", "left_out", "take_slot", "way_to")
RIDDLE_NAMES = {"lines"}

NODE_KEYS = {"~", "="}
OVERLAY = "rigbridge.convert.overlay"

NO_SQL = ("rigbridge_store.server", "rigbridge_store.pages")
SCHEMA = "rigbridge_store.tables.schema"


@dataclass(frozen=True)
class Use:
    """One import, or one use of a name of an imported module."""

    line: int
    module: str
    name: str | None


@dataclass(eq=False)
class Module:
    """One module as its source has it."""

    name: str
    place: str
    source: str
    is_package: bool = False

    @cached_property
    def tree(self) -> ast.Module:
        """What it says."""
        return ast.parse(self.source)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All that its tree is made of."""
        return list(ast.walk(self.tree))

    @property
    def own(self) -> str:
        """The last part of its name."""
        return self.name.rpartition(".")[2]

    @property
    def folder(self) -> str:
        """The package that it stands in; a package stands in itself."""
        return self.name if self.is_package else self.name.rpartition(".")[0]

    @property
    def length(self) -> int:
        """How many lines it has."""
        return len(self.source.splitlines())

    @cached_property
    def offered(self) -> set[str] | None:
        """What ``__all__`` lists; None if there is none."""
        for node in self.tree.body:
            targets = (
                node.targets
                if isinstance(node, ast.Assign)
                else [node.target]
                if isinstance(node, ast.AnnAssign)
                else []
            )
            for target in targets:
                if isinstance(target, ast.Name) and target.id == "__all__":
                    assert isinstance(node, (ast.Assign, ast.AnnAssign))
                    assert node.value is not None
                    return set(ast.literal_eval(node.value))
        return None


Found = Iterator[str]
Rule = Callable[[dict[str, Module]], Found]


def read_modules() -> dict[str, Module]:
    """Read every module of the distribution, by its dotted name."""
    modules: dict[str, Module] = {}
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            is_package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if is_package else parts)
            place = path.relative_to(ROOT).as_posix()
            source = path.read_text(encoding="utf-8")
            modules[name] = Module(name, place, source, is_package)
    return modules


def uses(module: Module, modules: dict[str, Module]) -> Iterator[Use]:
    """
    Yield what a module imports of ours, wherever in the module.

    Imports inside functions count: they only hide a circle. So do those for type
    checkers: who needs the type of something above it has its own place wrong.
    """
    aliases: dict[str, str] = {}
    for node in module.nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name in modules:
                    yield Use(node.lineno, alias.name, None)
                    aliases[alias.asname or alias.name] = alias.name
        elif isinstance(node, ast.ImportFrom) and node.module in modules:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                if inner in modules:
                    yield Use(node.lineno, inner, None)
                    aliases[alias.asname or alias.name] = inner
                else:
                    yield Use(node.lineno, node.module, alias.name)
    for line, owner, name in _attributes(module, aliases):
        if f"{owner}.{name}" not in modules:
            yield Use(line, owner, name)


def _attributes(
    module: Module, aliases: dict[str, str]
) -> Iterator[tuple[int, str, str]]:
    # A name that is also bound in another way may not be the module where it is used.
    bound = {
        node.arg if isinstance(node, ast.arg) else node.id
        for node in module.nodes
        if isinstance(node, ast.arg)
        or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    }
    starts = {alias.partition(".")[0] for alias in aliases} - bound
    for node in module.nodes:
        if isinstance(node, ast.Attribute):
            parts: list[str] = []
            value: ast.expr = node.value
            while isinstance(value, ast.Attribute):
                parts.insert(0, value.attr)
                value = value.value
            if isinstance(value, ast.Name) and value.id in starts:
                owner = ".".join([value.id, *parts])
                if owner in aliases:
                    yield node.lineno, aliases[owner], node.attr


def is_version(use: Use) -> bool:
    """Tell whether a use asks the top of the core for no more than its version."""
    return use.module == "rigbridge" and use.name in {None, "__version__"}


def floor_of(module: Module) -> tuple[str, str, int] | None:
    """Give the package, the folder and the floor of a module; None if it has none."""
    package, _, rest = module.name.partition(".")
    first = rest.partition(".")[0] or "__init__"
    for number, names in enumerate(FLOORS.get(package, FOLDERS.get(package, ()))):
        if first in names:
            return package, first, number
    return None


def floors(modules: dict[str, Module]) -> Found:
    """Imports go down only; on one floor they stay in one folder."""
    for module in modules.values():
        here = floor_of(module)
        package = module.name.partition(".")[0]
        if here is None:
            if package in FLOORS or (module.is_package and "." in module.name):
                yield f"{module.place}: give it a floor in {__name__}"
            continue
        for use in uses(module, modules):
            there = floor_of(modules[use.module])
            if there is None or there[0] != package or is_version(use):
                continue
            if there[2] > here[2] or (there[2] == here[2] and there[1] != here[1]):
                where = "above" if there[2] > here[2] else "beside"
                yield (
                    f"{module.place}:{use.line}: imports {use.module}, whose floor"
                    f" is {where} its own; move what both need below, or this up"
                )


def circles(modules: dict[str, Module]) -> Found:
    """No modules, and no folders beside each other, import each other in a circle."""
    graph = {
        name: {
            use.module
            for use in uses(module, modules)
            if use.module != name and not is_version(use)
        }
        for name, module in modules.items()
    }
    for circle in _circles(graph):
        yield _told(circle, graph)
    for package, module in modules.items():
        if not module.is_package:
            continue
        beside: dict[str, set[str]] = defaultdict(set)
        for name, targets in graph.items():
            if (member := _member(name, package)) is not None:
                others = {_member(target, package) for target in targets}
                beside[member] |= {name for name in others if name} - {member}
        for circle in _circles(beside):
            # One between modules alone has been told above.
            if any(modules[name].is_package for name in circle):
                yield _told(circle, beside)


def _member(name: str, package: str) -> str | None:
    # What stands directly in a package and holds the module of this name.
    if not name.startswith(f"{package}."):
        return None
    first = name.removeprefix(f"{package}.").partition(".")[0]
    return f"{package}.{first}"


def _circles(graph: dict[str, set[str]]) -> list[list[str]]:
    # Two names are in one circle when each reaches the other.
    reached: dict[str, set[str]] = {}
    for start in graph:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            for target in graph.get(waiting.pop(), ()):
                if target not in seen:
                    seen.add(target)
                    waiting.append(target)
        reached[start] = seen
    groups = {
        tuple(
            sorted(
                other
                for other in seen
                if other == start or start in reached.get(other, ())
            )
        )
        for start, seen in reached.items()
        if start in seen
    }
    return [list(group) for group in sorted(groups)]


def _told(circle: list[str], graph: dict[str, set[str]]) -> str:
    arrows = [
        f"{name} -> {target}"
        for name in circle
        for target in sorted(graph[name] & set(circle))
    ]
    return f"a circle of {len(circle)}: {', '.join(arrows)}"


def sql_behind_the_service(modules: dict[str, Module]) -> Found:
    """No SQLAlchemy and no schema in the HTTP server and the pages."""
    for module in modules.values():
        if not module.name.startswith(NO_SQL):
            continue
        for node in module.nodes:
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            for name in names:
                if name.partition(".")[0] in {"alembic", "sqlalchemy"} or (
                    f"{name}.".startswith(f"{SCHEMA}.")
                ):
                    line = getattr(node, "lineno", 0)
                    yield (
                        f"{module.place}:{line}: imports {name}; statements belong"
                        " in reading/ or intake/"
                    )


def offered_names(modules: dict[str, Module]) -> Found:
    """A module imports of another only what that one lists in ``__all__``."""
    for module in modules.values():
        for use in uses(module, modules):
            if use.name is None or use.module == module.name:
                continue
            if use.name.startswith("__") and use.name.endswith("__"):
                continue
            if use.name not in (modules[use.module].offered or ()):
                yield (
                    f"{module.place}:{use.line}: takes {use.name} of {use.module},"
                    " which does not list it in __all__"
                )


def declares_what_it_offers(modules: dict[str, Module]) -> Found:
    """Every module has ``__all__``."""
    for module in modules.values():
        if module.offered is None:
            yield f"{module.place}: has no __all__"


def overlay_spelling(modules: dict[str, Module]) -> Found:
    """The keys of an overlay's nodes are spelled in one module."""
    for module in modules.values():
        if module.name == OVERLAY:
            continue
        for node in module.nodes:
            if any(_text(key) in NODE_KEYS for key in _keys(node)):
                line = getattr(node, "lineno", 0)
                yield (
                    f"{module.place}:{line}: spells a node of an overlay; use what"
                    f" {OVERLAY} offers"
                )


def _keys(node: ast.AST) -> list[ast.expr | None]:
    # What looks like a key of an object at this place.
    match node:
        case ast.Dict():
            return node.keys
        case ast.Subscript():
            return [node.slice]
        case ast.Call(func=ast.Attribute(attr="get" | "pop" | "setdefault")):
            return [*node.args[:1]]
        case ast.Compare(ops=[ast.In() | ast.NotIn()]):
            return [node.left]
        case ast.Tuple() | ast.List() | ast.Set():
            # A path of keys; "=" in a collection is an operator as a rule.
            return [each for each in node.elts if _text(each) == "~"]
        case _:
            return []


def _text(node: ast.expr | None) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def class_names(modules: dict[str, Module]) -> Found:
    """A class name occurs once in the distribution."""
    places: dict[str, list[str]] = defaultdict(list)
    for module in modules.values():
        for node in module.nodes:
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{module.place}:{node.lineno}")
    for name, where in sorted(places.items()):
        if len(where) > 1:
            yield f"class {name} occurs {len(where)} times: {', '.join(where)}"


def sizes(modules: dict[str, Module]) -> Found:
    """Folders and modules are neither too large nor too small."""
    folders: dict[str, int] = defaultdict(int)
    for module in modules.values():
        if not module.is_package:
            folders[module.folder] += 1
        if module.length > LONGEST:
            yield f"{module.place}: {module.length} lines; split it"
        if (
            module.length < SHORTEST
            and not module.is_package
            and module.own != "__main__"
            and module.name not in SHORT
        ):
            yield (
                f"{module.place}: only {module.length} lines; merge it with a sibling"
            )
    for folder, count in sorted(folders.items()):
        if count > MOST_MODULES:
            yield f"{folder}: {count} modules beside each other; group them"


def plain_names(modules: dict[str, Module]) -> Found:
    """Modules, classes and functions have names that say what they are."""
    for module in modules.values():
        if _is_riddle(module.own) or _is_vague(module.own):
            yield f"{module.place}: {module.own!r} does not say what is in"
        for node in module.nodes:
            if (
                isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
                and _is_riddle(node.name)
            ) or (isinstance(node, ast.ClassDef) and _is_vague(node.name)):
                yield (
                    f"{module.place}:{node.lineno}: {node.name!r} cannot be"
                    " guessed; name what it gives or does"
                )


def _is_riddle(name: str) -> bool:
    return (
        name in RIDDLE_NAMES
        or any(phrase in name for phrase in RIDDLE_PHRASES)
        or bool(RIDDLES & _words(name))
    )


def _is_vague(name: str) -> bool:
    return bool(VAGUE & _words(name))


def _words(name: str) -> set[str]:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return set(spaced.lower().split("_"))


RULES: tuple[Rule, ...] = (
    floors,
    circles,
    sql_behind_the_service,
    offered_names,
    declares_what_it_offers,
    overlay_spelling,
    class_names,
    sizes,
    plain_names,
)

MODULES = read_modules()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_rule_is_kept(rule: Rule) -> None:
    """No module of the distribution breaks a rule."""
    assert list(rule(MODULES)) == []


def test_any_is_rare() -> None:
    """``Any`` is used where nothing better can be said, so it stays rare."""
    count = sum(
        token.type == tokenize.NAME and token.string == "Any"
        for module in MODULES.values()
        for token in tokenize.generate_tokens(io.StringIO(module.source).readline)
    )
    assert count <= MOST_ANY, "write JSONValue, object, a type variable or a class"


def test_pyright_is_strict(pyproject: dict[str, Any]) -> None:
    """Of the strict rules of pyright at most one is relaxed."""
    settings = pyproject["tool"]["pyright"]
    assert settings["typeCheckingMode"] == "strict"
    relaxed = [
        name
        for name, value in settings.items()
        if name.startswith("report") and value in {False, "none"}
    ]
    assert len(relaxed) < MOST_RELAXED


def test_each_short_module_is_short() -> None:
    """Those listed as short exist and are."""
    assert [name for name in SHORT if MODULES[name].length >= SHORTEST] == []


def made(**sources: str) -> dict[str, Module]:
    """Make modules; a double underscore is the dot of a name."""
    modules: dict[str, Module] = {}
    for key, source in sources.items():
        name = key.replace("__", ".")
        is_package = any(other.startswith(f"{key}__") for other in sources)
        modules[name] = Module(name, f"{name}.py", source, is_package)
    return modules


BROKEN: list[tuple[Rule, dict[str, Module]]] = [
    (floors, made(rigbridge__brand_new="")),
    (floors, made(rigbridge__model="import rigbridge.wire", rigbridge__wire="")),
    (floors, made(rigbridge__client="import rigbridge.outbox", rigbridge__outbox="")),
    (
        floors,
        made(
            rigbridge_store__tables="def f():\n    from rigbridge_store import store",
            rigbridge_store__store="",
            rigbridge_store="",
        ),
    ),
    (circles, made(a__x="from a import y", a__y="import a.x", a="")),
    (
        circles,
        made(
            a="",
            a__x="",
            a__x__one="import a.y",
            a__x__two="",
            a__y="from a.x import two",
        ),
    ),
    (sql_behind_the_service, made(rigbridge_store__pages__x="import sqlalchemy as sa")),
    (
        sql_behind_the_service,
        made(rigbridge_store__server__x=f"from {SCHEMA} import runs"),
    ),
    (
        sql_behind_the_service,
        made(rigbridge_store__server__x="from rigbridge_store.tables import schema"),
    ),
    (offered_names, made(a="x = 1", b="from a import x")),
    (offered_names, made(a="__all__ = []", b="import a\na.x()")),
    (declares_what_it_offers, made(a="x = 1")),
    (overlay_spelling, made(a="node = {'~': {}}")),
    (overlay_spelling, made(a="node['=']")),
    (overlay_spelling, made(a="node.get('~')")),
    (overlay_spelling, made(a="for step in ('~', 'metadata'): pass")),
    (class_names, made(a="class _X: ...", b="class _X: ...")),
    (sizes, made(a="\n" * 601)),
    (sizes, made(a="pass")),
    (sizes, made(a="", **{f"a__m{index}": "\n" * 50 for index in range(17)})),
    (plain_names, made(a__utils="")),
    (plain_names, made(a="def way_to_store(): ...")),
    (plain_names, made(a="class RunManager: ...")),
    (plain_names, made(a="class FurtherValues: ...")),
]


@pytest.mark.parametrize(
    ("rule", "modules"),
    BROKEN,
    ids=[f"{rule.__name__}-{index}" for index, (rule, _) in enumerate(BROKEN)],
)
def test_the_rule_finds_what_it_forbids(rule: Rule, modules: dict[str, Module]) -> None:
    """Each rule finds its violation in a module made for it."""
    assert list(rule(modules))


GOOD: Iterable[tuple[Rule, dict[str, Module]]] = [
    (floors, made(rigbridge__wire="import rigbridge.model", rigbridge__model="")),
    (circles, made(a__x="import rigbridge", rigbridge="import a.x", a="")),
    (offered_names, made(a="__all__ = ['x']", b="from a import x")),
    (offered_names, made(a="", a__x="", b="from a import x")),
    (overlay_spelling, made(a="SIGNS = {'=', '<'}\ncounts['+'] = {PUT: 1}")),
    (
        plain_names,
        made(a="def read_lines(): ...\ndef common_unit(): ...\ndef quicken(): ..."),
    ),
]


@pytest.mark.parametrize(("rule", "modules"), GOOD)
def test_the_rule_allows_the_rest(rule: Rule, modules: dict[str, Module]) -> None:
    """What only looks like a violation is none."""
    assert list(rule(modules)) == []

"""
Nothing that stands anywhere in a report goes by unnoticed.

At every place of the fixtures and of real reports something is added, which is then in
the run or in the account; at every distinct place a text is changed, and the run or the
account is another one. The places are taken from the trees; no code of the reader is
used for it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from rigbridge.adapters import Source
from rigbridge.convert.document import to_document
from rigbridge.testing import Reading, read_all
from rigbridge_teststand.atml.adapter import TestStandATMLAdapter
from rigbridge_teststand.omissions import LOOP_SUMMARY, STALE_VALUE

HERE = Path(__file__).parents[1]
FIXTURES = sorted((HERE / "both" / "fixtures").glob("atml*.xml"))
SHARED = HERE.parents[2].parent / "shared" / "samples" / "atml"
REAL = sorted(path for path in SHARED.glob("*.xml") if path.stat().st_size)
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
FOREIGN = "{urn:of-another-firm}"
# What is left out by a stated rule is counted there, and not listed.
BY_RULE = frozenset({"Configuration", "TS_Configuration", "TSBatchTable"})


def read(tree: Any) -> Reading:
    """Read a tree as a file."""
    content = etree.tostring(tree, xml_declaration=True, encoding="utf-8")
    source = Source.from_bytes(content, "a.xml")
    return read_all(TestStandATMLAdapter(), source, time_zone="UTC")


def told(tree: Any) -> str:
    """Spell all that became of a tree."""
    return spelled(read(tree))


def spelled(reading: Reading) -> str:
    """Spell a reading: its runs, its account and its failures."""
    runs = [to_document(run) for run in reading.runs]
    for run in runs:
        # The digest of the file is another one for every change.
        run.pop("id")
        run.pop("source")
    account = reading.report.as_document()
    return repr((runs, account, list(map(str, reading.failures))))


def local(element: Any) -> str:
    """Give the name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def names_of(element: Any) -> tuple[str, ...]:
    """Give the names that lead to an element, and its type."""
    around = [local(item) for item in element.iterancestors()][::-1]
    return (*around, local(element), element.get(TYPE, ""))


def places(tree: Any) -> list[Any]:
    """Give every element but those that are left out by a rule."""
    return [item for item in tree.iter("*") if BY_RULE.isdisjoint(names_of(item))]


def add_element(element: Any, mark: str) -> None:
    """Add a child of another firm's namespace."""
    added = etree.SubElement(element, f"{FOREIGN}added", key=f"a{mark}")
    added.text = f"b{mark}"


def add_known_element(element: Any, mark: str) -> None:
    """Add a child of the element's own namespace."""
    space = str(element.tag).rpartition("}")[0]
    tag = f"{space}}}Added" if space else "Added"
    etree.SubElement(element, tag).text = f"b{mark}"


def add_attribute(element: Any, mark: str) -> None:
    """Add an attribute of another firm's namespace."""
    element.set(f"{FOREIGN}added", f"a{mark}")


def add_plain_attribute(element: Any, mark: str) -> None:
    """Add an attribute without a namespace."""
    element.set("added", f"a{mark}")


def add_text(element: Any, mark: str) -> None:
    """Add a text, in front of all that is inside."""
    if not element.text or not element.text.strip():
        element.text = f"b{mark}"


def add_tail(element: Any, mark: str) -> None:
    """Add a text behind an element."""
    if element.getparent() is not None:
        element.tail = f"b{mark}"


ADDITIONS = (
    add_element,
    add_known_element,
    add_attribute,
    add_plain_attribute,
    add_text,
    add_tail,
)


def lost(path: Path, add: Callable[[Any, str], None]) -> list[tuple[str, ...]]:
    """Add something of its own at every place, and give where it is not found again."""
    tree = etree.fromstring(path.read_bytes())
    marks: dict[str, tuple[tuple[str, ...], str | None]] = {}
    for number, element in enumerate(places(tree)):
        before = etree.tostring(element)
        add(element, f"-{number}-")
        if etree.tostring(element) != before:
            marks[f"-{number}-"] = (names_of(element), step_of(element))
    assert marks
    reading = read(tree)
    found = spelled(reading)
    # Of a step whose values are left out only the names of these are listed.
    left_out = {
        entry.place.path
        for entry in reading.report.entries
        if entry.rule in (STALE_VALUE, LOOP_SUMMARY)
    }
    return sorted(
        names
        for mark, (names, step) in marks.items()
        if mark not in found and step not in left_out
    )


def step_of(element: Any) -> str | None:
    """Give the place of the step that a result stands in, as places are written."""
    around = [element, *element.iterancestors()]
    names = [local(item) for item in around]
    if "TestResult" not in names:
        return None
    step = around[names.index("TestResult") + 1]
    _, root, *parts = step.getroottree().getpath(step).split("/")
    each = (part if part.endswith("]") else f"{part}[1]" for part in parts)
    return "/".join(("", root, *each))


def unnoticed(files: list[Path]) -> list[tuple[str, tuple[str, ...]]]:
    """Change a text at each distinct place, and give those that nothing tells of."""
    seen: set[tuple[str, ...]] = set()
    found: list[tuple[str, tuple[str, ...]]] = []
    # Small files first: a place is tried where it costs least.
    for path in sorted(files, key=lambda item: item.stat().st_size):
        tree = etree.fromstring(path.read_bytes())
        before = told(tree)
        for element in places(tree):
            names = names_of(element)
            given = element.text
            if names in seen or not given or not given.strip():
                continue
            seen.add(names)
            element.text = f"{given} changed"
            if told(tree) == before:
                found.append((path.name, names))
            element.text = given
    assert seen
    return found


@pytest.fixture(params=[*FIXTURES, *REAL], ids=lambda path: path.name[-40:])
def report_file(request: pytest.FixtureRequest) -> Path:
    """Give each file in turn."""
    path: Path = request.param
    return path


class TestEveryPlace:
    """What is added or changed is in the run or in the account."""

    @pytest.mark.parametrize("add", ADDITIONS, ids=lambda add: add.__name__)
    def test_what_is_added_is_found(
        self, report_file: Path, add: Callable[[Any, str], None]
    ) -> None:
        """At every place of a report something is added, and each is found again."""
        assert lost(report_file, add) == []

    @pytest.mark.parametrize("files", [FIXTURES, REAL], ids=["fixtures", "real"])
    def test_a_changed_text_is_noticed(self, files: list[Path]) -> None:
        """At every distinct place the text is another one."""
        if not files:
            pytest.skip("the real reports are not here")
        assert unnoticed(files) == []

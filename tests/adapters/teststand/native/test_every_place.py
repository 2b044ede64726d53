"""
Nothing of a native report goes unnoticed, wherever it stands.

At every distinct place of a report something is added or changed. Then either the run
or its account must differ, unless the account says that a rule leaves the place out.
The places of one depth are changed at once, each by a mark of its own. One whose mark
is not found again, nor its place in a new entry, is changed once more, alone.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any
from uuid import UUID

import attrs
import pytest
from lxml import etree

from rigbridge.adapters import Disposition, Source
from rigbridge.testing import Reading, read_all
from rigbridge_teststand.native.adapter import TestStandXMLAdapter

FIXTURES = Path(__file__).parents[1] / "both" / "fixtures"
SAMPLES = Path(__file__).parents[5] / "shared" / "samples" / "teststand_xml"
EXAMPLES = Path(str(resources.files("rigbridge.examples")))
PARSER = etree.XMLParser(remove_comments=True, remove_pis=True)


def add_element(element: Any, mark: str) -> None:
    """Add a child that TestStand does not write."""
    etree.SubElement(element, f"Foreign{mark}").text = "odd"


def add_property(element: Any, mark: str) -> None:
    """Add a property in TestStand's own form."""
    prop = etree.SubElement(element, "Prop", Name=f"Foreign{mark}", Type="String")
    etree.SubElement(prop, "Value").text = "odd"


def add_array(element: Any, mark: str) -> None:
    """Add an array of numbers."""
    array = etree.SubElement(element, "Prop", Name=f"Foreign{mark}", Type="Array")
    array.set("ElementType", "Number")
    for index in range(2):
        etree.SubElement(array, "Value", ID=f"[{index}]").text = str(index + 7)


def add_attribute(element: Any, mark: str) -> None:
    """Add an attribute."""
    element.set("foreign", mark)


def add_metadata(element: Any, mark: str) -> None:
    """Add a metadata tree, as TestStand has it below a property."""
    described = etree.SubElement(element, "Attributes")
    add_property(etree.SubElement(described, "Prop", Name="Tree", Type="Obj"), mark)


def change_text(element: Any, mark: str) -> None:
    """Change the text, or put one where none belongs."""
    element.text = f"{mark}{(element.text or '').strip()}"


def add_tail(element: Any, mark: str) -> None:
    """Put a text behind the element."""
    if element.getparent() is not None:
        element.tail = mark


CHANGES = [
    add_element,
    add_property,
    add_array,
    add_attribute,
    add_metadata,
    change_text,
    add_tail,
]


def files() -> Iterator[Path]:
    """Give the native reports at hand; real ones may not be there."""
    found = [*FIXTURES.glob("native-*.xml"), *EXAMPLES.glob("teststand-*.xml")]
    for path in sorted([*found, *SAMPLES.glob("*.xml")]):
        if etree.parse(path, PARSER).getroot().tag in {"Reports", "Report", "TSReport"}:
            yield path


def reading_of(tree: Any) -> Reading:
    """Read a document."""
    content = etree.tostring(tree, encoding="utf-8", xml_declaration=True)
    source = Source.from_bytes(content, "report.xml")
    return read_all(TestStandXMLAdapter(), source, time_zone="Europe/Berlin")


def said_of(reading: Reading) -> object:
    """Give all that a reading says; a run's id and source follow from the bytes."""
    runs = [attrs.evolve(run, id=UUID(int=0), source=None) for run in reading.runs]
    errors = [type(error).__name__ for error in reading.failures]
    return runs, reading.report.as_document(), errors


def place_of(element: Any) -> tuple[Any, ...]:
    """Give a place by names, so that a thousand steps are one."""
    nodes = [element, *element.iterancestors()]
    return tuple((node.tag, node.get("Name"), node.get("Type")) for node in nodes)


def distinct(tree: Any) -> list[Any]:
    """Give an element of each place; three levels of calls stand for all."""
    found: dict[tuple[Any, ...], Any] = {}
    for element in tree.getroot().iter():
        found.setdefault(place_of(element), element)
    return list(found.values())


def omitted_places(reading: Reading) -> frozenset[str]:
    """Give the places that are left out as a whole."""
    return frozenset(
        entry.place.path or ""
        for entry in reading.report.entries
        if entry.disposition is Disposition.OMITTED
        and entry.item in {"template", "report options", "batch report", "comment"}
    )


def numbered(tree: Any, element: Any) -> str:
    """Spell a place as the account does."""
    _, root, *steps = tree.getpath(element).split("/")
    ends = [step if step.endswith("]") else f"{step}[1]" for step in steps]
    return "/".join(("", root, *ends))


def is_below(place: str, places: frozenset[str]) -> bool:
    """Tell whether a place is one of these or below one."""
    return any(place == above or place.startswith(f"{above}/") for above in places)


def entries_of(reading: Reading) -> set[tuple[str, str, str]]:
    """Give the entries of an account: where each is, and what it says."""
    return {
        (entry.place.path or "", entry.rule, entry.detail or "")
        for entry in reading.report.entries
    }


def changed(
    tree: Any, elements: dict[str, Any], change: Callable[[Any, str], None]
) -> Reading:
    """Read a document that is changed at some places, each by its own mark."""
    altered: Any = copy.deepcopy(tree)
    found = [altered.xpath(tree.getpath(element))[0] for element in elements.values()]
    for mark, element in zip(elements, found, strict=True):
        change(element, mark)
    return reading_of(altered)


@pytest.mark.parametrize("path", list(files()), ids=lambda path: path.name)
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_is_noticed(path: Path, change: Callable[[Any, str], None]) -> None:
    """The run or the account differs, or the account leaves the place out by a rule."""
    tree = etree.parse(path, PARSER)
    before = reading_of(tree)
    said, omitted = said_of(before), omitted_places(before)
    entries = entries_of(before)
    levels: dict[int, dict[str, Any]] = {}
    for number, element in enumerate(distinct(tree)):
        if element.getparent() is None and change is add_tail:
            continue
        if not is_below(numbered(tree, element), omitted):
            level = levels.setdefault(len(list(element.iterancestors())), {})
            level[f"mark-{number}-"] = element
    unnoticed: list[str] = []
    for level in levels.values():
        reading = changed(tree, level, change)
        seen = repr(said_of(reading))
        new = {path for path, _, _ in entries_of(reading) - entries}
        for mark, element in level.items():
            place = numbered(tree, element)
            # No other place of this depth is below it.
            if mark in seen or any(is_below(path, frozenset({place})) for path in new):
                continue
            if said_of(changed(tree, {mark: element}, change)) == said:
                unnoticed.append(place)
    assert levels
    assert not unnoticed

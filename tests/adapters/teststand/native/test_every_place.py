"""
Nothing of a native report goes unnoticed, wherever it stands.

At every distinct place of a report something is added or changed. Then either the run
or its account must differ, unless the account says that a rule leaves the place out.
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


def add_element(element: Any) -> None:
    """Add a child that TestStand does not write."""
    etree.SubElement(element, "Foreign").text = "odd"


def add_property(element: Any) -> None:
    """Add a property in TestStand's own form."""
    prop = etree.SubElement(element, "Prop", Name="Foreign", Type="String")
    etree.SubElement(prop, "Value").text = "odd"


def add_array(element: Any) -> None:
    """Add an array of numbers."""
    array = etree.SubElement(element, "Prop", Name="Foreign", Type="Array")
    array.set("ElementType", "Number")
    for index in range(2):
        etree.SubElement(array, "Value", ID=f"[{index}]").text = str(index + 7)


def add_attribute(element: Any) -> None:
    """Add an attribute."""
    element.set("foreign", "odd")


def add_metadata(element: Any) -> None:
    """Add a metadata tree, as TestStand has it below a property."""
    described = etree.SubElement(element, "Attributes")
    add_property(etree.SubElement(described, "Prop", Name="Tree", Type="Obj"))


def change_text(element: Any) -> None:
    """Change the text, or put one where none belongs."""
    element.text = "odd" if element.text is None else f"odd{element.text.strip()}"


def add_tail(element: Any) -> None:
    """Put a text behind the element."""
    element.tail = "odd"


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


@pytest.mark.parametrize("path", list(files()), ids=lambda path: path.name)
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_is_noticed(path: Path, change: Callable[[Any], None]) -> None:
    """The run or the account differs, or the account leaves the place out by a rule."""
    tree = etree.parse(path, PARSER)
    before = reading_of(tree)
    said, omitted = said_of(before), omitted_places(before)
    unnoticed: list[str] = []
    for element in distinct(tree):
        place = numbered(tree, element)
        if element.getparent() is None and change is add_tail:
            continue
        altered: Any = copy.deepcopy(tree)
        change(altered.xpath(tree.getpath(element))[0])
        if said_of(reading_of(altered)) == said and not is_below(place, omitted):
            unnoticed.append(place)
    assert not unnoticed

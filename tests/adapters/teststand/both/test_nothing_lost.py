"""
Every value that stands in a report is in the run, or the account says where it went.

The values are taken from the whole tree; no code of the readers is used for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree

from rigbridge.convert import to_document
from rigbridge.testing import Reading

# Attributes that say how XML or TestStand holds a value, and not what was measured.
STRUCTURE = frozenset(
    {"type", "schemaLocation", "flags", "source", "severity", "operator", "isEscaped"}
    | {"dimensions", "lowerBounds", "upperBounds", "position"}
)
# What is read into something else: limits, times, the parts of a name.
ATML_READ = (
    ("comparator", re.compile(".*")),
    ("name", re.compile(r".*\.seq#\w+|Error (Message|Code)|ReportText|.*\.Attributes")),
    ("type", re.compile("Part")),
    ("startDateTime", re.compile(".*")),
    ("endDateTime", re.compile(".*")),
    ("ID", re.compile(r"Error (Message|Code)|tr-[\w-]+|ID_[\w-]+|Main/.*\.Sequence")),
)
NATIVE_READ = frozenset(
    {"StartTime", "TotalTime", "Comp", "dt", "t0", "PlotName"}
    | {"Hours", "Minutes", "Seconds", "Milliseconds"}
    | {"Year", "Month", "MonthDay", "WeekDay", "Text", "ShortText"}
)


def numbered(path: str) -> str:
    """Number each step of a path below the root, as places are."""
    first, root, *steps = path.split("/")
    each = (step if step.endswith("]") else f"{step}[1]" for step in steps)
    return "/".join((first, root, *each))


def flat(value: Any) -> Iterator[str | float]:
    """Give every key, text and number of a document."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from flat(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from flat(inner)
    elif isinstance(value, bool):
        yield str(value).lower()
    elif isinstance(value, (int, float)):
        yield float(value)
    elif value is not None:
        yield " ".join(str(value).split())


def atml_values(tree: Any) -> Iterator[tuple[Any, str]]:
    """Give the values of ATML: attributes and texts."""
    for element in tree.iter("*"):
        for key, value in element.attrib.items():
            name = key.rpartition("}")[2]
            taken = any(
                name == read and pattern.fullmatch(value) for read, pattern in ATML_READ
            )
            # That of a value stands in a namespace of its own.
            if not taken and (name not in STRUCTURE or key == "type"):
                yield element, value
        yield element, element.text or ""


def native_values(tree: Any) -> Iterator[tuple[Any, str]]:
    """Give the values of a native report: texts of data, and names of data."""
    for element in tree.xpath("//Value[not(ancestor::ArrayElementPrototype)]"):
        owner = element.getparent().get("Name")
        above = element.getparent().getparent().get("Name")
        if owner in NATIVE_READ or (owner == "StepName" and above == "TS"):
            continue
        yield element, element.text or ""
    for element in tree.iter("Comment", "ErrorText"):
        yield element, element.text or ""
    for element in tree.iter("ReportInfo"):
        yield element, element.get("value")


def is_found(value: str, have: set[str | float], text: str) -> bool:
    """Look a value up among those of a run."""
    shown = " ".join(value.replace("\\r\n", "\n").split())
    if not shown or shown in have or shown.lower() in have or shown in text:
        return True
    # A boolean that is compared with stands in a validator.
    if shown in ("true", "false") and f"== {shown.capitalize()}" in text:
        return True
    try:
        return float(shown) in have or float(int(shown, 0)) in have
    except ValueError:
        return False


class TestValues:
    """Values of the file against values of the runs."""

    def test_every_value_is_there(self, report_file: Path, reading: Reading) -> None:
        """What is in no run has its place among the coerced and dropped."""
        tree = etree.fromstring(report_file.read_bytes())
        paths = tree.getroottree()
        places = [entry.place.path for entry in reading.report.entries]
        have = {item for run in reading.runs for item in flat(to_document(run))}
        text = "\n".join(item for item in have if isinstance(item, str))
        is_atml = "TestResults" in str(tree.tag)
        missing = [
            (numbered(paths.getpath(element)), value)
            for element, value in (atml_values if is_atml else native_values)(tree)
            if not is_found(value, have, text)
        ]
        lost = [
            (path, value)
            for path, value in missing
            if not any(
                place is not None and (path == place or path.startswith(f"{place}/"))
                for place in places
            )
        ]
        assert lost == []

    def test_the_check_itself_sees_a_loss(
        self, report_file: Path, reading: Reading
    ) -> None:
        """A run without its phases lacks values of the file."""
        tree = etree.fromstring(report_file.read_bytes())
        documents = [{**to_document(run), "phases": []} for run in reading.runs]
        have = {item for document in documents for item in flat(document)}
        text = "\n".join(item for item in have if isinstance(item, str))
        values = (
            atml_values(tree) if "TestResults" in str(tree.tag) else native_values(tree)
        )
        assert any(not is_found(value, have, text) for _, value in values)

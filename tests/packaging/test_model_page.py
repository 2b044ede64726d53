"""docs/reference/model.md has every class, field and word of the model."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path

import attrs
import pytest

import rigbridge.model

PAGE = Path(__file__).parents[2] / "docs/reference/model.md"
SECTIONS = dict(
    re.findall(
        r"^## `(\w+)`\n(.*?)(?=^## |\Z)",
        PAGE.read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
)
MODEL = {name: getattr(rigbridge.model, name) for name in rigbridge.model.__all__}
WORDS: dict[str, type[Enum]] = {
    name: kind
    for name, kind in MODEL.items()
    if isinstance(kind, type) and issubclass(kind, Enum)
}
CLASSES = {
    name: kind
    for name, kind in MODEL.items()
    if isinstance(kind, type)
    and attrs.has(kind)
    and not name.endswith(("File", "Opener"))
}


def rows(name: str) -> list[str]:
    """Give what stands first in the rows of a section."""
    return re.findall(r"^\| `(\w+)` \|", SECTIONS[name], re.MULTILINE)


def test_every_class_has_a_section() -> None:
    """Classes and words, and nothing that is not there any more."""
    assert set(SECTIONS) == set(WORDS) | set(CLASSES)


@pytest.mark.parametrize("name", WORDS)
def test_every_word_has_a_row(name: str) -> None:
    """The words of an outcome or a level, in their order."""
    assert rows(name) == [word.name for word in WORDS[name]]


@pytest.mark.parametrize("name", CLASSES)
def test_every_field_has_a_row(name: str) -> None:
    """The fields of a class, with what they are without a value."""
    fields = [field for field in attrs.fields(CLASSES[name]) if field.init]
    assert rows(name) == [field.name for field in fields]
    needed = re.findall(r"^\| `(\w+)` \| required \|", SECTIONS[name], re.MULTILINE)
    assert needed == [f.name for f in fields if f.default is attrs.NOTHING]

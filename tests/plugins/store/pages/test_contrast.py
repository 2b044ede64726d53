"""The colours of the pages, by the numbers of WCAG 2.2."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

_TEXTS = [
    ("text", "ground"),
    ("text", "card"),
    ("text", "raised"),
    ("text", "idle-soft"),
    ("muted", "ground"),
    ("muted", "card"),
    ("muted", "raised"),
    ("accent", "ground"),
    ("accent", "card"),
    ("accent", "raised"),
    ("accent", "accent-soft"),
    ("accent", "fail-soft"),
    ("on-accent", "accent"),
    ("pass", "pass-soft"),
    ("pass", "card"),
    ("fail", "fail-soft"),
    ("fail", "card"),
    ("warn", "warn-soft"),
    ("warn", "card"),
    ("idle", "idle-soft"),
]
"""What is written in which colour on which ground: 4.5 to 1 at least (AA)."""

_SHAPES = [
    ("strong-line", "card"),
    ("pass-bar", "card"),
    ("fail-bar", "card"),
    *((f"series-{number}", "card") for number in range(6)),
]
"""Frames of fields and parts of charts: 3 to 1 at least."""


def _colours(dark: bool) -> dict[str, str]:
    style = (files("rigbridge_store.pages") / "static" / "style.css").read_text("utf-8")
    found: dict[str, str] = {}
    # Blocks of the dark scheme stand within a query, hence indented.
    for indent, block in re.findall(
        r"^( *):root \{(.*?)\}", style, re.MULTILINE | re.DOTALL
    ):
        if dark or not indent:
            found |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
    return found


def _brightness(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_brightness(one), _brightness(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("pairs", "least"), [(_TEXTS, 4.5), (_SHAPES, 3.0)], ids=["texts", "shapes"]
)
def test_everything_can_be_told_from_its_ground(
    pairs: list[tuple[str, str]], least: float, *, dark: bool
) -> None:
    """Texts and shapes stand out enough for weak eyes, in both schemes."""
    colours = _colours(dark)
    weak = {
        pair: round(_contrast(colours[pair[0]], colours[pair[1]]), 2)
        for pair in pairs
        if _contrast(colours[pair[0]], colours[pair[1]]) < least
    }
    assert weak == {}

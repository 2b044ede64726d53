"""What the points of a log are taken over, what divides them, and their units."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from rigbridge_csv.forms.points import duration
from rigbridge_csv.learning.layout import LogLayout
from rigbridge_csv.learning.meaning import (
    UNNAMED,
    ColumnTexts,
    clock_of,
    is_by,
    is_counter,
    is_x,
)
from rigbridge_csv.learning.sample import is_number
from rigbridge_csv.learning.toml_draft import ProfileDraft

__all__ = ["draft_series"]

_CLOCK = re.compile(r"\D{0,4}\d+(?:[-/:dh]\s*\d|\.\d+\.)")
_UNIT_COLUMN = re.compile(r"\b(?:units?|einheit|dim|uom)\b", re.IGNORECASE)
_UNIT_KEYS = {
    "x_unit": re.compile(r"(?:x|horizontal)[ _-]*(?:axis)?[ _-]*units?", re.IGNORECASE),
    "unit": re.compile(
        r"(?:(?:y|vertical)[ _-]*(?:axis)?[ _-]*)?units?", re.IGNORECASE
    ),
}
_CYCLE = re.compile(r"\s*cyc", re.IGNORECASE)
_TAG = re.compile(
    r"(?:tag|signal|channel|variable|point|sensor|item|parameter|metric|series|source)"
    r"(?:[ _]?(?:name|id))?|name|topic|_?field|messstelle|kanal",
    re.IGNORECASE,
)


def draft_series(
    draft: ProfileDraft,
    layout: LogLayout,
    columns: Sequence[ColumnTexts],
    decimal: str,
    keys: Iterable[str],
) -> None:
    """Write what the columns are taken over, and what divides the rows."""
    if layout.header is None:
        _draft_headless(draft, keys)
        return
    columns = [column for column in columns if column.name]
    candidates = [
        column
        for column in columns
        if (is_x(column.name) or column.name == UNNAMED)
        # "12.0 V" is no x, whatever its column is called.
        # Most cells are numbers.
        and (column.numbers(decimal) > 0.9 or _CLOCK.match("".join(column.filled[:1])))
    ]
    rising = [column for column in candidates if _rises(column, decimal)]
    # A column that only counts the rows is the last choice.
    rising.sort(key=lambda column: is_counter(column.name))
    x = next(iter(rising or candidates), None)
    if x is None:
        # Further to the right it is a signal that happens to rise.
        x = next((column for column in columns[:2] if _rises(column, decimal)), None)
    series: dict[str, object] = {}
    why = "no column rises: points have no x"
    if x is not None:
        clock = _joined(columns, x.name)
        series["x"] = clock or x.name
        if clock is None and _durations(x):
            series["durations"] = True
        why = f"the others are taken over {series['x']!r}, which rises"
    units = [
        column
        for column in columns[1:]
        if _UNIT_COLUMN.search(column.name)
        and column.filled
        and not any(map(is_number, column.filled))
    ]
    if units:
        series["units"] = "|".join(re.escape(c.name).replace(r"\ ", " ") for c in units)
        why += f"; {units[0].name!r} holds the unit of the column before"
    by = _dividing([column for column in columns if column is not x])
    tag = None if x is None else _tag(columns, x)
    if tag is not None:
        series.update(by=[tag], join=True)
        why += f"; each row is a point of the signal that {tag!r} names"
    elif by:
        series["by"] = by
        why += f"; {' and '.join(by)} divide the rows into phases"
    if series:
        draft.say("series", series, why)
    if layout.sections > 1:
        draft.ask(
            "the header comes again: are these tables of one run?",
            'blocks = { begin = "^...", is = "phase" }',
        )


def _dividing(columns: Sequence[ColumnTexts]) -> list[str]:
    """Name the columns whose change begins a phase: steps, cycles."""
    found = [
        column
        for column in columns
        if is_by(column.name) and 1 <= len(set(column.filled)) <= 500  # steps
    ]
    by = [column.name for column in found if len(set(column.filled)) > 1]
    # An example of one cycle does not show that another follows.
    return [c.name for c in found if by and (c.name in by or _CYCLE.match(c.name))]


def _draft_headless(draft: ProfileDraft, keys: Iterable[str]) -> None:
    """Write what a table without names is taken over, with the units of its keys."""
    series: dict[str, object] = {"x": "x"}
    for name in keys:
        for what, words in _UNIT_KEYS.items():
            if words.fullmatch(name):
                series.setdefault(what, {"key": name})
    draft.say("series", series, "the first column is taken as x")


def _durations(column: ColumnTexts) -> bool:
    """Say whether a column is how long it took: it begins within the first minute."""
    found = [duration(text.strip()) for text in column.filled]
    return bool(found) and None not in found and (found[0] or 0.0) < 60.0  # seconds


def _joined(columns: Sequence[ColumnTexts], name: str) -> list[str] | None:
    """Give a date and its time of day, where two columns hold them."""
    for column in columns:
        clock = clock_of(columns, column.name)
        if clock is not None and name in (column.name, clock) and column.dated:
            return [column.name, clock]
    return None


def _tag(columns: Sequence[ColumnTexts], x: ColumnTexts) -> str | None:
    """Find the column of the signals' names, where several share each x."""
    for column in columns:
        names = set(column.filled)
        if (
            _TAG.fullmatch(column.name.strip())
            and column is not x
            and 1 < len(names) <= len(column.filled) / 2
            and not any(map(is_number, names))
            and len(set(x.filled)) < len(x.filled)
            and len(set(zip(x.texts, column.texts, strict=False))) == len(x.texts)
        ):
            return column.name
    return None


def _rises(column: ColumnTexts, decimal: str) -> bool:
    numbers = [
        float(text.replace(",", "."))
        for text in column.filled
        if is_number(text, decimal) and re.fullmatch(r"[-+.,\deE\s]+", text)
    ]
    return (
        len(numbers) > 1
        and len(numbers) >= len(column.filled) * 0.9
        and all(a <= b for a, b in pairwise(numbers))
        and numbers[0] < numbers[-1]
    )

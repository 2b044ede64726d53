"""What columns are called and hold: names taken apart, series, limits beside."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from rigbridge_csv.learning.layout import LogLayout
from rigbridge_csv.learning.meaning import ColumnTexts, is_by, is_counter, is_x
from rigbridge_csv.learning.sample import is_number
from rigbridge_csv.learning.toml_draft import ProfileDraft

__all__ = ["draft_names", "draft_series", "draft_wide"]

_UNIT_NAMES = re.compile(r"^\s*.+?\s*[(\[][^()\[\]]+[)\]]\s*$")
_UNIT_BEHIND = re.compile(
    r".+/[munpkMG]?(?:s|sec|Sec\.?|V|A|W|Hz|Ohm|F|H|C|K|Pa|bar|g|m|h|Ah|Wh|J|N|Nm|%|°C|W\.h|A\.h)$"
)
_CLOCK = re.compile(r"\D{0,4}\d+(?:[-/:dh]\s*\d|\.\d+\.)")
_UNIT_IN = re.compile(r".+ in [^\s\d]{1,6}")
_LIMITS_IN_BRACKETS = re.compile(r".+[\[(]\s*(?:<=?\s*)?[-+]?\d[^()\[\]]*[\])]\s*")
_LIMIT_NAMES = re.compile(r"<=? x <=?|==\s*\S+")
# How the columns that say something of another are called: what is added to its name.
_ADDED: Mapping[str, Sequence[str]] = {
    "lower": (" >", "min", "lsl", "lo", "low", "ll", "lower limit", "lower"),
    "upper": (" <", "max", "usl", "hi", "high", "ul", "upper limit", "upper"),
    "equal": (" =", " ==", "expected"),
    "unit": ("unit", "units"),
    "outcome": ("result", "status", "p/f", "pass/fail", "pass"),
}


def draft_names(draft: ProfileDraft, columns: Sequence[ColumnTexts], form: str) -> None:
    """Write how names are taken apart that hold units or limits."""
    if form == "long":
        return
    names = [column.name for column in columns]
    named = [column.name for column in columns if _UNIT_NAMES.match(column.name)]
    limited = [column.name for column in columns if _LIMIT_NAMES.search(column.name)]
    if len(limited) > 1:
        draft.say(
            "names",
            r"^(?P<name>.+?)(?: \((?P<unit>[^)]*)\))?\s+(?:(?P<lower>\S+) <= x <= "
            r"(?P<upper>\S+)|(?P<comparator>==) (?P<equal>\S+))(?: \[\d+\])?$",
            f"{limited[0]!r} holds unit and limits",
        )
    elif any(_LIMITS_IN_BRACKETS.fullmatch(name) for name in names):
        draft.say(
            "names",
            r"^(?P<name>.+?)\s*[\[(](?:(?:(?P<lower>[-+.\d]+)\s*(?:\.\.+|to|-)\s*|<=?\s*)"
            r"(?P<upper>[-+.\d]+)\s*)?(?P<unit>[^()\[\]]*)[\])]$",
            "names hold limits and units in brackets",
        )
    elif named:
        draft.say(
            "names",
            r"^(?P<name>.+?)\s*[(\[](?P<unit>[^()\[\]]+)[)\]]$",
            f"{named[-1]!r} holds the unit",
        )
    elif len([name for name in names if _UNIT_IN.fullmatch(name)]) > 0:
        draft.say(
            "names", r"^(?P<name>.+?) in (?P<unit>\S+)$", "names end in their unit"
        )
    elif len(behind := [name for name in names if _UNIT_BEHIND.match(name)]) > 1:
        units = dict.fromkeys(name.partition("/")[2] for name in behind)
        draft.say(
            "names",
            # The first slash: mAh/g is one unit.
            f"^(?P<name>[^/]+)/(?P<unit>{'|'.join(map(re.escape, units))})$",
            f"{behind[-1]!r} holds the unit",
        )


def draft_series(
    draft: ProfileDraft,
    layout: LogLayout,
    columns: Sequence[ColumnTexts],
    decimal: str,
) -> None:
    """Write what the columns are taken over, and what divides the rows."""
    if layout.header is None:
        draft.say("series", {"x": "x"}, "the first column is taken as x")
        return
    columns = [column for column in columns if column.name]
    candidates = [
        column
        for column in columns
        if is_x(column.name)
        # "12.0 V" is no x, whatever its column is called.
        and (column.numbers(decimal) > 0.9 or _CLOCK.match("".join(column.filled[:1])))  # noqa: PLR2004 - most
    ]
    rising = [column for column in candidates if _rises(column, decimal)]
    # A column that only counts the rows is the last choice.
    rising.sort(key=lambda column: is_counter(column.name))
    x = next(iter(rising or candidates), None)
    if x is None:
        x = next((column for column in columns if _rises(column, decimal)), None)
    series: dict[str, object] = {}
    why = "no column rises: points have no x"
    if x is not None:
        series["x"] = x.name
        why = f"the others are taken over {x.name!r}, which rises"
    by = [
        column.name
        for column in columns
        if is_by(column.name)
        and column is not x
        and 1 < len(set(column.filled)) <= 500  # noqa: PLR2004 - steps
        and column.filled
    ]
    if by:
        series["by"] = by
        why += f"; {' and '.join(by)} divide the rows into phases"
    if series:
        draft.say("series", series, why)
    if layout.sections > 1:
        draft.ask(
            "the header comes again: are these tables of one run?",
            'blocks = { begin = "^...", is = "phase" }',
        )


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


def draft_wide(draft: ProfileDraft, columns: Sequence[ColumnTexts]) -> None:
    """Write which columns hold the limits, units or verdicts of others."""
    names = [column.name for column in columns]
    found: dict[str, object] = {}
    for owner in names:
        for name in names:
            if not owner or name == owner or not name.startswith(owner):
                continue
            added = name.removeprefix(owner)
            plain = added if added.startswith(" ") else added.lstrip("_-.")
            for what, words in _ADDED.items():
                if plain in words or plain.strip(" _-.").casefold() in words:
                    found.setdefault(what, "{}" + added)
    if found:
        draft.say("measurements", found, "columns that say something of another")

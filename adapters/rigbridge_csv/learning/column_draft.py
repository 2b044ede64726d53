"""What columns are called and hold: names taken apart, series, limits beside."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rigbridge_csv.learning.meaning import ColumnTexts
from rigbridge_csv.learning.sample import is_number
from rigbridge_csv.learning.toml_draft import ProfileDraft

__all__ = ["draft_names", "draft_texts", "draft_wide"]

# What stands in brackets and holds a colon says something else: (LGR S/N: 123).
_UNIT_NAMES = re.compile(r"^\s*.+?\s*[(\[][^()\[\]:,]+[)\]]\s*$")
_UNIT_AMID = re.compile(r".+, [^\s,()]{1,8} \(.*\)")
_UNIT_BEHIND = re.compile(
    r".+/[munpkMG]?(?:s|sec|Sec\.?|V|A|W|Hz|Ohm|F|H|C|K|Pa|bar|g|m|h|Ah|Wh|J|N|Nm|%|°C|W\.h|A\.h)$"
)
# A simulator's node and branch: V(out), I(R1).
_NODE = re.compile(r"(?:[VI][bcdegs]{0,2}|mag|ph|db)\([\w.:+-]+\)", re.IGNORECASE)
_UNIT_IN = re.compile(r".+ in [^\s\d]{1,6}")
_LIMITS_IN_BRACKETS = re.compile(
    r".+[\[(]\s*(?:<=?\s*[-+]?\d|[-+]?[\d.]+\s*(?:\.\.|to|-)\s*[-+]?\d)[^()\[\]]*[\])]\s*"
)
_LIMIT_NAMES = re.compile(r"<=? x <=?|==\s*\S+")
# How the columns that say something of another are called: what is added to its name.
_ADDED: Mapping[str, Sequence[str]] = {
    "lower": (" >", "min", "lsl", "lo", "low", "ll", "lower limit", "lower"),
    "upper": (" <", "max", "usl", "hi", "high", "ul", "upper limit", "upper"),
    "equal": (" =", " ==", "expected"),
    "unit": ("unit", "units"),
    "outcome": ("result", "status", "p/f", "pass/fail", "pass"),
}

_BESIDE: Mapping[str, Sequence[str]] = {
    "lower": (
        *_ADDED["lower"],
        "low limit",
        "lo limit",
        "min limit",
        "untergrenze",
        "ug",
    ),
    "upper": (
        *_ADDED["upper"],
        "high limit",
        "hi limit",
        "max limit",
        "obergrenze",
        "og",
    ),
    "unit": ("unit", "units", "einheit", "dim"),
}


# 1.10 is another version than 1.1.
_VERSION = re.compile(
    r"(?:.*[\W_])?(?:fw|sw|hw|bl|firmware|software|hardware|version|ver|vers|rev|revision"
    r"|build)(?:[\W_]?(?:version|ver|rev|revision|no|number))?",
    re.IGNORECASE,
)


def draft_texts(draft: ProfileDraft, columns: Sequence[ColumnTexts]) -> None:
    """Write which columns hold versions, of which some look like numbers."""
    found = [
        column.name
        for column in columns
        if _VERSION.fullmatch(column.name.strip())
        and any("." in text and is_number(text) for text in column.filled)
    ]
    if found:
        shown = "|".join(re.escape(name).replace(r"\ ", " ") for name in found)
        draft.say("as_text", shown, f"{found[0]!r} is no number: 1.10 is not 1.1")


def draft_names(draft: ProfileDraft, columns: Sequence[ColumnTexts], form: str) -> None:
    """Write how names are taken apart that hold units or limits."""
    if form == "long":
        return
    names = [column.name for column in columns]
    named = [
        column.name
        for column in columns
        if _UNIT_NAMES.match(column.name) and not _NODE.fullmatch(column.name)
    ]
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
    elif amid := [name for name in names if _UNIT_AMID.fullmatch(name)]:
        draft.say(
            "names",
            r"^(?P<name>.+?), (?P<unit>[^\s,()]+) \((?P<source>.*)\)$",
            f"{amid[0]!r} holds the unit before its source",
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


def draft_wide(draft: ProfileDraft, columns: Sequence[ColumnTexts]) -> None:
    """Write which columns hold the limits, units or verdicts of others."""
    names = [column.name for column in columns]
    found: dict[str, object] = {}
    for owner in names:
        bare = re.sub(r"\s*[(\[][^()\[\]]*[)\]]\s*$", "", owner)
        for name in names:
            if not bare or name == owner or not name.startswith(bare):
                continue
            added = name.removeprefix(owner if name.startswith(owner) else bare)
            plain = added if added.startswith(" ") else added.lstrip("_-.")
            for what, words in _ADDED.items():
                if plain in words or plain.strip(" _-.").casefold() in words:
                    found.setdefault(what, "{}" + added)
    if not found:
        found = _limits_on_the_right(names) or _limits_by_a_word(draft, names)
    if found:
        draft.say("measurements", found, "columns that say something of another")


def _limits_by_a_word(draft: ProfileDraft, names: Sequence[str]) -> dict[str, object]:
    """Find the limits of ``Final Torque`` in ``Torque Min`` and ``Torque Max``."""
    found: dict[str, object] = {}
    firsts: set[str] = set()
    for what in ("lower", "upper", "unit"):
        for name in names:
            bare, _, word = name.rpartition(" ")
            owners = [n for n in names if n.endswith(f" {bare}")] if bare else []
            if word.casefold() in _ADDED[what] and len(owners) == 1:
                firsts.add(owners[0].removesuffix(bare))
                found.setdefault(what, f"{{}} {word}")
    if "lower" not in found and "upper" not in found:
        return {}
    first = re.escape(next(iter(firsts))).replace(r"\ ", " ")
    if len(firsts) == 1 and not any(line.startswith("names") for line in draft.lines):
        draft.say(
            "names", f"^(?:{first})?(?P<name>.+)$", "limits have names without it"
        )
        return found
    draft.ask("which columns the limits belong to")
    return {}


def _limits_on_the_right(names: Sequence[str]) -> dict[str, object]:
    """Find columns of limits that have one name, on the right of what they limit."""
    found: dict[str, object] = {}
    for what, words in _BESIDE.items():
        if what in ("unit", "outcome") and not {"lower", "upper"} & found.keys():
            continue
        fits = [at for at, name in enumerate(names) if name.strip().casefold() in words]
        if fits and fits[0] > 0:
            spelled = dict.fromkeys(re.escape(names[at].strip()) for at in fits)
            found[what] = {"right": "|".join(spelled).replace(r"\ ", " ")}
    return found

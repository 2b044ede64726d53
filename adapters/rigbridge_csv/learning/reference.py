"""The reference of the profile language, made of the classes that check it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from enum import Enum
from typing import Any, cast

import attrs

from rigbridge_csv.profiles.choice import built_in_profiles
from rigbridge_csv.profiles.fields import Field, FieldSource
from rigbridge_csv.profiles.forms import (
    GivenColumn,
    MeasurementColumns,
    RecordKind,
    RecordRules,
    RunText,
    SeriesRule,
)
from rigbridge_csv.profiles.place import (
    BlockPlace,
    DataPlace,
    HeaderPlace,
    KeyPlace,
    ProfileMatch,
    RolePlace,
)
from rigbridge_csv.profiles.profile import CSVProfile
from rigbridge_csv.profiles.runs import RunRule
from rigbridge_csv.profiles.signs import QuoteSign

__all__ = ["reference_page"]

_INTRODUCTION = """\
# CSV profiles

Every key of a profile of the adapter `csv`, with its default. `rigbridge csv keys`
prints this page; it is made of the code that checks a profile.

A profile is a table of the list `adapters.csv.profiles`, or a file of its own that
`rigbridge csv try` reads. An unknown key, and a value that cannot be right, is an error
that names its path. Regular expressions are those of Python; write them between single
quotes.
"""

_TABLES: tuple[tuple[str, type[Any]], ...] = (
    ("`match`", ProfileMatch),
    ("`quote`", QuoteSign),
    ("`header`", HeaderPlace),
    ("`keys`", KeyPlace),
    ("`roles`", RolePlace),
    ("`data`", DataPlace),
    ("`blocks`", BlockPlace),
    ("`fields`", FieldSource),
    ("A table in `metadata`", RunText),
    ("`runs`", RunRule),
    ("`measurements`", MeasurementColumns),
    ("A table in `measurements.columns`", GivenColumn),
    ("`series`", SeriesRule),
    ("`records`", RecordRules),
    ("`records.kinds`", RecordKind),
)

_BEHIND = """\
## TofuPilot's column mapping

`column_mapping` in place of `form`, `fields` and `measurements` holds the mapping of
TofuPilot's tabular import, as its JSON has it (`nameColumn`) or as its Python client
does (`name_column`). Further keys of a profile (`dates`, `decimal`, `header`) may stand
beside it. `rigbridge csv try mapping.json FILE` reads such a file as it is.

## What is refused

A run that holds one of these is left out, with line, column and what to declare; the
others arrive:

- a row with another number of cells than the header, unless these are blank;
- a number with the other decimal separator;
- a time in no declared order, and `unix` times before 1980;
- an upper limit below the lower;
- a number with another unit than its limits, or than the others of its series;
- a serial number that a spreadsheet has rewritten (`1.23457E+12`, `#N/A`, `="007"`),
  that holds signs nobody sees, that its pattern does not fit, or that is a word of the
  lines below a table (`Mean`, `Total`);
- two serial numbers or two verdicts in one run; rows of a run that others interrupt;
- a verdict word that is not declared;
- columns of measurements with one name, unless `duplicates` says otherwise: the file;
- a header within the rows that lacks what is declared: the rest of the file.

A time before 1980 is that of a clock which nobody has set, and an end before its start
that of one without a date: both count as unknown; their texts are kept and recorded.
A header, units or limits that come again within the rows count from there on.
"""


def _entries(kind: type[Any]) -> dict[str, str]:
    """Give the text of each attribute from the docstring of a class."""
    text = inspect.getdoc(kind) or ""
    _, _, body = text.partition("\nAttributes:\n")
    body = re.split(r"\n\n\w+:\n|\n\S", body)[0]
    found: dict[str, str] = {}
    for entry in re.split(r"\n    (?=\w)", "\n" + body):
        name, colon, words = entry.strip().partition(":")
        if colon:
            shown = " ".join(words.split()).replace("``", "`")
            shown = re.sub(r"^\(written `(\w+)`\) ", "", shown)
            found[name] = shown.replace("|", "\\|")
    return found


def _default(field: attrs.Attribute[Any]) -> str:
    value = field.default
    if value is attrs.NOTHING:
        return "required"
    if value in (None, ()) or not isinstance(value, (str, bool, int, tuple, Enum)):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        shown = ", ".join(f'"{item}"' for item in cast("tuple[object, ...]", value))
        return f"`[{shown}]`"
    return f"`{value}`"


def _rows(kind: type[Any]) -> Iterator[str]:
    texts = _entries(kind)
    yield "| key | default | meaning |"
    yield "|---|---|---|"
    for field in attrs.fields(kind):
        if field.init:
            key = field.name.rstrip("_")
            yield f"| `{key}` | {_default(field)} | {texts[field.name]} |"


def reference_page() -> str:
    """Give the page, in Markdown."""
    parts = [_INTRODUCTION, "## A profile\n", *_rows(CSVProfile), ""]
    for title, kind in _TABLES:
        summary = (inspect.getdoc(kind) or "").partition("\n\nAttributes:")[0]
        shown = " ".join(summary.split()).replace("``", "`")
        parts += [f"## {title}\n", f"{shown}\n", *_rows(kind), ""]
    names = ", ".join(f"`{field}`" for field in Field)
    parts += ["## Fields\n", f"{names}.\n"]
    built_in = ", ".join(f"`{profile.name}`" for profile in built_in_profiles())
    parts += [
        "## Built-in profiles\n",
        f"Tried for a file that no profile of the site fits: {built_in}.\n",
        _BEHIND,
    ]
    return "\n".join(parts)

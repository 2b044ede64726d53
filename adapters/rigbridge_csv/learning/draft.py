"""A draft of a profile from an example: the keys, each with the reason for it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import PurePath

from rigbridge.adapters import Source
from rigbridge_csv.learning.column_draft import draft_names, draft_texts, draft_wide
from rigbridge_csv.learning.field_draft import draft_fields
from rigbridge_csv.learning.key_lines import find_keys, find_side_keys, write_side_keys
from rigbridge_csv.learning.layered_draft import draft_layers
from rigbridge_csv.learning.layout import LogLayout, find_layout, is_summary, is_unit
from rigbridge_csv.learning.meaning import (
    UNNAMED,
    ColumnTexts,
    field_of,
    find_dates,
    find_form,
    name_columns,
    number_signs,
)
from rigbridge_csv.learning.record_draft import draft_lines, draft_records
from rigbridge_csv.learning.sample import (
    ExampleRow,
    LogExample,
    is_number,
    read_example,
    typed_share,
)
from rigbridge_csv.learning.series_draft import draft_series
from rigbridge_csv.learning.toml_draft import ProfileDraft
from rigbridge_csv.learning.vertical_draft import draft_vertical
from rigbridge_csv.profiles.choice import built_in_profiles
from rigbridge_csv.profiles.fields import Field
from rigbridge_csv.profiles.signs import BLANKS
from rigbridge_csv.tables.header import normal

__all__ = ["draft_profile"]

_NOTHING = (
    "*",
    ".",
    "n.a.",
    "k.A.",
    "-",
    "--",
    "---",
    "N/A",
    "n/a",
    "NA",
    "#N/A",
    "None",
    "null",
    "NULL",
    "\\N",
    "<NONE>",
)
_BEHIND = re.compile(r"([-+]?[\d.,]*\d(?:[eE][-+]?\d+)?)\s*([^\d\s].*)")
_SCALED = re.compile(r"[-+]?\d+(?:[.,]\d+)?[TGMkKmu\u00b5\u03bcnpfUNP]")


def draft_profile(source: Source) -> ProfileDraft:
    """
    Make a draft of a profile for logs like an example.

    Raises:
        SourceUnreadableError: its bytes cannot be read.
    """
    whole = example = read_example(source)
    beside = find_side_keys(whole)
    if beside is not None:
        example = beside[0]
    layout = find_layout(example)
    stem = PurePath(example.name).stem
    # Without its accents: prüfung is prufung.
    plain = unicodedata.normalize("NFKD", stem.casefold())
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    name = re.sub(r"[\W_]+", "-", plain).strip("-")
    taken = {profile.name for profile in built_in_profiles()}
    draft = ProfileDraft(f"{name}-log" if name in taken or not name else name)
    if layout.header is None and _width(layout) < 2:  # no table at all
        draft_lines(draft, example)
        return draft
    if layout.header is None and not layout.kinds and _is_prose(layout):
        draft_lines(draft, example)
        return draft
    if draft_vertical(draft, example) or draft_layers(draft, example):
        return draft
    columns = _columns(layout)
    form, why = find_form(layout, columns)
    draft.say("name", draft.name)
    draft.say("form", form, why)
    draft.say(
        "match",
        {"file_name": re.sub(r"\d+", "*", example.name)},
        "files of this name; further kinds of files may need a narrower pattern",
    )
    _text_keys(draft, example, form)
    if layout.block is not None:
        word = re.escape(layout.block.cells[0].strip()).replace(r"\ ", " ")
        draft.say(
            "blocks",
            {"begin": rf"^\W?{word}(?!\w)", "is": "run"},
            f"line {layout.block.line} begins one of several tables",
        )
    if form == "record":
        draft_records(draft, example, layout)
        return draft
    decimal = _decimal(draft, layout, columns)
    keys = (
        find_keys(draft, example, layout)
        if beside is None
        else write_side_keys(draft, whole, beside)
    )
    _place(draft, example, layout, columns, form)
    draft_names(draft, columns, form)
    if form != "long":
        draft_texts(draft, columns)
    if form == "series":
        draft_series(draft, layout, columns, decimal, keys)
    elif form == "wide":
        draft_wide(draft, columns)
    draft_fields(draft, layout, columns, keys, form)
    return draft


def _columns(layout: LogLayout) -> list[ColumnTexts]:
    rows = layout.data[:1000]
    width = (
        len(layout.header.cells)
        if layout.header
        else max((len(row.cells) for row in rows), default=0)
    )
    names = [normal(cell) for cell in layout.header.cells] if layout.header else []
    # A logger may leave the name of its clock out; the reader calls it by its number.
    if names and not names[0] and find_dates([row.cells[0] for row in rows[:20]])[0]:
        names[0] = UNNAMED
    columns = [
        ColumnTexts(
            names[at] if at < len(names) else f"y{at}" if at else "x",
            [row.cells[at] for row in rows if at < len(row.cells)],
        )
        for at in range(width)
    ]
    return columns if layout.header else name_columns(columns)


def _text_keys(draft: ProfileDraft, example: LogExample, form: str) -> None:
    if example.encoding_rule is not None:
        draft.say(
            "encoding",
            example.encoding,
            f"{example.encoding_rule}: look at the signs beyond ASCII",
        )
    shown = {"\t": "tab"}.get(example.delimiter, example.delimiter)
    draft.say("delimiter", shown, example.reasons[0])
    if example.amid:
        draft.say(
            "quote", {"sign": '"', "amid": True}, "cells go on behind their quote"
        )
    elif form == "record" and any(row.text.count('"') % 2 for row in example.rows):
        draft.say("quote", "", "quotes are signs like any other")
    if example.comment is not None:
        draft.say(
            "comment",
            [example.comment],
            f"{len(example.comments)} lines begin with it and are no rows",
        )


def _decimal(
    draft: ProfileDraft, layout: LogLayout, columns: Sequence[ColumnTexts]
) -> str:
    texts = [text for column in columns for text in column.texts[:200]]
    texts += [cell for row, _, _ in layout.roles for cell in row.cells]
    decimal, thousands, mixed = number_signs(texts)
    if decimal == ",":
        draft.say("decimal", ",", "numbers have a decimal comma")
    if thousands is not None:
        draft.say("thousands", thousands, "numbers have their digits in groups")
    # A column of numbers, of which some have a letter behind them.
    scaled = [
        text
        for column in columns
        for text in column.filled[:200]
        if _SCALED.fullmatch(text.strip())
        and not field_of(column.name, [Field.SERIAL_NUMBER, Field.MEASUREMENT])
    ]
    behind = _units_behind(columns, decimal)
    if behind is not None:
        draft.say("units", True, f"{behind!r} has a unit behind it")
    elif scaled:
        draft.say("suffixes", True, f"{scaled[0]!r} has a power of ten behind it")
    if mixed:
        draft.ask("some numbers have the other decimal sign; such runs are refused")
    found = {text.strip() for text in texts}
    marks = [mark for mark in _NOTHING if mark in found]
    if marks:
        draft.say("missing", marks, "cells that stand for no value")
    return decimal


def _units_behind(columns: Sequence[ColumnTexts], decimal: str) -> str | None:
    """Give a cell of a column whose numbers have their unit behind them."""
    for column in columns:
        field = field_of(column.name)
        filled = [text.strip() for text in column.filled[:200]]
        # What is no field of a run may be a value: "Average", "Value".
        if field not in (Field.VALUE, Field.DOCSTRING, None):
            continue
        parts = [found for text in filled if (found := _BEHIND.fullmatch(text))]
        if (
            len(parts) > len(filled) * 0.8
            and all(is_number(part[1], decimal) for part in parts)
            and all(is_unit(part[2]) for part in parts)
        ):
            return filled[0]
    return None


def _place(
    draft: ProfileDraft,
    example: LogExample,
    layout: LogLayout,
    columns: Sequence[ColumnTexts],
    form: str,
) -> None:
    header = layout.header
    if layout.marks and header is not None:
        _blocks(draft, layout, [normal(cell) for cell in header.cells])
    elif header is None:
        names = [column.name for column in columns]
        first = {"line": layout.data[0].line} if layout.before and layout.data else {}
        draft.say("header", {"names": names, **first}, layout.reasons[0])
        draft.ask("what the columns are called", None)
    elif layout.before or form == "series":
        start = header.text.strip()[:40]
        cells = [cell for cell in header.cells if cell.strip()][:2]
        pattern = _start_pattern(header, cells, example.delimiter)
        if pattern and re.search(pattern, header.text):
            draft.say("header", {"find": pattern}, layout.reasons[0])
        else:
            draft.say("header", {"line": header.line}, f"header {start!r}")
    lines = [row.line for row in example.rows]
    roles = [
        _role(row, label, role, header, lines) for row, label, role in layout.roles
    ]
    if roles:
        draft.say("roles", roles, "rows that say something of the columns")
    names = [normal(cell) for cell in header.cells if cell.strip()] if header else []
    if len(set(names)) < len(names):
        draft.say("duplicates", "number", "columns of one name get a number")
    _data(draft, example, layout)


def _blocks(draft: ProfileDraft, layout: LogLayout, names: Sequence[str]) -> None:
    """Write where the parts of a table begin, whose header stands above the first."""
    first = layout.marks[0]
    word = re.split(r"[\W\d_]", first.text.strip())[0]
    draft.say("header", {"names": names}, "they stand once, above the first part")
    draft.say(
        "blocks",
        {"begin": f"^(?P<name>{word}\\b.*\\S)", "is": "phase"},
        f"line {first.line} begins a part of the table",
    )


def _is_prose(layout: LogLayout) -> bool:
    """Say whether no column holds numbers: lines of words that have commas in them."""
    return all(
        max(column.numbers("."), column.numbers(",")) < 0.5  # half of them
        for column in _columns(layout)
    )


def _width(layout: LogLayout) -> int:
    return max((row.width for row in layout.data), default=1)


def _start_pattern(header: ExampleRow, cells: Sequence[str], delimiter: str) -> str:
    if not cells or not header.cells[0].strip():
        return ""
    sign = r"\s+" if delimiter in BLANKS else re.escape(delimiter)
    quoted = header.text.lstrip().startswith('"')
    parts = [re.escape(cell.strip()).replace(r"\ ", " ") for cell in cells]
    if quoted or any('"' in cell for cell in cells):
        return "^.?" + parts[0]
    return r"^\s*" + rf"\s*{sign}\s*".join(parts)


def _role(
    row: ExampleRow,
    label: str | None,
    role: str,
    header: ExampleRow | None,
    lines: Sequence[int],
) -> dict[str, object]:
    shift: dict[str, object] = {}
    if header is not None and row.line < header.line:
        # A label before the first column, or a row that begins behind the time.
        cells = len(header.cells)
        if label is None and row.width < cells and row.cells[0].strip():
            shift = {"shift": cells - row.width}
        elif label is not None and row.width == cells + 1:
            shift = {"shift": -1}
    if label is not None:
        return {"row": label, "is": role, **shift}
    # Lines that are blank do not count.
    offset = 1 if header is None else lines.index(row.line) - lines.index(header.line)
    return {"offset": offset, "is": role, **shift}


def _data(draft: ProfileDraft, example: LogExample, layout: LogLayout) -> None:
    data: dict[str, object] = {}
    if layout.behind:
        first = layout.behind[0]
        start = first.cells[0].strip()
        quoted = '"?' if first.text.lstrip().startswith('"') else ""
        escaped = re.escape(start).replace(r"\ ", " ")
        pattern = f"^{quoted}{escaped}" if start else "^[^0-9]*$"
        data["end"] = pattern
    width = len(layout.header.cells) if layout.header else _width(layout)
    named = (
        max(
            (at + 1 for at, cell in enumerate(layout.header.cells) if cell.strip()),
            default=width,
        )
        if layout.header
        else width
    )
    short = [row for row in layout.data if len(row.cells) < named]
    if short and example.delimiter in BLANKS:
        # A cell that is blank in its midst moves all others to the left.
        draft.ask(f"which cells line {short[0].line} lacks: such rows are refused")
        short = []
    if short:
        data["short"] = "blank"
    _ask_behind(draft, layout.behind)
    if data:
        why: list[str] = []
        if "end" in data:
            why.append(f"line {layout.behind[0].line} ends the table")
        if short:
            why.append(f"line {short[0].line} ends early: the cells it lacks are blank")
        draft.say("data", data, "; ".join(why))


def _ask_behind(draft: ProfileDraft, rows: Sequence[ExampleRow]) -> None:
    """Ask of a line that ends the table, and is neither a sum nor a key."""
    for row in rows[:1]:
        if row.width > 2 and not is_summary(row):  # a key and its text
            draft.ask(
                f"whether line {row.line} is a row of the table: data.end leaves it "
                "out, with all that stands behind it"
            )
            return
    points = [row for row in rows if row.width > 1 and typed_share(row.cells) == 1]
    if len(points) > 1:  # a curve
        draft.ask(
            f"whether line {points[0].line} begins points that are wanted: data.end "
            'leaves them out; form = "series" reads them in their place'
        )

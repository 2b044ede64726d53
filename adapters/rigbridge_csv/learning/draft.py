"""A draft of a profile from an example: the keys, each with the reason for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import PurePath

from rigbridge.adapters import Source
from rigbridge.adapters.text.dates import parse_time
from rigbridge_csv.learning.key_lines import find_keys
from rigbridge_csv.learning.layout import LogLayout, find_layout
from rigbridge_csv.learning.meaning import (
    KEY_WORDS,
    USUAL_WORDS,
    ColumnTexts,
    decimal_sign,
    field_of,
    find_dates,
    find_fields,
    find_form,
    is_by,
    is_counter,
    is_x,
    unknown_words,
)
from rigbridge_csv.learning.record_draft import draft_lines, draft_records
from rigbridge_csv.learning.sample import (
    ExampleRow,
    LogExample,
    is_number,
    read_example,
)
from rigbridge_csv.learning.toml_draft import ProfileDraft, toml_key
from rigbridge_csv.learning.vertical_draft import draft_vertical
from rigbridge_csv.profiles.choice import built_in_profiles
from rigbridge_csv.profiles.fields import Field
from rigbridge_csv.tables.header import normal

__all__ = ["draft_profile"]

_UNIT_NAMES = re.compile(r"^\s*.+?\s*[(\[][^()\[\]]+[)\]]\s*$")
_UNIT_BEHIND = re.compile(
    r".+/[munpkMG]?(?:s|V|A|W|Hz|Ohm|F|H|C|K|Pa|bar|g|m|h|Ah|Wh|J|N|Nm|%|°C|W\.h|A\.h)$"
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
_NOTHING = ("-", "--", "---", "N/A", "n/a", "NA", "#N/A", "None", "null", "<NONE>")
_CLOCKS = frozenset(
    ("time", "test time", "testtime", "test_time", "start time", "uhrzeit", "zeit")
)
_DATE = re.compile(r"\d{1,4}\D\d{1,2}\D\d|\d{8}")


def draft_profile(source: Source) -> ProfileDraft:
    """
    Make a draft of a profile for logs like an example.

    Args:
        source: the example.

    Raises:
        SourceUnreadableError: its bytes cannot be read.
    """
    example = read_example(source)
    layout = find_layout(example)
    stem = PurePath(example.name).stem
    name = re.sub(r"[^a-z0-9]+", "-", stem.casefold()).strip("-")
    taken = {profile.name for profile in built_in_profiles()}
    draft = ProfileDraft(f"{name}-log" if name in taken or not name else name)
    if layout.header is None and _width(layout) < 2:  # noqa: PLR2004 - no table at all
        draft_lines(draft, example)
        return draft
    if draft_vertical(draft, example):
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
    if form == "record":
        draft_records(draft, example, layout)
        return draft
    decimal = _decimal(draft, layout, columns)
    keys = find_keys(draft, example, layout)
    _place(draft, example, layout, form)
    _names(draft, columns, form)
    if form == "series":
        _series(draft, layout, columns, decimal)
    elif form == "wide":
        _wide(draft, columns)
    _fields(draft, layout, columns, keys, form)
    return draft


def _columns(layout: LogLayout) -> list[ColumnTexts]:
    rows = layout.data[:1000]
    width = (
        len(layout.header.cells)
        if layout.header
        else max((len(row.cells) for row in rows), default=0)
    )
    names = [normal(cell) for cell in layout.header.cells] if layout.header else []
    return [
        ColumnTexts(
            names[at] if at < len(names) else f"column {at + 1}",
            [row.cells[at] for row in rows if at < len(row.cells)],
        )
        for at in range(width)
    ]


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
    decimal, mixed = decimal_sign(texts)
    if decimal == ",":
        draft.say("decimal", ",", "numbers have a decimal comma")
    if mixed:
        draft.ask("some numbers have the other decimal sign; such runs are refused")
    found = {text.strip() for text in texts}
    marks = [mark for mark in _NOTHING if mark in found]
    if marks:
        draft.say("missing", marks, "cells that stand for no value")
    return decimal


def _place(
    draft: ProfileDraft, example: LogExample, layout: LogLayout, form: str
) -> None:
    header = layout.header
    if header is None:
        names = ["x", *(f"y{at}" for at in range(1, _width(layout)))]
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
    roles = [_role(row, label, role, header) for row, label, role in layout.roles]
    if roles:
        draft.say("roles", roles, "rows that say something of the columns")
    names = [normal(cell) for cell in header.cells if cell.strip()] if header else []
    if len(set(names)) < len(names):
        draft.say("duplicates", "number", "columns of one name get a number")
    _data(draft, layout)


def _width(layout: LogLayout) -> int:
    return max((row.width for row in layout.data), default=1)


def _start_pattern(header: ExampleRow, cells: Sequence[str], delimiter: str) -> str:
    if not cells or not header.cells[0].strip():
        return ""
    sign = {"\t": r"\t", "blanks": r"\s+"}.get(delimiter, re.escape(delimiter))
    quoted = header.text.lstrip().startswith('"')
    parts = [re.escape(cell.strip()).replace(r"\ ", " ") for cell in cells]
    if quoted or any('"' in cell for cell in cells):
        return "^.?" + parts[0]
    return r"^\s*" + rf"\s*{sign}\s*".join(parts)


def _role(
    row: ExampleRow, label: str | None, role: str, header: ExampleRow | None
) -> dict[str, object]:
    if label is not None:
        return {"row": label, "is": role}
    # Lines that are blank do not count.
    offset = 1 if header is None or row.line > header.line else -1
    return {"offset": offset, "is": role}


def _data(draft: ProfileDraft, layout: LogLayout) -> None:
    data: dict[str, object] = {}
    if layout.behind:
        first = layout.behind[0]
        start = first.cells[0].strip()
        pattern = "^" + re.escape(start).replace(r"\ ", " ") if start else "^[^0-9]*$"
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
    if short:
        data["short"] = "blank"
    if data:
        why: list[str] = []
        if "end" in data:
            why.append(f"line {layout.behind[0].line} ends the table")
        if short:
            why.append(f"line {short[0].line} ends early: the cells it lacks are blank")
        draft.say("data", data, "; ".join(why))


def _names(draft: ProfileDraft, columns: Sequence[ColumnTexts], form: str) -> None:
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
    elif named:
        draft.say(
            "names",
            r"^(?P<name>.+?)\s*[(\[](?P<unit>[^()\[\]]+)[)\]]$",
            f"{named[-1]!r} holds the unit",
        )
    elif len(behind := [name for name in names if _UNIT_BEHIND.match(name)]) > 1:
        units = dict.fromkeys(name.rpartition("/")[2] for name in behind)
        draft.say(
            "names",
            f"^(?P<name>.+)/(?P<unit>{'|'.join(map(re.escape, units))})$",
            f"{behind[-1]!r} holds the unit",
        )


def _series(
    draft: ProfileDraft,
    layout: LogLayout,
    columns: Sequence[ColumnTexts],
    decimal: str,
) -> None:
    if layout.header is None:
        draft.say("series", {"x": "x"}, "the first column is taken as x")
        return
    candidates = [column for column in columns if is_x(column.name) and column.filled]
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


def _wide(draft: ProfileDraft, columns: Sequence[ColumnTexts]) -> None:
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


def _fields(
    draft: ProfileDraft,
    layout: LogLayout,
    columns: Sequence[ColumnTexts],
    keys: Mapping[str, str],
    form: str,
) -> None:
    by_name = {column.name: column for column in columns}
    fields = find_fields(columns, form) if form != "series" else _series_fields(columns)
    if form == "wide" and Field.SERIAL_NUMBER not in fields:
        _judge_phases(fields, keys)
    taken = dict(fields)
    dates: list[str] = []
    draft.lines.append("")
    for field, name in taken.items():
        texts = by_name[name].filled
        source: object = name
        if field is Field.SERIAL_NUMBER and form == "wide" and layout.behind:
            source = {"column": name, "pattern": r"^\S+$"}
        if field is Field.STARTED_AT and (clock := _clock(columns, name)):
            source = {"columns": [name, clock]}
            texts = [
                f"{a.strip()} {b.strip()}"
                for a, b in zip(by_name[name].texts, by_name[clock].texts, strict=False)
            ]
        if field is Field.LIMITS:
            source = {"column": name, "pattern": _pair(texts)}
        if field in (Field.STARTED_AT, Field.ENDED_AT):
            dates.extend(texts[:200])
        draft.say(f"fields.{field}", source)
    _key_fields(draft, keys, taken, dates)
    _runs(draft, by_name, fields, taken, form)
    _procedure_and_serial(draft, taken)
    _dates(draft, dates)
    _verdicts(draft, by_name, fields, taken, form)


def _key_fields(
    draft: ProfileDraft,
    keys: Mapping[str, str],
    taken: dict[Field, str],
    dates: list[str],
) -> None:
    for name, text in keys.items():
        found = field_of(name, [field for field in KEY_WORDS if field not in taken])
        if found is None:
            continue
        key: object = name
        if found in (Field.STARTED_AT, Field.ENDED_AT):
            key, whole = _dated_key(name, text, keys)
            # Programs write the year 1 for a date that nobody has set.
            if not _DATE.search(whole) or "0001" in whole:
                continue
            dates.append(whole)
        taken[found] = name
        draft.say(f"fields.{found}", {"key": key})


def _judge_phases(fields: dict[Field, str], keys: Mapping[str, str]) -> None:
    """Make the verdict of a row that of a phase, where all rows are of one unit."""
    once = any(field_of(name, [Field.SERIAL_NUMBER]) for name in keys)
    if once and Field.RUN_OUTCOME in fields:
        fields[Field.PHASE_OUTCOME] = fields.pop(Field.RUN_OUTCOME)


def _runs(
    draft: ProfileDraft,
    by_name: Mapping[str, ColumnTexts],
    fields: Mapping[Field, str],
    taken: Mapping[Field, str],
    form: str,
) -> None:
    """Say how rows become runs, where the usual way makes too many of them."""
    serial, start = taken.get(Field.SERIAL_NUMBER), fields.get(Field.STARTED_AT)
    if form == "wide" and serial is not None and Field.SERIAL_NUMBER not in fields:
        draft.say("runs", "file", f"{serial!r} is said once: its rows are phases")
    if form != "long" or start is None or fields.get(Field.SERIAL_NUMBER) is None:
        return
    serials = by_name[fields[Field.SERIAL_NUMBER]].texts
    tests = by_name[fields[Field.MEASUREMENT]].texts
    clock = _clock(list(by_name.values()), start)
    clocks = by_name[start if clock is None else clock].texts
    keyed = list(zip(serials, by_name[start].texts, clocks, strict=False))
    units = [
        list(group)
        for _, group in groupby(zip(serials, tests, strict=False), itemgetter(0))
    ]
    more = sum(1 for _ in groupby(keyed)) > len(units)
    if more and all(len(set(unit)) == len(unit) for unit in units):
        draft.say("runs", ["serial_number"], f"{start!r} is the time of each row")


def _dated_key(name: str, text: str, keys: Mapping[str, str]) -> tuple[object, str]:
    """Give the key of a date, with that of its time if that stands alone."""
    clock = next((key for key in keys if key.casefold() in _CLOCKS), None)
    if clock is None or name.casefold() not in ("date", "datum"):
        return name, text
    return [name, clock], f"{text} {keys[clock]}"


def _series_fields(columns: Sequence[ColumnTexts]) -> dict[Field, str]:
    """Find columns of a series that say one thing of the whole run."""
    steady = [column for column in columns if len(set(column.filled)) == 1]
    found = find_fields(steady, "series")
    found.pop(Field.RUN_OUTCOME, None)
    clock = next(
        (
            column.name
            for column in columns
            if field_of(column.name, [Field.STARTED_AT])
            and column.filled
            and _DATE.match(column.filled[0].strip())
            and any(
                parse_time(column.filled[0], (form,))
                for form in ("iso", "day-first", "month-first", "year-first")
            )
        ),
        None,
    )
    if clock is not None:
        found[Field.STARTED_AT] = clock
    return found


def _clock(columns: Sequence[ColumnTexts], name: str) -> str | None:
    texts = next(column for column in columns if column.name == name).filled
    if not texts or re.search(r"\d:\d", texts[0]):
        return None
    return next(
        (
            column.name
            for column in columns
            if column.name.casefold() in _CLOCKS
            and column.filled
            and re.match(r"\s*\d{1,2}:\d{2}", column.filled[0])
        ),
        None,
    )


def _pair(texts: Sequence[str]) -> str:
    for sign in ("..", "/", " to ", ";", "|", "-"):
        parts = [text.split(sign) for text in texts if text.count(sign) == 1]
        numbers = [
            (float(a), float(b)) for a, b in parts if is_number(a) and is_number(b)
        ]
        if numbers:
            escaped = re.escape(sign).replace(r"\ ", " ")
            names = (
                ("upper", "lower")
                if numbers[0][0] > numbers[0][1]
                else ("lower", "upper")
            )
            return f"(?P<{names[0]}>.*){escaped}(?P<{names[1]}>.*)"
    return "(?P<lower>.*)/(?P<upper>.*)"


def _procedure_and_serial(draft: ProfileDraft, taken: Mapping[Field, str]) -> None:
    if Field.PROCEDURE not in taken:
        draft.say(
            "fields.procedure",
            {"value": draft.name},
            "the log does not say it",
        )
    if Field.SERIAL_NUMBER not in taken:
        draft.ask(
            "which column, key or part of the file's name is the serial number",
            "fields.serial_number = { file = \"stem\", pattern = '...' }",
        )


def _dates(draft: ProfileDraft, dates: Sequence[str]) -> None:
    if not dates:
        return
    form, why = find_dates(dates)
    if form is None:
        draft.ask(
            f"the order of dates: {why}", 'dates = ["day-first"] or ["month-first"]'
        )
    elif form != "iso":
        draft.say("dates", [form], why)


def _verdicts(
    draft: ProfileDraft,
    by_name: Mapping[str, ColumnTexts],
    fields: Mapping[Field, str],
    taken: Mapping[Field, str],
    form: str,
) -> None:
    words = unknown_words(
        [
            text
            for field in (Field.RUN_OUTCOME, Field.OUTCOME, Field.PHASE_OUTCOME)
            if field in fields
            for text in by_name[fields[field]].filled
        ]
    )
    usual = [word for word in words if word.casefold() in USUAL_WORDS]
    sure = {word: USUAL_WORDS[word.casefold()] for word in usual}
    if sure:
        draft.say("outcomes", sure, f"look whether {usual[0]!r} means that here")
    rest = [word for word in words if word not in sure]
    if rest:
        shown = ", ".join(f'{toml_key(word)} = "..."' for word in rest[:8])
        draft.ask(
            f"what the verdicts {', '.join(map(repr, rest[:8]))} mean",
            f"outcomes = {{ {shown} }}",
        )
    judged = {Field.RUN_OUTCOME, Field.OUTCOME, Field.PHASE_OUTCOME}
    if not judged & set(taken) and form != "long":
        draft.lines.append(
            "# The log holds no verdict: its runs count as ERROR. To say otherwise:"
        )
        draft.lines.append('# fields.run_outcome = { value = "PASS" }')

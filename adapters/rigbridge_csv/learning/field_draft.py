"""Which columns and keys are which field, and what their words and dates mean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter

from rigbridge.adapters.text.dates import parse_time
from rigbridge_csv.learning.layout import LogLayout
from rigbridge_csv.learning.meaning import (
    DATE,
    KEY_WORDS,
    USUAL_WORDS,
    ColumnTexts,
    clock_of,
    field_of,
    find_dates,
    find_fields,
    is_clock,
    unknown_words,
)
from rigbridge_csv.learning.sample import is_number
from rigbridge_csv.learning.toml_draft import ProfileDraft, toml_key
from rigbridge_csv.profiles.fields import Field

__all__ = ["draft_fields"]

# What follows the digits of 3.4 V; an exponent belongs to them.
_UNIT_BEHIND = re.compile(r"(?<=\d)\s*(?![eE][-+]?\d)[^\W\d].*|(?<=\d)\s*[%°Ω].*")
_UNIX = (None, "unix", "unix-ms", "excel")
_OF_INSTRUMENTS = (
    Field.SERIAL_NUMBER,
    Field.PART_NUMBER,
    Field.PROCEDURE_VERSION,
)
_MAKER = re.compile(
    r"vendor|manufacturer|maker?|hersteller|instrument(?: model)?", re.IGNORECASE
)


def draft_fields(
    draft: ProfileDraft,
    layout: LogLayout,
    columns: Sequence[ColumnTexts],
    keys: Mapping[str, str],
    form: str,
) -> None:
    """Write the fields, how rows become runs, and what dates and verdicts mean."""
    by_name = {column.name: column for column in columns}
    fields = find_fields(columns, form) if form != "series" else _series_fields(columns)
    if form == "wide" and Field.SERIAL_NUMBER not in fields:
        _judge_phases(fields, keys)
    _choose_serial(draft, columns, fields)
    taken = dict(fields)
    dates: list[str] = []
    draft.lines.append("")
    for field, name in taken.items():
        texts = by_name[name].filled
        source: object = name
        if field is Field.SERIAL_NUMBER and form == "wide" and layout.behind:
            source = {"column": name, "pattern": r"^\S+$"}
        if field is Field.STARTED_AT and (clock := clock_of(columns, name)):
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
    # A date above the table and the time of day in its rows are one time.
    clocks = [c for c in columns if is_clock(c.name) and c.filled and form == "wide"]
    _key_fields(draft, keys, taken, dates, clocks)
    _runs(draft, by_name, fields, taken, form)
    _procedure_and_serial(draft, taken)
    _dates(draft, dates)
    _verdicts(draft, by_name, fields, taken, form)


def _choose_serial(
    draft: ProfileDraft, columns: Sequence[ColumnTexts], fields: dict[Field, str]
) -> None:
    """Of several columns that may tell the unit take that with the most words."""
    chosen = fields.get(Field.SERIAL_NUMBER)
    may = [
        column
        for column in columns
        if column.name == chosen
        or (
            column.name not in fields.values()
            and field_of(column.name, [Field.SERIAL_NUMBER])
            and column.filled
        )
    ]
    if chosen is None or len(may) < 2:
        return
    fields[Field.SERIAL_NUMBER] = max(may, key=lambda c: len(set(c.filled))).name
    draft.ask(f"which of {', '.join(repr(c.name) for c in may)} is the serial number")


def _key_fields(
    draft: ProfileDraft,
    keys: Mapping[str, str],
    taken: dict[Field, str],
    dates: list[str],
    clocks: Sequence[ColumnTexts],
) -> None:
    # Beside its maker, model and version are those of an instrument.
    made = any(_MAKER.fullmatch(name.strip()) for name in keys)
    known = [f for f in KEY_WORDS if not made or f not in _OF_INSTRUMENTS]
    # Serial Number before Cell, which may be a name.
    for name, text in sorted(keys.items(), key=lambda k: "serial" not in k[0].lower()):
        found = field_of(name, [field for field in known if field not in taken])
        if found is None:
            continue
        key: object = name
        if found in (Field.STARTED_AT, Field.ENDED_AT):
            key, whole = _dated_key(name, text, keys)
            # Programs write the year 1 for a date that nobody has set.
            # A number alone is a frequency sooner than seconds since 1970.
            bare = re.fullmatch(r"[\d.,]+", whole) is not None
            form = find_dates([whole])[0]
            if not DATE.search(whole) or "0001" in whole or (bare and form in _UNIX):
                continue
            if found is Field.STARTED_AT and clocks and key == name:
                dates.extend(f"{whole} {text.strip()}" for text in clocks[0].filled)
                draft.say(
                    f"fields.{found}",
                    {"key": key, "column": clocks[0].name},
                    "the date stands once, the time of day in each row",
                )
                taken[found] = name
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
    clock = clock_of(list(by_name.values()), start)
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
    clock = next((key for key in keys if is_clock(key)), None)
    dated = re.fullmatch(r"(?:.*\W)?(?:date|datum)", name.casefold())
    if clock is None or dated is None or re.search(r"\d:\d", text):
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
            and DATE.match(column.filled[0].strip())
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


def _pair(texts: Sequence[str]) -> str:
    for sign in ("..", "/", " to ", *";|~\N{EN DASH}-"):
        parts = [text.split(sign) for text in texts if text.count(sign) == 1]
        # A unit may stand behind each.
        bare = [[_UNIT_BEHIND.sub("", part.strip()) for part in both] for both in parts]
        numbers = [
            (float(a), float(b)) for a, b in bare if is_number(a) and is_number(b)
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
        known = [f'{toml_key(word)} = "{meant}"' for word, meant in sure.items()]
        unknown = [f'{toml_key(word)} = "..."' for word in rest[:8]]
        shown = ", ".join([*known, *unknown])
        if "bin" in fields.get(Field.RUN_OUTCOME, "").casefold() and "1" in rest:
            shown = '1 = "PASS", "*" = "FAIL"'
        draft.ask(
            f"what the verdicts {', '.join(map(repr, rest[:8]))} mean"
            f"{'; this line in place of that above' if sure else ''}",
            f"outcomes = {{ {shown} }}",
        )
    judged = {Field.RUN_OUTCOME, Field.OUTCOME, Field.PHASE_OUTCOME}
    if not judged & set(taken) and form != "long":
        draft.lines.append(
            "# The log holds no verdict: its runs count as ERROR. To say otherwise:"
        )
        draft.lines.append('# fields.run_outcome = { value = "PASS" }')

"""The draft of a profile for records of several kinds, and for lines of text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rigbridge_csv.learning.layout import LogLayout
from rigbridge_csv.learning.meaning import (
    KEY_WORDS,
    field_of,
    find_dates,
    unknown_words,
)
from rigbridge_csv.learning.sample import ExampleRow, LogExample, is_number
from rigbridge_csv.learning.toml_draft import ProfileDraft, toml_key, toml_value
from rigbridge_csv.profiles.fields import MEASUREMENT_FIELDS, Field

__all__ = ["draft_lines", "draft_records"]

_RECORDS = (
    ("batch", r"BATCH|LOT|HEADER|FILE|PROGRAM"),
    ("unit", r"START|BEGIN|UNIT|SN|SERIAL|BOARD|DUT|UUT|BTEST|PANEL|TEST ?START"),
    ("end", r"END|STOP|RESULT|FINISH|BOARDRESULT|VERDICT|SUMMARY"),
    ("phase", r"STEP|PHASE|BLOCK|GROUP|SECTION|SEQ"),
    (
        "measurement",
        r"MEAS.*|TEST|ANL|FUN|DIG|FCT|ICT|ANALOG|DATA|VAL.*|A-.*|D|M|RES|PARAM|NUMERIC",
    ),
    ("note", r"NOTE|COMMENT|MSG|LOG|INFO|REM|RPT|TEXT"),
)


def draft_lines(draft: ProfileDraft, example: LogExample) -> None:
    """Write what is to be declared for a file that holds no table."""
    draft.say("name", draft.name)
    draft.say("form", "record", "no table was found: lines are told by patterns")
    draft.say("quote", "", "quotes are signs like any other")
    lines = [row.text for row in example.rows]
    pairs = [_PAIRS.findall(line) for line in lines]
    words = [name for name, _ in pairs[0]] if pairs else []
    # More than a name and a text.
    whole = len(words) > 2 and all([n for n, _ in p] == words for p in pairs)
    kinds = _pair_kinds(words, pairs) if whole else _line_kinds(lines)
    texts = [text for line in pairs for _, text in line] if whole else []
    order, _ = find_dates([text for text in texts if re.match(r"\d+\D\d+\D\d", text)])
    if order not in (None, "iso"):
        draft.say("dates", [order])
    draft.say("fields.procedure", {"value": draft.name}, "the log does not say it")
    if not whole:
        draft.ask("a pattern for each kind of line that matters; others are notes")
    draft.lines += ["", "[records]", 'kind = "pattern"', ""]
    draft.lines += [f"# line {row.line}: {row.text[:100]}" for row in example.rows[:20]]
    for name, (meaning, pattern) in kinds.items():
        draft.lines += [
            f"[records.kinds.{toml_key(name)}]",
            f'is = "{meaning}"',
            f"pattern = {toml_value(pattern)}",
            "",
        ]


_PAIRS = re.compile(r"([^\s=;,]+)=([^=]*?)(?=\s*[;,]?\s*[^\s=;,]+=|\s*$)")
_LINE = re.compile(r"\s*([^:=]+?)\s*[:=]\s*(.+?)\s*")


def _pair_kinds(
    words: Sequence[str], lines: Sequence[Sequence[tuple[str, str]]]
) -> dict[str, tuple[str, str]]:
    """Make a pattern of lines that hold the same names, each with its text."""
    parts: list[str] = []
    taken: set[str] = set()
    judged = any(field_of(word, [Field.MEASUREMENT]) for word in words)
    order = (*MEASUREMENT_FIELDS, *KEY_WORDS) if judged else KEY_WORDS
    for at, word in enumerate(words):
        field = field_of(word, [field for field in order if field not in taken])
        named = str(field) if field else re.sub(r"\W", "_", word)
        if not named.isidentifier() or named in taken:
            named = f"text_{at}"
        taken.add(named)
        # The last text may hold blanks, the others where an example has them.
        blanks = at == len(words) - 1 or any(" " in line[at][1] for line in lines)
        sign = ".*?" if blanks else r"[^\s;,]*"
        parts.append(rf"{re.escape(word)}=(?P<{named}>{sign})")
    return {"row": ("measurement", "^" + r"\s*[;,]?\s*".join(parts) + r"\s*$")}


def _line_kinds(lines: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Make a kind of each line whose name is known, and one of measurements."""
    kinds: dict[str, tuple[str, str]] = {}
    taken: set[Field] = set()
    for line in lines:
        found = _LINE.fullmatch(line)
        field = (
            None
            if found is None
            else field_of(
                found[1], [field for field in KEY_WORDS if field not in taken]
            )
        )
        if found is None or field is None:
            continue
        taken.add(field)
        meaning = "details"
        if field is Field.SERIAL_NUMBER:
            meaning = "unit"
        elif field is Field.RUN_OUTCOME:
            meaning = "end"
        pattern = rf"^\s*{re.escape(found[1])}\s*[:=]\s*(?P<{field}>.+?)\s*$"
        kinds[str(field)] = (meaning, pattern)
    if Field.SERIAL_NUMBER not in taken:
        kinds["unit"] = ("unit", _SERIAL)
        told = (line for line in lines if re.search(_SERIAL, line))
        # A line of a log begins with its time: that of the unit is its start.
        if re.match(_STAMPED, next(told, "")):
            kinds["unit"] = ("unit", _STAMPED + _SERIAL)
    if Field.RUN_OUTCOME not in taken and any(re.search(_ENDED, x) for x in lines):
        kinds["ended"] = ("end", _ENDED)
    stamped = sum(re.match(_STAMPED, line) is not None for line in lines)
    # Most lines of a log begin so.
    before = (
        r"^\W*\d[\d\W]*T?[\d\W]+(?:[A-Z]+\W+)?" if stamped > len(lines) / 2 else r"^\s*"
    )
    kinds["measured"] = ("measurement", before + _MEASURED)
    return kinds


_STAMPED = r"^\W?(?P<started_at>\d{4}-\d\d-\d\d[ T][\d:]+(?:[.,]\d+)?).*?"
_SERIAL = (
    r"\b(?:S/?N|[Ss]erial(?: ?(?:[Nn]umber|[Nn]o\.?))?|SERIAL|DUT|UUT)\s*[:=#]\s*"
    r"(?P<serial_number>[\w./-]+)"
)
_ENDED = (
    r"(?i:\b(?:finished|overall|verdict|(?:final|test|total) result|result)\b)[\s:=-]+"
    r"(?P<run_outcome>(?i:pass|fail)\w*)\W*$"
)
# supply voltage: 3.31 V (3.2 .. 3.4) PASS; the last three may be lacking.
_MEASURED = (
    r"(?P<measurement>[^=\[\]]+?)\s*(?:[:=]|\.{2,})\s*(?P<value>[-+]?[\d.]+(?:[eE][-+]?\d+)?)"
    r"\s*(?P<unit>[^\s\d()\[\]<>,;]\S*)?"
    r"(?:\s*[(\[]\s*(?:(?i:limits?)\W*)?(?P<lower_limit>[-+.\deE]*)\s*"
    r"(?:\.\.+|,|to|~|/|;)\s*(?P<upper_limit>[-+.\deE]*)\s*[)\]])?"
    r"(?:[\s,:;<>=(\[-]+(?P<outcome>(?i:pass|fail)(?:ED|ed)?|OK|NOK|NG))?\W*$"
)


def draft_records(draft: ProfileDraft, example: LogExample, layout: LogLayout) -> None:
    """Write each kind of record with an example of it, and what it may be."""
    draft.say("fields.procedure", {"value": draft.name})
    draft.ask("what the records are, and at which positions their fields stand")
    draft.lines += ["", "[records]", "kind = 1", "", "[records.kinds]"]
    shown: dict[str, ExampleRow] = {}
    for row in example.rows:
        shown.setdefault(row.cells[0].strip(), row)
    has_unit = False
    for word in layout.kinds:
        meaning = next(
            (
                name
                for name, words in _RECORDS
                if re.fullmatch(words, word, re.IGNORECASE)
            ),
            "note",
        )
        if meaning == "unit":
            meaning, has_unit = ("details" if has_unit else "unit"), True
        draft.lines.append(
            f"# line {shown[word].line}: {shown[word].text.strip()[:100]}"
        )
        draft.lines.append(
            f"{toml_key(word)} = {{ is = {toml_value(meaning)}, "
            f"fields = {toml_value(_positions(meaning, word, shown[word]))} }}"
        )


def _positions(meaning: str, word: str, row: ExampleRow) -> dict[str, object]:
    cells = [cell.strip() for cell in row.cells]
    found: dict[str, object] = {}
    if meaning == "measurement":
        found["measurement"] = 2
        numbers = [at for at, cell in enumerate(cells[2:], start=3) if is_number(cell)]
        fields = ("value", "lower_limit", "upper_limit")
        found.update(zip(fields, numbers, strict=False))
    if meaning in ("unit", "details", "end"):
        for at, cell in enumerate(cells[1:], start=2):
            if cell and not unknown_words([cell]):
                found.setdefault("run_outcome", at)
            elif find_dates([cell])[0] and re.search(r"\d\D\d+\D\d", cell):
                found.setdefault("ended_at" if meaning == "end" else "started_at", at)
        if re.fullmatch(r"SN|SERIAL.*|UNIT|DUT|UUT|BOARD", word, re.IGNORECASE):
            found.setdefault("serial_number", 2)
    if meaning == "phase":
        found["phase"] = 2
    return found

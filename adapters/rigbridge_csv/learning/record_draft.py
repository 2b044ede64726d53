"""The draft of a profile for records of several kinds, and for lines of text."""

from __future__ import annotations

import re

from rigbridge_csv.learning.layout import LogLayout
from rigbridge_csv.learning.meaning import find_dates, unknown_words
from rigbridge_csv.learning.sample import ExampleRow, LogExample, is_number
from rigbridge_csv.learning.toml_draft import ProfileDraft, toml_key, toml_value

__all__ = ["draft_lines", "draft_records"]

_RECORDS = (
    ("batch", r"BATCH|LOT|HEADER|FILE|PROGRAM"),
    ("unit", r"START|BEGIN|UNIT|SN|SERIAL|BOARD|DUT|UUT|BTEST|PANEL|TEST ?START"),
    ("end", r"END|STOP|RESULT|FINISH|BOARDRESULT|VERDICT|SUMMARY"),
    ("phase", r"STEP|PHASE|BLOCK|GROUP|SECTION|SEQ"),
    ("measurement", r"MEAS.*|TEST|ANL|ANALOG|DATA|VAL.*|A-.*|D|M|RES|PARAM|NUMERIC"),
    ("note", r"NOTE|COMMENT|MSG|LOG|INFO|REM|RPT|TEXT"),
)


def draft_lines(draft: ProfileDraft, example: LogExample) -> None:
    """Write what is to be declared for a file that holds no table."""
    draft.say("name", draft.name)
    draft.say("form", "record", "no table was found: lines are told by patterns")
    draft.say("quote", "", "quotes are signs like any other")
    draft.ask("a pattern for the line of a unit, of a measurement and of the verdict")
    draft.lines += ["", "[records]", 'kind = "pattern"', ""]
    draft.lines += [f"# line {row.line}: {row.text[:100]}" for row in example.rows[:20]]
    draft.lines += [
        "[records.kinds.unit]",
        'is = "unit"',
        r"pattern = '^[Ss]erial.*?[:=]\s*(?P<serial_number>\S+)'",
        "",
        "[records.kinds.end]",
        'is = "end"',
        r"pattern = '^(?:[Oo]verall )?[Rr]esult\s*[:=]\s*(?P<run_outcome>\w+)'",
        "",
        "[records.kinds.measured]",
        'is = "measurement"',
        r"pattern = '^(?P<measurement>[^:=]+?)\s*[:=]\s*(?P<value>[-+]?[\d.]+)'",
    ]


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

"""The draft of a profile for a file that is one unit, a line a name and its text."""

from __future__ import annotations

from collections.abc import Sequence

from rigbridge_csv.learning.meaning import (
    KEY_WORDS,
    field_of,
    find_dates,
    number_signs,
    unknown_words,
)
from rigbridge_csv.learning.sample import LogExample, is_number
from rigbridge_csv.learning.toml_draft import ProfileDraft, toml_key, toml_value
from rigbridge_csv.profiles.fields import Field

__all__ = ["draft_vertical"]

_TIMES = (Field.STARTED_AT, Field.ENDED_AT)


def draft_vertical(draft: ProfileDraft, example: LogExample) -> bool:
    """
    Write the profile of a file that has a name and its text in every line.

    Returns:
        Whether it is such a file; else nothing is written.
    """
    names = [row.cells[0].strip() for row in example.rows]
    texts = ["".join(row.cells[1:2]).strip() for row in example.rows]
    fields = [field_of(name, KEY_WORDS) for name in names]
    pairs = all(row.width <= 2 for row in example.rows)  # name, text
    # Fewer are a table.
    told = len(set(names)) == len(names) > 3 and not any(map(is_number, names))
    if not (pairs and told and Field.SERIAL_NUMBER in fields):
        return False
    draft.say("name", draft.name)
    draft.say("form", "record", "every line is a name and its text: one unit a file")
    delimiter = {"\t": "tab"}.get(example.delimiter, example.delimiter)
    draft.say("delimiter", delimiter, example.reasons[0])
    decimal, _, _ = number_signs(texts)
    if decimal == ",":
        draft.say("decimal", ",", "numbers have a decimal comma")
    if any(name.endswith((")", "]")) for name in names):
        draft.say("names", r"^(?P<name>.+?)\s*[(\[](?P<unit>[^()\[\]]+)[)\]]$")
    dates = [text for field, text in zip(fields, texts, strict=True) if field in _TIMES]
    form, why = find_dates(dates)
    if form is not None and form != "iso":
        draft.say("dates", [form], why)
    elif dates and form is None:
        draft.ask(f"the order of dates: {why}", 'dates = ["day-first"]')
    if Field.PROCEDURE not in fields:
        draft.say("fields.procedure", {"value": draft.name}, "the log does not say it")
    _kinds(draft, names, texts, fields)
    return True


def _kinds(
    draft: ProfileDraft,
    names: Sequence[str],
    texts: Sequence[str],
    fields: Sequence[Field | None],
) -> None:
    """Write what each line is: the first opens the run, whatever it says."""
    draft.lines += ["", "[records.kinds]"]
    taken: set[Field] = set()
    for at, (name, text, field) in enumerate(zip(names, texts, fields, strict=True)):
        if field is not None and field not in taken:
            taken.add(field)
            value: object = {
                "is": "details" if at else "unit",
                "fields": {field.value: 2},
            }
        elif at == 0:
            value = {"is": "unit", "attributes": {2: name}}
        else:
            continue
        if field is Field.RUN_OUTCOME and unknown_words([text]):
            draft.asks.append(f"what the verdict {text!r} means, under outcomes")
        draft.lines.append(f"{toml_key(name)} = {toml_value(value)}")
    draft.lines.append("# every other line is a measurement")
    value = {"is": "measurement", "fields": {"measurement": 1, "value": 2}}
    draft.lines.append(f'"*" = {toml_value(value)}')

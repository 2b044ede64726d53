"""The draft of a profile for records below their steps, as some cyclers write them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rigbridge_csv.learning.sample import ExampleRow, LogExample, is_number
from rigbridge_csv.learning.toml_draft import ProfileDraft

__all__ = ["draft_layers"]


def _depth(row: ExampleRow) -> int:
    return next(at for at, cell in enumerate(row.cells) if cell.strip())


def draft_layers(draft: ProfileDraft, example: LogExample) -> bool:
    """
    Write the profile of a file whose rows stand indented below those they belong to.

    Returns:
        Whether it is such a file; else nothing is written.
    """
    headers: list[ExampleRow] = []
    for row in example.rows:
        if _depth(row) != len(headers) or any(map(is_number, row.cells)):
            break
        headers.append(row)
    rows = example.rows[len(headers) :]
    depths = [_depth(row) for row in rows]
    last = len(headers) - 1
    # Each depth has a line of names, and rows of its own below.
    if (
        last < 1
        or set(depths) != set(range(last + 1))
        or depths.count(last) < len(depths) / 2
    ):
        return False
    sign = {"\t": r"\t"}.get(example.delimiter, re.escape(example.delimiter))
    names = [cell.strip() for cell in headers[-1].cells[last:] if cell.strip()]
    draft.say("name", draft.name)
    draft.say("form", "series", "rows stand indented below their step")
    if example.encoding_rule is not None:
        draft.say("encoding", example.encoding, example.encoding_rule)
    draft.say("delimiter", {"\t": "tab"}.get(example.delimiter, example.delimiter))
    levels = [f"level {at + 1}" for at in range(last)]
    draft.say("header", {"names": [*levels, *names]}, "the names of the deepest rows")
    begin = f"^{sign * (last - 1)}(?P<number>[^{sign}]*\\d){sign}(?P<name>[^{sign}]+)"
    draft.say("blocks", {"begin": begin, "is": "phase"}, _shown(rows, last - 1))
    data: dict[str, object] = {"columns": [1, last + len(names)], "short": "blank"}
    if last > 1:
        draft.say(
            "data",
            {**data, "skip": f"^{sign * (last - 2)}[^{sign}]"},
            "what is summed up above the steps is left out, and recorded",
        )
    else:
        draft.say("data", data)
    if any(name.endswith((")", "]")) for name in names):
        draft.say("names", r"^(?P<name>.+?)\s*[(\[](?P<unit>[^()\[\]]+)[)\]]$")
    x = names[1] if len(names) > 1 else names[0]
    draft.say("series", {"x": x, "except": "|".join(levels)}, f"{x!r} counts up")
    draft.say("fields.procedure", {"value": draft.name}, "the log does not say it")
    draft.ask(
        "which part of the file's name is the serial number",
        "fields.serial_number = { file = \"stem\", pattern = '...' }",
    )
    return True


def _shown(rows: Sequence[ExampleRow], depth: int) -> str:
    first = next(row for row in rows if _depth(row) == depth)
    return f"line {first.line} begins a step: {first.text.strip()[:60]}"

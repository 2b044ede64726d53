"""The lines of a name and its text in an example, and how a profile reads them."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from rigbridge_csv.learning.layout import LogLayout, is_summary
from rigbridge_csv.learning.sample import ExampleRow, LogExample, is_number
from rigbridge_csv.learning.toml_draft import ProfileDraft
from rigbridge_csv.profiles.signs import BLANKS
from rigbridge_csv.tables.keys import colon_pairs, parted_keys

__all__ = ["find_keys", "find_side_keys", "write_side_keys"]

_FEWEST_COLUMNS = 3
_FEWEST_KEYS = 2


def find_keys(
    draft: ProfileDraft, example: LogExample, layout: LogLayout
) -> dict[str, str]:
    """Write how keys are read, and give those that are found."""
    found: dict[str, str] = {}
    separator = _comment_separator(example.comments)
    if separator is not None:
        draft.say("keys", {"separator": separator}, "comments hold names and texts")
        for line in example.comments:
            body = line.lstrip()[len(example.comment or "") :]
            name, sign, rest = body.partition(separator)
            if sign and name.strip() and rest.strip():
                found.setdefault(name.strip(), rest.strip())
        return found
    roles = {row.line for row, _, _ in layout.roles}
    rows = [row for row in layout.before if row.line not in roles]
    # The verdict of the whole often stands below the rows.
    ends = [row for row in layout.behind if row.width == 2 and not is_summary(row)]
    rows += [row for row in ends if not any(map(is_number, row.cells))]
    if not rows:
        return found
    blanks = example.delimiter in BLANKS
    single = [row for row in rows if row.width == 1 or blanks]
    written = next(
        (s for s in (":", "=") if sum(s in row.text for row in single) > len(rows) / 2),
        None,
    )
    if written is not None:
        draft.say(
            "keys",
            {"separator": written},
            "lines before the header: name and text",
        )
        return _written_keys(rows, written)
    if any(_has_pairs(row) for row in rows):
        draft.say("keys", {"pairs": True}, "names and texts take turns in a line")
        for row in rows:
            names = [cell.strip().rstrip(" :=") for cell in row.cells[::2]]
            pairs = colon_pairs(row.cells) if _has_pairs(row) else []
            found.update(
                pairs or zip(names, map(str.strip, row.cells[1::2]), strict=False)
            )
        return {name: text for name, text in found.items() if text}
    draft.say("keys", {}, f"{len(rows)} lines hold a name and its text")
    for row in rows:
        found.update(_key_of(row))
    return {name: text for name, text in found.items() if text}


def _written_keys(rows: Sequence[ExampleRow], sign: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in rows:
        for part in parted_keys(sign, row.text) or [row.text]:
            name, _, rest = part.partition(sign)
            found.setdefault(name.strip(), rest.strip())
    return found


def _key_of(row: ExampleRow) -> dict[str, str]:
    filled = [cell.strip() for cell in row.cells if cell.strip()]
    if len(filled) > 1:
        return {filled[0].rstrip(" :="): filled[1]}
    name, _, rest = filled[0].partition(":") if filled else ("", "", "")
    return {name.strip(): rest.strip()}


def _comment_separator(comments: Sequence[str]) -> str | None:
    """Find the sign between name and text in comments."""
    # The colon within a time of day is none.
    signs = (": ", ":", "=")
    return next((s for s in signs if any(s in line for line in comments)), None)


def _has_pairs(row: ExampleRow) -> bool:
    """Say whether a line has a name, its text, and another name."""
    return any(cell.strip().endswith(":") for cell in row.cells[2:])


def find_side_keys(example: LogExample) -> tuple[LogExample, int, int] | None:
    """
    Find keys to the right of the table of an example.

    Returns:
        The example without them, the last column of the table, and the column of the
        names, both counted from 1; None if there are none.
    """
    rows = [row for row in example.rows if row.width]
    width = max((len(row.cells) for row in rows), default=0)
    for gap in range(_FEWEST_COLUMNS, width - 2):
        right = [row.cells[gap + 1 :] for row in rows]
        if any("".join(row.cells[gap : gap + 1]).strip() for row in rows):
            continue
        names = [cells[0].strip() if cells else "" for cells in right]
        if not names or not names[0]:
            continue
        count = names.index("") if "" in names else len(names)
        if _FEWEST_KEYS <= count < len(rows) and _are_keys(right, names, count):
            return _cut(example, gap), gap, gap + 2
    return None


def _are_keys(right: Sequence[Sequence[str]], names: Sequence[str], count: int) -> bool:
    filled = [[cell for cell in cells if cell.strip()] for cells in right]
    return (
        all(len(cells) == 2 for cells in filled[:count])  # a name and its text
        and not any(filled[count:])
        and len(set(names[:count])) == count
        and not any(map(is_number, names[:count]))
    )


def _cut(example: LogExample, width: int) -> LogExample:
    def cut(row: ExampleRow) -> ExampleRow:
        return attrs.evolve(row, cells=row.cells[:width])

    return attrs.evolve(example, rows=[cut(row) for row in example.rows])


def write_side_keys(
    draft: ProfileDraft, given: LogExample, found: tuple[LogExample, int, int]
) -> dict[str, str]:
    """Write how they are read, and give them."""
    _, last, name = found
    draft.say("data.columns", [1, last], "keys stand to the right of the table")
    draft.say("header.beside", value=True)
    draft.say("keys", {"columns": [name, name + 1]}, "a name and its text")
    texts = (row.cells[name - 1 : name + 1] for row in given.rows)
    return {c[0].strip(): c[1].strip() for c in texts if len(c) == 2 and c[0].strip()}

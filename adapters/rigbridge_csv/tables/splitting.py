"""Several records in one line: each with its cells, and the records that end there."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from rigbridge_csv.profiles.forms import RecordRules
from rigbridge_csv.text.records import Records, blank

__all__ = ["KindRecord", "kind_records"]


@attrs.frozen
class KindRecord:
    """
    A record with its kind.

    Attributes:
        line: the line in which it begins.
        kind: the word that tells its kind.
        cells: its cells, the first at position 1.
        problem: why it cannot be used, or None.
        ended: how many records end behind it, itself among them; 0 where records are
            not nested.
    """

    line: int
    kind: str
    cells: list[str]
    text: str
    problem: str | None
    ended: int = 0


def kind_records(
    records: Records, rules: RecordRules, delimiter: str
) -> Iterator[KindRecord]:
    """Go through the records of a file of several kinds."""
    for line, cells, problem in records:
        if blank(cells):
            continue
        text = records.text
        if rules.begin is not None:
            yield from _nested(line, text, rules, delimiter)
            continue
        kind = _kind(cells, text, rules)
        if rules.kind == "blanks":
            # Positions count from the first cell that is filled.
            cells = cells[int(kind) :]  # noqa: PLW2901 - the record's own cells
        yield KindRecord(line, kind, cells, text, problem)


def _kind(cells: list[str], text: str, rules: RecordRules) -> str:
    if isinstance(rules.kind, int):
        return cells[rules.kind - 1].strip() if rules.kind <= len(cells) else ""
    if rules.kind == "blanks":
        return str(
            next((at for at, cell in enumerate(cells) if cell.strip()), len(cells))
        )
    for name, kind in rules.kinds.items():
        if kind.pattern is not None and kind.pattern.search(text):
            return name
    return ""


def _nested(
    line: int, text: str, rules: RecordRules, delimiter: str
) -> Iterator[KindRecord]:
    begin, end = rules.begin or "", rules.end
    parts = text.split(begin)
    # What stands before the first sign ends records of the lines above.
    closing = _ends(parts[0], end)
    if closing:
        yield KindRecord(line, "", [], text, None, closing)
    for part in parts[1:]:
        ended = _ends(part, end)
        shown = part.rstrip()
        while end is not None and shown.endswith(end):
            shown = shown.removesuffix(end).rstrip()
        cells = shown.split(delimiter)
        yield KindRecord(line, _kind(cells, shown, rules), cells, shown, None, ended)


def _ends(text: str, end: str | None) -> int:
    if end is None:
        return 0
    count, rest = 0, text.rstrip()
    while rest.endswith(end):
        count += 1
        rest = rest.removesuffix(end).rstrip()
    return count

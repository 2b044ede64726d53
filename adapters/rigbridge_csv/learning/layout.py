"""Where header, keys, rows with roles, data and footer of an example stand."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import attrs

from rigbridge_csv.learning.sample import ExampleRow, LogExample, is_number

__all__ = ["LogLayout", "find_layout"]

_ROLES: Mapping[str, str] = {
    re.sub(r"[\W_]", "", word): role
    for role, words in {
        "attribute": "test no|test number|tnum|test id|test num|data type",
        "unit": "unit|units|einheit|einheiten|dim|uom|unité|unidad|unità|jednostka"
        "|eng units|y unit label|単位|单位",
        "upper_limit": "max|upper|usl|hi|high|maximum|ul|hi lim|hi limit|obergrenze"
        "|upper limit|high limit|limit high|test max|spec max|limit max|up limit"
        "|test high|limite sup|上限|上限値|上限值|oberer grenzwert|osg|max limit",
        "lower_limit": "min|lower|lsl|lo|low|minimum|ll|lo lim|lo limit|untergrenze"
        "|lower limit|low limit|limit low|test min|spec min|limit min|test low"
        "|limite inf|下限|下限値|下限值|unterer grenzwert|usg|min limit",
        "name": "name|names|test name|channel|channel name|signal|signal name"
        "|parameter|tag",
    }.items()
    for word in words.split("|")
}
_RECORDS = (
    "rows are records: few words come again in the first cell, each with a number of "
    "cells of its own"
)
_UNIT = re.compile(
    r"[\[(]?(?:[munpkMGµμ]?(?:V|A|W|Hz|F|H|s|Ohm|ohm|Ω|Pa|m|g|J|N|bar|Wh|Ah|Vrms|Vdc|Vpp)"
    r"|sec|second|seconds|Volt|Volts|Ampere|dBm?|%|°?C|°F|K|deg|rpm|mAh|mWh|lux|cd|ppm"
    r"|ml/min|l/min|m/s|m/s\^?2|deg/s|h|min|count|counts|n/?a|none|-)[\])]?"
)
_STATISTICS = re.compile(
    r"(?:min|max|mean|avg|average|std\.? ?dev(?:iation)?|sigma|median|range|cpk?|ppk?"
    r"|count|n|total|sum|yield|mittelwert|standardabweichung|moyenne|[ée]cart-type"
    r"|promedio|media|平均|平均值|最大|最小|標準偏差)[\w.%]*:?",
    re.IGNORECASE,
)
_VALUE = re.compile(r"[-+<>=]*\s*\d[\d.,' ]*(?:[eE][-+]?\d+)?\s*[^\W\d]{0,4}|[<>][LU]L")


@attrs.frozen(kw_only=True)
class LogLayout:
    """
    Where the parts of an example are.

    Attributes:
        header: the row of the names; None where there is none.
        before: the rows before it.
        roles: the rows with a role, each with its label (or None) and its role.
        data: the rows of the table.
        behind: the rows behind the table.
        kinds: the words of the first cells with their number, where rows are records of
            several kinds.
        sections: how many times the header stands in the file.
        reasons: what was decided, and by what.
    """

    header: ExampleRow | None
    before: list[ExampleRow]
    roles: list[tuple[ExampleRow, str | None, str]]
    data: list[ExampleRow]
    behind: list[ExampleRow]
    kinds: Mapping[str, int]
    sections: int
    reasons: list[str]


def _typed(cells: Sequence[str], *, widely: bool = False) -> float:
    """
    Give the share of the filled cells that hold digits first, as values do.

    Args:
        cells: the cells.
        widely: whether ``1.2k``, ``1,234.5`` and ``12.0 V`` are values; a header may
            have ``5V``.
    """
    filled = [cell.strip() for cell in cells if cell.strip()]
    values = [
        cell
        for cell in filled
        if is_number(cell)
        or is_number(cell, ",")
        or re.match(r"\d+[-/.:]\d+", cell)
        or (widely and _VALUE.fullmatch(cell))
    ]
    return len(values) / max(1, len(filled))


def _names(row: ExampleRow) -> bool:
    """Say whether a row may be a header: texts that differ, hardly a number."""
    filled = [cell.strip() for cell in row.cells if cell.strip()]
    return (
        len(filled) > 1
        and _typed(row.cells) < 0.35  # noqa: PLR2004 - channel names may be numbers
        and len(set(filled)) > len(filled) / 2
    )


def find_layout(example: LogExample) -> LogLayout:
    """
    Find the parts of an example.

    Args:
        example: what is seen of it.
    """
    rows = example.rows
    kinds = _kinds(rows)
    if kinds:
        return LogLayout(
            header=None,
            before=[],
            roles=[],
            data=rows,
            behind=[],
            kinds=kinds,
            sections=1,
            reasons=[_RECORDS],
        )
    start, width = _table(rows)
    at = _header(rows, start, width)
    header = None if at is None else rows[at]
    first = start if at is None else at + 1
    roles: list[tuple[ExampleRow, str | None, str]] = []
    while first < len(rows):
        found = _role(rows[first])
        if (found is None or found[1] == "name") and first >= start:
            break
        if found is None or found[1] == "name":
            # Between the names and the rows: something that is said of each column.
            label = next(cell.strip() for cell in rows[first].cells if cell.strip())
            found = (label, "attribute")
        text, role = found
        roles.append((rows[first], text, role))
        first += 1
    data, behind = _data(rows[first:], header, width)
    sections = 1
    if header is not None:
        sections += sum(row.cells == header.cells for row in rows[first:])
    shown = (
        "none: rows of numbers begin at once"
        if header is None
        else f"line {header.line}: the last row of names before rows with numbers"
    )
    before = rows[: start if at is None else at]
    return LogLayout(
        header=header,
        before=before,
        roles=roles + _roles_above(before, header),
        data=data,
        behind=behind,
        kinds={},
        sections=sections,
        reasons=[f"header {shown}"],
    )


def _kinds(rows: Sequence[ExampleRow]) -> Mapping[str, int]:
    words = Counter(row.cells[0].strip() for row in rows)
    widest = max((len(row.cells) for row in rows), default=0)
    # A header is as wide as any row, and what begins it does not come again.
    if (
        rows
        and len(rows[0].cells) == widest
        and words[rows[0].cells[0].strip()] == 1
        and _names(rows[0])
    ):
        return {}
    repeated = {word: count for word, count in words.items() if count > 1}
    covered = sum(repeated.values())
    widths = {
        word: {len(row.cells) for row in rows if row.cells[0].strip() == word}
        for word in repeated
    }
    if (
        len(repeated) < 2  # noqa: PLR2004 - one kind alone is a table
        or len(words) > max(12, len(rows) / 3)
        or covered < len(rows) * 0.6
        or any(is_number(word) or not word or len(word) > 20 for word in repeated)  # noqa: PLR2004 - a word
        or len({min(found) for found in widths.values()}) < 2  # noqa: PLR2004 - see above
    ):
        return {}
    return dict(words)


def _table(rows: Sequence[ExampleRow]) -> tuple[int, int]:
    """Find the first row of the longest stretch of rows with numbers, and its width."""
    best, at, width = 0, 0, 0
    begun = 0
    last = -1
    score = 0
    for number, row in enumerate(rows):
        cells = len(row.cells)
        typed = _typed(row.cells, widely=True)
        valued = cells > 1 and typed >= 0.3 and _role(row) is None  # noqa: PLR2004 - a third are numbers
        if valued and abs(cells - last) <= 1:
            score += 1
        else:
            begun, score = number, int(valued)
        last = cells
        if score * min(cells, 12) > best:
            best, at, width = score * min(cells, 12), begun, cells
    return at, width or max((len(row.cells) for row in rows), default=0)


def _header(rows: Sequence[ExampleRow], start: int, width: int) -> int | None:
    # Rows with a role and wide tables of texts may come between.
    for at in range(start, -1, -1):
        if at >= len(rows):
            continue
        row = rows[at]
        if (_role(row) or ("", ""))[1] not in ("", "name") or not _names(row):
            continue
        if row.width > 1 and row.width >= min(width - 1, width * 0.6) - 1:
            # A row of units is no header; one of names stands above it.
            above = rows[at - 1] if at else None
            if (
                above is not None
                and _names(above)
                and len(above.cells) == len(row.cells)
                and above.width >= row.width
                and _all_units(row)
            ):
                return at - 1
            return _labelled(rows, start, at)
    return None


def _labelled(rows: Sequence[ExampleRow], start: int, at: int) -> int:
    """Give the row that calls itself the names, where the rows have no first cell."""
    if any(not row.cells[0].strip() for row in rows[start : start + 2]):
        for above in range(at, max(-1, at - 6), -1):
            found = _role(rows[above])
            if found is not None and found[1] == "name":
                return above
    return at


def _all_units(row: ExampleRow) -> bool:
    filled = [cell.strip() for cell in row.cells if cell.strip()]
    known = sum(_UNIT.fullmatch(cell) is not None for cell in filled)
    # km/h, mVpp: like units, beside others that are.
    return known == len(filled) > 0 or (
        known >= len(filled) * 0.5
        and all(re.fullmatch(r"[^\s\d]{1,7}\d?", cell) for cell in filled)
    )


def _role(row: ExampleRow) -> tuple[str | None, str] | None:
    label = next((cell.strip() for cell in row.cells if cell.strip()), "")
    role = _ROLES.get(re.sub(r"[\W_]", "", label).casefold())
    if role is not None and sum(bool(cell.strip()) for cell in row.cells) > 1:
        return label, role
    return (None, "unit") if _all_units(row) else None


def _roles_above(
    before: Sequence[ExampleRow], header: ExampleRow | None
) -> list[tuple[ExampleRow, str | None, str]]:
    found: list[tuple[ExampleRow, str | None, str]] = []
    for row in before[-8:]:
        role = _role(row)
        if role is not None and role[1] == "name" and not _completes(row, header):
            continue
        if header is not None and role is not None and len(row.cells) > 2:  # noqa: PLR2004 - more than a key
            found.append((row, *role))
    return found


def _completes(row: ExampleRow, header: ExampleRow | None) -> bool:
    """Say whether a row has names where the header has blank cells, or none."""
    given = [] if header is None else header.cells
    return any(
        cell.strip() and not "".join(given[at : at + 1]).strip()
        for at, cell in enumerate(row.cells)
    )


def _data(
    rows: Sequence[ExampleRow], header: ExampleRow | None, width: int
) -> tuple[list[ExampleRow], list[ExampleRow]]:
    wanted = width if header is None else len(header.cells)
    last = 0
    for number, row in enumerate(rows, start=1):
        if (
            len(row.cells) == wanted
            or abs(len(row.cells) - width) <= 1
            or (header is not None and row.cells == header.cells)
        ) and (row.width > 2 or wanted <= 2):  # noqa: PLR2004 - a key has two cells
            last = number
    # Rows that end early are rows as long as others follow or they begin alike.
    while last < len(rows) and _alike(rows[last], rows[:last]):
        last += 1
    # Statistics below the rows are as wide as these.
    while last > 1 and _STATISTICS.fullmatch(rows[last - 1].cells[0].strip()):
        last -= 1
    return list(rows[:last]), list(rows[last:])


def _alike(row: ExampleRow, rows: Sequence[ExampleRow]) -> bool:
    if not rows or row.width < 2:  # noqa: PLR2004 - a row has more than one cell
        return False
    first, before = row.cells[0].strip(), rows[-1].cells[0].strip()
    return is_number(first) and is_number(before)

"""Where header, keys, rows with roles, data and footer of an example stand."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.resources import files

import attrs

from rigbridge_csv.learning.sample import (
    ExampleRow,
    LogExample,
    are_names,
    is_number,
    is_ruled,
    typed_share,
)

__all__ = ["LogLayout", "find_layout", "is_summary", "is_unit"]

_ROLES: Mapping[str, str] = {
    re.sub(r"[\W_]", "", word): role
    for role, words in tomllib.loads(
        (files("rigbridge_csv.learning") / "roles.toml").read_text("utf-8")
    ).items()
    for word in words
}
_RECORDS = (
    "rows are records: few words come again in the first cell, each with a number of "
    "cells of its own"
)
_UNIT = re.compile(
    r"[\[(]?(?:[munpkMGµμ]?(?:V|A|W|Hz|F|H|s|[Oo]hms?|Ω|\u2126|Pa|m|g|J|N|bar|Wh|Ah|Nm"
    r"|V ?(?:rms|dc|pp|DC|AC|ac)|A ?(?:rms|DC|AC|dc|ac)|VA|var|S)"
    r"|sec|second|seconds|Volts?|Amps?|Ampere|dB\w{0,2}|%|°|°?C|°F|K|deg\w?|rpm|mAh|mWh"
    r"|lux|cd|ppm|psi\w?|sccm|ml/min|l/min|m/s|m/s\^?2|deg/s|h|min|h+:m+:s+|count|counts"
    r"|#|n/?a|none|-)[\])]?"
)
_SINGLE = frozenset("VAW%sΩ°")
_HEADS = re.compile(
    r"(?:date|time|datum|zeit|timestamp|scan|sample|store no|no|index|x|日付|时间|時刻)"
    r"\b.*",
    re.IGNORECASE,
)
_STATISTICS = re.compile(
    r"(?:min|max|mean|avg|average|std\.? ?dev(?:iation)?|sigma|median|range|cpk?|ppk?"
    r"|count|n|total|sum|yield|mittelwert|standardabweichung|moyenne|[ée]cart-type"
    r"|promedio|media|平均|平均值|最大|最小|標準偏差)[\w.%]*:?",
    re.IGNORECASE,
)
_BEGINS = re.compile(
    r"@?(?:START|BEGIN|UNIT|DUT|UUT|BOARD|SN|SERIAL|HEADER)", re.IGNORECASE
)
_ENDS = re.compile(r"@?(?:END|STOP|FINISH|RESULT|VERDICT|SUMMARY)", re.IGNORECASE)
_FIGURES = re.compile(r"[-+.,]?\d")


@attrs.frozen(kw_only=True)
class LogLayout:
    """
    Where the parts of an example are.

    Attributes:
        header: the row of the names; None where there is none.
        roles: the rows with a role, each with its label (or None) and its role.
        marks: rows of one cell among the rows, which divide these into parts.
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
    marks: list[ExampleRow] = attrs.field(factory=list[ExampleRow])
    kinds: Mapping[str, int]
    sections: int
    reasons: list[str]
    block: ExampleRow | None = None
    """The line that begins the first of several tables, each with the same header."""


def is_summary(row: ExampleRow) -> bool:
    """Say whether a row sums up those above it."""
    return _STATISTICS.fullmatch(row.cells[0].strip()) is not None


def is_unit(text: str) -> bool:
    """Say whether a text is the name of a unit, and not a prefix alone."""
    return text in _SINGLE or (len(text) > 1 and _UNIT.fullmatch(text) is not None)


def find_layout(example: LogExample) -> LogLayout:
    """Find the parts of an example."""
    blocks = _blocks(example.rows)
    if blocks > 0:
        alone = attrs.evolve(example, rows=example.rows[:blocks])
        return attrs.evolve(find_layout(alone), block=example.rows[0])
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
        if rows[first].width == 1 and _begins_alike(rows[first], rows[start:]):
            # The first of several parts begins here.
            break
        numbered = is_number(rows[first].cells[0])
        if (found is None or found[1] == "name") and (first >= start or numbered):
            break
        if found is None or found[1] == "name":
            # Between the names and the rows: something that is said of each column.
            label = next(cell.strip() for cell in rows[first].cells if cell.strip())
            # A row that begins with a blank has no label.
            labelled = bool(rows[first].cells[0].strip())
            ruled = is_ruled(rows[first])
            found = (label if labelled else None, "drop" if ruled else "attribute")
        text, role = found
        roles.append((rows[first], text, role))
        first += 1
    data, behind = _data(rows[first:], header, width)
    marks = _marks(data, width)
    data = [
        row
        for row in data
        if row not in marks and (header is None or row.cells != header.cells)
    ]
    data = _of_one_header(data, header)
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
        marks=marks,
        kinds={},
        sections=sections,
        reasons=[f"header {shown}"],
    )


def _of_one_header(
    rows: list[ExampleRow], header: ExampleRow | None
) -> list[ExampleRow]:
    """Give the rows above a header with other columns, by which the others are read."""
    known = set[str]() if header is None else set(header.cells) - {""}
    for number, row in enumerate(rows[1:], start=1):
        if are_names(row) and len(known.intersection(row.cells)) > row.width / 2:
            return rows[:number]
    return rows


def _blocks(rows: Sequence[ExampleRow]) -> int:
    """Give how many rows the first of several tables has; 0 if there is but one."""
    word = rows[0].cells[0].strip() if rows else ""
    begins = [at for at, row in enumerate(rows) if row.cells[0].strip() == word]
    if len(begins) < 2 or not word:  # several
        return 0
    # Each has keys, the header, and at least one row below it.
    headers = (
        row
        for row in rows[1 : begins[1] - 1]
        if row.width > rows[0].width and are_names(row)
    )
    for header in headers:
        if sum(row.cells == header.cells for row in rows) == len(begins):
            return begins[1]
    return 0


def _framed(rows: Sequence[ExampleRow]) -> bool:
    first, last = rows[0].cells[0].strip(), rows[-1].cells[0].strip()
    return (
        _BEGINS.fullmatch(first) is not None
        and _ENDS.fullmatch(last) is not None
        and len({len(row.cells) for row in rows}) > 1
    )


def _kinds(rows: Sequence[ExampleRow]) -> Mapping[str, int]:
    words = Counter(row.cells[0].strip() for row in rows)
    widest = max((len(row.cells) for row in rows), default=0)
    # A header is as wide as any row, and what begins it does not come again.
    if (
        rows
        and len(rows[0].cells) == widest
        and words[rows[0].cells[0].strip()] == 1
        and are_names(rows[0])
    ):
        return {}
    repeated = {word: count for word, count in words.items() if count > 1}
    covered = sum(repeated.values())
    # A first record that begins a unit, and a last one that ends it.
    if len(rows) > 3 and repeated and _framed(rows):  # something between
        return dict(words)
    widths = {
        word: {len(row.cells) for row in rows if row.cells[0].strip() == word}
        for word in repeated
    }
    if (
        len(repeated) < 2  # one kind alone is a table
        or len(words) > max(12, len(rows) / 3)
        or covered < len(rows) * 0.6
        # A word.
        or any(is_number(word) or not word or len(word) > 20 for word in repeated)
        or len({min(found) for found in widths.values()}) < 2
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
        typed = typed_share(row.cells, widely=True)
        # A third are numbers.
        valued = cells > 1 and typed >= 0.3 and _role(row) is None
        if valued and abs(cells - last) <= 1:
            score += 1
        else:
            begun, score = (number if valued else number + 1), int(valued)
        last = cells
        if score * min(cells, 12) > best:
            best, at, width = score * min(cells, 12), begun, cells
    deep = max((len(row.cells) for row in rows), default=0)
    # A table of texts alone: serial numbers and verdicts.
    if not width and len(rows) > 2 and all(len(row.cells) == deep > 2 for row in rows):
        return 1, deep
    return at + _keys_before(rows[at : at + 12]), width or deep


def _keys_before(rows: Sequence[ExampleRow]) -> int:
    """Count the keys with a number that stand above rows of numbers: Values;10."""
    numbered = [is_number(row.cells[0].strip()) for row in rows]
    keys = numbered.index(True) if True in numbered[1:] else 0
    if not all(numbered[keys : keys + 2]) or len(rows) < keys + 2:
        return 0
    for row in rows[:keys]:
        first, *others = row.cells
        named = are_names(row) and not any(map(is_number, others))
        if not first.strip() or _FIGURES.match(first.strip()) or named:
            return 0
    return keys


def _header(rows: Sequence[ExampleRow], start: int, width: int) -> int | None:
    # Signs behind the last cell make no column.
    deep = max((row.width for row in rows[start : start + 9]), default=width)
    # Rows with a role and wide tables of texts may come between.
    for at in range(start, -1, -1):
        if at >= len(rows):
            continue
        row = rows[at]
        role = (_role(row) or ("", ""))[1]
        if role not in ("", "name"):
            continue
        if at == start and typed_share(row.cells, widely=True) >= max(
            (typed_share(each.cells, widely=True) for each in rows[at + 1 : at + 3]),
            default=1,
        ):
            # As many numbers as the rows below it: one of them.
            continue
        named = are_names(row) and not (row.width == 2 and _UNIT_KEY.match(row.text))
        # A key with a number and its unit, above rows that have fewer cells.
        if named and row.width > deep and any(map(is_number, row.cells)):
            continue
        # The numbers of channels behind the name of the time: Date,Time,001,002.
        if not named and _HEADS.match(row.cells[0].strip()):
            filled = [cell.strip() for cell in row.cells if cell.strip()]
            # More than a key.
            named = row.width >= width > 2 and len(set(filled)) == len(filled)
        mark = row.width == 1 and _begins_alike(row, rows[start:])
        if not named and at < start and deep <= 2 and not mark:
            # A key or a mark: a table of two columns would take any pair for a header.
            return None
        if named and row.width > 1 and row.width >= min(width - 1, width * 0.6) - 1:
            topmost = _above_numbers(rows, _topmost(rows, at))
            return _labelled(rows, start, at) if topmost == at else topmost
    return None


def _above_numbers(rows: Sequence[ExampleRow], at: int) -> int:
    """Go up from a row of data that has few numbers to the names of its columns."""
    if not any(map(is_number, rows[at].cells)):
        return at
    top = at
    while top and len(rows[top - 1].cells) == len(rows[at].cells) > 2:
        top -= 1
    fits = are_names(rows[top]) and not any(map(is_number, rows[top].cells))
    return top if fits and rows[top].width >= rows[at].width else at


_UNIT_KEY = re.compile(r"\W*\w[\w -]*\bunits?\W", re.IGNORECASE)


def _begins_alike(row: ExampleRow, rows: Sequence[ExampleRow]) -> bool:
    word = re.split(r"[\W\d_]", row.text.strip())[0]
    return bool(word) and any(r.width == 1 and r.text.startswith(word) for r in rows)


def _gapped(row: ExampleRow) -> bool:
    """Say whether a label stands apart from what it says of the columns behind it."""
    return bool(row.cells[0].strip()) and not any(map(str.strip, row.cells[1:3]))


def _topmost(rows: Sequence[ExampleRow], at: int) -> int:
    """Go up from rows of units, and from those whose first cell another one fills."""
    if _gapped(rows[at]):
        top = next((up for up in range(at, -1, -1) if not _gapped(rows[up])), at)
        if are_names(rows[top]) and rows[top].width >= rows[at].width:
            return top
    while at:
        row, above = rows[at], rows[at - 1]
        indented = not row.cells[0].strip() and bool(above.cells[0].strip())
        # Units of some columns are the same; names are not.
        filled, over = (
            [cell.strip() for cell in each.cells if cell.strip()]
            for each in (row, above)
        )
        indented |= len(set(filled)) < len(filled) and len(set(over)) == len(over)
        if (
            not are_names(above)
            or len(above.cells) != len(row.cells)
            or above.width < row.width
            or not (indented or _all_units(row))
            or (_role(above) or ("", ""))[1] not in ("", "name")
        ):
            break
        at -= 1
    return at


def _marks(rows: Sequence[ExampleRow], width: int) -> list[ExampleRow]:
    """Find the lines of one cell that stand among the rows and begin alike."""
    found = [
        row
        for row in rows
        if width > 1 and len(row.cells) == 1 and not is_number(row.text)
    ]
    words = {re.split(r"[\W\d_]", row.text.strip())[0] for row in found}
    begins = bool(found) and found[0] is rows[0]
    return found if len(words) == 1 and words != {""} and begins else []


def _labelled(rows: Sequence[ExampleRow], start: int, at: int) -> int:
    """Give the row that calls itself the names, where the rows have no first cell."""
    if any(not row.cells[0].strip() for row in rows[start : start + 2]):
        for above in range(at, max(-1, at - 6), -1):
            found = _role(rows[above])
            wide = rows[above].width > rows[at].width * 0.6
            if found is not None and found[1] == "name" and wide:
                return above
    return at


def _all_units(row: ExampleRow) -> bool:
    filled = [cell.strip() for cell in row.cells if cell.strip()]
    known = sum(_UNIT.fullmatch(cell) is not None for cell in filled)
    # km/h, mVpp: like units, beside others that are.
    return known == len(filled) > 0 or (
        known >= len(filled) * 0.5
        and all(re.fullmatch(r"[^\s\d]{1,8}\d?", cell) for cell in filled)
    )


def _word(text: str) -> str:
    return re.sub(r"[\W_]", "", text).casefold()


def _role(row: ExampleRow) -> tuple[str | None, str] | None:
    label = next((cell.strip() for cell in row.cells if cell.strip()), "")
    role = _ROLES.get(_word(label))
    others = [cell for cell in row.cells if cell.strip()][1:]
    # "Test ID" beside other names is the first of a header.
    numbered = role == "attribute" and "test" in label.casefold()
    # Half are numbers.
    if role is not None and others and not (numbered and typed_share(others) < 0.5):
        return label, role
    return (None, "unit") if _all_units(row) else None


def _roles_above(
    before: Sequence[ExampleRow], header: ExampleRow | None
) -> list[tuple[ExampleRow, str | None, str]]:
    found: list[tuple[ExampleRow, str | None, str]] = []
    near = before[-8:]
    for at, row in enumerate(near):
        role = _role(row)
        if at and (role is None or role[0] is None):
            # The line above may say what the next one holds.
            said = near[at - 1].width == 1 and _ROLES.get(_word(near[at - 1].text))
            role = (None, said) if said else role
        if role == (None, "name"):
            found.append((row, None, "attribute"))
            continue
        if role is not None and role[1] == "name" and not _completes(row, header):
            continue
        # The label of a row of units may stand before the first column.
        more = role is not None and role[1] == "unit"
        wider = header is not None and row.width > len(header.cells) + more
        # A label and a cell alone are a key and its text.
        told = role is not None and (role[0] is None or len(row.cells) > 2)
        if header is None or role is None or not told or wider:
            continue
        if role[1] != "unit" or not _contradicts(row, header):
            found.append((row, role[0], role[1]))
    return found


def _contradicts(row: ExampleRow, header: ExampleRow) -> bool:
    """Say whether names have other units in brackets than a row of units."""
    return any(
        named[1] != unit.strip("()[] ")
        for name, unit in zip(header.cells, row.cells, strict=False)
        if unit.strip() and (named := re.search(r"[\[(]([^()\[\]]+)[\])]\s*$", name))
    )


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
    deep = min(wanted, max((row.width for row in rows[:9]), default=wanted))
    last = 0
    for number, row in enumerate(rows, start=1):
        if (
            len(row.cells) == wanted
            or abs(len(row.cells) - width) <= 1
            or (header is not None and row.cells == header.cells)
        ) and (row.width > 2 or deep <= 2):  # a key has two cells
            last = number
    # Rows that end early are rows as long as others follow or they begin alike.
    while last < len(rows) and _alike(rows[last], rows[:last]):
        last += 1
    # A title and other names begin another table.
    for at in range(1, last - 1):
        title, names = rows[at : at + 2]
        if (
            title.width == 1
            and are_names(names)
            and not any(map(is_number, names.cells))
            and any(map(is_number, rows[at - 1].cells))
            and (header is None or names.cells != header.cells)
        ):
            last = at
            break
    # Statistics below the rows are as wide as these.
    while last > 1 and is_summary(rows[last - 1]):
        last -= 1
    return list(rows[:last]), list(rows[last:])


def _alike(row: ExampleRow, rows: Sequence[ExampleRow]) -> bool:
    if not rows or row.width < 2:  # a row has more than one cell
        return False
    first, before = row.cells[0].strip(), rows[-1].cells[0].strip()
    return is_number(first) and is_number(before)

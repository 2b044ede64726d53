"""
Cells that a profile makes of others: columns that are joined, parts by a pattern.

They stand behind the cells of each row, so that whoever reads a row finds every field
at a position.
"""

from __future__ import annotations

import re
from datetime import datetime

import attrs

from rigbridge.adapters.text.dates import ORDERS, parse_time
from rigbridge_csv.profiles.fields import RUN_FIELDS, Field, FieldSource
from rigbridge_csv.tables.header import HeaderNames
from rigbridge_csv.tables.keys import KeyLines

__all__ = ["DerivedCells", "bind_fields"]

# Whatever the order, the date is the same in all rows.
_ORDERS = ("iso", *ORDERS)
# A spreadsheet has made a number of it: the digits are gone.
_REWRITTEN = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d+")
_SHEET_ERROR = re.compile(r"#(?:N/A|NAME\?|[A-Z]+/?\d?!)|#+")
# What stands in the first column below the rows of a table.
_SUMMARY = re.compile(
    r"(?:mean|avg|average|std\.?(?: ?dev(?:iation)?)?|sigma|median|min|max|minimum"
    r"|maximum"
    r"|range|sum|total|totals|count|yield|cpk?|ppk?|mittelwert|summe|anzahl|gesamt"
    r"|moyenne|media|promedio|totale)[.:]*",
    re.IGNORECASE,
)


def odd_serial_number(text: str, *, free: bool) -> str | None:
    """
    Say why a text can be no serial number, or None.

    Args:
        text: the text, without blanks around it.
        free: whether no pattern says what a serial number looks like.
    """
    if _REWRITTEN.fullmatch(text):
        return f"has the serial number {text}, which a spreadsheet made of a longer one"
    if _SHEET_ERROR.fullmatch(text):
        return f"has the serial number {text}, an error of a spreadsheet"
    if text.startswith("="):
        return f"has the serial number {text}, a formula of a spreadsheet"
    if not text.isprintable():
        return f"has the serial number {text!a}, with a sign that nobody sees"
    if free and _SUMMARY.fullmatch(text):
        return f"has {text!r} as serial number, as a line below the table has"
    return None


@attrs.frozen
class _Derived:
    field: Field
    source: FieldSource
    positions: tuple[int, ...]
    before: str = ""
    """What stands once, above the table: the date of its times."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields whose cells it makes, one behind the other."""
        if self.field is Field.LIMITS:
            return (Field.LOWER_LIMIT, Field.UPPER_LIMIT, Field.LIMITS)
        return (self.field, Field.UNIT) if self.source.has_unit else (self.field,)


@attrs.define
class DerivedCells:
    """
    What is added behind the cells of a row.

    Attributes:
        serial: where the serial number stands, or None.
        free: whether no pattern says what a serial number looks like.
        kept: columns of which a field of the run takes a part only.
    """

    members: list[_Derived] = attrs.field(factory=list[_Derived])
    serial: int | None = None
    free: bool = True
    kept: tuple[int, ...] = ()
    _latest: datetime | None = None

    @property
    def needed(self) -> bool:
        """Whether rows have to pass here at all."""
        return bool(self.members) or self.serial is not None

    def add_to(self, cells: list[str]) -> str | None:
        """Add the cells to a row; says why the row cannot be used, or None."""
        problem: str | None = None
        for member in self.members:
            found = self._text(member, cells)
            if found is None:
                found = [cells[at] for at in member.positions][:1]
                problem = problem or (
                    f"has {found[0].strip()!r} as {member.field}, which the pattern "
                    "of the profile does not fit"
                )
            elif member.before and found[0] and self._falls_back(found[0]):
                problem = problem or (
                    f"begins at {cells[member.positions[0]].strip()}, before a row "
                    "above it, and the day stands above the table alone: it may be the "
                    "next one"
                )
            cells.extend(found)
        if problem is None and self.serial is not None:
            problem = odd_serial_number(cells[self.serial].strip(), free=self.free)
        return problem

    def _falls_back(self, text: str) -> bool:
        """Say whether a time is before that of a row above, as behind midnight."""
        moment = parse_time(text, _ORDERS)
        if moment is None or (self._latest is not None and moment < self._latest):
            return moment is not None
        self._latest = moment
        return False

    def _text(self, member: _Derived, cells: list[str]) -> list[str] | None:
        source = member.source
        parts = [cells[at].strip() for at in member.positions]
        text = " ".join(filter(None, parts))
        if member.before and text:
            text = f"{member.before} {text}"
        if member.field is Field.LIMITS:
            return _limits(source, text)
        if source.has_unit:
            return _with_unit(source, text)
        if not text:
            return [""]
        found = source.extract(text)
        if found is None and member.field is Field.VALUE:
            # What was measured is never left out: OVERLOAD where a number should be.
            return [text]
        if found is None:
            # Of a measurement the pattern may find nothing; of a run it must.
            return None if member.field in RUN_FIELDS else [""]
        return [found]


def _with_unit(source: FieldSource, text: str) -> list[str]:
    """Give a value and its unit; all is value where the pattern does not fit."""
    found = None if source.pattern is None else source.pattern.search(text)
    return [text, ""] if found is None else [found["value"] or "", found["unit"] or ""]


def _limits(source: FieldSource, text: str) -> list[str]:
    """Give the lower and the upper limit, and what the pattern does not fit."""
    pattern = source.pattern
    found = None if pattern is None or not text else pattern.fullmatch(text)
    if found is None or pattern is None:
        return ["", "", text]
    groups = pattern.groupindex
    lower, upper = (
        (found[name] or "") if name in groups else "" for name in ("lower", "upper")
    )
    return [lower.strip(), upper.strip(), ""]


def bind_fields(
    header: HeaderNames, keys: KeyLines
) -> tuple[dict[Field, int], DerivedCells]:
    """
    Find the column of each field that a row holds.

    Returns:
        Where each field stands, derived cells included, and what derives these.

    Raises:
        MalformedSourceError: a column is lacking or there several times.
    """
    profile = header.profile
    positions: dict[Field, int] = {}
    derived = DerivedCells()
    end = len(header.names)
    kept: list[int] = []
    for field, source in profile.fields.items():
        if not source.in_rows:
            continue
        if field in profile.optional:
            found = [header.find(column, field) for column in source.in_rows]
            if None in found:
                continue
        else:
            found = [header.must(column, field) for column in source.in_rows]
        at = tuple(position for position in found if position is not None)
        if len(at) == 1 and source.pattern is None and not source.key:
            positions[field] = at[0]
            continue
        member = _Derived(field, source, at, _key_text(header, keys, source))
        derived.members.append(member)
        for made in member.fields:
            positions[made] = end
            end += 1
        # Of limits and of a value with its unit, nothing is left to keep.
        if source.pattern is not None and len(member.fields) == 1:
            kept.extend(at)
    derived.serial = positions.get(Field.SERIAL_NUMBER)
    number = profile.fields.get(Field.SERIAL_NUMBER)
    derived.free = number is None or number.pattern is None
    derived.kept = tuple(dict.fromkeys(kept))
    return positions, derived


def _key_text(header: HeaderNames, keys: KeyLines, source: FieldSource) -> str:
    """Give the text of the keys of a source whose rest stands in the rows."""
    cells = [(name, keys.find(name)) for name in source.key]
    lacking = next((name for name, cell in cells if cell is None), None)
    if lacking is not None:
        raise header.error(
            f"no line before the table has the key {lacking!r}",
            lacking,
            f"correct profile {header.profile.name!r}",
        )
    return " ".join(cell.text for _, cell in cells if cell is not None)

"""Single cells to values, as a profile declares them; errors name line and column."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import attrs

from rigbridge.adapters import ReadContext
from rigbridge.errors import MalformedSourceError
from rigbridge.model import Scalar
from rigbridge.model.report import ConversionReport, Place
from rigbridge_csv.limits import Condition, condition
from rigbridge_csv.profiles.profile import CSVProfile
from rigbridge_csv.tables.values import (
    HEXADECIMAL,
    NumberReader,
    number_reader,
    parse_time,
)
from rigbridge_csv.verdicts import WORDS, LoggedVerdict

__all__ = ["CellReader", "FilledCell", "keep_text"]

_MAX_KNOWN = 10_000


_Text: TypeAlias = str | None
_ReadCondition: TypeAlias = Callable[[_Text, _Text, _Text, _Text], Condition]


class FilledCell(NamedTuple):
    """The text of a cell that is not blank, its line, and the name of its column."""

    text: str
    line: int
    column: str

    @property
    def place(self) -> Place:
        """Its place in the log."""
        return Place(line=self.line, path=self.column)


def keep_text(target: dict[str, str], label: str, text: str) -> None:
    """Add a text under a label; another text of the same label gets a number."""
    name, count = label, 1
    while target.get(name, text) != text:
        count += 1
        name = f"{label} ({count})"
    target[name] = text


@attrs.frozen
class CellReader:
    """
    Reads the cells of one log.

    Attributes:
        profile: what the cells mean.
        context: gives wall times their zone.
        uri: the source's name in errors.
        condition: says what a row's limits mean, by the texts of the comparator, the
            lower and the upper limit, and of a cell that holds both.
    """

    profile: CSVProfile
    context: ReadContext
    uri: str
    condition: _ReadCondition = attrs.field(init=False, eq=False)
    _missing: frozenset[str] = attrs.field(init=False)
    _number: NumberReader = attrs.field(init=False)
    _other_notation: NumberReader = attrs.field(init=False)
    _words: dict[str, LoggedVerdict] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        profile = self.profile
        other = "," if profile.decimal == "." else "."
        made = {
            "_missing": frozenset({"", *(text.strip() for text in profile.missing)}),
            # Every unit is tested against the same limits: 1.5x of the whole reading.
            "condition": lru_cache(_MAX_KNOWN)(self._condition),
            "_number": number_reader(profile.decimal),
            "_other_notation": number_reader(other),
            "_words": _with_upper_case({**WORDS, **profile.outcomes}),
        }
        for name, value in made.items():
            object.__setattr__(self, name, value)

    def error(
        self, message: str, *, line: int, column: str, remedy: str
    ) -> MalformedSourceError:
        """Make the error for a cell."""
        return MalformedSourceError(
            message,
            source=self.uri,
            place=f"line {line}, column {column!r}",
            remedy=remedy,
        )

    def texts(self, cells: tuple[str, ...]) -> list[str | None]:
        """Give the texts of several cells, as :meth:`text` does of one."""
        # One call for a row, not one for each cell: every row passes here.
        missing = self._missing
        return [None if (text := cell.strip()) in missing else text for cell in cells]

    def text(self, cell: str) -> str | None:
        """Give the text of a cell without blanks around it; None for nothing."""
        text = cell.strip()
        return None if text in self._missing else text

    def value(
        self,
        cell: str,
        *,
        limited: bool,
        line: int,
        name: str,
        report: ConversionReport,
    ) -> Scalar:
        """
        Give what a cell measured: a number where it is one, else its exact text.

        Digits after a leading zero (``0019``) are a number or an identifier; limits
        in the same row tell that it is a number.
        """
        text = cell.strip()
        number = self._number(text)
        if number is None:
            # Never converted: 1,234 may be 1.234 or 1234. The profile has to say it.
            if self._other_notation(text) is not None:
                report.coerced(
                    "value",
                    "a number in another decimal notation, kept as text",
                    place=Place(line=line, path=name),
                    detail=text,
                )
            return cell
        if type(number) is int:
            if not limited and _leading_zero(text):
                return cell
            if HEXADECIMAL.fullmatch(text):
                report.coerced(
                    "value",
                    "hexadecimal, read as an integer",
                    place=Place(line=line, path=name),
                    detail=text,
                )
        return number

    def bound(self, text: str | None) -> float | int | str | None:
        """Give a limit: a number where the text is one, else the text."""
        if text is None:
            return None
        number = self._number(text)
        return text if number is None else number

    def _condition(
        self, comparator: _Text, lower: _Text, upper: _Text, both: _Text
    ) -> Condition:
        if both is not None:
            pair = self.profile.limit_pair
            parts = None if pair is None else pair.split(both)
            if parts is None:
                return Condition(
                    validators=(f"limits: {both}",),
                    rules=("limits that are no range, kept as text",),
                )
            lower, upper = self.text(parts[0]), self.text(parts[1])
        return condition(comparator, self.bound(lower), self.bound(upper))

    def verdict(self, cell: FilledCell) -> LoggedVerdict:
        """
        Say what a verdict word means.

        Raises:
            MalformedSourceError: nobody declared the word. It is an error because it
                may be this log's word for a failure.
        """
        found = self._words.get(cell.text) or self._words.get(cell.text.casefold())
        if found is None:
            raise self.error(
                f"{cell.text!r} is no verdict that is known",
                line=cell.line,
                column=cell.column,
                remedy=f"declare it under outcomes in profile {self.profile.name!r}",
            )
        return found

    def time(
        self, cell: FilledCell, *, station: str | None, report: ConversionReport
    ) -> datetime:
        """
        Give the time that a cell states, in UTC.

        Raises:
            MalformedSourceError: it fits none of the profile's formats.
        """
        formats = self.profile.date_formats
        wall = parse_time(cell.text, formats)
        if wall is not None:
            try:
                return self.context.time_zone.localize(
                    wall, report=report, place=cell.place, station=station
                )
            except (OverflowError, ValueError):
                pass  # Year 1 or 9999: reported below like any other odd time.
        raise self.error(
            f"{cell.text!r} is no time in the format {' or '.join(formats)}",
            line=cell.line,
            column=cell.column,
            remedy=f"declare date_formats in profile {self.profile.name!r}",
        )


def _leading_zero(text: str) -> bool:
    digits = text.lstrip("+-")
    return len(digits) > 1 and digits[0] == "0" and digits.isdigit()


def _with_upper_case(words: dict[str, LoggedVerdict]) -> dict[str, LoggedVerdict]:
    """Add the usual spelling, so that few words need to be folded first."""
    upper = {word.upper(): verdict for word, verdict in words.items()}
    return {**upper, **words}

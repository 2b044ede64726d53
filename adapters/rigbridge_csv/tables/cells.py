"""Single cells to values, as a profile declares them; errors name line and column."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TypeAlias

import attrs

from rigbridge.adapters import ReadContext
from rigbridge.adapters.text.dates import looks_ambiguous, parse_time
from rigbridge.adapters.text.numbers import (
    ENGINEERING_SUFFIXES,
    GROUPED,
    HEXADECIMAL,
    NumberReader,
    number_reader,
)
from rigbridge.adapters.text.verdicts import VERDICT_WORDS, LoggedVerdict
from rigbridge.errors import MalformedSourceError
from rigbridge.model import Scalar
from rigbridge.model.report import ConversionReport, Place
from rigbridge_csv.limits import AS_TEXT, Condition, condition
from rigbridge_csv.profiles.profile import CSVProfile
from rigbridge_csv.tables.keys import FilledCell

__all__ = ["CellReader", "has_leading_zero"]

_MAX_KNOWN = 10_000
# A number and what stands behind it: 12.01 VDC, 3.2 kOhm, 85 %, 5.1 V DC.
_WITH_UNIT = re.compile(
    r"(?P<number>[-+]?[0-9.,][0-9.,' \N{NO-BREAK SPACE}]*?(?:[eE][-+]?[0-9]+)?)\s*"
    r"(?P<unit>(?:[^\W\d_]|[%\N{DEGREE SIGN}])[^\s0-9]{0,7}[0-9]?(?: [^\W\d_]+)?)"
)


_Text: TypeAlias = str | None
_ReadCondition: TypeAlias = Callable[[_Text, _Text, _Text, _Text], Condition]

_SIGNED = re.compile(r"\s*([<>]=?|[≤≥])\s*([-+]?[\d.,]+(?:[eE][-+]?\d+)?)\s*")
_SIGNS = {"≤": "<=", "≥": ">="}


@attrs.frozen
class CellReader:
    """
    Reads the cells of one log.

    Attributes:
        condition: says what a row's limits mean, by the texts of the comparator, the
            lower and the upper limit, and of a cell that holds both.
        plain_decimals: whether Python's own numbers are those of the log, and none of
            them means "nothing".
        number: gives the number that a text without blanks around it spells, or None.
    """

    profile: CSVProfile
    context: ReadContext
    uri: str
    file_name: str
    condition: _ReadCondition = attrs.field(init=False, eq=False)
    missing: frozenset[str] = attrs.field(init=False)
    plain_decimals: bool = attrs.field(init=False)
    number: NumberReader = attrs.field(init=False)
    _other_notation: NumberReader = attrs.field(init=False)
    _words: dict[str, LoggedVerdict] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        profile = self.profile
        other = "," if profile.decimal == "." else "."
        made = {
            "missing": frozenset({"", *(text.strip() for text in profile.missing)}),
            # Every unit is tested against the same limits: 1.5x of the whole reading.
            "condition": lru_cache(_MAX_KNOWN)(self._condition),
            "number": number_reader(
                profile.decimal,
                thousands=profile.thousands,
                suffixes=ENGINEERING_SUFFIXES if profile.suffixes else None,
            ),
            "plain_decimals": profile.decimal == "."
            and all(number_reader(".")(text) is None for text in profile.missing),
            "_other_notation": number_reader(other),
            "_words": _with_upper_case({**VERDICT_WORDS, **profile.outcomes}),
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
        missing = self.missing
        return [None if (text := cell.strip()) in missing else text for cell in cells]

    def text(self, cell: str) -> str | None:
        """Give the text of a cell without blanks around it; None for nothing."""
        text = cell.strip()
        return None if text in self.missing else text

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

        Raises:
            MalformedSourceError: a number with the other decimal separator.
        """
        text = cell.strip()
        number = self.number(text)
        if number is None:
            # Never converted: 1,234 may be 1.234 or 1234. The profile has to say it.
            if self.spelled_otherwise(text, limited=limited):
                raise self.other_notation(text, line, name)
            return cell
        if type(number) is int:
            if not limited and has_leading_zero(text):
                return cell
            if HEXADECIMAL.fullmatch(text):
                report.coerced(
                    "value",
                    "hexadecimal, read as an integer",
                    place=Place(line=line, path=name),
                    detail=text,
                )
        return number

    def split_unit(self, text: str) -> tuple[str, str] | None:
        """
        Part a number from the unit behind it, where the profile says that it has one.

        Args:
            text: the text of a cell, without blanks around it.

        Returns:
            The text of the number and the unit; None where the text is something else.
        """
        if not self.profile.units or self.number(text) is not None:
            return None
        found = _WITH_UNIT.fullmatch(text)
        if found is None or self.number(found["number"].strip()) is None:
            return None
        return found["number"].strip(), found["unit"]

    def is_text(self, name: str) -> bool:
        """Say whether the values of a measurement are texts, however they look."""
        pattern = self.profile.as_text
        return pattern is not None and pattern.fullmatch(name) is not None

    def same_unit(self, units: Sequence[str | None], line: int, column: str) -> str:
        """
        Give the unit that a value and what belongs to it have in common.

        Args:
            units: the units that are said; None where nothing is.

        Raises:
            MalformedSourceError: they are not the same: 500 mV is no limit of 3 V.
        """
        said = list(dict.fromkeys(unit for unit in units if unit))
        longest = max(said, key=len, default="")
        # VDC is V: a header or a limit often says less than an instrument does.
        if all(longest.casefold().startswith(unit.casefold()) for unit in said):
            return longest
        raise self.error(
            f"has the units {' and '.join(map(repr, said))}, which may not be compared",
            line=line,
            column=column,
            remedy="correct the log, or leave units out of the profile: then the "
            "cells are kept as texts",
        )

    def other_notation(self, text: str, line: int, name: str) -> MalformedSourceError:
        """Make the error for a number with signs that the profile does not declare."""
        other = "," if self.profile.decimal == "." else "."
        grouped = GROUPED.fullmatch(text)
        if grouped is not None and grouped["sign"] != self.profile.decimal:
            sign = " " if grouped["sign"].isspace() else grouped["sign"]
            either = (
                "" if sign != other or grouped["rest"] else f', or decimal = "{other}"'
            )
            return self.error(
                f"{text!r} is a number with {sign!r} between its digits, and profile "
                f"{self.profile.name!r} does not say what that is",
                line=line,
                column=name,
                remedy=f'declare thousands = "{sign}"{either}, or name the measurement '
                "in as_text or the text in missing",
            )
        return self.error(
            f"{text!r} is a number with another decimal separator than "
            f"{self.profile.decimal!r}",
            line=line,
            column=name,
            remedy=f'declare decimal = "{other}" in profile {self.profile.name!r}, or '
            "name the measurement in as_text or the text in missing",
        )

    def spelled_otherwise(self, text: str, *, limited: bool = True) -> bool:
        """
        Say whether a text is a number only with other signs than the profile's.

        Args:
            limited: it has limits, or is one: a number and no name like ``12 345``.
        """
        if self.number(text) is not None:
            return False
        if self._other_notation(text) is not None:
            return True
        grouped = GROUPED.fullmatch(text)
        return grouped is not None and (
            limited or (grouped["rest"] or grouped["sign"])[0] != grouped["sign"]
        )

    def bound(self, text: str | None) -> float | int | str | None:
        """Give a limit: a number where the text is one, else the text."""
        if text is None:
            return None
        number = self.number(text)
        return text if number is None else number

    def _condition(
        self, comparator: _Text, lower: _Text, upper: _Text, both: _Text
    ) -> Condition:
        given = [both] if both is not None else [lower, upper]
        signed = [None if text is None else _SIGNED.fullmatch(text) for text in given]
        if comparator is None and all(
            found is not None or text is None
            for found, text in zip(signed, given, strict=True)
        ):
            # ">= 20" says itself which side it is, wherever it stands.
            signs = [_SIGNS.get(found[1], found[1]) for found in signed if found]
            bounds = [self.bound(found[2]) for found in signed if found]
            if len(bounds) == 1:
                return condition(signs[0], bounds[0], None)
            if bounds:
                return condition(" ".join(signs), *bounds)
        if both is not None:
            return Condition(
                validators=(f"limits: {both}",),
                rules=(AS_TEXT,),
            )
        for text in (lower, upper):
            if text is not None and self.spelled_otherwise(text):
                return Condition(
                    problem=f"the limit {text!r} has other signs between its digits "
                    "than decimal and thousands of the profile say"
                )
        return condition(comparator, self.bound(lower), self.bound(upper))

    def verdict(self, cell: FilledCell) -> LoggedVerdict:
        """
        Say what a verdict word means.

        Raises:
            MalformedSourceError: nobody declared the word. It is an error because it
                may be this log's word for a failure.
        """
        found = self.word(cell.text)
        if found is None:
            raise self.error(
                f"{cell.text!r} is no verdict that is known",
                line=cell.line,
                column=cell.column,
                remedy=f"declare it under outcomes in profile {self.profile.name!r}",
            )
        return found

    def word(self, text: str) -> LoggedVerdict | None:
        """Give what a verdict word means, or None if nobody declared it."""
        words = self._words
        return words.get(text) or words.get(text.casefold()) or words.get("*")

    def time(
        self, cell: FilledCell, *, station: str | None, report: ConversionReport
    ) -> datetime:
        """
        Give the time that a cell states, in UTC.

        Raises:
            MalformedSourceError: it fits none of the profile's formats.
        """
        formats = self.profile.dates
        wall = parse_time(cell.text, formats)
        if wall is not None:
            try:
                return self.context.time_zone.localize(
                    wall, report=report, place=cell.place, station=station
                )
            except (OverflowError, ValueError):
                pass  # Year 1 or 9999: reported below like any other odd time.
        raise self.error(
            f"{cell.text!r} is no time of a test in the format {' or '.join(formats)}",
            line=cell.line,
            column=cell.column,
            remedy=self._time_remedy(cell.text),
        )

    def _time_remedy(self, text: str) -> str:
        name = self.profile.name
        if looks_ambiguous(text):
            return (
                'declare dates = ["day-first"] or ["month-first"] in profile '
                f"{name!r}: the text does not tell which"
            )
        return f"declare dates in profile {name!r}"


def has_leading_zero(text: str) -> bool:
    """Say whether a text is digits behind a zero, which a number would lose."""
    digits = text.lstrip("+-")
    return len(digits) > 1 and digits[0] == "0" and digits.isdigit()


def _with_upper_case(words: dict[str, LoggedVerdict]) -> dict[str, LoggedVerdict]:
    """Add the usual spelling, so that few words need to be folded first."""
    upper = {word.upper(): verdict for word, verdict in words.items()}
    return {**upper, **words}

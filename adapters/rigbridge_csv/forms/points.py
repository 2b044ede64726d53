"""The points of a column of a series, held as compactly as they allow."""

from __future__ import annotations

import re
from array import array

from rigbridge.model import Scalar
from rigbridge_csv.tables.cells import CellReader, has_leading_zero

__all__ = ["Points", "duration"]

_EXACT = 2**53
_DURATION = re.compile(
    r"(?:(?P<d>\d+)(?:[ :.]|d\s*|\s*days?,?\s+))?(?P<h>\d+):(?P<m>[0-5]?\d):"
    r"(?P<s>[0-5]?\d(?:[.,]\d+)?)"
)


def duration(text: str) -> float | None:
    """Give how many seconds a text like ``0:01:30.5`` says, or None."""
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    days, hours, minutes = (int(found[part] or 0) for part in "dhm")
    seconds = float(found["s"].replace(",", "."))
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


class Points:
    """
    Takes the cells of a column one after the other.

    Numbers are held as floats of 8 bytes, whole numbers as such; a blank cell or a text
    among them makes a list of the column, in which nothing is changed.

    Args:
        counts: whether digits behind a zero are a number, as where a column counts the
            points; else they may be a code, and are kept as text.
        durations: whether ``0:01:30.5`` is a number of seconds.
        is_text: whether nothing is a number.

    Attributes:
        filled: how many cells are not blank.
        unit: what stands behind the numbers, or in the column beside them; None where
            there is neither.
    """

    def __init__(
        self,
        cells: CellReader,
        name: str,
        *,
        counts: bool = False,
        durations: bool = False,
        is_text: bool = False,
    ) -> None:
        self._cells = cells
        self._name = name
        self._counts = counts
        self._durations = durations
        self._is_text = is_text
        self._bare: int | None = None
        self.unit: str | None = None
        self._numbers: array[int] | array[float] = array("q")
        self._any: list[Scalar] | None = None
        self.filled = 0

    def __len__(self) -> int:
        return len(self.values())

    def take_unit(self, unit: str | None, line: int) -> None:
        """
        Take the unit of a number, None for one without.

        Raises:
            MalformedSourceError: it is another than that of the numbers before.
        """
        if unit is None:
            self._bare = self._bare or line
        elif self.unit is None:
            self.unit = unit
        if self.unit is not None and (self._bare is not None or unit != self.unit):
            shown = "no unit" if self._bare is not None else f"the unit {unit!r}"
            raise self._cells.error(
                f"a number has {shown}, where others of its series have {self.unit!r}",
                line=self._bare or line,
                column=self._name,
                remedy="correct the log; or declare the column of the units in "
                "series.by, so that each unit has a phase of its own",
            )

    def add(self, cell: str, line: int) -> None:
        """
        Take a cell.

        Raises:
            MalformedSourceError: a number with the other decimal separator, or with
                another unit than those before.
        """
        text = cell.strip()
        number = None if self._is_text else self._cells.number(text)
        if self._durations and number is None:
            number = duration(text)
        if self._cells.profile.units and not self._is_text:
            if number is not None:
                self.take_unit(None, line)
            elif (found := self._cells.split_unit(text)) is not None:
                self.take_unit(found[1], line)
                number = self._cells.number(found[0])
        if type(number) is int and not self._counts and has_leading_zero(text):
            number = None
        if number is not None and self._any is None and self._held(number):
            self.filled += 1
            return
        points = self._as_list()
        if number is not None:
            points.append(number)
        elif text in self._cells.missing:
            points.append(None)
            return
        elif not self._is_text and self._cells.spelled_otherwise(text, limited=False):
            raise self._cells.other_notation(text, line, self._name)
        else:
            points.append(text)
        self.filled += 1

    def _held(self, number: float) -> bool:
        """Add a number to those that are held as such, if that does not change any."""
        numbers = self._numbers
        if numbers.typecode == "d":
            # A whole number beyond 2**53 would change.
            if type(number) is int and abs(number) > _EXACT:
                return False
        elif type(number) is not int:
            if any(abs(point) > _EXACT for point in numbers):
                return False
            numbers = self._numbers = array("d", numbers)
        elif not -(2**63) <= number < 2**63:
            return False
        numbers.append(number)  # type: ignore[arg-type]
        return True

    def _as_list(self) -> list[Scalar]:
        if self._any is None:
            self._any = list(self._numbers)
            self._numbers = array("q")
        return self._any

    def values(self) -> array[int] | array[float] | list[Scalar]:
        """Give the points."""
        return self._numbers if self._any is None else self._any

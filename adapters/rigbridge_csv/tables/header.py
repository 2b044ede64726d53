"""
The names of a header: found by name, so that the order of columns does not matter.

Blanks around a name and case are ignored where that leaves one column. Whatever is not
sure is an error: reading on by position would give each value the name of another.
"""

from __future__ import annotations

from collections.abc import Sequence

from rigbridge.errors import MalformedSourceError
from rigbridge.model.report import ConversionReport, Place
from rigbridge_csv.profiles.profile import CSVProfile

__all__ = ["HeaderNames", "find_column", "normal"]


def normal(name: str) -> str:
    """Give a header name without the blanks and a byte order mark around it."""
    return name.strip("\ufeff \t\r\n\xa0")


def find_column(header: Sequence[str], name: str) -> list[int]:
    """
    Find the positions of a column: as spelled, or else whatever its case.

    One whose cell is blank is found as ``column 3``, which is what it is called.
    """
    # "V" and "v" may be two columns: then only the exact spelling counts.
    exact = [at for at, column in enumerate(header) if column == name]
    if exact:
        return exact
    folded = name.casefold()
    alike = [at for at, column in enumerate(header) if column.casefold() == folded]
    number = name.removeprefix("column ")
    if alike or number == name or not number.isdecimal():
        return alike
    return [at for at in (int(number) - 1,) if 0 <= at < len(header) and not header[at]]


class HeaderNames:
    """
    The names of one header.

    Args:
        profile: the profile, for errors and for columns of one name.
    """

    def __init__(
        self, cells: Sequence[str], profile: CSVProfile, *, line: int, uri: str
    ) -> None:
        self.names = tuple(normal(cell) for cell in cells)
        self.profile = profile
        self.line = line
        self.uri = uri

    def error(self, message: str, name: str, remedy: str) -> MalformedSourceError:
        """Make the error for a column."""
        return MalformedSourceError(
            message,
            source=self.uri,
            place=f"line {self.line}, column {name!r}",
            remedy=remedy,
        )

    def label(self, at: int) -> str:
        """Name a column as the file does."""
        return self.names[at] or f"column {at + 1}"

    def find(self, column: str | int, what: str) -> int | None:
        """
        Find a column, or None if it is not there.

        Raises:
            MalformedSourceError: the header has it several times.
        """
        if isinstance(column, int):
            return column - 1 if column <= len(self.names) else None
        found = find_column(self.names, column)
        if len(found) > 1:
            # Counted from 1, as a spreadsheet shows columns.
            numbers = ", ".join(str(at + 1) for at in found)
            raise self.error(
                f"the header has this name {len(found)} times, and {what} needs one",
                column,
                f"declare it by its number: {numbers}",
            )
        return found[0] if found else None

    def must(self, column: str | int, what: str) -> int:
        """
        Find a column.

        Raises:
            MalformedSourceError: it is not there, or several times.
        """
        at = self.find(column, what)
        if at is None:
            shown = column if isinstance(column, str) else f"number {column}"
            raise self.error(
                f"the header lacks it, and {what} needs it",
                str(shown),
                f"correct profile {self.profile.name!r}",
            )
        return at

    def labels(
        self, positions: Sequence[int], report: ConversionReport
    ) -> tuple[str, ...]:
        """Name columns so that no two have one name; what is numbered is recorded."""
        taken: set[str] = set()
        labels: list[str] = []
        for at in positions:
            # Labels are keys of attributes: two columns of one name would overwrite
            # each other.
            name = self.label(at)
            label, count = name, 1
            while label in taken:
                count += 1
                label = f"{name} ({count})"
            taken.add(label)
            labels.append(label)
            # A delimiter at the end of the header makes no column of it.
            if label != self.names[at] and any(self.names[at:]):
                report.coerced(
                    "column",
                    "unnamed or of a name that is taken, numbered",
                    place=Place(line=self.line, path=f"column {at + 1}"),
                    detail=label,
                )
        return tuple(labels)

    def single(self, positions: Sequence[int], report: ConversionReport) -> list[str]:
        """
        Name columns of measurements, whose names must tell them apart.

        Raises:
            MalformedSourceError: two have one name, and the profile does not number
                them.
        """
        seen: dict[str, int] = {}
        for at in positions:
            name = self.names[at]
            if name in seen and self.profile.duplicates == "refuse":
                raise self.error(
                    f"the header has this name in columns {seen[name] + 1} and "
                    f"{at + 1}",
                    name,
                    'declare duplicates = "number" to keep both by a number',
                )
            seen.setdefault(name, at)
        return list(self.labels(positions, report))

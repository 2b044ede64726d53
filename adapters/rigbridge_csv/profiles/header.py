"""
The header of a log compared with a profile: which column holds what.

Columns are found by name, so that their order does not matter. Blanks around a name and
case are ignored where that leaves one column. Whatever is not sure is an error: reading
on by position would give each value the name of another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Protocol, cast

import attrs

from rigbridge.errors import MalformedSourceError
from rigbridge.model.report import ConversionReport, Place
from rigbridge_csv.profiles.fields import (
    MEASUREMENT_FIELDS,
    PHASE_FIELDS,
    RUN_FIELDS,
    Field,
)
from rigbridge_csv.profiles.profile import CSVProfile, Undeclared

__all__ = ["ColumnMap", "Picker", "find_column", "map_columns", "normal"]


class Picker(Protocol):
    """Picks some cells of a row, as a tuple."""

    def __call__(self, cells: list[str], /) -> tuple[str, ...]:
        """Pick them."""
        ...


def _picker(positions: Sequence[int]) -> Picker:
    if not positions:
        return lambda _cells: ()
    if len(positions) == 1:
        only = positions[0]
        return lambda cells: (cells[only],)
    # For several positions itemgetter gives a tuple. It is written in C: every row
    # passes here several times.
    return cast("Picker", itemgetter(*positions))


def normal(name: str) -> str:
    """Give a header name without the blanks and a byte order mark around it."""
    return name.strip("\ufeff \t\r\n\xa0")


def find_column(header: Sequence[str], name: str) -> list[int]:
    """Find the positions of a column: as spelled, or else whatever its case."""
    # "V" and "v" may be two columns: then only the exact spelling counts.
    exact = [at for at, column in enumerate(header) if column == name]
    if exact:
        return exact
    folded = name.casefold()
    return [at for at, column in enumerate(header) if column.casefold() == folded]


@attrs.frozen(kw_only=True)
class ColumnMap:
    """
    Where the cells of a row are.

    Attributes:
        header: the column names, normalized.
        line: the header's line.
        positions: where each field stands; fields that the file lacks are not there.
        key: picks the cells whose change starts a new run.
        key_positions: where these are.
        key_width: a row must have as many cells for its key to be told.
        run: picks the cells of ``run_fields``.
        run_fields: the run's fields that the file has.
        phase: picks the cells of ``phase_fields``.
        phase_fields: the phase's fields that the file has.
        measurement: picks the cells of ``MEASUREMENT_FIELDS``, all of them, of a row
            that is lengthened by ``tail``.
        tail: stands in for the fields that the file lacks: constants, or blanks.
        others: picks the cells of the undeclared columns that are kept.
        others_labels: their names, made unique.
        metadata: picks the cells of undeclared columns that are said of the run.
        metadata_labels: their names, made unique.
    """

    header: tuple[str, ...]
    line: int
    positions: Mapping[Field, int]
    key: Picker
    key_positions: tuple[int, ...]
    key_width: int
    run: Picker
    run_fields: tuple[Field, ...]
    phase: Picker
    phase_fields: tuple[Field, ...]
    measurement: Picker
    tail: tuple[str, ...]
    others: Picker
    others_labels: tuple[str, ...]
    metadata: Picker
    metadata_labels: tuple[str, ...]

    @property
    def width(self) -> int:
        """How many cells a row must have."""
        return len(self.header)

    def label(self, field: Field) -> str:
        """Name the column of a field as the file does."""
        at = self.positions.get(field)
        return field.value if at is None else self.header[at] or f"column {at + 1}"


class _ColumnMapper:
    """Finds the columns of one header; raises where something is not sure."""

    def __init__(
        self, header: tuple[str, ...], profile: CSVProfile, line: int, uri: str
    ) -> None:
        self.header = header
        self.profile = profile
        self.line = line
        self.uri = uri

    def error(self, message: str, name: str, remedy: str) -> MalformedSourceError:
        return MalformedSourceError(
            message,
            source=self.uri,
            place=f"line {self.line}, column {name!r}",
            remedy=remedy,
        )

    def position(self, column: str | int, what: str) -> int | None:
        if isinstance(column, int):
            return column - 1 if column <= len(self.header) else None
        found = find_column(self.header, column)
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
        at = self.position(column, what)
        if at is None:
            shown = column if isinstance(column, str) else f"number {column}"
            raise self.error(
                f"the header lacks it, and {what} needs it",
                str(shown),
                f"correct profile {self.profile.name!r}",
            )
        return at

    def fields(self) -> dict[Field, int]:
        profile = self.profile
        found: dict[Field, int] = {}
        for field, column in profile.columns.items():
            if field in profile.optional:
                at = self.position(column, field)
                if at is not None:
                    found[field] = at
            else:
                found[field] = self.must(column, field)
        return found

    def key(self, positions: Mapping[Field, int]) -> tuple[int, ...]:
        key: list[int] = []
        declared = {str(field): field for field in Field}
        for name in self.profile.run_key:
            field = declared.get(name)
            if field is None:
                key.append(self.must(name, "run_key"))
            elif field in positions:
                key.append(positions[field])
        # Two names of one column count once; the order stays.
        return tuple(dict.fromkeys(key))

    def labels(
        self, positions: Sequence[int], report: ConversionReport
    ) -> tuple[str, ...]:
        taken: set[str] = set()
        labels: list[str] = []
        for at in positions:
            # Labels are keys of attributes: two columns of one name would overwrite
            # each other.
            name = self.header[at] or f"column {at + 1}"
            label, count = name, 1
            while label in taken:
                count += 1
                label = f"{name} ({count})"
            taken.add(label)
            labels.append(label)
            if label != self.header[at]:
                report.coerced(
                    "column",
                    "unnamed or of a name that is taken, numbered",
                    place=Place(line=self.line, path=f"column {at + 1}"),
                    detail=label,
                )
        return tuple(labels)

    def undeclared(
        self, positions: Sequence[int], report: ConversionReport
    ) -> tuple[int, ...]:
        if self.profile.undeclared is Undeclared.ATTRIBUTES:
            return tuple(positions)
        for at in positions:
            name = self.header[at] or f"column {at + 1}"
            if self.profile.undeclared is Undeclared.ERROR:
                raise self.error(
                    "unknown column",
                    name,
                    f"declare it in profile {self.profile.name!r}, or set its "
                    "undeclared to attributes or drop",
                )
            report.omitted(
                "column",
                "not declared, as the profile asks",
                place=Place(line=self.line, path=name),
                detail=name,
            )
        return ()


def map_columns(
    cells: Sequence[str],
    profile: CSVProfile,
    *,
    line: int,
    uri: str,
    report: ConversionReport,
) -> ColumnMap:
    """
    Find the columns of a profile in a header, and record what is done with each.

    Args:
        cells: the header's cells.
        profile: the profile.
        line: the header's line.
        uri: the source's name in errors.
        report: where the columns are recorded.

    Raises:
        MalformedSourceError: a column is lacking, ambiguous, or unknown where the
            profile refuses that; names the column.
    """
    mapper = _ColumnMapper(tuple(normal(cell) for cell in cells), profile, line, uri)
    positions = mapper.fields()
    key = mapper.key(positions)
    metadata = tuple(
        dict.fromkeys(
            [
                *(mapper.must(name, "metadata") for name in profile.metadata),
                # What tells two runs apart is said of the whole run.
                *(at for at in key if at not in positions.values()),
            ]
        )
    )
    known = {*positions.values(), *metadata}
    rest = [at for at in range(len(cells)) if at not in known]
    others = mapper.undeclared(rest, report)
    report.mapped("column", len(known) + len(others))
    run_fields = tuple(field for field in RUN_FIELDS if field in positions)
    phase_fields = tuple(field for field in PHASE_FIELDS if field in positions)
    return ColumnMap(
        header=mapper.header,
        line=line,
        positions=positions,
        key=_picker(key),
        key_positions=key,
        key_width=max(key, default=-1) + 1,
        run=_picker([positions[field] for field in run_fields]),
        run_fields=run_fields,
        phase=_picker([positions[field] for field in phase_fields]),
        phase_fields=phase_fields,
        # Fields that the file lacks are picked from the tail behind the row's cells, so
        # that all measurements are picked by one call, whatever columns there are.
        measurement=_picker(
            [
                positions.get(field, len(cells) + at)
                for at, field in enumerate(MEASUREMENT_FIELDS)
            ]
        ),
        tail=tuple(profile.constants.get(field, "") for field in MEASUREMENT_FIELDS),
        others=_picker(others),
        others_labels=mapper.labels(others, report),
        metadata=_picker(metadata),
        metadata_labels=mapper.labels(metadata, report),
    )

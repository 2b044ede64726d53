"""The columns of a table whose rows hold a measurement each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from typing import Protocol, cast

from rigbridge.model.report import ConversionReport, Place
from rigbridge_csv.profiles.fields import (
    MEASUREMENT_FIELDS,
    PHASE_FIELDS,
    RUN_FIELDS,
    Field,
)
from rigbridge_csv.profiles.place import Role
from rigbridge_csv.profiles.profile import Undeclared
from rigbridge_csv.tables.cells import CellReader
from rigbridge_csv.tables.derived import bind_fields
from rigbridge_csv.tables.head import TableHead, constant_fields
from rigbridge_csv.tables.header import HeaderNames, normal
from rigbridge_csv.tables.keys import FilledCell
from rigbridge_csv.tables.table import Bound

__all__ = ["LongColumns", "Picker", "RowColumns", "picker"]


class Picker(Protocol):
    """Picks some cells of a row, as a tuple."""

    def __call__(self, cells: list[str], /) -> tuple[str, ...]:
        """Pick them."""
        ...


def picker(positions: Sequence[int]) -> Picker:
    """Make what picks the cells at some positions."""
    if not positions:
        return lambda _cells: ()
    if len(positions) == 1:
        only = positions[0]
        return lambda cells: (cells[only],)
    # For several positions itemgetter gives a tuple. It is written in C: every row
    # passes here several times.
    return cast("Picker", itemgetter(*positions))


class RowColumns(Bound):
    """
    The columns that say something of a run or a phase, in every form.

    Attributes:
        positions: where each field stands; fields that the file lacks are not there.
        constants: the fields that are the same for the whole table.
        key: picks the cells whose change starts a new run.
        key_width: a row must have as many cells for its key to be told.
        run: picks the cells of ``run_fields``.
        run_fields: the run's fields that the rows have.
        metadata: picks the cells of undeclared columns that are said of the run.
        rest: the positions of all other columns.

    Raises:
        MalformedSourceError: a column is lacking, ambiguous, or unknown where the
            profile refuses that; names the column.
    """

    def __init__(
        self, head: TableHead, cells: CellReader, report: ConversionReport
    ) -> None:
        profile = self.profile = cells.profile
        self.cells = cells
        self.report = report
        self.head_keys = head.keys
        names = self.names = HeaderNames(
            head.header, profile, line=head.line, uri=cells.uri
        )
        positions, derived = bind_fields(names, head.keys)
        self.positions: Mapping[Field, int] = positions
        self.bind(head, derived, positions.values())
        self.constants: Mapping[Field, FilledCell] = constant_fields(
            profile, head.keys, cells.file_name
        )
        key = self._key()
        self.key = picker(key)
        self.key_positions = key
        # What is derived stands behind the row: the key is there if the row is whole.
        self.key_width = min(max(key, default=-1) + 1, self.width)
        self.run_fields = tuple(field for field in RUN_FIELDS if field in positions)
        self.run = picker([positions[field] for field in self.run_fields])
        sources = {
            at
            for member in derived.members
            for at in member.positions
            if at not in derived.kept
        }
        known = {*positions.values(), *sources}
        declared = {
            text.name or text.column: names.must(text.column, "metadata")
            for text in profile.metadata
            if text.column is not None
        }
        others = tuple(
            dict.fromkeys(
                [
                    # What tells two runs apart is said of the whole run.
                    *(at for at in key if at not in known),
                    # The pattern takes a part of it.
                    *(at for at in derived.kept if at not in known),
                ]
            )
        )
        others = tuple(at for at in others if at not in declared.values())
        self.metadata_positions = (*declared.values(), *others)
        self.metadata = picker(self.metadata_positions)
        self.metadata_labels = (*declared, *names.labels(others, report))
        known |= {*declared.values(), *others}
        dropped = {
            names.must(role.column, "roles")
            for role in profile.roles
            if role.column is not None and role.is_ is Role.DROP
        }
        for at in sorted(dropped):
            report.omitted(
                "column",
                "dropped, as the profile asks",
                place=Place(line=head.line, path=names.label(at)),
                detail=names.label(at),
            )
        self.declared_count = len(known)
        self.rest = [
            at for at in range(self.width) if at not in known and at not in dropped
        ]

    def _key(self) -> tuple[int, ...]:
        key: list[int] = []
        declared = {str(field): field for field in Field}
        for name in self.profile.run_rule.key:
            field = declared.get(name)
            if field is None:
                key.append(self.names.must(name, "runs"))
            elif field in self.positions:
                key.append(self.positions[field])
        # Two names of one column count once; the order stays.
        return tuple(dict.fromkeys(key))

    def undeclared(self, positions: Sequence[int]) -> tuple[int, ...]:
        """
        Give the undeclared columns that are kept.

        Raises:
            MalformedSourceError: the profile refuses them.
        """
        names, profile = self.names, self.profile
        if profile.undeclared is Undeclared.ATTRIBUTES:
            return tuple(positions)
        for at in positions:
            name = names.label(at)
            if profile.undeclared is Undeclared.ERROR:
                raise names.error(
                    "unknown column",
                    name,
                    f"declare it in profile {profile.name!r}, or set its "
                    "undeclared to attributes or drop",
                )
            self.report.omitted(
                "column",
                "not declared, as the profile asks",
                place=Place(line=names.line, path=name),
                detail=name,
            )
        return ()

    def keep_roles(self, head: TableHead, used: Collection[int]) -> None:
        """Keep what rows with a role say of columns that hold no measurement."""
        for row in head.roles:
            for at, cell in enumerate(row.cells):
                text = cell.strip()
                if text and at not in used and normal(cell) != row.label:
                    named = at < self.width and self.header[at]
                    name = f"{named or f'column {at + 1}'} ({row.label})"
                    head.keys.add(row.line, name, text, text)

    def label(self, field: Field) -> str:
        """Name the column of a field as the file does."""
        at = self.positions.get(field)
        if at is None:
            return field.value
        if at < self.width:
            return self.header[at] or f"column {at + 1}"
        source = self.profile.fields.get(field)
        if source is None:
            source = self.profile.fields[Field.LIMITS]
        return " ".join(str(column) for column in source.in_rows)


class LongColumns(RowColumns):
    """
    Where the cells of a row with one measurement are.

    Attributes:
        phase: picks the cells of ``phase_fields``.
        phase_fields: the phase's fields that the file has.
        value: where the value stands, in a row that is lengthened by ``tail``.
        unit: where its unit stands in such a row.
        measurement: picks the other cells of ``MEASUREMENT_FIELDS`` of such a row.
        tail: stands in for the fields that the file lacks: constants, or blanks.
        beside: picks the cells of the run, the phase, and the columns that are kept.
        others: picks the cells of the undeclared columns that are kept.
    """

    def __init__(
        self, head: TableHead, cells: CellReader, report: ConversionReport
    ) -> None:
        super().__init__(head, cells, report)
        positions = self.positions
        others = self.undeclared(self.rest)
        self.keep_roles(head, ())
        report.mapped("column", self.declared_count + len(others))
        self.phase_fields = tuple(field for field in PHASE_FIELDS if field in positions)
        self.phase = picker([positions[field] for field in self.phase_fields])
        end = self.width + sum(len(made.fields) for made in self.derived.members)
        # Fields that the file lacks are picked from the tail behind the row's cells, so
        # that all measurements are picked by one call, whatever columns there are.
        places = {
            field: positions.get(field, end + at)
            for at, field in enumerate(MEASUREMENT_FIELDS)
        }
        self.value = places.pop(Field.VALUE)
        self.unit = places[Field.UNIT]
        self.bounds = (places[Field.LOWER_LIMIT], places[Field.UPPER_LIMIT])
        self.measurement = picker(tuple(places.values()))
        self.tail = tuple(
            self.constants[field].text if field in self.constants else ""
            for field in MEASUREMENT_FIELDS
        )
        self.others = picker(others)
        self.others_labels = self.names.labels(others, report)
        run = [positions[field] for field in (*self.run_fields, *self.phase_fields)]
        self.beside = picker((*run, *self.metadata_positions, *others))

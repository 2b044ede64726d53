"""The columns of a table in series form: what is measured, over what, in which unit."""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs

from rigbridge.model.report import ConversionReport
from rigbridge_csv.forms.columns import RowColumns
from rigbridge_csv.forms.shapes import NameParts
from rigbridge_csv.forms.value_columns import (
    ValueColumn,
    chosen_columns,
    describe_column,
    told_apart,
)
from rigbridge_csv.profiles.fields import Field, FieldSource
from rigbridge_csv.profiles.place import Role
from rigbridge_csv.tables.cells import CellReader
from rigbridge_csv.tables.head import TableHead
from rigbridge_csv.tables.header import find_column

__all__ = ["JOINED", "NO_X", "SeriesColumns"]

NO_X = "index"
"""What x is called where nothing names it."""

JOINED = -1
"""Stands for the position of an x that several columns make together."""

_TIMES = (Field.STARTED_AT, Field.ENDED_AT)


class SeriesColumns(RowColumns):
    """
    The columns of a table in series form.

    Attributes:
        over: by the position of such a column, the position of its x, or None.
        joined: the columns that make one x together; it stands at ``JOINED``.
        unit_at: by the position of a column, that of the column with its units.
        by: the columns whose change begins a new phase, with their names.
        clocks: the names of the columns that hold the time of each row.
        units: the cells of the rows of units.
    """

    def __init__(
        self, head: TableHead, cells: CellReader, report: ConversionReport
    ) -> None:
        super().__init__(head, cells, report)
        profile = self.profile
        rule = profile.series
        self.units = [row.cells for row in head.roles if row.role is Role.UNIT]
        self.by = [(self.names.must(name, "series.by"), name) for name in rule.by]
        x_positions = self._x_positions(rule.x, has_start=profile.counts_x)
        self.joined = x_positions if len(rule.x) > 1 else []
        self.unit_at = self._unit_columns(rule.units)
        taken = [*x_positions, *(at for at, _ in self.by), *self.unit_at.values()]
        chosen = [
            at
            for at in chosen_columns(self, rule.y, rule.except_, taken=taken)
            if at not in taken
        ]
        labels = self.names.single(chosen, report)
        self.values = [
            describe_column(self, head, (at, label), rule.y)
            for at, label in zip(chosen, labels, strict=True)
        ]
        if not self.values:
            raise self.names.error(
                "no column is left to be a series",
                rule.x_name or "",
                f"declare series.y in profile {profile.name!r}",
            )
        self.x: dict[int, ValueColumn] = {
            at: describe_column(self, head, (at, self.names.label(at)), None)
            for at in x_positions
        }
        if self.joined:
            name = rule.x_name or NO_X
            # What is said of the first is said of all: date and time have no unit.
            self.x = {
                JOINED: attrs.evolve(
                    self.x[x_positions[0]],
                    at=JOINED,
                    header=name,
                    parts=NameParts(name=name),
                )
            }
            x_positions = [JOINED]
        self.over: dict[int, int | None] = {
            at: max((x for x in x_positions if x < at), default=None)
            if len(x_positions) > 1
            else next(iter(x_positions), None)
            for at in chosen
        }
        used = {*chosen, *taken}
        others = self.undeclared([at for at in self.rest if at not in used])
        # What is no series by name is kept as one, so that no cell is lost.
        other_labels = self.names.labels(others, report)
        self.values.extend(
            describe_column(self, head, (at, label), None)
            for at, label in zip(others, other_labels, strict=True)
        )
        self.values = told_apart(self.values, report, head.line)
        for at in others:
            self.over[at] = next(iter(x_positions), None)
        report.mapped("column", self.declared_count + len(used) + len(others))
        clocks = {
            at
            for field in _TIMES
            if (at := self.positions.get(field, self.width)) < self.width
        }
        self.clocks = frozenset(self.names.label(at) for at in clocks)
        known = {*taken, *self.over}
        self._keep_clocks(sorted(clocks - known), head)
        # Of a field that is made of several columns, the run has the first row's.
        made = {
            at
            for member in self.derived.members
            if member.field in _TIMES
            for at in member.positions
        }
        self._keep_clocks(sorted(made - known - clocks), head)
        # The unit of a duration tells how it is written, and is none of its axis.
        x = () if rule.durations else self.x
        self.keep_roles(head, {*x, *(column.at for column in self.values)})

    def _keep_clocks(self, positions: Sequence[int], head: TableHead) -> None:
        """Keep the times of all rows, of which the run has the first only."""
        for at in positions:
            label = self.names.label(at)
            self.values.append(describe_column(self, head, (at, label), None))
            self.over[at] = next(iter(self.x), None)

    def stated(self, source: FieldSource | None) -> str | None:
        """Give the text of a source that is the same for the whole table, or None."""
        if source is None:
            return None
        if source.value is not None:
            return source.value
        texts = [
            cell.text
            for name in source.key
            if (cell := self.head_keys.find(name)) is not None
        ]
        texts += [
            cells[at]
            for column in source.in_rows
            if (at := self.names.find(column, "series")) is not None
            for cells in self.units
            if at < len(cells)
        ]
        found = next((text for text in texts if text.strip()), None)
        return None if found is None else source.extract(found.strip())

    def _x_positions(self, names: Sequence[str], *, has_start: bool) -> list[int]:
        if len(names) > 1:
            return [self.names.must(name, "series.x") for name in names]
        found = [at for name in names for at in find_column(self.header, name)]
        if names and not found and not has_start:
            self.names.must(names[0], "series.x")
        return found

    def _unit_columns(self, pattern: re.Pattern[str] | None) -> dict[int, int]:
        """Find the columns of units, each by the column on its left."""
        found: dict[int, int] = {}
        left: int | None = None
        for at in self.rest if pattern is not None else ():
            if pattern is None or not pattern.fullmatch(self.header[at]):
                left = at
            elif left is not None:
                found[left], left = at, None
        return found

    def joined_x(self, row: Sequence[str]) -> str:
        """Give the text of the x that several columns make together."""
        return " ".join(text for at in self.joined if (text := row[at].strip()))

"""The columns of a table in wide form: those that are measured, and what is theirs."""

from __future__ import annotations

import re
from itertools import groupby

import attrs

from rigbridge.model import Measurement, MeasurementRow
from rigbridge.model.report import ConversionReport, Place
from rigbridge_csv.forms.columns import Picker, RowColumns, picker
from rigbridge_csv.forms.shapes import name_parts
from rigbridge_csv.forms.value_columns import (
    ValueColumn,
    chosen_columns,
    describe_column,
    told_apart,
)
from rigbridge_csv.profiles.fields import PHASE_FIELDS
from rigbridge_csv.profiles.forms import MeasurementColumns, NeighbourColumn
from rigbridge_csv.tables.cells import CellReader
from rigbridge_csv.tables.head import TableHead
from rigbridge_csv.tables.header import find_column

__all__ = ["ColumnGroup", "MeasuredColumn", "WideColumns"]


@attrs.frozen
class MeasuredColumn:
    """
    A column of measurements, ready to make them.

    ``beside`` are its own columns, ``judge`` is the name of that of the verdict.
    """

    column: ValueColumn
    template: Measurement
    limited: bool
    beside: dict[str, int]
    judge: str
    is_text: bool


@attrs.frozen
class ColumnGroup:
    """
    Columns of measurements of one phase that stand together.

    ``plain`` says that no column has others of its own, so that a row is made at once;
    ``limits`` which columns have limits then; ``numeric`` says that all may be numbers.
    ``unfilled`` are the places in it of those of which no row had a value so far.
    """

    phase: str | None
    targets: list[MeasuredColumn]
    pick: Picker
    row: MeasurementRow
    limits: list[bool]
    plain: bool
    numeric: bool
    unfilled: list[int]


def _groups(targets: list[MeasuredColumn]) -> list[ColumnGroup]:
    made: list[ColumnGroup] = []
    for phase, members in groupby(targets, key=lambda target: target.column.phase):
        group = list(members)
        made.append(
            ColumnGroup(
                phase,
                group,
                picker([target.column.at for target in group]),
                MeasurementRow([target.template for target in group]),
                [target.template.limits is not None for target in group],
                not any(target.beside for target in group),
                not any(target.is_text for target in group),
                list(range(len(group))),
            )
        )
    return made


class WideColumns(RowColumns):
    """
    The columns of a table in wide form.

    Attributes:
        phases: the fields of the phase that the rows have.
        others: the undeclared columns that are kept with the run, with their names.
    """

    def __init__(
        self, head: TableHead, cells: CellReader, report: ConversionReport
    ) -> None:
        super().__init__(head, cells, report)
        rule = self.profile.measurements
        beside: dict[int, dict[str, int]] = {}
        taken: set[int] = set()
        for at in self.rest:
            # What belongs to one on its left owns none itself.
            if at not in taken and (found := self._own_columns(rule, at)):
                beside[at] = found
                taken.update(found.values())
        positions = chosen_columns(self, rule.columns, rule.except_, taken=tuple(taken))
        labels = self.names.single(positions, report)
        described = [
            describe_column(self, head, (at, label), rule.columns)
            for at, label in zip(positions, labels, strict=True)
        ]
        self.targets = [
            self._target(column, beside.get(column.at, {}))
            for column in told_apart(described, report, head.line)
        ]
        self.groups = _groups(self.targets)
        used = {*positions, *taken}
        others = self.undeclared([at for at in self.rest if at not in used])
        self.others = list(zip(others, self.names.labels(others, report), strict=True))
        self.keep_roles(head, positions)
        self.phases = [field for field in PHASE_FIELDS if field in self.positions]
        report.mapped("column", self.declared_count + len(self.targets) + len(others))

    def record_unfilled(self, head: TableHead) -> None:
        """Record what is said of columns of which no row had a value."""
        unfilled = [group.targets[at] for group in self.groups for at in group.unfilled]
        for at in (target.column.at for target in unfilled):
            texts = [row.cells[at].strip() for row in head.roles if at < len(row.cells)]
            if said := ", ".join(filter(None, texts)):
                self.report.omitted(
                    "column",
                    "no row has a value in it",
                    place=Place(line=head.line, path=self.names.label(at)),
                    detail=said,
                )

    def _own_columns(self, rule: MeasurementColumns, owner: int) -> dict[str, int]:
        name = self.header[owner]
        if not name:
            return {}
        # Limits are often called as the measurement, without its unit.
        names = dict.fromkeys([name, name_parts(self.profile.names, name).name])
        found: dict[str, int] = {}
        beside: dict[str, re.Pattern[str]] = {}
        for what, template in rule.templates().items():
            if isinstance(template, NeighbourColumn):
                beside[what] = template.right
                continue
            for spelled in names:
                fits = find_column(self.header, template.replace("{}", spelled))
                if len(fits) == 1 and fits[0] != owner:
                    found.setdefault(what, fits[0])
        for at in range(owner + 1, self.width):
            told = [
                what
                for what, pattern in beside.items()
                if pattern.fullmatch(self.header[at])
            ]
            if not told:
                break
            for what in told:
                found.setdefault(what, at)
        return found

    def _target(self, column: ValueColumn, beside: dict[str, int]) -> MeasuredColumn:
        template = Measurement(
            name=column.parts.name,
            unit=column.unit,
            limits=column.condition.limits,
            validators=column.condition.validators,
            attributes=column.attributes,
        )
        limited = column.condition.limits is not None or bool(
            column.condition.validators
        )
        judge = self.names.label(beside.get("outcome", column.at))
        is_text = self.cells.is_text(column.parts.name)
        return MeasuredColumn(column, template, limited, beside, judge, is_text)

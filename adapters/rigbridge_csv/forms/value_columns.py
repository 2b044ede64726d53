"""The columns of measurements of a table in wide or series form."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import attrs

from rigbridge.errors import MalformedSourceError
from rigbridge.model.report import ConversionReport, Place
from rigbridge_csv.forms.columns import RowColumns
from rigbridge_csv.forms.shapes import NameParts, name_parts
from rigbridge_csv.limits import Condition
from rigbridge_csv.profiles.forms import ColumnChoice, GivenColumn
from rigbridge_csv.profiles.place import Role
from rigbridge_csv.tables.head import TableHead

__all__ = ["ValueColumn", "chosen_columns", "describe_column", "told_apart"]

# "(ms)" or "[V]": how some rows of units write them.
_BRACKETS = re.compile(r"[(\[]\s*([^()\[\]]+?)\s*[)\]]")


@attrs.frozen(kw_only=True)
class ValueColumn:
    """
    A column of values.

    Attributes:
        at: its position.
        header: its name in the header, made unique.
        unit: its unit, or None.
        condition: what its limits mean, where they are the same for every row.
        attributes: what else is said of it.
        phase: the phase that it belongs to, or None.
        start: the first x, where a row with that role says it.
        step: the distance from one x to the next, likewise.
    """

    at: int
    header: str
    parts: NameParts
    unit: str | None
    condition: Condition
    attributes: dict[str, str]
    phase: str | None = None
    start: str | None = None
    step: str | None = None


def chosen_columns(
    columns: RowColumns,
    chosen: ColumnChoice | None,
    excepted: ColumnChoice | None,
    *,
    taken: Sequence[int] = (),
) -> list[int]:
    """
    Give the positions of the columns that hold values.

    Args:
        chosen: the columns that are declared; None for every one that is left.
        excepted: those that are none.
        taken: positions that are spoken for.

    Raises:
        MalformedSourceError: a column that the profile lists is not there.
    """
    rest = [at for at in columns.rest if at not in taken]
    if chosen is not None and chosen.pattern is None:
        found = [
            columns.names.must(given.column, "measurements") for given in chosen.given
        ]
    else:
        found = [
            at
            for at in rest
            if columns.header[at] and (chosen is None or chosen.has(columns.header[at]))
        ]
    return [
        at for at in found if excepted is None or not excepted.has(columns.header[at])
    ]


def _given(chosen: ColumnChoice | None, name: str) -> GivenColumn | None:
    if chosen is None:
        return None
    return next((given for given in chosen.given if given.column == name), None)


def _role_texts(head: TableHead, at: int) -> Iterator[tuple[Role, str, str, int]]:
    for role in head.roles:
        if at < len(role.cells) and (text := role.cells[at].strip()):
            # The cell that names the row says nothing of its column.
            if text == role.label:
                continue
            yield role.role, role.label, text, role.line


def describe_column(
    columns: RowColumns,
    head: TableHead,
    column: tuple[int, str],
    chosen: ColumnChoice | None,
) -> ValueColumn:
    """
    Gather what header, rows with roles and the profile say of a column.

    Args:
        column: its position, and its name, made unique.

    Raises:
        MalformedSourceError: its limits cannot be right.
    """
    at, label = column
    cells = columns.cells
    given = _given(chosen, columns.header[at])
    header = columns.header[at] or label
    parts = name_parts(columns.profile.names, header)
    # The number that tells two columns of one name apart stands behind the name.
    if label != header and label.startswith(header):
        parts = attrs.evolve(parts, name=parts.name + label.removeprefix(header))
    if given is not None and given.name is not None:
        parts = attrs.evolve(parts, name=given.name)
    texts: dict[Role, str] = {}
    attributes = dict(parts.attributes)
    for role, row, text, _ in _role_texts(head, at):
        if role is Role.ATTRIBUTE:
            attributes[row] = text
        elif cells.text(text) is not None:
            bare = _BRACKETS.fullmatch(text) if role is Role.UNIT else None
            texts.setdefault(role, text if bare is None else bare[1])
    unit = given.unit if given is not None and given.unit else texts.get(Role.UNIT)
    if unit is None and parts.unit is not None:
        unit = cells.text(parts.unit)
    elif given is None and parts.unit not in (None, unit) and label == header:
        # T(1) with a row that says V: what the brackets hold is no unit, or another.
        parts = attrs.evolve(parts, name=header)
    lower, upper = _bounds(parts, texts, given, columns.profile.decimal)
    comparator = parts.comparator or ("==" if parts.equal is not None else None)
    condition = cells.condition(comparator, lower, upper, None)
    if condition.problem is not None:
        raise MalformedSourceError(
            condition.problem,
            source=columns.names.uri,
            place=f"line {columns.line}, column {label!r}",
            remedy="correct the limits, or declare the rows of upper_limit and "
            "lower_limit the other way round",
        )
    for rule in condition.rules:
        columns.report.coerced("limit", rule, place=Place(line=head.line, path=label))
    return ValueColumn(
        at=at,
        header=label,
        parts=parts,
        unit=unit,
        condition=condition,
        attributes=attributes,
        phase=None if given is None else given.phase,
        start=texts.get(Role.START),
        step=texts.get(Role.STEP),
    )


def told_apart(
    found: Sequence[ValueColumn], report: ConversionReport, line: int
) -> list[ValueColumn]:
    """Give columns whose names are one without their units their whole names."""
    names = Counter((column.phase, column.parts.name) for column in found)
    told: list[ValueColumn] = []
    for column in found:
        if names[column.phase, column.parts.name] > 1:
            # S11(DB) and S11(DEG) are no two measurements of S11.
            report.coerced(
                "measurement",
                "its name without the unit is that of another, kept whole",
                place=Place(line=line, path=column.header),
            )
            whole = attrs.evolve(column.parts, name=column.header)
            column = attrs.evolve(column, parts=whole)  # noqa: PLW2901 - named anew
        told.append(column)
    return told


def _bounds(
    parts: NameParts,
    texts: dict[Role, str],
    given: GivenColumn | None,
    decimal: str,
) -> tuple[str | None, str | None]:
    """Give the texts of the lower and the upper limit of a column."""
    lower = texts.get(Role.LOWER_LIMIT) or parts.lower or parts.equal
    upper = texts.get(Role.UPPER_LIMIT) or parts.upper
    if given is not None:
        # Numbers of the profile are spelled as the profile's cells are.
        if given.lower is not None:
            lower = str(given.lower).replace(".", decimal)
        if given.upper is not None:
            upper = str(given.upper).replace(".", decimal)
    return lower, upper

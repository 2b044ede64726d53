"""Arrays of either kind of report to series: by index, or a line of a matrix each."""

from __future__ import annotations

from array import array

import attrs

from rigbridge.model import Axis, JSONValue, Scalar, Series

__all__ = [
    "Cells",
    "array_series",
    "fill_gaps",
    "list_series",
    "matrix_series",
    "uniform_numbers",
]

_MAX_ROWS = 256
_PLANE = 2
# A gap in an array is filled, unless the numbers of its members are absurd.
_SPARSE = 1024


@attrs.frozen(kw_only=True)
class Cells:
    """
    The members of an array, of numbers or texts, placed by their indices.

    Attributes:
        rank: how many indices a position has.
        members: position and value, as listed.
    """

    rank: int
    members: dict[tuple[int, ...], Scalar]


def fill_gaps(placed: dict[tuple[int, ...], Scalar]) -> dict[tuple[int, ...], Scalar]:
    """
    Fill the gaps of a list with None; filters leave members out.

    Args:
        placed: the members by their single index.
    """
    if not placed:
        return placed
    first, last = min(placed)[0], max(placed)[0]
    if len(placed) <= last - first < 2 * len(placed) + _SPARSE:
        return {(at,): placed.get((at,)) for at in range(first, last + 1)}
    return placed


def uniform_numbers(values: list[Scalar]) -> list[Scalar]:
    """Make the numbers of one column of one kind, so that they are held compactly."""
    kinds = set(map(type, values))
    if kinds == {int, float}:
        return [float(value) for value in values if isinstance(value, (int, float))]
    return values


def list_series(values: list[Scalar], unit: str | None) -> Series:
    """Make a series of a list of values that is complete and in order."""
    index = Axis(name="index", values=array("q", range(len(values))))
    return Series(axes=(index, Axis(unit=unit, values=uniform_numbers(values))))


def array_series(cells: Cells, unit: str | None) -> Series:
    """Make a series with an axis for each index and the values last."""
    positions = sorted(cells.members)
    axes = [
        Axis(
            name="index" if cells.rank == 1 else f"index {place}",
            values=[position[place] for position in positions],
        )
        for place in range(cells.rank)
    ]
    values = uniform_numbers([cells.members[position] for position in positions])
    return Series(axes=(*axes, Axis(unit=unit, values=values)))


def matrix_series(
    cells: Cells, attributes: dict[str, JSONValue]
) -> list[tuple[str, Series]] | None:
    """
    Take a matrix apart into one series a row, or a column where the layout says so.

    Args:
        cells: the members.
        attributes: what the report says of the array, among it its layout.

    Returns:
        A label and a series each, or None where the array is no small matrix.
    """
    if cells.rank != _PLANE:
        return None
    said = " ".join(str(value).lower() for value in attributes.values())
    by_column = "column based" in said
    lines: dict[int, dict[int, Scalar]] = {}
    for (row, column), value in cells.members.items():
        line, place = (column, row) if by_column else (row, column)
        lines.setdefault(line, {})[place] = value
    if len(lines) > _MAX_ROWS:
        return None
    places = sorted({place for line in lines.values() for place in line})
    shared: Axis | None = None
    found: list[tuple[str, Series]] = []
    for line in sorted(lines):
        values = uniform_numbers([lines[line].get(place) for place in places])
        if shared is None and "singlex-multipley" in said and len(lines) > 1:
            shared = Axis(name="x", values=values)
            continue
        dimension = shared or Axis(name="index", values=places)
        found.append((f"[{line}]", Series(axes=(dimension, Axis(values=values)))))
    return found

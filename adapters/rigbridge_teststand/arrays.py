"""Arrays to series: one by index, or one for each row of a matrix."""

from __future__ import annotations

from array import array

import attrs

from rigbridge.model import Axis, JSONValue, Scalar, Series

__all__ = [
    "Cells",
    "array_series",
    "complex_series",
    "fill_gaps",
    "list_series",
    "matrix_series",
    "uniform_numbers",
]

# Of a larger matrix the rows would be too many measurements.
_MAX_ROWS = 256
_PLANE = 2
# The most members that are added to fill gaps, beside as many as there are.
_SPARSE = 1024


@attrs.frozen(kw_only=True)
class Cells:
    """
    The members of an array with their positions.

    Attributes:
        rank: the number of indices of a position.
        members: value by position, in document order.
    """

    rank: int
    members: dict[tuple[int, ...], Scalar]


def fill_gaps(placed: dict[tuple[int, ...], Scalar]) -> dict[tuple[int, ...], Scalar]:
    """
    Fill the gaps of a list with None: array filters leave members out.

    Args:
        placed: the members by their single index.
    """
    if not placed:
        return placed
    first, last = min(placed)[0], max(placed)[0]
    # Two members far apart must not become a million.
    if len(placed) <= last - first < 2 * len(placed) + _SPARSE:
        return {(at,): placed.get((at,)) for at in range(first, last + 1)}
    return placed


def uniform_numbers(values: list[Scalar]) -> list[Scalar]:
    """Make integers among floats floats, so that the column is a compact array."""
    kinds = set(map(type, values))
    if kinds == {int, float}:
        return [float(value) for value in values if isinstance(value, (int, float))]
    return values


def list_series(values: list[Scalar], unit: str | None) -> Series:
    """Make a series of a complete list of values."""
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


def complex_series(real: Cells, imaginary: Cells, unit: str | None) -> Series:
    """Make a series of complex numbers: their parts are two axes behind the indices."""
    axes = list(array_series(real, unit).axes)
    values = array_series(imaginary, unit).axes[-1].values
    axes[-1] = attrs.evolve(axes[-1], name="real")
    return Series(axes=(*axes, Axis(name="imaginary", unit=unit, values=values)))


def matrix_series(
    cells: Cells, attributes: dict[str, JSONValue], unit: str | None = None
) -> list[tuple[str, Series]] | None:
    """
    Make a series of each row of a matrix, or of each column if its layout says so.

    Args:
        attributes: the attributes of the array, which may name its layout.

    Returns:
        A label and a series each, or None where the array is no small matrix.
    """
    if cells.rank != _PLANE:
        return None
    layout = " ".join(str(value).lower() for value in attributes.values())
    # TestStand.DataLayout and DataOrientation; their case differs by version.
    by_column = "column based" in layout
    rows: dict[int, dict[int, Scalar]] = {}
    for (row, column), value in cells.members.items():
        line, place = (column, row) if by_column else (row, column)
        rows.setdefault(line, {})[place] = value
    if len(rows) > _MAX_ROWS:
        return None
    places = sorted({place for line in rows.values() for place in line})
    shared: Axis | None = None
    found: list[tuple[str, Series]] = []
    for line in sorted(rows):
        values = uniform_numbers([rows[line].get(place) for place in places])
        # The first row holds the X values of all others.
        if shared is None and "singlex-multipley" in layout and len(rows) > 1:
            shared = Axis(name="x", values=values)
            continue
        dimension = shared or Axis(name="index", values=places)
        measured = Axis(unit=unit, values=values)
        found.append((f"[{line}]", Series(axes=(dimension, measured))))
    return found

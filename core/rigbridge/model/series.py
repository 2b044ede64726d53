"""Measurements of many points: named axes of equal length, held compactly."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import attrs

from rigbridge.errors import ModelError
from rigbridge.model.values import (
    Field,
    Scalar,
    fail,
    optional_text,
    same_value,
    tuple_of,
)

__all__ = ["Axis", "Series"]

if TYPE_CHECKING:
    AxisValues: TypeAlias = array[float] | array[int] | tuple[Scalar, ...]
else:
    # Python 3.11 has no array[float] at run time.
    AxisValues: TypeAlias = array | tuple[Scalar, ...]
"""Numbers as a typed array (8 bytes a point); anything else as a tuple."""

_SCALARS = (str, int, float, bool, type(None))
_INT64 = 2**63


def _compact(values: Any) -> AxisValues:
    given: object = values
    # A text would be taken letter by letter. The field's check names what is wrong.
    if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
        return cast("AxisValues", values)
    return _packed(values)


def _packed(values: Iterable[Any]) -> AxisValues:
    if isinstance(values, array):
        # A copy: an array can be changed by whoever gave it.
        if values.typecode in "dq":
            return values[:]
        return array("d" if values.typecode == "f" else "q", values)
    if isinstance(values, range) and values and _fits(values):
        return array("q", values)
    points = tuple(values)
    kinds = set(map(type, points))
    # Exactly floats: a bool or an int among them must come back as it was.
    if kinds == {float}:
        return array("d", points)
    if kinds == {int} and all(-_INT64 <= point < _INT64 for point in points):
        return array("q", points)
    return points


def _fits(points: range) -> bool:
    # The ends of a range bound all that is between, however long it is.
    return all(-_INT64 <= point < _INT64 for point in (points[0], points[-1]))


def _scalars(instance: object, attribute: Field, value: object) -> None:
    if isinstance(value, array):
        return
    if not isinstance(value, tuple):
        found = type(value).__name__
        raise fail(instance, attribute, f"must be a list of scalars, not {found}")
    for index, point in enumerate(cast("tuple[object, ...]", value)):
        if not isinstance(point, _SCALARS):
            message = f"point {index} must be a scalar, not {type(point).__name__}"
            raise fail(instance, attribute, message)


def _same_points(left: AxisValues, right: AxisValues) -> bool:
    if isinstance(left, array) and isinstance(right, array):
        if left.typecode != right.typecode or len(left) != len(right):
            return False
        # Arrays with a NaN differ from themselves; point by point they do not.
        return left == right or all(map(same_value, left, right))
    return same_value(left, right)


@attrs.frozen(kw_only=True)
class Axis:
    """
    One column of a series.

    Attributes:
        name: what the column holds (``time``, ``voltage``), or None.
        unit: its unit as the source spells it, or None.
        values: the points. Any iterable of scalars is taken; pure floats and pure
            64-bit integers are held as typed arrays, everything else as a tuple.

    Raises:
        ModelError: a point that is no scalar; the error names the point.
    """

    name: str | None = attrs.field(default=None, validator=optional_text)
    unit: str | None = attrs.field(default=None, validator=optional_text)
    values: AxisValues = attrs.field(
        converter=_compact,
        validator=_scalars,
        eq=attrs.cmp_using(eq=_same_points),
    )

    def __len__(self) -> int:
        return len(self.values)


def _lengths(instance: object, attribute: Field, value: Any) -> None:
    if not value:
        raise fail(instance, attribute, "must hold at least one axis")
    lengths = [len(axis) for axis in value]
    if len(set(lengths)) > 1:
        raise fail(instance, attribute, f"must be of equal length, not {lengths}")


@attrs.frozen(kw_only=True)
class Series:
    """
    A multi-dimensional measurement: the dimensions first, the measured axis last.

    Attributes:
        axes: at least one axis; all of equal length. With a single axis the points
            stand in their order and have no dimension.

    Raises:
        ModelError: no axis, or axes of different lengths.
    """

    axes: tuple[Axis, ...] = attrs.field(
        converter=tuple[Axis, ...], validator=[tuple_of(Axis), _lengths]
    )

    def __len__(self) -> int:
        return len(self.axes[0])

    @property
    def dimensions(self) -> tuple[Axis, ...]:
        """The axes that the measured values are taken over; may be empty."""
        return self.axes[:-1]

    @property
    def measured(self) -> Axis:
        """The axis that was measured."""
        return self.axes[-1]

    def rows(self) -> Iterator[tuple[Scalar, ...]]:
        """Go through the points, one row each, the measured value last."""
        return zip(*(axis.values for axis in self.axes), strict=True)

    @classmethod
    def from_rows(
        cls,
        rows: Iterable[Iterable[Scalar]],
        *,
        names: Iterable[str | None],
        units: Iterable[str | None],
    ) -> Series:
        """
        Make a series of rows, as OpenHTF and the v1 payload write it.

        Args:
            rows: one row a point, the measured value last.
            names: one name a column.
            units: one unit a column.

        Raises:
            ModelError: a row that is wider or narrower than the names.
        """
        columns = list(names)
        points: list[list[Scalar]] = [[] for _ in columns]
        for number, row in enumerate(rows):
            cells = list(row)
            if len(cells) != len(columns):
                message = f"row {number} has {len(cells)} values, not {len(columns)}"
                raise ModelError(message, path="Series.rows")
            for column, cell in zip(points, cells, strict=True):
                column.append(cell)
        return cls(
            axes=tuple(
                Axis(name=name, unit=unit, values=column)
                for name, unit, column in zip(columns, units, points, strict=True)
            )
        )

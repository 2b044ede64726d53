"""How far integers of a series are packed: to 64 bits, at both ends."""

from __future__ import annotations

from array import array

import pytest

from rigbridge.model import Axis

_LEAST, _MOST = -(2**63), 2**63 - 1


@pytest.mark.parametrize(
    ("points", "packed"),
    [
        (range(_LEAST, _LEAST + 3), True),
        (range(_LEAST - 1, _LEAST + 2), False),
        (range(_MOST - 2, _MOST + 1), True),
        (range(_MOST - 1, _MOST + 2), False),
        ([_LEAST, _MOST], True),
        ([_LEAST - 1, 0], False),
        ([0, _MOST + 1], False),
    ],
)
def test_integers_are_packed_where_they_fit(
    points: list[int] | range, *, packed: bool
) -> None:
    """Whatever does not fit stays as it is, and equal."""
    values = Axis(values=points).values
    assert isinstance(values, array) is packed
    assert list(values) == list(points)


@pytest.mark.parametrize(
    ("given", "kept"), [("f", "d"), ("d", "d"), ("i", "q"), ("B", "q"), ("q", "q")]
)
def test_arrays_are_copied_into_the_widest_of_their_kind(given: str, kept: str) -> None:
    """Floats become doubles, integers 64 bits; the array of the caller stays his."""
    points = array(given, [1, 2])
    values = Axis(values=points).values
    assert isinstance(values, array)
    assert (values.typecode, list(values)) == (kept, [1, 2])
    points[0] = 3
    assert values[0] == 1


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ([1, 2], [1.0, 2.0]),
        ([1, 2], [1, "2"]),
        ([1, 2], [True, 2]),
        ([1.0, 2.0], [1.0, "2"]),
        ([1, 2], [1, 2, 3]),
        ([1.0], [1.0, 2.0]),
        (["a"], ["a", "b"]),
        ([], [1]),
    ],
)
def test_axes_of_other_types_or_values_differ(
    left: list[object], right: list[object]
) -> None:
    """An integer is no float and no bool, however the points are held."""
    one, other = Axis(values=left), Axis(values=right)
    assert one != other
    assert other != one
    assert Axis(values=left) == one

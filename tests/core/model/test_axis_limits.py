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

"""Measurements that are made many at once equal those that are made one by one."""

from __future__ import annotations

import attrs
from hypothesis import given
from hypothesis import strategies as st

from rigbridge.model import (
    Limit,
    Measurement,
    MeasurementOutcome,
    MeasurementRow,
    MeasurementStamp,
)

TEMPLATES = [
    Measurement(name="vcc", unit="V", limits=Limit(lower=3.2, upper=3.4)),
    Measurement(name="mode", validators=("x == 'a'",), docstring="of the rig"),
    Measurement(name="free", instrument="dmm", attributes={"pin": "7"}),
]
values = st.one_of(
    st.none(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=5),
    st.booleans(),
)


def single(template: Measurement, value: object) -> Measurement:
    """Make one in the usual way."""
    return Measurement(
        name=template.name,
        value=value,  # type: ignore[arg-type]
        unit=template.unit,
        limits=template.limits,
        validators=template.validators,
        docstring=template.docstring,
        instrument=template.instrument,
        attributes=template.attributes,
    )


@given(st.lists(values, min_size=3, max_size=3))
def test_a_row_equals_single_measurements(row: list[object]) -> None:
    """Every field comes out as the class itself makes it."""
    made = MeasurementRow(TEMPLATES).make(row)
    assert made == [
        single(template, value) for template, value in zip(TEMPLATES, row, strict=True)
    ]
    assert {type(measurement) for measurement in made} == {Measurement}


def test_blank_columns_are_left_out() -> None:
    """Values go to the columns that are filled."""
    made = MeasurementRow(TEMPLATES).make([1.5, True], [True, False, True])
    assert made == [single(TEMPLATES[0], 1.5), single(TEMPLATES[2], True)]


def test_values_that_are_not_plain() -> None:
    """Lists are checked as ever."""
    (made,) = MeasurementRow(TEMPLATES[:1]).make([[1, 2]])
    assert made == single(TEMPLATES[0], [1, 2])


def test_a_stamp_equals_single_measurements() -> None:
    """Value, verdict and attributes differ, and nothing else."""
    made = MeasurementStamp(attrs.evolve(TEMPLATES[0], instrument="dmm")).make(
        3.3, MeasurementOutcome.PASS, {"a": "b"}
    )
    assert made == Measurement(
        name="vcc",
        value=3.3,
        unit="V",
        outcome="PASS",
        limits=Limit(lower=3.2, upper=3.4),
        instrument="dmm",
        attributes={"a": "b"},
    )

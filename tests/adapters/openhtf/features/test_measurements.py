"""Measurements of every kind, in real tests, as OpenHTF's own JSON has them."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest

from rigbridge.model import Limit, Series

htf = pytest.importorskip("openhtf")
units = pytest.importorskip("openhtf.util.units")
validators = pytest.importorskip("openhtf.util.validators")

_SINCE_1_6 = pytest.mark.skipif(
    version("openhtf").startswith("1.5."), reason="older OpenHTF has no such thing"
)

RunCompared = Callable[..., Any]


def _phase(measurement: Any, value: Any) -> Any:
    def measure(test: Any) -> None:
        """Set one measurement."""
        test.measurements[measurement.name] = value

    return htf.measures(measurement)(measure)


def _only(compared: Any) -> Any:
    (phase,) = compared.run.phases
    (measurement,) = phase.measurements
    return measurement


@pytest.mark.parametrize(
    "value",
    [
        0,
        -1,
        2**53 + 1,
        1e-300,
        -0.0,
        math.nan,
        math.inf,
        -math.inf,
        True,
        False,
        "",
        "text",
        "nan as text",
        "ünïcode\n\ttext",
        None,
        [],
        [1, 2.5, "x", None, True],
        {},
        {"a": {"b": [1, {"c": 2}]}},
        (1, 2),
    ],
    ids=repr,
)
def test_values(run_compared: RunCompared, value: Any) -> None:
    """A value of any kind arrives as OpenHTF wrote it."""
    compared = run_compared(_phase(htf.Measurement("m"), value))
    assert _only(compared).outcome.value == "PASS"


@pytest.mark.parametrize(
    ("add", "value", "limits"),
    [
        (lambda m: m.in_range(1, 5), 3, Limit(lower=1, upper=5)),
        (lambda m: m.in_range(minimum=1.5), 1, Limit(lower=1.5)),
        (lambda m: m.in_range(maximum=5), 6, Limit(upper=5)),
        (lambda m: m.in_range(1, 5, 2, 4), 1.2, Limit(lower=1, upper=5)),
        (lambda m: m.in_range(minimum=1, marginal_minimum=2), 1, Limit(lower=1)),
        (lambda m: m.in_range(maximum=5, marginal_maximum=4), 4.5, Limit(upper=5)),
        (lambda m: m.in_range("1", "5", type=int), 3, Limit(lower=1, upper=5)),
        (
            lambda m: m.equals(7),
            7,
            Limit(lower=7, upper=7, comparator="=="),
        ),
        (lambda m: m.equals("v1"), "v2", None),
        (lambda m: m.equals(True), True, None),
        (lambda m: m.matches_regex(r"^v\d+$"), "v2", None),
        (lambda m: m.within_percent(100, 5), 104, Limit(lower=95, upper=105)),
        pytest.param(
            lambda m: m.within_percent(-100, 5, 2),
            -104,
            Limit(lower=-105, upper=-95),
            marks=_SINCE_1_6,
        ),
        (lambda m: m.all_in_range(1, 5), [1, 5], Limit(lower=1, upper=5)),
        (lambda m: m.all_in_range(1, 5, 2, 4), [1, 3], Limit(lower=1, upper=5)),
        (
            lambda m: m.all_equals(3),
            [3, 4],
            Limit(lower=3, upper=3, comparator="=="),
        ),
        (lambda m: m.in_range(0, 9).in_range(2, 5), 3, Limit(lower=2, upper=5)),
        (lambda m: m.with_validator(lambda value: value > 2), 3, None),
    ],
)
def test_limits(
    run_compared: RunCompared, add: Callable[[Any], Any], value: Any, limits: Any
) -> None:
    """A validator gives the limits that it applies, and the record its verdict."""
    compared = run_compared(_phase(add(htf.Measurement("m")), value))
    assert _only(compared).limits == limits


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        (units.VOLT, "V"),
        (units.DEGREE_CELSIUS, "°C"),
        (units.OHM, "\N{OHM SIGN}"),
        ("Hz", "Hz"),
        (units.NO_DIMENSION, None),
        (units.PERCENT, "pct"),
    ],
)
def test_units(run_compared: RunCompared, unit: Any, said: str | None) -> None:
    """A unit is its suffix; a text names the unit."""
    measurement = htf.Measurement("m").with_units(unit)
    assert _only(run_compared(_phase(measurement, 1))).unit == said


def test_points_over_several_dimensions(run_compared: RunCompared) -> None:
    """Every dimension is an axis, and the points stand in their order."""

    @htf.measures(
        htf.Measurement("gain")
        .with_dimensions(
            units.HERTZ, htf.Dimension(description="level", unit=units.VOLT), "slot"
        )
        .with_units(units.DECIBEL)
    )
    def sweep(test: Any) -> None:
        for step in range(5):
            test.measurements.gain[step * 10, 0.5, f"s{step}"] = step / 3
        test.measurements.gain[0, 0.5, "s0"] = -1.5

    value = _only(run_compared(sweep)).value
    assert isinstance(value, Series)
    assert len(value) == 5
    assert [axis.name for axis in value.axes][1] == "level"
    assert value.measured.unit == "dB"


@pytest.mark.parametrize("value", [3.5, 11.0])
def test_pivots_over_dimensions(run_compared: RunCompared, value: float) -> None:
    """A validator of every point is kept as text, the verdict is the record's."""

    @htf.measures(
        htf.Measurement("m")
        .with_dimensions("t")
        .dimension_pivot_validate(validators.in_range(0, 10)),
        htf.Measurement("end")
        .with_dimensions("t")
        .consistent_end_dimension_pivot_validate(validators.in_range(0, 10)),
    )
    def sweep(test: Any) -> None:
        for step in range(4):
            test.measurements.m[step] = value
            test.measurements.end[step] = value

    compared = run_compared(sweep)
    expected = "PASS" if value <= 10 else "FAIL"
    outcomes = {m.outcome.value for m in compared.phase("sweep").measurements}
    assert outcomes == {expected}


def test_unset_and_partly_set(run_compared: RunCompared) -> None:
    """What was not set, or only in part, is UNSET and fails as the record says."""

    @htf.measures("a", htf.Measurement("points").with_dimensions("t"))
    def measure(test: Any) -> None:
        del test

    compared = run_compared(measure)
    assert [m.outcome.value for m in compared.phase("measure").measurements] == [
        "UNSET",
        "UNSET",
    ]


def test_points_set_before_an_error(run_compared: RunCompared) -> None:
    """Points of a sweep that broke off are kept, and the verdict is open."""

    @htf.measures(htf.Measurement("points").with_dimensions("t").in_range(0, 1))
    def sweep(test: Any) -> None:
        test.measurements.points[1] = 2.5
        raise RuntimeError("lost the instrument")

    (measurement,) = run_compared(sweep).phase("sweep").measurements
    assert isinstance(measurement.value, Series)
    assert list(measurement.value.rows()) == [(1, 2.5)]


def test_names_by_arguments_and_many_at_once(run_compared: RunCompared) -> None:
    """Phases made by arguments, and measurements declared in every way."""

    @htf.PhaseOptions(name="check {rail}")
    @htf.measures("plain", "another")
    @htf.measures(htf.Measurement("with_doc").doc("Said by the author."))
    def check(test: Any, rail: str) -> None:
        test.measurements.plain = rail
        test.measurements["another"] = 2
        test.measurements.with_doc = 3

    compared = run_compared(*(check.with_args(rail=rail) for rail in ("3V3", "5V")))
    assert [phase.name for phase in compared.run.phases] == ["check 3V3", "check 5V"]


def test_transforms_and_precision(run_compared: RunCompared) -> None:
    """A measurement that changes what is set keeps what it made of it."""
    measurement = htf.Measurement("m").with_precision(2)
    assert _only(run_compared(_phase(measurement, 1.23456))).value == 1.23
    transformed = htf.Measurement("t").with_transform(lambda value: value * 2)
    assert _only(run_compared(_phase(transformed, 4))).value == 8


def test_a_value_set_twice(run_compared: RunCompared) -> None:
    """Measurements read and set again inside one phase hold the last value."""

    @htf.measures("m")
    def measure(test: Any) -> None:
        test.measurements.m = 1
        test.measurements.m = test.measurements.m + 1

    assert _only(run_compared(measure)).value == 2

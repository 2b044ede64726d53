"""
Random real tests: whatever OpenHTF lets a test be, its run says what its JSON says.

A test is drawn as a plain description first, so that a failing one prints what it was.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

htf = pytest.importorskip("openhtf")
units = pytest.importorskip("openhtf.util.units")

RunCompared = Callable[..., Any]

_RESULTS = ("CONTINUE", "FAIL_AND_CONTINUE", "SKIP", "STOP", "REPEAT", "FAIL_SUBTEST")


@attrs.frozen
class Measured:
    """A measurement: how it is declared, and what is set, if anything."""

    name: str
    validators: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    unit: str | None = None
    docstring: str | None = None
    dimensions: int = 0
    values: tuple[Any, ...] = ()


@attrs.frozen
class Step:
    """A phase: what it measures and attaches, and how it ends."""

    name: str
    measured: tuple[Measured, ...] = ()
    attached: tuple[tuple[str, bytes], ...] = ()
    logged: str = ""
    result: str = "CONTINUE"
    raises: bool = False
    repeat_limit: int | None = None


@attrs.frozen
class Group:
    """Steps in a phase group or a subtest."""

    kind: str
    members: tuple[Any, ...]


_names = st.sampled_from(["a", "b", "volts at 25 °C", "x_1", "größe"])
_numbers = st.integers(-9, 9) | st.floats(width=32, allow_nan=True)
_finite = st.floats(-9, 9, width=16)
_limits = st.lists(_finite, min_size=2, max_size=2).map(
    lambda pair: tuple(sorted(pair))
)
_validators = st.one_of(
    _limits.map(lambda pair: ("in_range", pair)),
    _finite.map(lambda low: ("in_range", (low, None))),
    _finite.map(lambda high: ("in_range", (None, high))),
    _numbers.filter(math.isfinite).map(lambda value: ("equals", (value,))),
    st.tuples(st.integers(1, 9), st.integers(0, 50)).map(
        lambda pair: ("within_percent", pair)
    ),
)
_texts = st.text('ab é\n"\\/', max_size=6)
_values = st.one_of(
    _numbers,
    _texts,
    st.booleans(),
    st.none(),
    st.lists(_numbers.filter(math.isfinite), max_size=3),
    st.dictionaries(st.sampled_from("xy"), st.integers(), max_size=2),
)


@st.composite
def measurements(draw: st.DrawFn, name: str) -> Measured:
    """Draw a measurement: of one value, over dimensions, or unset."""
    dimensions = draw(st.integers(0, 2))
    values: tuple[Any, ...]
    if dimensions:
        points: st.SearchStrategy[Any] = st.tuples(
            *[st.integers(0, 5)] * dimensions, _numbers
        )
        validators: tuple[Any, ...] = ()
        values = tuple(draw(st.lists(points, max_size=3)))
    else:
        judged = draw(st.booleans())
        validators = tuple(draw(st.lists(_validators, max_size=2))) if judged else ()
        value: st.SearchStrategy[Any] = _numbers if validators else _values
        values = tuple(draw(st.lists(value, max_size=1)))
    return Measured(
        name,
        validators=validators,
        unit=draw(st.sampled_from([None, "VOLT", "NO_DIMENSION", "DEGREE_CELSIUS"])),
        docstring=draw(st.sampled_from([None, "What it is."])),
        dimensions=dimensions,
        values=values,
    )


@st.composite
def steps(draw: st.DrawFn) -> Step:
    """Draw a phase."""
    named = draw(st.lists(_names, max_size=3, unique=True))
    files = draw(st.lists(st.sampled_from(["f.txt", "g.png"]), max_size=2, unique=True))
    return Step(
        name=draw(_names),
        measured=tuple(draw(measurements(name)) for name in named),
        attached=tuple((name, draw(st.binary(max_size=9))) for name in files),
        logged=draw(_texts),
        result=draw(st.sampled_from(_RESULTS)),
        raises=draw(st.integers(0, 9)) == 0,
        repeat_limit=draw(st.integers(1, 3)),
    )


_KINDS = ("setup", "main", "teardown", "subtest", "checkpoint")


@st.composite
def groups(draw: st.DrawFn) -> Group:
    """Draw some phases that stand together."""
    kind = draw(st.sampled_from(_KINDS))
    usable = steps() if kind == "subtest" else steps().map(_outside_of_subtests)
    return Group(kind, tuple(draw(st.lists(usable, min_size=1, max_size=2))))


def sequences() -> st.SearchStrategy[list[Any]]:
    """Draw what a test consists of."""
    member = steps().map(_outside_of_subtests) | groups()
    return st.lists(member, min_size=1, max_size=3)


def _outside_of_subtests(step: Step) -> Step:
    # OpenHTF refuses a phase that fails a subtest where there is none.
    return attrs.evolve(step, result="STOP") if step.result == "FAIL_SUBTEST" else step


def build(member: Any, number: int) -> Any:
    """Make the node of OpenHTF that a description means."""
    if isinstance(member, Step):
        return _phase(member)
    inner = [_phase(step) for step in member.members]
    if member.kind == "subtest":
        return htf.Subtest(f"subtest {number}", *inner)
    if member.kind == "checkpoint":
        checkpoint = htf.PhaseFailureCheckpoint.all_previous(
            f"checkpoint {number}", action=htf.PhaseResult.STOP
        )
        return [*inner, checkpoint]
    return htf.PhaseGroup(**{member.kind: inner}, name=f"group {number}")


def _phase(step: Step) -> Any:
    def body(test: Any) -> Any:
        """Do what was drawn."""
        if step.logged:
            test.logger.info("%s", step.logged)
        for name, content in step.attached:
            test.attach(name, content)
        for item in step.measured:
            for value in item.values:
                _set(test.measurements, item, value)
        if step.raises:
            raise ValueError(step.name)
        return htf.PhaseResult[step.result]

    body.__name__ = "body"
    measured = htf.measures(*[_declared(item) for item in step.measured])(body)
    options = htf.PhaseOptions(name=step.name, repeat_limit=step.repeat_limit)
    return options(measured)


def _declared(item: Measured) -> Any:
    declared = htf.Measurement(item.name)
    for name, arguments in item.validators:
        declared = getattr(declared, name)(*arguments)
    if item.unit is not None:
        declared = declared.with_units(getattr(units, item.unit))
    if item.docstring is not None:
        declared = declared.doc(item.docstring)
    if item.dimensions:
        declared = declared.with_dimensions(*(units.SECOND, "depth")[: item.dimensions])
    return declared


def _set(measurements: Any, item: Measured, value: Any) -> None:
    if item.dimensions:
        *place, measured = value
        measurements[item.name][tuple(place) if place[1:] else place[0]] = measured
    else:
        measurements[item.name] = value


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(drawn=sequences(), stops=st.booleans())
def test_any_test(
    run_compared: RunCompared, drawn: Sequence[Any], *, stops: bool
) -> None:
    """The run of a random test agrees with the JSON that OpenHTF writes of it."""
    nodes = [build(member, number) for number, member in enumerate(drawn)]
    run_compared(*nodes, options={"stop_on_first_failure": stops})

"""What the csv module writes is read back, value for value."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rigbridge.adapters import Source
from rigbridge.model import Limit, Series
from rigbridge.model.values import same_value
from rigbridge.testing import read_all
from rigbridge_csv import CSVAdapter

HEADER = [
    "serial_number",
    "started_at",
    "phase",
    "measurement",
    "value",
    "unit",
    "lower_limit",
    "upper_limit",
    "outcome",
    "docstring",
    "fixture",
]

_characters = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"))
_text = st.text(
    st.one_of(_characters, st.sampled_from(',;"\t\r\n')), min_size=1, max_size=20
)
names = _text.map(str.strip).filter(bool).map(lambda text: f"n{text}")
# Texts that no reader could take for a number, at either end as they are.
values = st.one_of(
    st.none(),
    st.integers(),
    st.floats(),
    _text.map(lambda text: f"t{text}").filter(lambda text: "\0" not in text),
)
bounds = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))
outcomes = st.sampled_from(["PASS", "FAIL", "UNSET"])


def _swapped(lower: float | None, upper: float | None) -> bool:
    return lower is not None and upper is not None and upper < lower


# A range whose upper bound lies below the lower is refused.
ranges = st.tuples(bounds, bounds).map(
    lambda pair: (pair[1], pair[0]) if _swapped(*pair) else pair
)
rows = st.tuples(names, values, names, ranges, outcomes, names, _text).map(
    lambda row: (*row[:3], *row[3], *row[4:])
)
runs = st.lists(st.lists(rows, min_size=1, max_size=4), min_size=1, max_size=4)


def _cell(value: Any) -> str:
    return "" if value is None else repr(value) if type(value) is float else str(value)


@settings(deadline=None)
@given(runs=runs, phase=names)
def test_any_table_is_read_back(runs: list[list[tuple[Any, ...]]], phase: str) -> None:
    """Every cell of any table comes back in its field, and in its order."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(HEADER)
    for number, measured in enumerate(runs):
        for name, value, unit, lower, upper, outcome, docstring, fixture in measured:
            limits = _cell(lower), _cell(upper)
            unit_cells = f"{number:04d}", f"2024-01-01T00:00:{number:02d}Z", phase
            cells = name, _cell(value), unit, *limits, outcome, docstring, fixture
            writer.writerow([*unit_cells, *cells])
    reading = read_all(
        CSVAdapter(), Source.from_bytes(stream.getvalue().encode(), "a.csv")
    )
    assert reading.failures == ()
    assert len(reading.runs) == len(runs)
    for number, (run, expected) in enumerate(zip(reading.runs, runs, strict=True)):
        assert run.unit.serial_number == f"{number:04d}"
        (read,) = run.phases
        assert read.name == phase
        found = zip(read.measurements, expected, strict=True)
        for measurement, row in found:
            name, value, unit, lower, upper, outcome, docstring, fixture = row
            assert measurement.name == name
            assert not isinstance(measurement.value, Series)
            assert same_value(measurement.value, value)
            assert measurement.unit == unit
            assert measurement.outcome == outcome
            assert measurement.docstring == docstring
            assert measurement.limits == _limit(lower, upper)
            kept = {} if fixture.isspace() else {"fixture": fixture}
            assert measurement.attributes == kept


def _limit(lower: float | None, upper: float | None) -> Limit | None:
    if lower is None and upper is None:
        return None
    assert lower is None or math.isfinite(lower)
    return Limit(lower=lower, upper=upper)


@settings(deadline=None)
@given(content=st.binary(max_size=400), at=st.integers(0, 60))
def test_detection_answers_any_bytes(content: bytes, at: int) -> None:
    """Detection never raises, whatever stands within or behind a header."""
    header = b"serial_number,measurement,value,outcome\n1,a,1,PASS\n"
    match = CSVAdapter().detect(header[:at] + content, "a.csv")
    assert match is None or 0 < match.score <= 1

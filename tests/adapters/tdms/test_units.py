"""Groups that are units, and channels that were judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rigbridge.model import Series
from rigbridge.testing import Reading

Write = Callable[..., bytes]
Read = Callable[..., Reading]

JUDGED = {"unit_string": "V", "Low Limit": 3.2, "High_Limit": "3.4", "Status": "Failed"}


def test_a_judged_channel_is_a_value_with_limits(write: Write, read: Read) -> None:
    """One point with limits and a verdict is what was measured, not a series."""
    (run,) = read(write({("G", "VCC"): (np.array([3.1]), JUDGED)})).runs
    (phase,) = run.phases
    (vcc,) = phase.measurements
    assert (vcc.value, vcc.unit, vcc.outcome.value) == (3.1, "V", "FAIL")
    assert vcc.limits is not None
    assert (vcc.limits.lower, vcc.limits.upper) == (3.2, 3.4)
    assert vcc.attributes == {}
    assert (phase.outcome.value, run.outcome.value) == ("FAIL", "FAIL")


def test_a_judged_waveform_stays_a_series(write: Write, read: Read) -> None:
    """Limits are those of all of its points."""
    points = np.array([3.1, 3.3])
    (run,) = read(write({("G", "VCC"): (points, JUDGED)})).runs
    (vcc,) = run.phases[0].measurements
    assert isinstance(vcc.value, Series)
    assert vcc.limits is not None


@pytest.mark.parametrize(
    "properties",
    [
        {"Status": "armed"},
        {"Low Limit": "off"},
        {"Low Limit": 5.0, "High Limit": 1.0},
    ],
)
def test_what_judges_nothing_stays_a_property(
    properties: dict[str, Any], write: Write, read: Read
) -> None:
    """The state of a device, a limit that is none and swapped ones are kept."""
    (run,) = read(write({("G", "c"): (np.array([3.1]), properties)})).runs
    (measurement,) = run.phases[0].measurements
    assert measurement.attributes == properties
    assert measurement.limits is None
    assert isinstance(measurement.value, Series)


def test_each_group_a_unit(write: Write, read: Read) -> None:
    """Own properties go before those of the file; one bad verdict costs one unit."""
    content = write(
        {(f"DUT {n}", "VCC"): (np.array([3.3]), {}) for n in (1, 2, 3)},
        root={"Operator": "Ann", "Serial Number": "rack"},
        groups={
            "DUT 1": {"Serial Number": "0001", "Verdict": "pass", "slot": 1},
            "DUT 2": {"Serial Number": "0002", "Verdict": "perhaps"},
            "DUT 3": {"Serial Number": "0003", "Verdict": "fail"},
        },
    )
    reading = read(content, runs="group")
    assert [
        (run.unit.serial_number, run.outcome.value, run.operator)
        for run in reading.runs
    ] == [("0001", "PASS", "Ann"), ("0003", "FAIL", "Ann")]
    assert len(reading.failures) == 1
    assert reading.runs[0].phases[0].attributes == {"slot": 1}
    # Of the file: a unit has another one, so that this is none of its fields.
    assert reading.runs[0].metadata == {"Serial Number": "rack"}
    assert len({run.id for run in reading.runs}) == 2

"""Real logs, where they are at hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rigbridge.adapters import Source
from rigbridge.model import Limit
from rigbridge.testing import Reading
from rigbridge_csv import CSVAdapter

SAMPLES = Path(__file__).parents[3] / "../shared/samples/csv"
ACOUSTIC = (
    SAMPLES
    / "Virinco__WATS-Client-Converter-Listen__US_Complete_test_7-22-2020_002_.txt"
)

Read = Callable[..., Reading]

pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the shared samples are not beside this checkout"
)


def test_a_tab_delimited_acoustic_log(read: Read) -> None:
    """A log with both limits in one cell, or words, is read by a few settings."""
    reading = read(
        ACOUSTIC.read_bytes(),
        dates=["%m/%d/%Y %I:%M:%S %p"],
        fields={
            "serial_number": "Serial #:",
            "operator": "Operator:",
            "started_at": "Time:",
            "part_number": "Lot #:",
            "measurement": "Name",
            "value": "Margin",
            "unit": "Unit",
            "outcome": "Result",
            "limits": {
                "column": "Limits",
                "pattern": "(?P<upper>.*)/(?P<lower>.*)",
            },
            "procedure": {"value": "Acoustic"},
        },
    )
    assert reading.failures == ()
    assert len(reading.runs) == 8
    first, second = reading.runs[0].phases[0].measurements[:2]
    assert (first.name, first.value, first.unit) == ("Ave Sensitivity", 95.5, "dB")
    assert first.limits == Limit(lower=90.0, upper=100.0)
    assert first.attributes == {"Tolerance": "Max/Min"}
    assert second.validators == ("limits: Individual Pts.",)


KNOWN = ("ladisk", "scottprahl", "tektronix", "FelixSnz")


def test_logs_that_need_a_profile_are_left_alone() -> None:
    """Without a profile only the exports that are built in are claimed."""
    for path in sorted(SAMPLES.iterdir()):
        source = Source.from_path(path)
        match = CSVAdapter().detect(source.head, source.name)
        assert (match is not None) == path.name.startswith(KNOWN), path.name

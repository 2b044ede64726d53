"""A real file, compared with its bytes."""

from __future__ import annotations

import gzip
import struct
from collections import Counter
from pathlib import Path

import pytest

from rigbridge.adapters import Source
from rigbridge.testing import read_all
from rigbridge_stdf import STDFAdapter

REAL = (
    Path(__file__).resolve().parents[4]
    / "shared/samples/stdf/noonchen__rust-stdf__lot3.stdf.gz"
)


@pytest.mark.skipif(not REAL.exists(), reason="the shared samples are not here")
def test_every_result_is_that_of_the_bytes() -> None:
    """Parts, results, limits and bins, counted and added up by hand."""
    content = gzip.decompress(REAL.read_bytes())
    at = parts = failed = 0
    results: list[float] = []
    numbers: Counter[int] = Counter()
    while at < len(content):
        length, kind, subtype = struct.unpack_from(">HBB", content, at)
        body = content[at + 4 : at + 4 + length]
        if (kind, subtype) == (15, 10):
            number, flags, result = struct.unpack_from(">I2xB1xf", body)
            assert not flags & 0x02
            numbers[number] += 1
            results.append(result)
        elif (kind, subtype) == (5, 20):
            parts += 1
            failed += body[2] >> 3 & 1
        at += 4 + length
    reading = read_all(STDFAdapter(), Source.from_path(REAL))
    measured = [
        measurement
        for run in reading.runs
        for phase in run.phases
        for measurement in phase.measurements
    ]
    assert reading.failures == ()
    assert len(reading.runs) == parts == 1619
    assert sum(run.outcome == "FAIL" for run in reading.runs) == failed == 241
    assert [m.value for m in measured] == results
    assert Counter(m.attributes["TEST_NUM"] for m in measured) == numbers
    # The second part, read from a dump of the file.
    second = reading.runs[1]
    assert (second.metadata["x"], second.metadata["y"]) == (20, -3)
    assert second.metadata["wafer"] == "GAL-LOT-03"
    assert second.phases[0].name == "seqU738"
    third = second.phases[0].measurements[2]
    assert third.name == "glxy_OUTS      <> glxy_pin4S"
    assert third.limits is not None
    assert (third.limits.lower_inclusive, third.unit) == (False, "v")

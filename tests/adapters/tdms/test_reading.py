"""What of a TDMS file lands where."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from rigbridge.adapters import ReadContext, Source, Spool
from rigbridge.errors import (
    ConfigurationError,
    MalformedSourceError,
    NoRunError,
    UnrecognizedSourceError,
)
from rigbridge.model import Measurement, Series
from rigbridge.testing import Reading
from rigbridge_tdms import TDMSAdapter, TDMSSettings

Write = Callable[..., bytes]
Read = Callable[..., Reading]


def _one(write: Write, read: Read, points: Any, **properties: Any) -> Measurement:
    (run,) = read(write({("G", "c"): (points, properties)})).runs
    (measurement,) = run.phases[0].measurements
    return measurement


def _points(measurement: Measurement) -> list[object]:
    assert isinstance(measurement.value, Series)
    return list(measurement.value.measured.values)


class TestRun:
    """Properties of the file."""

    def test_usual_names(self, write: Write, read: Read) -> None:
        """Properties with the usual names are fields; the others are metadata."""
        content = write(
            {("G", "c"): (np.array([1.0]), {})},
            root={
                "UUT_SerialNumber": "A-1",
                "Part Number": "P-7",
                "operator": "ann",
                "Verdict": "failed",
                "DateTime": np.datetime64("2024-03-20T09:30:11.5", "us"),
                "gain": 2.5,
            },
        )
        (run,) = read(content, procedure="Burn-in").runs
        assert (run.unit.serial_number, run.unit.part_number) == ("A-1", "P-7")
        assert (run.operator, run.outcome.value) == ("ann", "FAIL")
        assert run.started_at == datetime(2024, 3, 20, 9, 30, 11, 500_000, tzinfo=UTC)
        assert run.procedure.name == "Burn-in"
        assert run.metadata == {"gain": 2.5}

    def test_declared_names(self, write: Write, read: Read) -> None:
        """A declared name replaces the usual ones; a word may be declared."""
        content = write(
            {("G", "c"): (np.array([1.0]), {})},
            root={"Barcode": "B-2", "SN": "x", "ok": 1},
        )
        properties = {"serial_number": "Barcode", "outcome": ["ok"]}
        (run,) = read(content, properties=properties, outcomes={"1": "PASS"}).runs
        assert (run.unit.serial_number, run.outcome.value) == ("B-2", "PASS")
        assert run.metadata == {"SN": "x"}
        with pytest.raises(MalformedSourceError, match="no verdict that is known"):
            read(content, properties=properties)

    def test_the_epoch_is_no_time(self, write: Write, read: Read) -> None:
        """1904-01-01 stands where a program set no time."""
        epoch = np.datetime64("1904-01-01T00:00:00", "us")
        start = np.datetime64("2024-03-20T09:30:11", "us")
        content = write(
            {
                ("G", "a"): (np.array([1.0]), {"wf_start_time": epoch}),
                ("G", "b"): (np.array([1.0]), {"wf_start_time": start}),
            },
            root={"DateTime": epoch},
        )
        reading = read(content)
        (run,) = reading.runs
        assert run.started_at == datetime(2024, 3, 20, 9, 30, 11, tzinfo=UTC)
        assert run.phases[0].measurements[0].attributes == {"wf_start_time": None}
        assert run.metadata == {"DateTime": None}
        assert any("earliest start" in str(e) for e in reading.report.entries)

    def test_no_verdict(self, write: Write, read: Read) -> None:
        """A run without a verdict is an error, unless the settings say otherwise."""
        content = write({("G", "c"): (np.array([1.0]), {})})
        assert [run.outcome.value for run in read(content).runs] == ["ERROR"]
        (run,) = read(content, outcome="pass").runs
        assert (run.outcome.value, run.phases[0].outcome.value) == ("PASS", "PASS")


class TestChannels:
    """Points and properties of channels."""

    def test_a_waveform(self, write: Write, read: Read) -> None:
        """Increment and offset make the x; segments are joined."""
        wave = {"wf_increment": 0.5, "wf_start_offset": 1.0, "unit_string": "V", "k": 2}
        content = write({("G", "c"): (np.array([3.0, 4.0]), wave)}, segments=2)
        (measurement,) = read(content).runs[0].phases[0].measurements
        assert isinstance(measurement.value, Series)
        x, y = measurement.value.axes
        assert (x.name, x.unit, list(x.values)) == ("time", "s", [1.0, 1.5, 2.0, 2.5])
        assert (y.name, y.unit, list(y.values)) == ("c", "V", [3.0, 4.0, 3.0, 4.0])
        assert isinstance(y.values, array)
        assert measurement.attributes == {"k": 2}

    @pytest.mark.parametrize(
        ("points", "expected"),
        [
            (np.array([1, -2], dtype="int8"), [1, -2]),
            (np.array([1, 2**64 - 1], dtype="uint64"), [1, 2**64 - 1]),
            (np.array([0.5, np.inf], dtype="float32"), [0.5, np.inf]),
            (np.array([True, False]), [True, False]),
            (np.array(["a", "", "\u00b5"]), ["a", "", "\u00b5"]),
            (
                np.array(["2024-03-20T09:30:11", "1904-01-01"], dtype="datetime64[us]"),
                ["2024-03-20T09:30:11+00:00", None],
            ),
        ],
    )
    def test_types(
        self, write: Write, read: Read, points: Any, expected: list[object]
    ) -> None:
        """Every type of points comes as it was written."""
        assert _points(_one(write, read, points)) == expected

    def test_complex_numbers(self, write: Write, read: Read) -> None:
        """Each part is a series."""
        (run,) = read(write({("G", "c"): (np.array([1 + 2j, 3 - 4j]), {})})).runs
        parts = {m.name: _points(m) for m in run.phases[0].measurements}
        assert parts == {"c (real)": [1, 3], "c (imaginary)": [2, -4]}

    def test_a_channel_without_points(self, write: Write, read: Read) -> None:
        """It stays, with its properties."""
        wave = {"wf_increment": 0.5, "unit_string": "V"}
        measurement = _one(write, read, np.array([], dtype="float64"), **wave)
        assert measurement.value is None
        assert measurement.attributes == wave

    def test_daqmx_without_a_scale(self, read: Read) -> None:
        """What a device counted is kept as it was counted."""
        reading = read(_daqmx(b"\x01\x00\x02\x00\x03\x00"))
        (measurement,) = reading.runs[0].phases[0].measurements
        assert measurement.name == "c (scaler 0)"
        assert _points(measurement) == [1, 2, 3]


def _text(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode()


def _daqmx(raw: bytes) -> bytes:
    """Write a segment of raw data of a device: 16-bit numbers of one scaler."""
    count = len(raw) // 2
    scaler = struct.pack("<IIIII", 3, 0, 0, 0, 0)
    index = (
        struct.pack("<IIIQI", 0x1269, 0xFFFFFFFF, 1, count, 1)
        + scaler
        + struct.pack("<II", 1, 2)
    )
    objects = struct.pack("<I", 1) + _text("/'G'/'c'") + index + struct.pack("<I", 0)
    toc = 0x2 | 0x4 | 0x8 | 0x80
    lead = struct.pack(
        "<4sIIQQ", b"TDSm", toc, 4713, len(objects) + len(raw), len(objects)
    )
    return lead + objects + raw


class TestDamage:
    """Files that are cut off or no files."""

    def test_a_last_segment_that_is_cut_off(self, write: Write, read: Read) -> None:
        """The points that are there are kept, and that is recorded."""
        content = write({("G", "c"): (np.arange(100.0), {})})[:-80]
        reading = read(content)
        (measurement,) = reading.runs[0].phases[0].measurements
        assert _points(measurement) == list(range(90))
        assert any("cut off" in str(entry) for entry in reading.report.entries)
        with Spool() as spool:
            context = ReadContext(adapter="tdms", spool=spool, strict=True)
            runs = TDMSAdapter().read(Source.from_bytes(content, "a.tdms"), context)
            with pytest.raises(MalformedSourceError, match="cut off"):
                next(runs)

    def test_no_byte_makes_another_error(self, write: Write, read: Read) -> None:
        """Whatever byte is changed, the file is read or refused in words."""
        content = write(
            {("G", "c"): (np.arange(4.0), {"wf_increment": 0.5})}, root={"SN": "1"}
        )
        for at in range(4, len(content)):
            for value in (0x00, 0x7F, 0xFF):
                changed = content[:at] + bytes([value]) + content[at + 1 :]
                try:
                    read(changed)
                except (MalformedSourceError, NoRunError):
                    continue

    def test_an_index(self, read: Read) -> None:
        """An index holds no data: the file beside it does."""
        with pytest.raises(NoRunError, match="index"):
            read(b"TDSh" + bytes(24))

    def test_without_the_library(
        self, write: Write, read: Read, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The error names the extra that brings it."""
        content = write({("G", "c"): (np.array([1.0]), {})})
        monkeypatch.setitem(__import__("sys").modules, "nptdms", None)
        with pytest.raises(UnrecognizedSourceError, match=r"rigbridge\[tdms\]"):
            read(content)


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"properties": {"serial": "SN"}}, "properties.serial"),
        ({"properties": {"station": [1]}}, "properties.station"),
        ({"properties": []}, "properties"),
        ({"outcomes": {"x": "GOOD"}}, "outcomes.x"),
        ({"outcome": "GOOD"}, "outcome"),
    ],
)
def test_a_wrong_setting(settings: dict[str, Any], place: str) -> None:
    """The error names its path."""
    with pytest.raises(ConfigurationError) as caught:
        TDMSSettings(**settings)
    assert caught.value.place == place

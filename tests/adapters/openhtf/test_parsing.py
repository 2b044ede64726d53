"""Bytes to documents: strict JSON, what older OpenHTF wrote, and damage."""

from __future__ import annotations

import gzip
import json
import math
from typing import Any

import pytest

from rigbridge.adapters import Disposition, Match
from rigbridge.errors import (
    MalformedSourceError,
    NoRunError,
    SourceError,
    SourceUnreadableError,
)
from rigbridge_openhtf.adapter import OpenHTFJSONAdapter


def _measuring(record: dict[str, Any], text: str) -> bytes:
    """Write the record with a measurement whose value is a piece of JSON."""
    record["phases"][0]["measurements"] = {
        "v": {"name": "v", "outcome": "FAIL", "measured_value": "VALUE"}
    }
    return json.dumps(record).replace('"VALUE"', text).encode()


class TestSeveralRecords:
    """A file of many records."""

    def test_a_list(self, read: Any, record: dict[str, Any]) -> None:
        """Each record of a list is a run with its position."""
        reading = read([record, {**record, "dut_id": "SN-2"}])
        assert [run.unit.serial_number for run in reading.runs] == ["SN-1", "SN-2"]
        assert [run.source.index for run in reading.runs] == [0, 1]

    def test_in_a_row(self, read: Any, record: dict[str, Any]) -> None:
        """Records one after the other, as lines or pretty, are runs as well."""
        second = json.dumps({**record, "dut_id": "SN-2"}, indent=1)
        reading = read(f"{json.dumps(record)}\n\n{second}\n".encode())
        assert [run.unit.serial_number for run in reading.runs] == ["SN-1", "SN-2"]
        assert len({run.id for run in reading.runs}) == 2

    def test_a_bad_record_loses_no_neighbour(
        self, read: Any, record: dict[str, Any]
    ) -> None:
        """What is no record in a list is reported; the others keep their numbers."""
        reading = read([record, {"name": "m"}, record])
        assert [run.source.index for run in reading.runs] == [0, 2]
        (failure,) = reading.failures
        assert isinstance(failure, NoRunError)
        assert failure.place == "$[1]"

    def test_a_cut_last_record(self, read: Any, record: dict[str, Any]) -> None:
        """Records before the damaged place are read."""
        text = json.dumps(record)
        reading = read(f"{text}\n{text[:50]}".encode())
        assert len(reading.runs) == 1
        assert isinstance(reading.failures[0], MalformedSourceError)

    @pytest.mark.parametrize("content", [b"", b" \n", b"[]"])
    def test_nothing(self, read: Any, content: bytes) -> None:
        """An empty file or list holds no run, and says so."""
        with pytest.raises(NoRunError, match="empty"):
            read(content)


class TestDamage:
    """Bad JSON names line and column."""

    def test_place(self, read: Any, record: dict[str, Any]) -> None:
        """The error names where the JSON breaks."""
        text = json.dumps(record, indent=2).replace('"SN-1",', '"SN-1"')
        with pytest.raises(MalformedSourceError) as caught:
            read(text.encode())
        assert caught.value.place == "line 3, column 3"
        assert caught.value.source == "record.json"

    def test_cut_off(self, read: Any, record: dict[str, Any]) -> None:
        """A file that was cut off is called so."""
        with pytest.raises(MalformedSourceError, match="middle of a record"):
            read(json.dumps(record)[:-1].encode())

    @pytest.mark.parametrize("depth", [1_000, 200_000])
    def test_nested_too_deeply(self, read: Any, depth: int) -> None:
        """A bomb of brackets is an error, not a crash."""
        with pytest.raises(SourceError):
            read(b"[" * depth + b"]" * depth)

    def test_bytes_that_are_no_text(self, read: Any, record: dict[str, Any]) -> None:
        """Bytes that are no UTF-8 are refused with the line."""
        content = json.dumps(record, indent=1).encode().replace(b"SN-1", b"\xffSN")
        with pytest.raises(MalformedSourceError, match="no UTF-8") as caught:
            read(content)
        assert caught.value.place == "line 2"

    def test_cut_compression(self, read: Any, record: dict[str, Any]) -> None:
        """A gzip file that ends early is called damaged."""
        packed = gzip.compress(json.dumps(record).encode())
        with pytest.raises(SourceUnreadableError, match="compression"):
            read(packed[: len(packed) // 2])

    @pytest.mark.parametrize("digits", [30, 5_000])
    def test_huge_numbers(self, read: Any, record: dict[str, Any], digits: int) -> None:
        """A number of absurd length is a value or a clear error."""
        content = _measuring(record, "9" * digits)
        try:
            value = read(content).runs[0].phases[0].measurements[0].value
        except SourceError as error:
            assert error.place  # noqa: PT017 - either answer is right
        else:
            assert value == (int("9" * digits) if digits < 100 else math.inf)


class TestDialects:
    """What is no strict JSON but was written."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [("NaN", "nan"), ("Infinity", "inf"), ("-Infinity", "-inf"), ("1e999", "inf")],
    )
    def test_constants(
        self, read: Any, record: dict[str, Any], text: str, expected: str
    ) -> None:
        """NaN and infinity as Python writes them are floats."""
        reading = read(_measuring(record, text))
        assert str(reading.runs[0].phases[0].measurements[0].value) == expected

    def test_constants_are_recorded(self, read: Any, record: dict[str, Any]) -> None:
        """That a file is no strict JSON is recorded."""
        reading = read(_measuring(record, "[NaN, Infinity]"))
        entry = reading.report.entries[0]
        assert (entry.disposition, entry.detail) == (Disposition.COERCED, "2 times")

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32-le"])
    def test_encodings(self, read: Any, record: dict[str, Any], encoding: str) -> None:
        """A byte order mark or a wide encoding changes nothing."""
        record["metadata"]["test_name"] = "Prüfung"
        content = json.dumps(record, ensure_ascii=False).encode(encoding)
        assert read(content).runs[0].procedure.name == "Prüfung"
        match = OpenHTFJSONAdapter().detect(content, "x")
        assert match is not None
        assert match.score > 0.9


class TestDetection:
    """Whose file it is, by the keys."""

    def _detect(self, document: Any) -> Match | None:
        return OpenHTFJSONAdapter().detect(json.dumps(document).encode(), "a.json")

    def test_a_record(self, record: dict[str, Any]) -> None:
        """A record is claimed with certainty."""
        match = self._detect(record)
        assert match is not None
        assert match.score == 0.95
        assert "dut_id" in match.reason

    def test_phases_first(self, record: dict[str, Any]) -> None:
        """A head that holds nothing but the first phase is claimed as likely."""
        match = self._detect({"phases": record["phases"]})
        assert match is not None
        assert match.score == 0.7

    def test_a_measurement_alone(self) -> None:
        """A piece of a record is claimed weakly, so that its reader can say why."""
        match = self._detect({"outcome": "PASS", "dimensions": [{"uom_code": "HTZ"}]})
        assert match is not None
        assert match.score == 0.3

    def test_a_payload(self) -> None:
        """The body of a create call is no record, although it has phases."""
        body = {
            "unit_under_test": {"serial_number": "1"},
            "phases": [{"name": "a", "start_time_millis": 1, "measurements": []}],
        }
        assert self._detect(body) is None

    @pytest.mark.parametrize("head", [b"", b"\xff\xfe", b"<a/>", b'x {"dut_id": 1}'])
    def test_anything_else(self, head: bytes) -> None:
        """What is no JSON object or list is not claimed."""
        assert OpenHTFJSONAdapter().detect(head, "x.json") is None


def test_nan_is_a_float_in_a_series(read: Any, record: dict[str, Any]) -> None:
    """NaN among points is a float, with the verdict of the record."""
    content = _measuring(record, "[[1, NaN], [2, 3.5]]")
    content = content.replace(
        b'"outcome": "FAIL"', b'"outcome": "FAIL", "dimensions": [{"suffix": "s"}]'
    )
    measurement = read(content).runs[0].phases[0].measurements[0]
    assert math.isnan(measurement.value.measured.values[0])
    assert measurement.outcome.value == "FAIL"

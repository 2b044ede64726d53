"""Attachments, logs and identity."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from rigbridge.adapters import Disposition
from rigbridge.errors import MalformedSourceError
from rigbridge.model import SubUnit
from rigbridge_openhtf import OpenHTFSettings


def _data(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _content(attachment: Any) -> bytes:
    with attachment.opener() as stream:
        found: bytes = stream.read()
    return found


class TestAttachments:
    """Files of the phases."""

    def test_bytes(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any]
    ) -> None:
        """Bytes of any length are decoded, in pieces."""
        content = bytes(range(256)) * 9000
        digest = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        phase["attachments"] = {
            "a.bin": {"mimetype": "x/y", "data": _data(content), "sha1": digest},
            "empty": {"mimetype": None, "data": ""},
        }
        reading = read(record)
        first, empty = reading.runs[0].attachments
        assert (first.name, first.media_type, first.size) == ("a.bin", "x/y", 2304000)
        assert _content(first) == content
        assert (empty.size, empty.media_type) == (0, None)
        assert reading.report.count(Disposition.COERCED) == 0

    def test_folded_base64(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any]
    ) -> None:
        """Line breaks in base64 are allowed."""
        phase["attachments"] = {"a": {"data": "YW\nJj\r\n ZA=="}}
        assert _content(read(record).runs[0].attachments[0]) == b"abcd"

    @pytest.mark.parametrize("data", ["YWJ", "Y$Jj", "====", "YQ==YQ=="])
    def test_damaged_base64(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any], data: str
    ) -> None:
        """Damaged bytes are left out with the reason; the run is not lost."""
        phase["attachments"] = {"a": {"data": data}}
        reading = read(record)
        (attachment,) = reading.runs[0].attachments
        assert not attachment.embedded
        assert reading.report.count(Disposition.DROPPED, "attachment bytes") == 1

    def test_damaged_base64_strictly(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any]
    ) -> None:
        """A strict reading refuses a record with damaged bytes, and names the place."""
        phase["attachments"] = {"a": {"data": "YWJ"}}
        with pytest.raises(MalformedSourceError, match=r"attachments.*damaged base64"):
            read(record, strict=True)

    def test_digest_of_other_bytes(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any]
    ) -> None:
        """Bytes that do not fit their digest are kept, and said not to fit."""
        phase["attachments"] = {"a": {"data": "YQ==", "sha1": "0" * 40}}
        reading = read(record)
        assert _content(reading.runs[0].attachments[0]) == b"a"
        assert reading.report.count(Disposition.COERCED, "attachment") == 1

    def test_without_bytes(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any]
    ) -> None:
        """A record written without inline attachments names them with their digest."""
        phase["attachments"] = {"a.png": {"mimetype": "image/png", "sha1": "ab"}}
        (run,) = read(record).runs
        (attachment,) = run.attachments
        assert (attachment.media_type, attachment.size) == ("image/png", None)
        assert not attachment.embedded
        assert run.phases[0].attributes["attachments"] == {"a.png": {"sha1": "ab"}}

    def test_unique_names(self, read: Any, record: dict[str, Any]) -> None:
        """Only names that collide get their phase in front, repeats a number."""
        first = record["phases"][0]
        first["attachments"] = {"a.txt": {"data": "YQ=="}, "b.txt": {"data": "Yg=="}}
        again = {**first, "attachments": {"a.txt": {"data": "Yw=="}}}
        other = {**again, "name": "other"}
        record["phases"] = [first, again, other]
        (run,) = read(record).runs
        assert [(a.name, _content(a)) for a in run.attachments] == [
            ("measure/a.txt", b"a"),
            ("b.txt", b"b"),
            ("measure (2)/a.txt", b"c"),
            ("other/a.txt", b"c"),
        ]
        assert run.phases[1].attributes["attachments"] == {
            "measure (2)/a.txt": {"name": "a.txt"}
        }


def _line(level: Any, logger: str, **fields: Any) -> dict[str, Any]:
    return {
        "level": level,
        "logger_name": logger,
        "source": "station.py",
        "lineno": 12,
        "timestamp_millis": 1700000001500,
        "message": "m",
        **fields,
    }


class TestLogs:
    """Lines of the log."""

    @pytest.mark.parametrize(
        ("level", "expected"),
        [
            (10, "DEBUG"),
            (20, "INFO"),
            (30, "WARNING"),
            (40, "ERROR"),
            (50, "CRITICAL"),
            ("30", "WARNING"),
            ("warn", "WARNING"),
            (25, "INFO"),
            (5, "DEBUG"),
            (90, "CRITICAL"),
            (None, "INFO"),
        ],
    )
    def test_levels(
        self, read: Any, record: dict[str, Any], level: Any, expected: str
    ) -> None:
        """Numbers and names are levels; others are the next one below."""
        record["log_records"] = [_line(level, "openhtf.test_record.1")]
        (entry,) = read(record).runs[0].logs
        assert entry.level.value == expected
        assert (entry.source_file, entry.line) == ("station.py", 12)
        assert entry.time.timestamp() == 1700000001.5

    def test_framework_lines(self, read: Any, record: dict[str, Any]) -> None:
        """Debug lines of the framework go, all others stay, with their loggers."""
        record["log_records"] = [
            _line(10, "openhtf.core.phase_executor"),
            _line(10, "openhtf.test_record.1", source="test_state.py"),
            _line(10, "openhtf.test_record.1.phase.a"),
            _line(10, "openhtf.test_record.1.plug.Supply", message="12 V"),
            _line(30, "openhtf.plugs"),
        ]
        reading = read(record)
        (run,) = reading.runs
        assert len(run.logs) == 3
        assert run.metadata["loggers"] == {
            "openhtf.test_record.1.phase.a": [0],
            "openhtf.test_record.1.plug.Supply": [1],
            "openhtf.plugs": [2],
        }
        (reason,) = {entry.rule for entry in reading.report.entries}
        assert reason == "debug line of the framework"
        assert reading.report.count(Disposition.OMITTED, "log") == 2

    def test_framework_lines_on_request(
        self, read: Any, record: dict[str, Any]
    ) -> None:
        """A setting keeps every line."""
        record["log_records"] = [_line(10, "openhtf.core.phase_executor")]
        reading = read(record, settings=OpenHTFSettings(framework_logs=True))
        assert len(reading.runs[0].logs) == 1

    @pytest.mark.parametrize(
        ("source", "file"),
        [
            (["threads.py"], "threads.py"),
            (["src", "b.py"], "src/b.py"),
            ({"file": "threads.py"}, None),
        ],
    )
    def test_a_source_that_is_no_text(
        self, read: Any, record: dict[str, Any], source: object, file: str | None
    ) -> None:
        """A debug line is a line of the test; a list of names is a path."""
        record["log_records"] = [_line(10, "openhtf.test_record.1", source=source)]
        (entry,) = read(record).runs[0].logs
        assert entry.source_file == file

    def test_odd_lines(self, read: Any, record: dict[str, Any]) -> None:
        """A line that lacks fields, or is a mere text, is a line all the same."""
        record["log_records"] = [{}, "words", _line(20, "a", lineno=-1, message=None)]
        first, second, third = read(record).runs[0].logs
        assert (first.message, first.time, first.line) == ("", None, None)
        assert second.message == "words"
        assert (third.message, third.line) == ("", None)


class TestIdentity:
    """Unit, procedure, operator and what is left as metadata."""

    @pytest.mark.parametrize(
        "serial", [None, "", "  ", "UNKNOWN_DUT", "unknown_dut", "UNKNOWN_DUT_ID"]
    )
    def test_no_serial_number(
        self, read: Any, record: dict[str, Any], serial: str | None
    ) -> None:
        """Null, blank and placeholders are no serial number, recorded as coerced."""
        record["dut_id"] = serial
        reading = read(record)
        assert reading.runs[0].unit.serial_number is None
        assert reading.report.count(Disposition.COERCED, "serial number") == 1

    @pytest.mark.parametrize(
        ("serial", "expected"), [("0000019", "0000019"), (17, "17"), (" A1\n", "A1")]
    )
    def test_serial_number(
        self, read: Any, record: dict[str, Any], serial: Any, expected: str
    ) -> None:
        """A serial number is text, its leading zeros kept."""
        record["dut_id"] = serial
        assert read(record).runs[0].unit.serial_number == expected

    def test_placeholder_of_the_site(self, read: Any, record: dict[str, Any]) -> None:
        """A site names its own placeholders."""
        record["dut_id"] = "no-serial"
        settings = OpenHTFSettings(unknown_serial_numbers=("NO-SERIAL",))
        assert read(record, settings=settings).runs[0].unit.serial_number is None

    def test_metadata(self, read: Any, record: dict[str, Any]) -> None:
        """What the run has a field for goes there, the rest stays metadata."""
        record["metadata"] = {
            "test_name": "Board",
            "test_version": 2.1,
            "test_description": "All of the board.",
            "procedure_id": "FVT1",
            "part_number": "PN",
            "part_name": "Board",
            "revision": "B",
            "batch_number": 7,
            "operator": "ada",
            "sub_units": [{"serial_number": "S1"}, "S2"],
            "config": {"station_id": "x"},
            "fixture": None,
        }
        (run,) = read(record).runs
        assert (run.procedure.id, run.procedure.name) == ("FVT1", "Board")
        assert run.procedure.version == "2.1"
        assert run.docstring == "All of the board."
        assert (run.unit.part_number, run.unit.part_name) == ("PN", "Board")
        assert (run.unit.revision, run.unit.batch_number) == ("B", "7")
        assert run.operator == "ada"
        assert run.sub_units == (
            SubUnit(serial_number="S1"),
            SubUnit(serial_number="S2"),
        )
        assert run.metadata == {"config": {"station_id": "x"}, "fixture": None}

    @pytest.mark.parametrize(
        "sub_units", [[{"serial_number": "S1", "slot": 1}], "S1", [""], [[1]], {"a": 1}]
    )
    def test_odd_sub_units(
        self, read: Any, record: dict[str, Any], sub_units: Any
    ) -> None:
        """Sub-units that say more than serial numbers stay metadata."""
        record["metadata"]["sub_units"] = sub_units
        (run,) = read(record).runs
        assert run.sub_units == ()
        assert run.metadata["sub_units"] == sub_units

    def test_odd_fields_stay_metadata(self, read: Any, record: dict[str, Any]) -> None:
        """A field that is no text stays metadata and is not lost."""
        record["metadata"]["part_number"] = {"a": 1}
        (run,) = read(record).runs
        assert run.unit.part_number is None
        assert run.metadata["part_number"] == {"a": 1}

    def test_code_of_the_program(self, read: Any, record: dict[str, Any]) -> None:
        """Without a test name the program's file names the procedure."""
        record["metadata"] = {}
        record["code_info"] = {"name": "t.py", "docstring": "Test.", "sourcecode": ""}
        reading = read(record)
        (run,) = reading.runs
        assert (run.procedure.name, run.docstring) == ("t.py", "Test.")
        assert run.metadata == {"code_info": {"name": "t.py", "docstring": "Test."}}
        assert reading.report.count(Disposition.COERCED, "procedure") == 1

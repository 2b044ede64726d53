"""The official v1 client against our server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from rigbridge_store import RunStore

_SAMPLES = Path(__file__).parents[5] / "shared" / "samples" / "openhtf_json"

JSONMaker = Callable[..., dict[str, Any]]

_CREATE = """
import json, sys
from datetime import UTC, datetime, timedelta
from tofupilot import MeasurementOutcome, PhaseOutcome, TofuPilotClient

client = TofuPilotClient(api_key=sys.argv[1], url=sys.argv[2])
created = client.create_run(
    unit_under_test={
        "serial_number": "SN-77", "part_number": "PCB01", "part_name": "Board",
        "revision": "3.2", "batch_number": "11-24",
    },
    run_passed=False,
    procedure_name="Battery Assembly",
    procedure_version="1.2.3",
    started_at=datetime(2024, 1, 15, 10, 35, tzinfo=UTC),
    duration=timedelta(minutes=2, milliseconds=250),
    phases=[{
        "name": "Charge", "outcome": PhaseOutcome.FAIL,
        "start_time_millis": 1705314900000, "end_time_millis": 1705314901000,
        "measurements": [
            {"name": "U", "outcome": MeasurementOutcome.FAIL, "measured_value": 3.9,
             "units": "V", "lower_limit": 4.0, "upper_limit": 4.4},
            {"name": "tag", "outcome": MeasurementOutcome.UNSET,
             "measured_value": "x", "validators": ["x == 'x'"]},
        ],
    }],
    logs=[{
        "level": "INFO", "timestamp": "2024-01-15T10:35:00.100Z", "message": "hello",
        "source_file": "main.py", "line_number": 3,
    }],
    attachments=sys.argv[3:],
)
print("RESULT", json.dumps([created, client.get_runs("sn-77")]))
"""

_STEPS = """
import json, sys
from datetime import UTC, datetime, timedelta
from tofupilot import TofuPilotClient

client = TofuPilotClient(api_key=sys.argv[1], url=sys.argv[2])
print("RESULT", json.dumps(client.create_run(
    unit_under_test={"serial_number": "SN-78", "part_number": "PCB01"},
    run_passed=True,
    procedure_name="Old",
    steps=[{
        "name": "S", "step_passed": True, "duration": timedelta(seconds=2),
        "started_at": datetime(2024, 1, 15, tzinfo=UTC), "measurement_value": 5.0,
        "measurement_unit": "V", "limit_low": 4.0, "limit_high": None,
    }],
    sub_units=[{"serial_number": "nobody"}] if sys.argv[3:] else None,
)))
"""

_IMPORT = """
import json, sys
from tofupilot import TofuPilotClient

client = TofuPilotClient(api_key=sys.argv[1], url=sys.argv[2])
print("RESULT", json.dumps(client.create_run_from_openhtf_report(sys.argv[3])))
"""


_CALLBACK = """
import json, sys, warnings
import openhtf
from openhtf.util import units
from tofupilot.openhtf import TofuPilot

measured = openhtf.Measurement("voltage").in_range(3.0, 3.6).with_units(units.VOLT)

@openhtf.measures(measured)
def power(test):
    test.measurements.voltage = 3.3
    test.attach("note.txt", b"hello")

test = openhtf.Test(power, test_name="Bench", part_number="PCB01")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    with TofuPilot(test, api_key=sys.argv[1], url=sys.argv[2]):
        test.execute(lambda: "SN-80")
print("RESULT", json.dumps(None))
"""


_UPLOAD = """
import json, logging, sys
import openhtf
from openhtf.util import units
from tofupilot.openhtf import upload

@openhtf.measures(
    openhtf.Measurement("firmware").equals("1.2.3"),
    openhtf.Measurement("lit").equals(True),
    openhtf.Measurement("current").in_range(0.1, 0.5).with_units(units.AMPERE),
    openhtf.Measurement("noise"),
    openhtf.Measurement("curve").with_dimensions(units.SECOND, units.VOLT),
)
def check(test):
    test.logger.warning("a warning")
    test.logger.error("an error")
    test.measurements.firmware = "1.2.3"
    test.measurements.lit = True
    test.measurements.current = 0.9
    test.measurements.noise = float("nan")
    for index in range(3):
        test.measurements.curve[index, index * 2] = index * 10
    test.attach("readings.csv", b"t,U", "text/csv")

@openhtf.PhaseOptions(timeout_s=0.2)
def slow(test):
    import time
    while True:
        time.sleep(0.02)

def never(test):
    pass

test = openhtf.Test(
    check, slow, never, procedure_id=sys.argv[3], procedure_version="1.2.20",
    part_number="PCB01", revision="C", batch_number="24-11",
    sub_units=[{"serial_number": sys.argv[4]}],
)
test.add_output_callbacks(upload(api_key=sys.argv[1], url=sys.argv[2], allow_nan=True))
test.execute(lambda: "LOT-1/SN-81")
print("RESULT", json.dumps(None))
"""


@pytest.fixture
def official(store: RunStore, api: httpx.Client, tmp_path: Path) -> Callable[..., Any]:
    """Give what runs a script with the official client in a process of its own."""
    key = store.create_user_key("Official client")

    def run(script: str, *arguments: object) -> Any:
        # OpenHTF reads the source of its phases, so it needs a file.
        path = tmp_path / "script.py"
        path.write_text(script)
        command = [sys.executable, str(path), key, str(api.base_url).rstrip("/")]
        done = subprocess.run(
            [*command, *map(str, arguments)],
            capture_output=True,
            check=False,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        *_, result = done.stdout.partition("RESULT ")
        return json.loads(result.splitlines()[0])

    return run


def _download(api: httpx.Client, file: dict[str, Any]) -> bytes:
    return api.get(file["download_url"]).content


class TestCreateRun:
    """``TofuPilotClient.create_run`` and ``get_runs``."""

    def test_round_trip(
        self, official: Callable[..., Any], api: httpx.Client, tmp_path: Path
    ) -> None:
        """What the client sent comes back to it, and its files byte by byte."""
        one, two = tmp_path / "curve.csv", tmp_path / "raw"
        one.write_bytes(b"t,U\r\n0,1\r\n")
        two.write_bytes(bytes(range(256)) * 4000)
        created, listed = official(_CREATE, one, two)
        assert created["success"]
        assert listed["success"]
        (run,) = listed["result"]
        assert run["id"] == created["id"]
        assert run["outcome"] == "FAIL"
        assert run["started_at"] == "2024-01-15T10:35:00Z"
        assert run["ended_at"] == "2024-01-15T10:37:00.250Z"
        assert run["procedure"]["name"] == "Battery Assembly"
        assert run["procedure"]["version"]["tag"] == "1.2.3"
        assert run["unit"]["part"]["revision"]["number"] == "3.2"
        assert run["unit"]["batch"]["number"] == "11-24"
        voltage, tag = run["phases"][0]["measurements"]
        assert (voltage["measured_value"], voltage["lower_limit"]) == (3.9, 4.0)
        assert tag["validators"] == ["x == 'x'"]
        assert run["logs"][0]["message"] == "hello"
        assert [file["name"] for file in run["attachments"]] == ["curve.csv", "raw"]
        contents = [_download(api, file) for file in run["attachments"]]
        assert contents == [one.read_bytes(), two.read_bytes()]

    def test_steps(self, official: Callable[..., Any], api: httpx.Client) -> None:
        """The deprecated steps are taken."""
        created = official(_STEPS)
        assert created["success"]
        (phase,) = api.get(f"/api/v1/runs/{created['id']}").json()["phases"]
        assert phase["measurements"][0]["lower_limit"] == 4.0

    def test_refusal(self, official: Callable[..., Any]) -> None:
        """The client sees the status and the words of a refusal."""
        answer = official(_STEPS, "sub-unit")
        assert not answer["success"]
        assert answer["status_code"] == 404
        assert "Sub-unit with serial number nobody" in answer["error"]["message"]


class TestImport:
    """``TofuPilotClient.create_run_from_openhtf_report``."""

    def test_samples(self, official: Callable[..., Any], api: httpx.Client) -> None:
        """A real record is imported, and each of its files is there once."""
        if not _SAMPLES.is_dir():
            pytest.skip("the shared samples are not on this machine")
        path = next(_SAMPLES.glob("tofupilot__examples__SI03645A27619*.json"))
        record = json.loads(path.read_bytes())
        run = official(_IMPORT, path)
        shown = api.get(f"/api/v1/runs/{run}").json()
        assert shown["unit"]["serial_number"] == record["dut_id"]
        assert shown["outcome"] == record["outcome"]
        names = [name for phase in record["phases"] for name in phase["attachments"]]
        assert [file["name"] for file in shown["attachments"]] == names

    def test_attachments(
        self, official: Callable[..., Any], api: httpx.Client, tmp_path: Path
    ) -> None:
        """Files inside the record, which the client sends again, are linked once."""
        record = {
            "dut_id": "SN-9",
            "start_time_millis": 1705314900000,
            "end_time_millis": 1705314901000,
            "outcome": "PASS",
            "outcome_details": [],
            "station_id": "line1",
            "metadata": {"test_name": "Demo", "part_number": "P"},
            "code_info": {"name": "", "docstring": None, "sourcecode": ""},
            "log_records": [],
            "phases": [
                {
                    "name": "p",
                    "outcome": "PASS",
                    "start_time_millis": 1705314900000,
                    "end_time_millis": 1705314900500,
                    "measurements": {},
                    "attachments": {
                        "note.txt": {"data": "aGVsbG8=", "mimetype": "text/plain"}
                    },
                    "codeinfo": {"name": "p", "docstring": None, "sourcecode": ""},
                    "descriptor_id": 1,
                    "options": None,
                    "result": None,
                }
            ],
        }
        path = tmp_path / "record.json"
        path.write_text(json.dumps(record))
        run = official(_IMPORT, path)
        (file,) = api.get(f"/api/v1/runs/{run}").json()["attachments"]
        assert (file["name"], _download(api, file)) == ("note.txt", b"hello")


class TestOpenHTF:
    """``tofupilot.openhtf``."""

    def test_context_manager(
        self, official: Callable[..., Any], api: httpx.Client
    ) -> None:
        """A live OpenHTF test is uploaded with its files, each once."""
        official(_CALLBACK)
        params = {"serial_number": "SN-80"}
        (run,) = api.get("/api/v1/runs", params=params).json()
        assert run["outcome"] == "PASS"
        measured = [
            measurement
            for phase in run["phases"]
            for measurement in phase["measurements"]
        ]
        (voltage,) = measured
        assert (voltage["measured_value"], voltage["units"]) == (3.3, "V")
        assert (voltage["lower_limit"], voltage["upper_limit"]) == (3.0, 3.6)
        (file,) = run["attachments"]
        assert _download(api, file) == b"hello"

    def test_callback(
        self, official: Callable[..., Any], api: httpx.Client, make_json: JSONMaker
    ) -> None:
        """The output callback alone uploads all that a test can hold."""
        inner = api.post("/api/v1/runs", json=make_json()).json()["id"]
        unit = api.get(f"/api/v1/runs/{inner}").json()["unit"]["serial_number"]
        made = api.post("/api/v2/procedures", json={"name": "Bench"}).json()["id"]
        official(_UPLOAD, made, unit)
        (run,) = api.get("/api/v1/runs", params={"serial_number": "lot-1/sn-81"}).json()
        assert run["procedure"]["id"] == made
        assert run["procedure"]["version"]["tag"] == "1.2.20"
        assert run["unit"]["part"]["revision"]["number"] == "C"
        assert run["unit"]["batch"]["number"] == "24-11"
        assert run["sub_units"] == [{"serial_number": unit}]
        outcomes = {phase["name"]: phase["outcome"] for phase in run["phases"]}
        assert outcomes["check"] == "FAIL"
        assert outcomes["slow"] != "PASS"
        assert "never" not in outcomes
        measured = {
            item["name"]: item
            for phase in run["phases"]
            for item in phase["measurements"]
        }
        assert measured["firmware"]["measured_value"] == "1.2.3"
        assert measured["lit"]["measured_value"] is True
        assert measured["current"]["outcome"] == "FAIL"
        assert measured["noise"]["measured_value"] == "NaN"
        assert measured["curve"]["measured_value"] == [
            [0, 0, 0],
            [1, 2, 10],
            [2, 4, 20],
        ]
        levels = {line["level"] for line in run["logs"]}
        assert {"WARNING", "ERROR"} <= levels
        (file,) = run["attachments"]
        assert _download(api, file) == b"t,U"

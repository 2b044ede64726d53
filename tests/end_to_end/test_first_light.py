"""The whole way: real files and a real test in, a real server, and out again."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

PHOTO = bytes(range(256)) * 40


@attrs.frozen
class Served:
    """A `rigbridge serve` process, with a key for it."""

    url: str
    key: str
    data: Path

    def runs(self, serial: str) -> list[dict[str, Any]]:
        """List the runs of a unit over HTTP."""
        answer = httpx.get(
            f"{self.url}/api/v1/runs",
            params={"serial_number": serial},
            headers={"Authorization": f"Bearer {self.key}"},
        )
        assert answer.status_code == 200, answer.text
        runs: list[dict[str, Any]] = answer.json()
        return runs

    def digests(self, run: dict[str, Any]) -> dict[str, str]:
        """Download a run's attachments and hash them, by name."""
        found = {}
        for attachment in run["attachments"]:
            answer = httpx.get(
                httpx.URL(self.url).join(attachment["download_url"]),
                headers={"Authorization": f"Bearer {self.key}"},
            )
            assert answer.status_code == 200
            found[attachment["name"]] = hashlib.sha256(answer.content).hexdigest()
        return found


def rigbridge(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    return subprocess.run(
        [sys.executable, "-m", "rigbridge", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(name="served")
def _served(tmp_path: Path) -> Iterator[Served]:
    data = tmp_path / "store"
    created = rigbridge(
        "keys", "create", "user", "--name", "mara", "--data", data, "--json"
    )
    key = json.loads(created.stdout)["key"]
    process = subprocess.Popen(
        [
            sys.executable,
            *("-m", "rigbridge", "serve", "--port", "0"),
            *("--data", str(data), "--json"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield Served(json.loads(process.stdout.readline())["url"], key, data)
    finally:
        process.terminate()
        process.wait(timeout=30)
        if process.stdout is not None:
            process.stdout.close()


def script(text: str, folder: Path, **environment: str) -> str:
    """Run a Python script of a user, and give what it printed."""
    file = folder / "script.py"
    file.write_text(textwrap.dedent(text), encoding="utf-8")
    process = subprocess.run(
        [sys.executable, str(file)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        timeout=120,
        env={**os.environ, "DISABLE_TELEMETRY": "true", **environment},
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


class TestFirstLight:
    """Nothing in between is replaced."""

    def test_the_official_client_creates_and_reads(
        self, served: Served, tmp_path: Path
    ) -> None:
        """A run with phases and two attachments comes back, bytes equal."""
        (tmp_path / "photo.bin").write_bytes(PHOTO)
        (tmp_path / "notes.txt").write_text("all quiet", encoding="utf-8")
        script(
            """
            from datetime import datetime, timedelta
            from tofupilot import TofuPilotClient

            client = TofuPilotClient()
            created = client.create_run(
                unit_under_test={"serial_number": "SN-1", "part_number": "PB-7"},
                run_passed=True,
                procedure_name="Power Board",
                started_at=datetime(2024, 3, 4, 9, 5, 6),
                duration=timedelta(seconds=12),
                phases=[{
                    "name": "Rails",
                    "outcome": "PASS",
                    "start_time_millis": 1709543106000,
                    "end_time_millis": 1709543107000,
                    "measurements": [{
                        "name": "5 V", "outcome": "PASS", "measured_value": 5.02,
                        "units": "V", "lower_limit": 4.9, "upper_limit": 5.1,
                    }],
                }],
                attachments=["photo.bin", "notes.txt"],
            )
            assert created.get("id"), created
            assert client.get_runs("sn-1")["result"][0]["id"] == created["id"]
            """,
            tmp_path,
            TOFUPILOT_URL=served.url,
            TOFUPILOT_API_KEY=served.key,
        )
        (run,) = served.runs("SN-1")
        assert run["procedure"]["name"] == "Power Board"
        assert run["unit"]["part"]["number"] == "PB-7"
        assert run["phases"][0]["measurements"][0]["measured_value"] == 5.02
        assert served.digests(run) == {
            "photo.bin": hashlib.sha256(PHOTO).hexdigest(),
            "notes.txt": hashlib.sha256(b"all quiet").hexdigest(),
        }

    @pytest.mark.parametrize("door", ["http", "local"])
    def test_an_openhtf_test_arrives(
        self, served: Served, tmp_path: Path, door: str
    ) -> None:
        """One callback in a real script; its run is seen through the server."""
        (tmp_path / "photo.bin").write_bytes(PHOTO)
        script(
            """
            import openhtf as htf
            import rigbridge_openhtf

            @htf.measures(
                htf.Measurement("rail").in_range(4.9, 5.1).with_units("V")
            )
            def power(test):
                test.measurements.rail = 5.02
                test.attach_from_file("photo.bin")

            if __name__ == "__main__":
                test = htf.Test(power, test_name="Power", part_number="PB-7")
                callback = rigbridge_openhtf.output_callback()
                test.add_output_callbacks(callback)
                assert test.execute(test_start=lambda: "SN-2")
                callback.flush(60)
                callback.close()
            """,
            tmp_path,
            RIGBRIDGE_TO=served.url if door == "http" else "local",
            RIGBRIDGE_API_KEY=served.key,
            RIGBRIDGE_DATA=str(tmp_path / "station" if door == "http" else served.data),
        )
        (run,) = served.runs("SN-2")
        assert (run["outcome"], run["procedure"]["name"]) == ("PASS", "Power")
        (measurement,) = run["phases"][0]["measurements"]
        assert measurement["measured_value"] == 5.02
        assert (measurement["lower_limit"], measurement["upper_limit"]) == (4.9, 5.1)
        assert hashlib.sha256(PHOTO).hexdigest() in served.digests(run).values()

    def test_a_wrong_key_is_one_line(self, served: Served) -> None:
        """Nothing is sent with a key that the server does not know."""
        file = resources.files("rigbridge.examples") / "csv-long-format.csv"
        process = rigbridge("import", file, "--to", served.url, "--api-key", "wrong")
        assert process.returncode == 1
        (line,) = process.stderr.splitlines()
        assert "401" in line
        assert "check the API key" in line

    def test_an_unknown_procedure_names_the_file(
        self, served: Served, tmp_path: Path
    ) -> None:
        """The server's words come with the file; the other file still arrives."""
        config = tmp_path / "rigbridge.toml"
        name = "LED driver in-circuit test"
        config.write_text(
            f'time_zone = "UTC"\n[identity.procedures]\n"{name}" = "FVT99"\n'
        )
        folder = Path(str(resources.files("rigbridge.examples")))
        process = rigbridge(
            "import",
            folder / "csv-long-format.csv",
            folder / "teststand-nested-sequences.xml",
            *("--to", served.url, "--api-key", served.key, "--config", config),
        )
        assert process.returncode == 1
        assert len(served.runs("PS-100-0042")) == 1
        *errors, kept = process.stderr.splitlines()
        for line in errors:
            assert "csv-long-format.csv: " in line
            assert "Procedure with ID FVT99 does not exist" in line
        assert "2 runs in quarantine" in kept

    def test_files_arrive_over_http(self, served: Served) -> None:
        """Reports go through the client; a second time changes nothing."""
        folder = Path(str(resources.files("rigbridge.examples")))
        files = sorted(folder.glob("*.xml"))
        target = ("--to", served.url, "--api-key", served.key, "--data", served.data)
        first = rigbridge("import", *files, *target, "--json")
        assert first.returncode == 0, first.stderr
        again = rigbridge("import", *files, *target, "--json")
        assert again.returncode == 0, again.stderr
        (run,) = served.runs("PS-100-0042")
        assert run["outcome"] == "FAIL"
        shown = rigbridge("runs", "show", run["id"], "--data", served.data, "--json")
        document = json.loads(shown.stdout)
        assert document["station"] == "ST-3"
        assert ["Power Rails", "Ripple"] in [
            phase["path"] for phase in document["phases"]
        ]

"""The command line as a user meets it: real processes, real files, exit codes."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

Rigbridge = Callable[..., "subprocess.CompletedProcess[str]"]
SAMPLES = Path(__file__).parents[3] / "../shared/samples"


@pytest.fixture(name="rigbridge")
def _rigbridge(run_command: Rigbridge) -> Rigbridge:
    return run_command


@pytest.fixture(name="data")
def _data(tmp_path: Path) -> Path:
    return tmp_path / "store"


def example(name: str) -> Path:
    """Find a bundled example report."""
    return Path(str(resources.files("rigbridge.examples") / name))


def last_json(process: subprocess.CompletedProcess[str]) -> Any:
    """Read the JSON that a command printed."""
    return json.loads(process.stdout)


def json_lines(process: subprocess.CompletedProcess[str]) -> list[Any]:
    """Read the JSON that a command printed line by line."""
    return [json.loads(line) for line in process.stdout.splitlines()]


def imported(process: subprocess.CompletedProcess[str]) -> list[Any]:
    """Read what an import printed of each source."""
    return [line for line in json_lines(process) if line["event"] == "source"]


class TestDemo:
    """The main job in one command."""

    def test_every_example_arrives(self, rigbridge: Rigbridge, data: Path) -> None:
        """One of each kind, one failing, one nested, one with an attachment."""
        process = rigbridge("demo", "--data", data, "--json")
        assert process.returncode == 0, process.stderr
        sources = imported(process)
        runs = [run for source in sources for run in source["runs"]]
        assert {source["adapter"] for source in sources} == {
            "csv",
            "openhtf-json",
            "teststand-xml",
        }
        assert {run["outcome"] for run in runs} >= {"PASS", "FAIL"}
        assert any(run["attachments"] for run in runs)

    def test_a_second_demo_stores_nothing_twice(
        self, rigbridge: Rigbridge, data: Path
    ) -> None:
        """Every run is recognized."""
        rigbridge("demo", "--data", data)
        process = rigbridge("demo", "--data", data, "--json")
        runs = [run for source in imported(process) for run in source["runs"]]
        assert runs
        assert not any(run["created"] for run in runs)

    def test_it_says_how_to_look(self, rigbridge: Rigbridge, data: Path) -> None:
        """A person sees a table and the next command."""
        process = rigbridge("demo", "--data", data)
        assert "Measurements" in process.stdout
        assert f"rigbridge runs list --data {data}" in process.stdout


class TestImport:
    """Files into the embedded store."""

    def test_strict_may_have_a_value(self, rigbridge: Rigbridge, data: Path) -> None:
        """Alone it takes no path for its value; ``=all`` refuses what is left out."""
        report = example("openhtf-with-attachment.json")
        given = ("--dry-run", "--data", data, "--time-zone", "UTC")
        lost = rigbridge("import", "--strict", report, *given)
        assert (lost.returncode, lost.stderr) == (0, "")
        assert "; 3 elements left out by rule; a dry run" in lost.stdout
        every = rigbridge("import", "--strict=all", report, *given)
        assert every.returncode == 1
        assert "would be missing: 3 left out, first: $.phases[0]" in every.stderr

    def test_an_assumed_zone_is_said_once(
        self, rigbridge: Rigbridge, data: Path
    ) -> None:
        """One line for all files, with the setting."""
        reports = [
            example(f"teststand-{name}.xml")
            for name in ("batch-of-two", "nested-sequences")
        ]
        process = rigbridge("import", "--dry-run", *reports, "--data", data)
        assert process.returncode == 0
        (line,) = process.stderr.splitlines()
        assert line.startswith("warning: times of 2 files state no zone")
        assert "set time_zone" in line

    def test_bad_files_are_named_and_the_rest_arrives(
        self, rigbridge: Rigbridge, data: Path, tmp_path: Path
    ) -> None:
        """One clear line each, exit code 1, and the good file is stored."""
        bad = {
            "empty.xml": b"",
            "text.xml": b"hello",
            "other.xml": b"<shopping/>",
            "cut.xml": example("teststand-nested-sequences.xml").read_bytes()[:900],
            "wrong.json": b'{"dut_id": ',
            "doctype.xml": b"<!DOCTYPE a [<!ENTITY b 'c'>]><Reports Type='a'/>",
        }
        for name, content in bad.items():
            (tmp_path / name).write_bytes(content)
        process = rigbridge(
            "import",
            *(tmp_path / name for name in bad),
            tmp_path / "missing.xml",
            example("csv-long-format.csv"),
            "--data",
            data,
            "--time-zone",
            "UTC",
        )
        assert process.returncode == 1
        lines = process.stderr.splitlines()
        # The last line says where the run that lacks a serial number is kept.
        assert len(lines) == len(bad) + 2
        for name in (*bad, "missing.xml"):
            assert sum(name in line for line in lines) == 1, name
        assert (
            "2 runs of 8 files; 1 file without a run, 6 files failed" in process.stdout
        )

    def test_settings_beside_the_reports_are_no_failed_report(
        self, rigbridge: Rigbridge, data: Path, tmp_path: Path
    ) -> None:
        """In force or not, they cost no exit code; where they are not, that is said."""
        reports = tmp_path / "reports"
        reports.mkdir()
        report = example("csv-long-format.csv").read_bytes()
        (reports / "log.csv").write_bytes(report)
        beside = reports / "rigbridge.toml"
        beside.write_text('time_zone = "Europe/Berlin"\n')
        unread = rigbridge("import", "reports", "--data", data)
        read = rigbridge("import", "reports", "--data", data, "--config", beside)
        assert (unread.returncode, read.returncode) == (0, 0)
        assert "reports/rigbridge.toml: is not read" in unread.stderr
        assert "(name it with --config)" in unread.stderr
        assert "rigbridge.toml" not in read.stderr

    def test_a_report_that_is_cut_off_is_named(
        self, rigbridge: Rigbridge, data: Path, tmp_path: Path
    ) -> None:
        """Its run arrives and may say PASS; a person learns that it is not whole."""
        whole = example("teststand-nested-sequences.xml").read_bytes()
        cut = tmp_path / "cut.xml"
        cut.write_bytes(whole[: whole.rindex(b"</Report>")])
        process = rigbridge("import", cut, "--data", data, "--time-zone", "UTC")
        assert process.returncode == 0
        assert "1 run of 1 file" in process.stdout
        assert "cut.xml: is cut off or damaged" in process.stderr

    def test_a_dry_run_says_that_nothing_was_stored(
        self, rigbridge: Rigbridge, data: Path
    ) -> None:
        """Its table looks like that of an import; the last line tells them apart."""
        log = example("csv-long-format.csv")
        process = rigbridge("import", log, "--dry-run", "--data", data)
        assert process.stdout.rstrip().endswith("a dry run, nothing was stored")
        assert not data.exists()

    def test_a_run_in_quarantine_has_one_remedy(
        self, rigbridge: Rigbridge, data: Path, tmp_path: Path
    ) -> None:
        """What names the procedure is a setting of its adapter, no rule of identity."""
        cut = tmp_path / "cut.xml"
        cut.write_bytes(example("teststand-nested-sequences.xml").read_bytes()[:900])
        rigbridge("import", cut, "--data", data)
        (reason,) = (data / "quarantine").glob("*/reason.txt")
        assert "[adapters.teststand-xml]" in reason.read_text()
        assert "identity" not in reason.read_text()

    def test_an_empty_file_fails_where_it_is_named_itself(
        self, rigbridge: Rigbridge, data: Path, tmp_path: Path
    ) -> None:
        """In a folder it is a report of no run; who names it expects a run."""
        empty = tmp_path / "reports" / "empty.xml"
        empty.parent.mkdir()
        empty.write_bytes(b"")
        named = rigbridge("import", empty, "--data", data)
        found = rigbridge("import", empty.parent, "--data", data, "--again")
        assert (named.returncode, found.returncode) == (1, 0)
        line = f"no run: {empty}: the file is empty (if it should hold a report, "
        for process in (named, found):
            assert process.stderr.startswith(line)
            assert process.stderr.count("\n") == 1
            assert "1 file without a run" in process.stdout

    def test_a_run_without_serial_number_waits_in_quarantine(
        self, rigbridge: Rigbridge, data: Path, tmp_path: Path
    ) -> None:
        """It is kept with the reason, and stored once a rule supplies the number."""
        content = example("teststand-nested-sequences.xml").read_text()
        serial = re.search(r'SerialNumber".*?<Value>(.*?)<', content, re.DOTALL)
        assert serial is not None
        report = tmp_path / "SN-42_report.xml"
        report.write_text(content.replace(f"<Value>{serial[1]}<", "<Value>NONE<"))
        first = rigbridge("import", report, "--data", data)
        assert first.returncode == 1
        assert "no serial number" in first.stderr
        assert "1 run in quarantine" in first.stderr
        (kept,) = (data / "quarantine").glob("*/item.json")
        document = json.loads(kept.read_text())["content"]
        assert document["unit"]["serial_number"] is None
        reason = kept.with_name("reason.txt").read_text()
        assert "no serial number" in reason
        assert str(report) in reason
        assert rigbridge("convert", report, "--format", "model").returncode == 0
        (tmp_path / "rigbridge.toml").write_text(
            "identity.file_name = ['^(?P<serial_number>SN-.*)_']"
        )
        second = rigbridge("import", report, "--data", data, "--json")
        assert second.returncode == 0, second.stderr
        (run,) = imported(second)[0]["runs"]
        assert run["serial_number"] == "SN-42"
        assert list((data / "quarantine").iterdir()) == []

    def test_a_table_of_reports_is_accounted_for(
        self, rigbridge: Rigbridge, tmp_path: Path
    ) -> None:
        """A batch makes no run; the reports that it names are in the account."""
        path = tmp_path / "batch.xml"
        path.write_text(
            "<Reports><Report Type='Batch'><BatchTable><UUThref SocketIndex='2' "
            "FileName='b.xml'/></BatchTable></Report></Reports>"
        )
        process = rigbridge("convert", path, "--format", "report")
        assert process.returncode == 0
        document = last_json(process)
        assert document["run"] is None
        assert document["entries"][0]["detail"] == "socket 2 in b.xml"

    def test_a_file_without_a_run_is_no_failure(
        self, rigbridge: Rigbridge, data: Path, tmp_path: Path
    ) -> None:
        """It is named and counted; importing and converting succeed."""
        folder = tmp_path / "reports"
        folder.mkdir()
        paths = (folder / "a.xml", folder / "b.xml")
        for path, content in zip(paths, (b"", b"<Reports/>"), strict=True):
            path.write_bytes(content)
        process = rigbridge("import", folder, "--data", data)
        assert process.returncode == 0
        assert process.stderr.count("no run: ") == 2
        assert "2 files without a run, 0 files failed" in process.stdout
        assert rigbridge("convert", *paths).returncode == 0

    def test_wrong_flags_are_usage_errors(self, rigbridge: Rigbridge) -> None:
        """Exit code 2 tells a script that the call itself was wrong."""
        assert rigbridge("import", "--colour", "red").returncode == 2
        assert rigbridge("import", "x", "--adapter", "nobody").returncode == 2
        assert rigbridge("import", "x", "--to", "nowhere").returncode == 2

    def test_a_dead_server_is_one_line(self, rigbridge: Rigbridge, data: Path) -> None:
        """The files that were not tried are counted."""
        process = rigbridge(
            "import",
            example("csv-long-format.csv"),
            example("teststand-batch-of-two.xml"),
            "--to",
            "http://127.0.0.1:9",
            "--api-key",
            "k",
            "--data",
            data,
        )
        assert process.returncode == 1
        assert "Traceback" not in process.stderr
        assert "1 file not tried" in process.stderr

    @pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not beside us")
    def test_the_real_samples_arrive(self, rigbridge: Rigbridge, data: Path) -> None:
        """Every run of the real reports is stored, and the unit is found again."""
        process = rigbridge(
            "import",
            SAMPLES / "teststand_xml",
            SAMPLES / "openhtf_json",
            "--data",
            data,
            "--time-zone",
            "UTC",
            "--json",
        )
        sources = imported(process)
        refused = {
            Path(source["source"]).stem.partition("__")[2].partition("__")[2]: source[
                "errors"
            ][0]["text"]
            for source in sources
            if source["errors"]
        }
        # One is no whole record, two have no unit: each is named with the reason.
        assert sorted(refused) == [
            "2016-03-23_io_output_record",
            "UNKNOWN_DUT",
            "multidim_testdata",
        ]
        assert "no serial number" in refused["UNKNOWN_DUT"]
        assert "not a whole test record" in refused["multidim_testdata"]
        assert sum(len(source["runs"]) for source in sources) == len(sources) - 3
        listed = rigbridge("runs", "list", "--serial", "2342343", "--data", data)
        assert "Computer Motherboard Test Sequence" in listed.stdout


class TestConvert:
    """Runs as JSON lines, nothing sent."""

    @pytest.mark.parametrize(
        ("form", "key"),
        [("payload", "unit_under_test"), ("model", "unit"), ("report", "mapped")],
    )
    def test_a_run_a_line(self, rigbridge: Rigbridge, form: str, key: str) -> None:
        """Each format has its own shape, one run a line."""
        process = rigbridge(
            "convert", example("teststand-batch-of-two.xml"), "--format", form
        )
        documents = [json.loads(line) for line in process.stdout.splitlines()]
        assert process.returncode == 0
        assert len(documents) == 2
        assert all(key in document for document in documents)

    def test_a_run_that_is_refused_spares_the_next(
        self, rigbridge: Rigbridge, tmp_path: Path
    ) -> None:
        """The runs behind it in the same file are still printed."""
        content = example("teststand-batch-of-two.xml").read_bytes()
        file = tmp_path / "two.xml"
        file.write_bytes(content.replace(b"MC-200-0007", b"NONE"))
        process = rigbridge("convert", file)
        assert process.returncode == 1
        (line,) = process.stdout.splitlines()
        unit = json.loads(line)["unit_under_test"]
        assert unit["serial_number"] == "MC-200-0008"

    def test_a_run_without_serial_number(
        self, rigbridge: Rigbridge, tmp_path: Path
    ) -> None:
        """The model shows it, the payload refuses it and says why."""
        content = example("teststand-nested-sequences.xml").read_bytes()
        file = tmp_path / "nobody.xml"
        file.write_bytes(content.replace(b"PS-100-0042", b"NONE"))
        assert rigbridge("convert", file, "--format", "model").returncode == 0
        process = rigbridge("convert", file, "--format", "payload")
        assert process.returncode == 1
        assert "$.unit.serial_number" in process.stderr


class TestRuns:
    """What is in the store."""

    def test_list_show_attach(
        self, rigbridge: Rigbridge, data: Path, tmp_path: Path
    ) -> None:
        """A run is found by its unit, shown whole, and takes a file."""
        rigbridge("demo", "--data", data)
        listed = rigbridge(
            "runs", "list", "--serial", "ps-100-0042", "--data", data, "--json"
        )
        (run,) = last_json(listed)
        photo = tmp_path / "photo.png"
        photo.write_bytes(b"pixels")
        attached = rigbridge("runs", "attach", run["id"], photo, "--data", data)
        assert attached.returncode == 0, attached.stderr
        shown = rigbridge("runs", "show", run["id"], "--data", data)
        assert "3.3 V rail" in shown.stdout
        assert "photo.png (6 bytes)" in shown.stdout

    def test_an_unknown_run_is_a_clear_error(
        self, rigbridge: Rigbridge, data: Path
    ) -> None:
        """Exit code 1, one line."""
        rigbridge("demo", "--data", data)
        process = rigbridge("runs", "show", "nobody", "--data", data)
        assert process.returncode == 1
        assert process.stderr.startswith("error: ")

    def test_an_unknown_id_names_the_store_and_the_remedy(
        self, rigbridge: Rigbridge, data: Path
    ) -> None:
        """Often the id is cut short, or the store is another one."""
        rigbridge("demo", "--data", data)
        process = rigbridge("runs", "show", "1239", "--data", data)
        assert process.returncode == 1
        assert str(data) in process.stderr
        assert "runs list" in process.stderr


class TestAdapters:
    """Who reads what."""

    def test_the_list_has_status_and_owner(self, rigbridge: Rigbridge) -> None:
        """Our three adapters load."""
        records = {
            record["name"]: record
            for record in last_json(rigbridge("adapters", "list", "--json"))
        }
        for name in ("csv", "openhtf-json", "teststand-xml"):
            assert records[name]["status"] == "loaded"
            assert records[name]["distribution"] == "rigbridge"

    def test_detection_gives_its_reason(self, rigbridge: Rigbridge) -> None:
        """A claim has a score and a reason."""
        file = example("teststand-batch-of-two.xml")
        process = rigbridge("adapters", "detect", file, "--json")
        (document,) = last_json(process)
        assert document["claims"][0]["adapter"] == "teststand-xml"
        assert document["claims"][0]["reason"]


class TestVersion:
    """The command itself."""

    def test_version(self, rigbridge: Rigbridge) -> None:
        """The version is printed."""
        assert rigbridge("--version").stdout.startswith("rigbridge 0.")

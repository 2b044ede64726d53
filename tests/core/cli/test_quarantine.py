"""What an import could not store is mended; what the outbox shows is imported."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from rigbridge.cli import main
from rigbridge.destinations import Destination
from rigbridge.model import Attachment, Run
from rigbridge.outbox import Outbox

Command = Callable[..., Any]
MakeRun = Callable[..., Run]

RULE = "identity.file_name = ['^(?P<serial_number>SN-.*)_']\n"


@pytest.fixture(name="call")
def _call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Run a command in an empty folder; give its output and its errors."""
    monkeypatch.chdir(tmp_path)

    def call(*words: object, code: int = 0) -> tuple[str, str]:
        monkeypatch.setattr("sys.argv", ["rigbridge", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main.run()
        printed = capsys.readouterr()
        assert (end.value.code or 0) == code, printed.err
        return printed.out, printed.err

    return call


@pytest.fixture(name="report")
def _report(tmp_path: Path) -> Path:
    """Give a report without a serial number; its name holds one."""
    example = resources.files("rigbridge.examples") / "teststand-nested-sequences.xml"
    content = example.read_text(encoding="utf-8")
    serial = re.search(r'SerialNumber".*?<Value>(.*?)<', content, re.DOTALL)
    assert serial is not None
    path = tmp_path / "SN-42_report.xml"
    path.write_text(content.replace(f"<Value>{serial[1]}<", "<Value>NONE<"))
    return path


@pytest.fixture(name="kept")
def _kept(call: Command, report: Path, tmp_path: Path) -> Path:
    """Give the folder of a run in quarantine, its report attached."""
    zone = ("--time-zone", "UTC")
    call("import", report, "--attach-source", "--data", "data", *zone, code=1)
    (document,) = tmp_path.glob("data/quarantine/*/item.json")
    return document.parent


def stored(call: Command) -> Any:
    """Give the runs in the store of the data folder."""
    return json.loads(call("runs", "list", "--data", "data", "--json")[0])


def _started_at(document: Any) -> datetime:
    found = document.get("content", document)
    found = found.get("run", found)
    return datetime.fromisoformat(found["started_at"])


class TestQuarantine:
    """``rigbridge quarantine``."""

    def test_a_run_is_listed_with_its_reason(self, call: Command, kept: Path) -> None:
        """For people with the command that tries again, for programs with the file."""
        out, _ = call("quarantine", "list", "--data", "data")
        assert "no serial number" in out
        assert "rigbridge quarantine retry" in out
        out, _ = call("quarantine", "list", "--data", "data", "--json")
        (document,) = json.loads(out)
        assert document["id"] == kept.name
        assert document["document"] == str(kept / "item.json")
        assert "no serial number" in document["reason"]

    def test_a_run_is_shown_with_its_report(
        self, call: Command, kept: Path, report: Path
    ) -> None:
        """By the beginning of its id: why, whence, and what to do next."""
        out, _ = call("quarantine", "show", kept.name[:6], "--data", "data")
        assert "no serial number" in out
        assert f"Read from: {report}" in out
        assert f"rigbridge quarantine retry {kept.name}" in out
        assert f"Kept in: {kept}" in out
        (kept / "reason.txt").unlink()
        out, _ = call("quarantine", "show", kept.name, "--data", "data", "--json")
        assert "no serial number" in json.loads(out)[0]["words"]

    def test_a_mended_rule_stores_what_lies_there(
        self, call: Command, kept: Path, report: Path
    ) -> None:
        """With its attachment, also where the report itself is gone by then."""
        content = report.read_bytes()
        report.unlink()
        Path("rigbridge.toml").write_text(RULE)
        out, _ = call("quarantine", "retry", kept.name[:8], "--data", "data")
        assert "1 run stored, 0 left" in out
        (run,) = stored(call)
        assert run["unit"]["serial_number"] == "SN-42"
        (attachment,) = run["attachments"]
        assert attachment["size"] == len(content)
        assert not kept.exists()

    @pytest.mark.parametrize("where", ["kept with the run", "at its place"])
    def test_a_mended_time_zone_mends_what_lies_there(
        self, call: Command, report: Path, tmp_path: Path, where: str
    ) -> None:
        """The report is read again: the copy beside the run, or the file itself."""
        kept = where == "kept with the run"
        settings = tmp_path / "rigbridge.toml"
        settings.write_text("time_zone = 'UTC'\n")
        words = ("--attach-source",) if kept else ()
        call("import", report, "--data", "data", *words, code=1)
        (document,) = tmp_path.glob("data/quarantine/*/item.json")
        was = _started_at(json.loads(document.read_bytes()))
        settings.write_text("time_zone = 'Asia/Tokyo'\n" + RULE)
        if kept:
            report.unlink()
        call("quarantine", "retry", "--data", "data")
        (run,) = stored(call)
        assert _started_at(run) == was - timedelta(hours=9)
        assert not document.exists()

    def test_a_zone_that_was_mended_too_late_is_said(
        self, call: Command, report: Path, tmp_path: Path
    ) -> None:
        """Without the report the run stays, rather than with a time that is wrong."""
        settings = tmp_path / "rigbridge.toml"
        settings.write_text("time_zone = 'UTC'\n")
        call("import", report, "--data", "data", code=1)
        settings.write_text("time_zone = 'Asia/Tokyo'\n" + RULE)
        content = report.read_bytes()
        report.write_bytes(content.replace(b"NONE", b"OTHER"))
        _, said = call("quarantine", "retry", "--data", "data", code=1)
        assert f"rigbridge import --again {report}" in said
        assert stored(call) == []
        report.write_bytes(content)
        call("quarantine", "retry", "--data", "data")
        assert len(stored(call)) == 1

    def test_what_still_lacks_something_stays(self, call: Command, kept: Path) -> None:
        """It is an error, and the reason is the newest."""
        (kept / "reason.txt").unlink()
        out, errors = call("quarantine", "retry", "--data", "data", "--json", code=1)
        result = json.loads(out)
        assert (result["stored"], result["left"]) == (0, 1)
        assert "no serial number" in errors
        reason = (kept / "reason.txt").read_text()
        assert "no serial number" in reason
        assert "Read from: " in reason

    def test_a_run_for_another_store_is_not_sent_to_this_one(
        self, call: Command, kept: Path
    ) -> None:
        """The command that does is named; the run stays."""
        Path("rigbridge.toml").write_text(RULE)
        _, errors = call(
            *("quarantine", "retry", kept.name, "--data", "data"),
            *("--to", "http://127.0.0.1:9", "--api-key", "k"),
            code=1,
        )
        assert "1 run in quarantine for local not tried" in errors
        assert kept.is_dir()

    def test_a_store_that_does_not_answer_changes_no_reason(
        self, call: Command, report: Path, tmp_path: Path
    ) -> None:
        """The run stays as it is, and the command fails."""
        dead = ("--data", "data", "--to", "http://127.0.0.1:9", "--api-key", "k")
        call("import", report, *dead, code=1)
        (reason,) = tmp_path.glob("data/quarantine/*/reason.txt")
        before = reason.read_text()
        Path("rigbridge.toml").write_text(RULE)
        call("quarantine", "retry", *dead, code=1)
        assert reason.read_text() == before

    def test_its_folder_is_imported_again(self, call: Command, kept: Path) -> None:
        """One file of it is a report, the rest belongs to that; stored, it leaves."""
        call("import", "data/quarantine", "--data", "data", code=1)
        assert (kept / "file-1").is_file()
        Path("rigbridge.toml").write_text(RULE)
        out, _ = call("import", "data/quarantine", "--data", "data")
        assert "1 run of 1 file" in out
        (run,) = stored(call)
        assert len(run["attachments"]) == 1
        assert not kept.exists()

    def test_a_second_import_keeps_one(
        self, call: Command, report: Path, kept: Path
    ) -> None:
        """The newest replaces what was there."""
        call("import", report, "--data", "data", code=1)
        assert not (kept / "file-1").exists()
        assert list(kept.parent.iterdir()) == [kept]

    def test_a_damaged_item_is_named_and_can_be_dropped(
        self, call: Command, kept: Path
    ) -> None:
        """It is no run any more; only a person takes it away."""
        (kept / "item.json").write_text("{")
        _, errors = call("quarantine", "retry", "--data", "data", code=1)
        assert kept.name in errors
        call("quarantine", "drop", "ffffffffff", "--data", "data", code=2)
        call("quarantine", "drop", kept.name, "--data", "data")
        assert list(kept.parent.iterdir()) == []


class TestOutboxShow:
    """``rigbridge outbox show`` as a source of an import."""

    @pytest.fixture(name="run")
    def _run(self, make_run: MakeRun, tmp_path: Path) -> Run:
        """Queue a run with a file, for a store that is not there."""
        file = tmp_path / "trace.bin"
        file.write_bytes(b"trace" * 100)
        run = make_run(attachments=[Attachment.from_file(file)])

        def nowhere() -> Destination:
            raise AssertionError("nothing is sent")

        with Outbox.open(tmp_path / "waiting/outbox", nowhere) as outbox:
            outbox.submit(run)
        file.unlink()
        return run

    def test_what_it_writes_is_imported_with_its_files(
        self, call: Command, run: Run
    ) -> None:
        """``--output`` writes the run and, beside it, its attachments."""
        call("outbox", "show", run.id, "--data", "waiting", "--output", "run.jsonl")
        call("import", "run.jsonl", "--data", "data")
        (found,) = stored(call)
        assert found["id"] == str(run.id)
        assert [item["size"] for item in found["attachments"]] == [500]

    def test_what_it_prints_is_imported(self, call: Command, run: Run) -> None:
        """The JSON is a line of an exported run; files are kept by reference."""
        out, _ = call("outbox", "show", run.id, "--data", "waiting", "--json")
        Path("run.jsonl").write_text(out)
        call("import", "run.jsonl", "--data", "data")
        (found,) = stored(call)
        assert found["id"] == str(run.id)


@pytest.mark.parametrize(
    "words",
    ["outbox status", "runs list", "quarantine list", "agent", "keys list", "import ."],
)
def test_a_table_of_no_adapter_ends_a_command(call: Command, words: str) -> None:
    """Settings that nobody reads are misspelled ones: one line, and nothing done."""
    Path("rigbridge.toml").write_text("[adapters.nobody]\nzone = 1\n")
    _, errors = call(*words.split(), code=2)
    assert errors.count("\n") == 1
    assert "adapters.nobody: there is no such adapter" in errors

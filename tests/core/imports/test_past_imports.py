"""Imports and the ledger: nothing is read twice, the account is that of the store."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import pytest

import rigbridge.imports
from rigbridge.errors import ConfigurationError, NotFoundError
from rigbridge.imports import Afterwards, PastImports, SourceResult, passed_over
from rigbridge.ledger import Ledger
from rigbridge.sources import FolderWalk, FoundSource

Command = Callable[..., Any]
NO_SERIAL = b"procedure,measurement,value,outcome\nP,m,1,PASS\n"
OLD = 1_600_000_000


def summary(call: Command, *words: str | Path, code: int = 0) -> Any:
    """Import, and give the sums."""
    result = call("import", *words, "--json", "--time-zone", "UTC", code=code)
    return json.loads(result.stdout.splitlines()[-1])


def account(call: Command, code: int = 0) -> Any:
    """Give the account, compared with the store."""
    result = call("ledger", "report", "--verify", "--json", code=code)
    return json.loads(result.stdout)


def test_a_second_import_reads_nothing(call: Command, reports: Path) -> None:
    """What was imported is passed over, and --again reads it."""
    first = summary(call, reports)
    assert (first["runs"], first["imported_before"]) == (3, 0)
    second = summary(call, reports)
    assert (second["runs"], second["imported_before"]) == (0, 2)
    again = summary(call, reports, "--again")
    assert (again["runs"], again["there_already"], again["different"]) == (3, 3, 0)
    assert account(call)["verified"]["is_equal"]


def test_a_changed_file_is_read(call: Command, reports: Path) -> None:
    """A report that was written anew is another one, and both are in the account."""
    summary(call, reports)
    path = reports / "openhtf-with-attachment.json"
    path.write_bytes(path.read_bytes() + b"\n")
    assert summary(call, reports)["runs"] == 1
    assert account(call)["stored"] == 4


def test_a_run_that_grew_is_said_to_stand_beside(call: Command, tmp_path: Path) -> None:
    """Where no id tells that a test is the same, the import names the run before."""
    log = tmp_path / "bench.csv"
    log.write_text("procedure,serial_number,measurement,value\nP,7,a,1\n", "utf-8")
    first = call("import", log, "--json", "--time-zone", "UTC")
    (run,) = json.loads(first.stdout.splitlines()[0])["runs"]
    with log.open("a", encoding="utf-8") as stream:
        stream.write("P,7,b,2\n")
    grown = call("import", log, "--time-zone", "UTC")
    said = " ".join(grown.stderr.split())
    assert "1 run that changed files held before stays stored beside" in said
    assert f"{run['id']} of {log}" in said


def test_a_change_within_a_tick_is_seen(call: Command, reports: Path) -> None:
    """A file that keeps its size and its time is still known to be another."""
    path = reports / "openhtf-with-attachment.json"
    path.touch()
    summary(call, path)
    state = path.stat()
    path.write_bytes(path.read_bytes().replace(b"PASS", b"FAIL", 1))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert summary(call, path)["runs"] == 1


def test_a_copy_is_a_duplicate(call: Command, reports: Path) -> None:
    """It is named by the file that was imported, and counts no run."""
    summary(call, reports)
    shutil.copy(reports / "teststand-batch-of-two.xml", reports / "copy.xml")
    summary(call, reports)
    found = account(call)
    assert found["files"] == {"duplicate": 1, "imported": 2}
    assert found["stored"] == 3


def test_a_mended_rule_tries_what_failed(
    call: Command, tmp_path: Path, reports: Path
) -> None:
    """Unchanged it is not tried; with new settings it is, and nothing else."""
    (reports / "SN7.csv").write_bytes(NO_SERIAL)
    assert summary(call, reports, code=1)["quarantined"] == 1
    second = summary(call, reports, code=1)
    assert (second["failed_before"], second["failed"]) == (1, 0)
    rule = "identity.file_name = ['^(?P<serial_number>SN.)']"
    (tmp_path / "rigbridge.toml").write_text(rule)
    third = summary(call, reports)
    assert (third["runs"], third["imported_before"]) == (1, 2)
    found = account(call)
    assert found["files"] == {"imported": 3}
    assert found["verified"]["is_equal"]


def test_what_leaves_quarantine_is_imported(call: Command, tmp_path: Path) -> None:
    """Whoever retries a run completes the file that it was read from."""
    (tmp_path / "SN7.csv").write_bytes(NO_SERIAL)
    summary(call, "SN7.csv", code=1)
    assert account(call)["files"] == {"quarantined": 1}
    rule = "identity.file_name = ['^(?P<serial_number>SN.)']"
    (tmp_path / "rigbridge.toml").write_text(rule)
    call("quarantine", "retry")
    assert account(call)["files"] == {"imported": 1}


def test_a_serial_number_from_the_file_name(call: Command, tmp_path: Path) -> None:
    """The name without its extension is taken, and recorded."""
    (tmp_path / "SN 7.x.csv").write_bytes(NO_SERIAL)
    result = call(
        "import", "SN 7.x.csv", "--serial-from", "file-name", "--json", "--again"
    )
    (run,) = json.loads(result.stdout.splitlines()[0])["runs"]
    assert run["serial_number"] == "SN 7.x"
    (adapter,) = account(call)["adapters"]
    assert {
        "disposition": "coerced",
        "item": "serial number",
        "rule": "supplied from the file name",
        "count": 1,
    } in adapter["elements"]


def test_a_run_that_is_gone_is_named(call: Command, reports: Path) -> None:
    """A store that was deleted is not what the ledger says; --again fills it."""
    summary(call, reports)
    for file in Path("data").glob("store.sqlite*"):
        file.unlink()
    summary(call, reports / "openhtf-with-attachment.json", "--again")
    compared = account(call, code=1)["verified"]
    assert len(compared["differences"]) == 2
    assert (
        "teststand-batch-of-two.xml is not in the store" in compared["differences"][0]
    )
    summary(call, reports, "--again")
    assert account(call)["verified"]["is_equal"]


def test_what_was_changed_by_hand_is_named(call: Command, reports: Path) -> None:
    """Not only how many rows there are: also what they hold."""
    summary(call, reports)
    with closing(sqlite3.connect("data/store.sqlite")) as store, store:
        store.execute("UPDATE runs SET docstring = 'another' WHERE key = 1")
    result = call("ledger", "report", "--verify", code=1)
    assert "its rows have changed (restore a backup" in result.stderr


def test_a_changed_byte_of_an_attachment_is_named(call: Command, reports: Path) -> None:
    """Also where its length stays; all is read."""
    summary(call, reports)
    (content,) = (
        path for path in Path("data/attachments").rglob("*") if path.is_file()
    )
    kept = content.read_bytes()
    content.chmod(0o600)
    content.write_bytes(bytes([kept[0] ^ 1]) + kept[1:])
    result = call("ledger", "report", "--verify", code=1)
    assert content.name in result.stderr


def test_no_file_is_deleted_that_no_ledger_has(call: Command, reports: Path) -> None:
    """It would be in no account."""
    Path("data/ledger.sqlite").mkdir(parents=True)
    result = call("import", reports, "--after", "delete")
    assert "files stay where they are" in result.stderr
    assert len(list(reports.iterdir())) == 2


def test_a_store_that_is_gone_is_filled_again(call: Command, reports: Path) -> None:
    """Also where the import that notices it does not come to its end."""
    call("import", reports)
    Path("data/store.sqlite").unlink()
    said = call("import", reports, "--dry-run")
    assert "data has no store, though its ledger names 2 imported files" in said.stderr
    assert "3 runs of 2 files" in call("import", reports).stdout
    assert "verified: the store holds 3 runs" in (
        call("ledger", "report", "--verify").stdout
    )


def test_an_older_copy_of_the_store_is_said(call: Command, reports: Path) -> None:
    """By the run that was stored last; with --again all is there again."""
    call("import", reports / "teststand-batch-of-two.xml")
    older = Path("data/store.sqlite").read_bytes()
    call("import", reports)
    assert "older copy" not in call("import", reports).stderr
    Path("data/store.sqlite").write_bytes(older)
    # A second time as well: nothing was mended.
    for _ in range(2):
        said = call("import", reports).stderr
        assert "openhtf-with-attachment.json, the last that was imported" in said
    call("import", reports, "--again")
    assert "older copy" not in call("import", reports).stderr
    assert account(call)["verified"]["is_equal"]


def test_a_file_that_is_written_anew_is_not_read(call: Command, reports: Path) -> None:
    """As by a copy back from a backup: its content says that it is the same."""
    call("import", reports)
    for file in reports.iterdir():
        os.utime(file, (OLD + 9, OLD + 9))
    found = summary(call, reports)
    assert (found["imported_before"], found["runs"]) == (2, 0)
    text = next(reports.glob("*.xml")).read_text("utf-8")
    next(reports.glob("*.xml")).write_text(text.replace("MC-2", "MC-3"), "utf-8")
    assert summary(call, reports)["runs"] == 2


def test_a_file_that_failed_is_known_by_its_content(
    call: Command, reports: Path
) -> None:
    """It is not tried again because it was only touched; other content is."""
    unclosed, unknown = reports / "unclosed.xml", reports / "notes.bin"
    unclosed.write_text("<Reports><Report")
    unknown.write_bytes(bytes(range(256)))
    summary(call, reports, code=1)
    for file in reports.iterdir():
        os.utime(file, (OLD + 9, OLD + 9))
    found = summary(call, reports, code=1)
    assert (found["imported_before"], found["failed_before"]) == (2, 2)
    unclosed.write_text("<Reports><Repert")
    assert summary(call, reports, code=1)["failed_before"] == 1


def test_a_hint_names_the_data_folder(
    call: Command, reports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Typed as it stands it asks the ledger that this import wrote."""
    monkeypatch.setenv("RIGBRIDGE_DATA", "elsewhere")
    (reports / "unclosed.xml").write_text("<Reports><Report")
    os.utime(reports / "unclosed.xml", (OLD, OLD))
    for _ in range(2):
        said = call("import", reports, code=1).stderr
    folder = Path("data").absolute()
    assert f"ledger report --data {folder}' says why" in said


def test_a_folder_that_goes_is_no_fault_of_its_files(
    call: Command, reports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A share that drops is said once, and the next import goes on."""
    listed = FolderWalk.below

    def below(walk: FolderWalk, folder: Path, anchored: Any = None) -> Any:
        yield from [*listed(walk, folder, anchored)]
        reports.rename(reports.with_name("away"))

    with monkeypatch.context() as patched:
        patched.setattr(FolderWalk, "below", below)
        said = call("import", reports, code=1).stderr
    assert said.count("is not there any more") == 1
    assert "2 files not tried, since" in said
    assert account(call)["files"] == {}
    reports.with_name("away").rename(reports)
    assert summary(call, reports)["runs"] == 3


def test_a_file_that_goes_is_in_no_account(
    call: Command, reports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It failed in this import; nobody knows what it was."""
    listed = FolderWalk.below

    def below(walk: FolderWalk, folder: Path, anchored: Any = None) -> Any:
        yield from [*listed(walk, folder, anchored)]
        next(reports.glob("*.xml")).unlink()

    monkeypatch.setattr(FolderWalk, "below", below)
    assert "there is no such file" in call("import", reports, code=1).stderr
    assert account(call)["files"] == {"imported": 1}


def test_a_damaged_ledger_stops_nothing(call: Command, reports: Path) -> None:
    """It is set aside, which is said, and importing again fills a new one."""
    summary(call, reports)
    for file in Path("data").glob("ledger.sqlite*"):
        file.write_bytes(b"none" * 5000)
    result = call("import", reports, "--time-zone", "UTC")
    assert "was set aside" in result.stderr
    found = account(call)
    assert found["stored"] == 3
    assert found["verified"]["is_equal"]


def test_many_of_one_kind_are_one_line(call: Command, tmp_path: Path) -> None:
    """A hundred reports without a serial number need no hundred lines."""
    for number in range(6):
        (tmp_path / f"r{number}.csv").write_bytes(NO_SERIAL)
    result = call("import", *tmp_path.glob("r*.csv"), "--quiet", code=1)
    lines = result.stderr.splitlines()
    assert lines[0].startswith("error: 6 files: the run has no serial number; for")
    assert "    [identity]" in lines
    assert len(lines) == 5
    assert result.stdout == ""


def test_the_account_is_a_page(call: Command, reports: Path) -> None:
    """It is complete in itself, and what reports say is no markup."""
    summary(call, reports)
    call("ledger", "report", "--html", "account.html")
    page = Path("account.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "teststand-xml" in page
    assert "<td>3</td>" in page


def test_no_batch_is_lost(call: Command, tmp_path: Path) -> None:
    """Of more files than a few batches each has its result."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(100):
        content = NO_SERIAL.replace(b"P,m", b"P%d,m" % number)
        (folder / f"r{number}.csv").write_bytes(content)
    result = summary(call, folder, "--serial-from", "file-name")
    assert (result["sources"], result["runs"]) == (100, 100)


@pytest.mark.parametrize("option", ["--bad-copy", "--bad-move"])
def test_what_is_known_is_treated_too(
    call: Command, reports: Path, tmp_path: Path, option: str
) -> None:
    """An import that is killed between its note and a move leaves that to the next."""
    bad = reports / "bad.xml"
    bad.write_bytes(b"<bad")
    os.utime(bad, (OLD, OLD))
    summary(call, reports, code=1)
    after = ("--after", "move", "--after-folder", "done", option, "bad")
    found = summary(call, reports, *after, code=1)
    assert (found["imported_before"], found["failed_before"]) == (2, 1)
    assert {path.name for path in Path("done").iterdir()} == {
        "teststand-batch-of-two.xml",
        "openhtf-with-attachment.json",
    }
    assert "bad.xml" in (tmp_path / "bad" / "bad.xml.reason.txt").read_text()
    assert bad.exists() == (option == "--bad-copy")
    assert call("ledger", "report", "--verify")


def test_a_file_is_moved_once_the_ledger_has_it(
    call: Command, reports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else an import that is killed then would leave its runs in no account."""
    noted: list[bool] = []
    finish = Afterwards.finish

    def finished(self: Afterwards, result: SourceResult) -> None:
        ledger = Ledger.open(Path("data"))
        noted.append(result.key in {entry.path for entry in ledger.entries()})
        ledger.close()
        finish(self, result)

    monkeypatch.setattr(Afterwards, "finish", finished)
    summary(call, reports, "--after", "delete")
    assert noted == [True, True]
    assert list(reports.iterdir()) == []


def test_what_a_store_did_not_find_is_tried_again(tmp_path: Path) -> None:
    """The parts of an assembly may have arrived by another import meanwhile."""
    path = tmp_path / "a.xml"
    path.write_bytes(b"<a/>")
    os.utime(path, (OLD, OLD))
    found = FoundSource.of_path(path)
    error = NotFoundError("no such sub-unit", status=404)
    with closing(Ledger.open(tmp_path)) as ledger:
        past = PastImports(ledger, "there", "settings")
        refused = attrs.evolve(passed_over(found), skipped=False, errors=(error,))
        assert list(past.noted([refused])) == [refused]
        passed: dict[object, object] = {}
        assert list(past.new([found], passed.__setitem__)) == [found]
        assert passed == {}


def test_a_copy_is_moved_like_what_it_is_a_copy_of(
    call: Command, reports: Path, tmp_path: Path
) -> None:
    """Where a report lay makes no other run of it."""
    shutil.copy(reports / "teststand-batch-of-two.xml", reports / "copy.xml")
    done = tmp_path / "done"
    summary(call, reports, "--after", "move", "--after-folder", done)
    assert not list(reports.iterdir())


def test_what_differs_is_named_and_replaced(call: Command, reports: Path) -> None:
    """Another zone makes other runs of the same files, under the ids that they have."""
    summary(call, reports)
    there = ("--again", "--time-zone", "Europe/Berlin")
    result = call("import", reports, *there)
    assert "there already, but differs: " in result.stderr
    assert "started_at" in result.stderr
    result = call("import", reports, *there, "--replace", "--json")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert lines[-1]["replaced"] == 2
    assert {run["status"] for line in lines[:-1] for run in line["runs"]} == {
        "known",
        "replaced",
    }
    found = account(call)
    assert found["runs"] == {"created": 1, "replaced": 2}
    assert found["verified"]["is_equal"]
    last = call("import", reports, *there, "--json").stdout.splitlines()[-1]
    assert json.loads(last)["different"] == 0


def test_nothing_is_replaced_where_that_cannot_be(call: Command) -> None:
    """Who asks for it learns the reason before a file is read."""
    with pytest.raises(ConfigurationError, match="imported before"):
        call("import", "x.csv", "--replace")


def test_a_replacement_that_is_cut_off_is_made_good(
    call: Command, reports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store may have lost the old run and not have the new one: it is read again."""
    summary(call, reports)

    def cut_off(sources: Iterable[FoundSource], *_: object, **__: object) -> Any:
        yield SourceResult(source=next(iter(sources)).uri, tried=False)
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(rigbridge.imports, "import_sources", cut_off)
        with pytest.raises(RuntimeError):
            summary(call, reports, "--again", "--replace")
    assert account(call)["stored"] == 3
    assert summary(call, reports)["there_already"] == 3
    assert summary(call, reports)["imported_before"] == 2


def test_other_options_are_said_and_change_nothing(
    call: Command, reports: Path
) -> None:
    """What is stored stays as it is; --again would compare it."""
    summary(call, reports)
    result = call("import", reports, "--attach-source", "--time-zone", "UTC")
    assert "2 files imported before under other settings" in result.stderr
    assert summary(call, reports)["imported_otherwise"] == 0

"""Plans of imports: what they say, and that following one does just that."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rigbridge.errors import ConfigurationError

Command = Callable[..., Any]
NO_SERIAL = b"procedure,measurement,value,outcome\nP,m,1,PASS\n"
UTC = ("--time-zone", "UTC")


def planned(call: Command, *words: str | Path, code: int = 0) -> list[Any]:
    """Make a plan, and give its lines."""
    call("import", *words, "--plan", "plan.jsonl", *UTC, code=code)
    return [json.loads(line) for line in Path("plan.jsonl").read_text().splitlines()]


def followed(call: Command, *words: str | Path, code: int = 0) -> tuple[Any, str]:
    """Follow the plan; give the sums, and what was said."""
    result = call(
        "import", "--from-plan", "plan.jsonl", "--json", *UTC, *words, code=code
    )
    return json.loads(result.stdout.splitlines()[-1]), result.stderr


def test_a_plan_is_followed_exactly(call: Command, reports: Path) -> None:
    """What was changed since or is gone is named and left; the rest is imported."""
    (reports / "gone.csv").write_bytes(NO_SERIAL)
    lines = planned(call, reports, code=1)
    assert not Path("data").exists()
    assert [line["event"] for line in lines] == ["plan", *["source"] * 3, "summary"]
    assert all(line["score"] and line["reason"] for line in lines[1:-1])
    sums = lines[-1]
    assert (sums["runs"], sums["units"], sums["to_quarantine"]) == (3, 3, 1)
    assert {each["becomes"] for each in sums["procedures"]} == {"to be created"}
    (reports / "gone.csv").unlink()
    (reports / "new.csv").write_bytes(NO_SERIAL)
    path = reports / "openhtf-with-attachment.json"
    path.write_bytes(path.read_bytes() + b"\n")
    sums, said = followed(call, code=1)
    assert (sums["sources"], sums["runs"]) == (1, 2)
    assert "gone.csv: is gone since the plan was made" in said
    assert f"{path.name}: was changed since the plan was made" in said


def test_members_of_archives_are_found_again(call: Command, reports: Path) -> None:
    """Each archive is opened once, whatever the order of the plan is."""
    files = sorted(reports.iterdir())
    for name in ("one", "two!"):
        folder = reports / name
        folder.mkdir()
        with zipfile.ZipFile(folder / "all.zip", "w") as archive:
            for file in files:
                archive.write(file, file.name)
    for file in files:
        file.unlink()
    lines = planned(call, reports)
    # The lines of both among each other, as several processes give them.
    mixed = [lines[0], *lines[1:-1:2], *lines[2:-1:2], lines[-1]]
    Path("plan.jsonl").write_text("\n".join(map(json.dumps, mixed)))
    assert lines[-1]["runs_repeated"] == 3
    (reports / "two!" / "all.zip").unlink()
    sums, said = followed(call, code=1)
    assert (sums["sources"], sums["runs"]) == (2, 3)
    assert said.count("all.zip!/") == 2


def test_a_plan_knows_what_is_imported(call: Command, reports: Path) -> None:
    """That is not read again, and its procedures are there."""
    shutil.move(reports / "openhtf-with-attachment.json", "later.json")
    call("import", reports, *UTC)
    shutil.move("later.json", reports / "later.json")
    lines = planned(call, reports)
    assert [line["imported_before"] for line in lines[1:-1]] == [True, False]
    assert lines[-1]["files_to_import"] == 1
    lines = planned(call, reports, "--again")
    becomes = {each["becomes"] for each in lines[-1]["procedures"]}
    assert becomes == {"is there", "to be created"}
    assert followed(call)[0]["runs"] == 1


def test_several_processes_plan_the_same(call: Command, reports: Path) -> None:
    """The lines differ in their order at most."""

    def found(jobs: str) -> list[Any]:
        lines = planned(call, reports, "--jobs", jobs)[:-1]
        return sorted(lines, key=json.dumps)

    assert found("2") == found("1")


def test_another_adapter_than_planned_is_named(call: Command, reports: Path) -> None:
    """The file is imported, and the difference is said."""
    lines = planned(call, reports)
    lines[1]["adapter"] = "nobody"
    Path("plan.jsonl").write_text("\n".join(map(json.dumps, lines)))
    sums, said = followed(call)
    assert sums["runs"] == 3
    assert "was to be read by nobody, was by openhtf-json" in said


def test_other_options_than_planned_are_named(call: Command, reports: Path) -> None:
    """Another zone makes other runs than the plan says."""
    planned(call, reports)
    _, said = followed(call, "--attach-source")
    assert "made with other options (attach source False)" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--from-plan", "cut.jsonl"), "no complete plan"),
        (("--from-plan", "gone.jsonl"), "cannot be used"),
        (("--from-plan", "plan.jsonl", "more.csv"), "by paths or by a plan"),
        (("--from-plan", "plan.jsonl", "--to", "https://x.example"), "was made for"),
        ((), "by paths or by a plan"),
    ],
)
def test_a_plan_that_cannot_be_followed_is_refused(
    call: Command, reports: Path, words: tuple[str, ...], message: str
) -> None:
    """Before anything is read, with the reason."""
    planned(call, reports)
    text = Path("plan.jsonl").read_text()
    Path("cut.jsonl").write_text(text[: text.rindex("{")])
    with pytest.raises(ConfigurationError, match=message):
        call("import", *words, "--api-key", "x", *UTC)


def test_a_dry_run_shows_tables(call: Command, reports: Path) -> None:
    """By adapter, procedure and reason, with an estimate; only what is to be read."""
    text = call("import", reports, "--dry-run", *UTC).stdout
    for words in ("To be read by", "Procedures", "to be created", "Rule or reason"):
        assert words in text
    assert "the import takes about" in text
    call("import", reports, *UTC)
    assert "Procedures" not in call("import", reports, "--dry-run", *UTC).stdout

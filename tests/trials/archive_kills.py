"""
Kill test of imports: an archive is imported, killed, resumed, and compared with truth.

An archive of generated reports (see ``generated_archive.py``) is imported by the
command itself with two processes that read. It is killed again and again: the whole
group of processes with SIGKILL, one worker with SIGKILL while the import goes on, or by
Ctrl-C. After each end the same command is given again. In the end the ledger, its
account, the account compared with the store, and the tables and contents of the store
are compared with what was generated, file by file and run by run. One more import must
do nothing, and one with ``--again`` must change nothing.

Run it by hand: ``python tests/trials/archive_kills.py [--files N] [--kills N]
[--seed N] [--after move] [--folder DIR]``. It prints each difference, then a line of
JSON, and ends with 1 if there is any.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import attrs
from generated_archive import (  # type: ignore[import-not-found]  # beside this
    TrueFile,
    write_archive,
)

from rigbridge.ledger import Ledger, LedgerEntry, ledger_path

_MOST_SHOWN = 40


@attrs.frozen(kw_only=True)
class Trial:
    """
    One archive, and the folder that it is imported into.

    Attributes:
        folder: where all of it lies.
        files: the truth.
        moves: whether files are moved away once they are imported.
    """

    folder: Path
    files: list[TrueFile]
    moves: bool

    @property
    def reports(self) -> Path:
        """The archive."""
        return self.folder / "reports"

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        """Start an import in a group of processes of its own."""
        command = [sys.executable, "-m", "rigbridge", "import", str(self.reports)]
        command += ["--data", str(self.data), "--time-zone", "UTC", "--jobs", "2"]
        if self.moves:
            command += ["--after", "move", "--after-folder", str(self.folder / "moved")]
        with (self.folder / "import.log").open("ab") as log:
            return subprocess.Popen(
                [*command, *options],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
            )

    def import_all(self, *options: str) -> int:
        """Import to the end; gives the exit code."""
        return self.start(*options).wait()

    def stored(self) -> int:
        """Count the runs that are stored by now."""
        with suppress(sqlite3.Error), closing(self.opened()) as connection:
            return int(connection.execute("SELECT count(*) FROM runs").fetchone()[0])
        return 0

    def opened(self) -> sqlite3.Connection:
        """Open the tables of the store to read them."""
        return sqlite3.connect(f"file:{self.data / 'store.sqlite'}?mode=ro", uri=True)

    def entries(self) -> dict[str, list[LedgerEntry]]:
        """Give what the ledger holds, by the place in the archive."""
        found: dict[str, list[LedgerEntry]] = defaultdict(list)
        above = ledger_path(self.reports) + b"/"
        with closing(Ledger.open(self.data)) as ledger:
            for entry in ledger.entries():
                found[entry.path.removeprefix(above).decode()].append(entry)
        return found


def kill(trial: Trial, times: int, chance: random.Random) -> Counter[str]:
    """Import and kill; gives how often what was done. The import is not at its end."""
    done: Counter[str] = Counter()
    whole = sum(not run.is_kept for file in trial.files for run in file.runs)
    process = trial.start()
    for at in range(times):
        # By what is stored and not by time: the machine may be busy or not.
        goal = whole * at // (times + 1)
        while process.poll() is None and trial.stored() < goal:
            time.sleep(0.02)
        time.sleep(chance.random() * 0.5)
        kind = ("group", "worker", "ctrl-c")[at % 3]
        if process.poll() is not None:
            kind = "too late"
        elif kind == "worker":
            workers = list(_children(process.pid))
            if workers:
                with suppress(ProcessLookupError):
                    os.kill(chance.choice(workers), signal.SIGKILL)
        else:
            number = signal.SIGKILL if kind == "group" else signal.SIGINT
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            process.wait()
        done[kind] += 1
        if kind != "worker":
            process = trial.start()
    done[f"exit {process.wait()}"] += 1
    return done


def _children(process: int) -> Iterator[int]:
    for task in Path(f"/proc/{process}/task").iterdir():
        with suppress(OSError):
            yield from map(int, (task / "children").read_text("ascii").split())


def compared_ledger(trial: Trial) -> Iterator[str]:
    """Compare each file, and then their sums."""
    entries = trial.entries()
    for place in entries.keys() - {file.place for file in trial.files}:
        yield f"ledger: {place} is no file of the archive"
    equal: dict[str, list[TrueFile]] = defaultdict(list)
    for file in trial.files:
        equal[file.digest].append(file)
        found = entries.get(file.place, [])
        if len(found) != 1:
            yield f"ledger: {file.place} has {len(found)} entries"
        for entry in found:
            yield from _compared_entry(file, entry)
    for files in equal.values():
        verdicts = Counter(
            str(entry.verdict)
            for file in files
            for entry in entries.get(file.place, [])
        )
        wanted = Counter(file.verdict for file in files)
        if files[0].verdict == "imported" and len(files) > 1:
            wanted = Counter(imported=1, duplicate=len(files) - 1)
        if verdicts != wanted:
            places = ", ".join(file.place for file in files)
            yield f"ledger: {places}: {dict(verdicts)} instead of {dict(wanted)}"


def _compared_entry(file: TrueFile, entry: LedgerEntry) -> Iterator[str]:
    if entry.size != len(file.content):
        yield f"ledger: {file.place} has {entry.size} bytes, not {len(file.content)}"
    if entry.digest not in {file.digest, None} or (
        entry.digest is None and file.verdict not in {"failed", "empty"}
    ):
        yield f"ledger: {file.place} has the digest {entry.digest}"
    if entry.adapter != file.adapter:
        yield f"ledger: {file.place} was read by {entry.adapter}, not {file.adapter}"
    if entry.verdict == "duplicate":
        return
    wanted = Counter(
        (str(run_id), False, 0, 0)
        if run.is_kept
        else (str(run_id), True, run.measurements, len(run.attachments))
        for run_id, run in zip(file.run_ids, file.runs, strict=True)
    )
    found = Counter(
        (str(run.id), run.status.is_stored, run.measurements, run.attachments)
        for run in entry.runs
    )
    for run in (wanted - found).elements():
        yield f"ledger: {file.place} lacks the run {run}"
    for run in (found - wanted).elements():
        yield f"ledger: {file.place} has the run {run}"


def compared_account(trial: Trial) -> Iterator[str]:
    """Compare what ``ledger report`` prints."""
    command = [sys.executable, "-m", "rigbridge", "ledger", "report", "--json"]
    command += ["--verify", "--data", str(trial.data)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        account = json.loads(answer.stdout)
    except ValueError:
        yield f"account: exit code {answer.returncode}: {answer.stderr}"
        return
    digests: set[str] = set()
    verdicts: Counter[str] = Counter()
    readers: Counter[tuple[str | None, str]] = Counter()
    for file in trial.files:
        is_copy = file.verdict == "imported" and file.digest in digests
        digests.add(file.digest)
        verdicts["duplicate" if is_copy else file.verdict] += 1
        readers[file.adapter, "files"] += 1
        if not is_copy:
            stored = sum(not run.is_kept for run in file.runs)
            readers[file.adapter, "runs"] += stored
    runs = {
        run_id: run
        for file in trial.files
        for run_id, run in zip(file.run_ids, file.runs, strict=True)
    }
    held = [run for run in runs.values() if not run.is_kept]
    found_runs = Counter(account["runs"])
    quarantined = found_runs.pop("quarantined", 0)
    wanted = {
        "files": dict(verdicts),
        "size": sum(len(file.content) for file in trial.files),
        "stored": len(held),
        "measurements": sum(run.measurements for run in held),
        "attachments": sum(len(run.attachments) for run in held),
        "runs in quarantine": len(runs) - len(held),
        # Created by one import, known to the next.
        "runs": len(held),
        "adapters": {f"{name} {what}": n for (name, what), n in readers.items() if n},
        "verified": (True, len(held), 0, []),
    }
    verified = account["verified"]
    found = {
        **{name: account[name] for name in list(wanted)[:5]},
        "runs in quarantine": quarantined,
        "runs": found_runs["created"] + found_runs["known"],
        "adapters": {
            f"{each['name']} {what}": each[what]
            for each in account["adapters"]
            for what in ("files", "runs")
            if each[what]
        },
        "verified": tuple(
            verified[name] for name in ("is_equal", "runs", "others", "differences")
        ),
    }
    for name, value in wanted.items():
        if found[name] != value:
            yield f"account: {name}: {found[name]} instead of {value}"
    if set(found_runs) - {"created", "known"}:
        yield f"account: runs: {dict(found_runs)}"


def compared_store(trial: Trial) -> Iterator[str]:
    """Compare the tables and the contents, and what lies in quarantine."""
    wanted: dict[str, Any] = {}
    units: set[str] = set()
    pairs: set[tuple[str, str]] = set()
    kept: set[str] = set()
    for file in trial.files:
        for run_id, run in zip(file.run_ids, file.runs, strict=True):
            if run.is_kept:
                kept.add(str(run_id))
                continue
            serial = run.serial_number or ""
            units.add(serial)
            pairs |= {(serial, part) for part in run.sub_units}
            files = sorted(run.attachments)
            wanted[str(run_id)] = (serial, run.measurements, files)
    with closing(trial.opened()) as connection:
        files_of: dict[str, list[str]] = defaultdict(list)
        query = (
            "SELECT r.id, coalesce(a.sha256, '') FROM attachments a"
            " JOIN runs r ON r.key = a.run_key"
        )
        for run, digest in connection.execute(query):
            files_of[run].append(digest)
        query = (
            "SELECT r.id, u.serial_number, (SELECT count(*) FROM measurements m WHERE"
            " m.run_key = r.key) FROM runs r LEFT JOIN units u ON u.key = r.unit_key"
        )
        rows = list(connection.execute(query))
        yield from _unequal(
            "store: the units",
            units,
            {
                serial
                for (serial,) in connection.execute("SELECT serial_number FROM units")
            },
        )
        query = (
            "SELECT a.serial_number, b.serial_number FROM unit_sub_units s JOIN units a"
            " ON a.key = s.parent_key JOIN units b ON b.key = s.child_key"
        )
        yield from _unequal("store: sub-units", pairs, set(connection.execute(query)))
    for run, count in Counter(row[0] for row in rows).items():
        if count > 1:
            yield f"store: run {run} is stored {count} times"
    found = {run: (serial, n, sorted(files_of[run])) for run, serial, n in rows}
    for run in wanted.keys() | found.keys():
        if wanted.get(run) != found.get(run):
            yield f"store: run {run}: {found.get(run)} instead of {wanted.get(run)}"
    contents = {
        path.name for path in (trial.data / "attachments").rglob("*") if path.is_file()
    }
    digests = {digest for _, _, files in wanted.values() for digest in files}
    yield from _unequal("store: contents", digests - {""}, contents)
    folder = trial.data / "quarantine"
    lying = {path.name for path in folder.iterdir()} if folder.is_dir() else set[str]()
    yield from _unequal("quarantine", kept, lying)


def _unequal(what: str, wanted: set[Any], found: set[Any]) -> Iterator[str]:
    for each in wanted - found:
        yield f"{what} lack {each}"
    for each in found - wanted:
        yield f"{what} have {each}"


def compared_folders(trial: Trial) -> Iterator[str]:
    """Compare where the files are: each is there once, as it was."""
    moved = trial.folder / "moved"
    for file in trial.files:
        if "!/" in file.place:
            continue
        is_done = trial.moves and file.verdict == "imported"
        here, there = trial.reports / file.place, moved / file.place
        place, other = (there, here) if is_done else (here, there)
        if not place.is_file() or place.read_bytes() != file.content:
            yield f"folders: {place} is not there as it was"
        if other.exists():
            yield f"folders: {other} is there, too"
    outer = {file.place.partition("!/")[0] for file in trial.files}
    lying = {
        path.relative_to(folder).as_posix()
        for folder in (trial.reports, moved)
        for path in folder.rglob("*")
        if path.is_file()
    }
    yield from _unequal("folders", outer, lying)


def compared(trial: Trial) -> list[str]:
    """Compare all there is."""
    return [
        *compared_ledger(trial),
        *compared_account(trial),
        *compared_store(trial),
        *compared_folders(trial),
    ]


def state(trial: Trial) -> dict[str, Any]:
    """Give the rows of the store, and the ledger without what each look changes."""
    with closing(trial.opened()) as connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'table'"
        tables = [name for (name,) in connection.execute(query)]
        rows = {
            f"table {name}": sorted(
                map(repr, connection.execute(f"SELECT * FROM {name}"))  # noqa: S608 - its own
            )
            for name in tables
        }
    entries = {
        f"entry {place}": [
            {
                **attrs.asdict(each, recurse=False),
                "seen_ns": 0,
                # Which of two equal files is the copy is told by who comes first.
                "verdict": "" if copies else each.verdict,
                "same_as": None,
                "runs": () if copies else [run.id for run in each.runs],
                "amounts": {} if copies else each.amounts,
            }
            for each in found
        ]
        for place, found in trial.entries().items()
        for copies in [_is_copied(trial, place)]
    }
    return {**rows, **entries}


def _is_copied(trial: Trial, place: str) -> bool:
    of_place = {file.place: file.digest for file in trial.files}
    return Counter(of_place.values())[of_place.get(place, "")] > 1


def changed(before: dict[str, Any], after: dict[str, Any], what: str) -> list[str]:
    """Name what an import changed that was to change nothing."""
    return [
        f"{what}: {name} changed"
        for name in before.keys() | after.keys()
        if before.get(name) != after.get(name)
    ]


def main() -> int:
    """Do it all; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1500)
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--after", choices=("keep", "move"), default="keep")
    parser.add_argument("--folder", type=Path, help="kept, to look at it")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rigbridge-archive-") as temporary:
        folder = given.folder or Path(temporary)
        files = write_archive(folder / "reports", given.files, given.seed)
        trial = Trial(folder=folder, files=files, moves=given.after == "move")
        chance = random.Random(given.seed)  # noqa: S311 - to be repeatable
        began = time.monotonic()
        done = kill(trial, given.kills, chance)
        seconds = time.monotonic() - began
        wrong = compared(trial)
        before = state(trial)
        trial.import_all()
        wrong += changed(before, state(trial), "second import")
        trial.import_all("--again")
        wrong += changed(before, state(trial), "--again")
        wrong += [f"after --again: {text}" for text in compared(trial)]
        runs = trial.stored()
    for text in wrong[:_MOST_SHOWN]:
        print(text)
    found = {
        "seed": given.seed,
        "files": len(files),
        "runs": runs,
        "kills": dict(done),
        "seconds": round(seconds),
        "wrong": len(wrong),
    }
    print(json.dumps(found))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""Reports read in several processes: the same as in one, whatever dies."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from rigbridge.configuration import Configuration
from rigbridge.destinations import DestinationSettings
from rigbridge.imports import AdapterSet, SourceResult, import_sources, workers
from rigbridge.imports.batches import LARGE, batches_of
from rigbridge.machine.sqlite_files import LOCK_FILE
from rigbridge.opening import open_destination
from rigbridge.sources import FoundSource, Scan

_FILES = 72
"""More than two batches."""

_HEAD = "serial_number,procedure,measurement,value,outcome\n"


@pytest.fixture(scope="module", name="reports")
def _reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    for number in range(_FILES):
        content = f"{_HEAD}S{number},P,m,{number}.5,PASS\n"
        (folder / f"{number:03}.csv").write_text(content)
    return folder


def settings_of(data: Path) -> Configuration:
    """Give settings for the embedded store of a folder."""
    return Configuration(destination_settings=DestinationSettings(data=data))


def imported(reports: Path, data: Path, jobs: int) -> Iterator[SourceResult]:
    """Import a folder, result by result."""
    configuration = settings_of(data)
    destination = open_destination(configuration)
    try:
        yield from import_sources(
            Scan([str(reports)]),
            AdapterSet(configuration),
            configuration,
            destination,
            jobs=jobs,
        )
    finally:
        destination.close()


def facts(results: Sequence[SourceResult]) -> set[Any]:
    """Give what has to be equal, whoever has read."""
    return {
        (
            result.source,
            result.digest,
            result.adapter,
            tuple((run.id, run.status, run.measurements) for run in result.runs),
            tuple(map(str, result.errors)),
            str(result.report.as_document()),
        )
        for result in results
    }


class TestBatches:
    """What one process reads at a time."""

    def test_a_large_file_does_not_hold_up_small_ones(self) -> None:
        """It is a batch of its own, given before the small ones around it are full."""
        sizes = [10, LARGE, 10, LARGE // 2, LARGE // 2]
        sources = [
            FoundSource(name=str(at), uri=str(at), opener=open, size=size)  # type: ignore[arg-type]
            for at, size in enumerate(sizes)
        ]
        found = [[at for at, _ in batch.sources] for batch in batches_of(sources)]
        assert found == [[1], [0, 2, 3], [4]]


class TestProcesses:
    """Several processes on one import."""

    def test_what_is_imported_does_not_depend_on_them(
        self, reports: Path, tmp_path: Path
    ) -> None:
        """One process and two give the same results."""
        one = list(imported(reports, tmp_path / "one", 1))
        two = list(imported(reports, tmp_path / "two", 2))
        assert len(one) == len(two) == _FILES
        assert facts(one) == facts(two)

    def test_a_worker_that_is_killed_costs_nothing(
        self, reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What it had in hand is read by another one."""
        started: list[subprocess.Popen[bytes]] = []
        start = subprocess.Popen

        def watched(*arguments: Any, **options: Any) -> Any:
            started.append(start(*arguments, **options))
            return started[-1]

        monkeypatch.setattr(subprocess, "Popen", watched)
        results: list[SourceResult] = []
        for result in imported(reports, tmp_path / "data", 2):
            if not results:
                started[0].kill()
            results.append(result)
        assert all(result.succeeded for result in results)
        assert len({run.id for result in results for run in result.runs}) == _FILES
        assert all(process.poll() is not None for process in started)

    def test_a_file_that_kills_is_named_and_costs_itself_alone(
        self, reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The others of its batch are imported, and what of it was stored is told."""
        folder = tmp_path / "reports"
        shutil.copytree(reports, folder)
        lines = (f"D{number},P,m,1,PASS\n" for number in range(40))
        (folder / "007.csv").write_text(_HEAD + "".join(lines))
        deadly = (
            f"import sys; sys.path[:] = {sys.path!r}\n"
            "import os\n"
            "from rigbridge.imports import blocks, worker\n"
            "read = blocks.read_source\n"
            "def read_source(source, *rest, **options):\n"
            "    yield from read(source, *rest, **options)\n"
            "    if source.name == '007.csv':\n"
            "        os._exit(7)\n"
            "blocks.read_source = read_source\n"
            f"worker.serve({os.getpid()})\n"
        )
        command = [sys.executable, "-c", deadly]
        monkeypatch.setattr(workers, "worker_command", lambda: command)
        results = list(imported(folder, tmp_path / "data", 2))
        (failed,) = [result for result in results if not result.succeeded]
        assert failed.source.endswith("007.csv")
        assert "ended the process, 3 times (exit code 7)" in str(failed.errors[0])
        assert len(failed.runs) == 32
        assert sum(len(result.runs) for result in results) == _FILES - 1 + 32

    @pytest.mark.skipif(os.name == "nt", reason="Windows holds no signals back")
    def test_an_interrupt_while_a_process_starts_is_its_parents(
        self, reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A process that still loads its modules does not end by Ctrl-C."""
        code = (
            "import os, signal; os.kill(os.getpid(), signal.SIGINT)\n"
            "from rigbridge.imports import worker\n"
            f"worker.serve({os.getpid()})\n"
        )
        command = [sys.executable, "-c", code]
        monkeypatch.setattr(workers, "worker_command", lambda: command)
        assert len(list(imported(reports, tmp_path / "data", 2))) == _FILES

    @pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for children")
    def test_an_import_that_is_killed_is_taken_up_again(
        self, reports: Path, tmp_path: Path
    ) -> None:
        """No process is left, and each run is stored once."""
        data = tmp_path / "data"
        code = (
            "import sys; from pathlib import Path\n"
            f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
            "from test_workers import imported\n"
            "for result in imported(Path(sys.argv[1]), Path(sys.argv[2]), 2):\n"
            "    print(result.source, flush=True)\n"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(reports), str(data)],
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        with process.stdout:
            assert process.stdout.readline()
            children = children_of(process.pid)
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert children
        deadline = time.monotonic() + 30
        while any(map(is_alive, children)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not any(map(is_alive, children))
        results = list(imported(reports, data, 1))
        statuses = {run.status.value for result in results for run in result.runs}
        assert statuses == {"created", "known"}
        assert len({run.id for result in results for run in result.runs}) == _FILES
        # What the killed one had laid aside is gone, too.
        left = [path.name for path in (data / "importing").iterdir()]
        assert left == [LOCK_FILE]


def children_of(process: int) -> list[int]:
    """List the processes that a process has started."""
    path = Path(f"/proc/{process}/task/{process}/children")
    return list(map(int, path.read_text().split()))


def is_alive(process: int) -> bool:
    """Whether a process still runs; one that only waits to be reaped does not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return state.rpartition(")")[2].split()[0] != "Z"

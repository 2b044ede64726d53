"""The same import on the workers of a cluster, some of which die."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import distributed
import pytest

from rigbridge.configuration import Configuration, load_configuration
from rigbridge.destinations.selection import RunSelection
from rigbridge.errors import ConfigurationError
from rigbridge.imports import AdapterSet, SourceResult, import_sources
from rigbridge.ledger import RunStatus
from rigbridge.model import Run
from rigbridge.opening import open_destination
from rigbridge.sources import Scan
from rigbridge_store.destination import LocalDestination

COUNT = 200
REPORT = (
    "serial_number,procedure,measurement,value,outcome\n{serial},P,voltage,3.3,PASS\n"
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[distributed.LocalCluster]:
    """Two processes that read."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0"
    ) as made:
        yield made


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """Reports, of which every fiftieth is bad."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    for number in range(COUNT):
        text = "\x00 no report" if number % 50 == 0 else REPORT
        (folder / f"{number}.csv").write_text(text.format(serial=f"SN{number}"))
    return folder


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    """Settings that read the reports."""
    return load_configuration(to="local", data=tmp_path / "data", time_zone="UTC")


def imported(
    inbox: Path,
    configuration: Configuration,
    address: str,
    *,
    meanwhile: Callable[[], object] = lambda: None,
    warn: Callable[[str], None] = lambda _: None,
) -> list[SourceResult]:
    """Import the folder, and do something once the first file is there."""
    destination = open_destination(configuration)
    results: list[SourceResult] = []
    try:
        for result in import_sources(
            Scan((inbox,)),
            AdapterSet(configuration),
            configuration,
            destination,
            cluster=address,
            warn=warn,
        ):
            if not results:
                meanwhile()
            results.append(result)
        assert isinstance(destination, LocalDestination)
        found = destination.read_runs(RunSelection())
        stored = sorted(run.id for run in found if isinstance(run, Run))
    finally:
        destination.close()
    assert stored == sorted(run.id for result in results for run in result.runs)
    return results


@pytest.mark.skipif(os.name == "nt", reason="kills as POSIX does")
def test_a_lost_worker_costs_nothing(
    inbox: Path, configuration: Configuration, cluster: distributed.LocalCluster
) -> None:
    """Each file has one result, each run is stored once; again, nothing is new."""
    address = cluster.scheduler_address

    def kill() -> None:
        client = distributed.Client(address, set_as_default=False)
        pids = client.run(os.getpid)
        client.close()
        os.kill(min(pids.values()), signal.SIGKILL)

    results = imported(inbox, configuration, address, meanwhile=kill)
    assert len(results) == len({result.source for result in results}) == COUNT
    good = [result for result in results if result.succeeded]
    assert len(good) == COUNT - COUNT // 50
    assert {run.status for result in good for run in result.runs} == {RunStatus.CREATED}
    again = imported(inbox, configuration, address)
    statuses = {run.status for result in again for run in result.runs}
    assert statuses == {RunStatus.KNOWN}


def test_nobody_answers(
    inbox: Path, configuration: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address is said."""
    monkeypatch.setattr("rigbridge.imports.cluster._FIRST_PATIENCE", 0.0)
    monkeypatch.setattr("rigbridge.imports.cluster._ATTEMPT", 0.2)
    with pytest.raises(ConfigurationError, match=r"127\.0\.0\.1:9: no scheduler"):
        imported(inbox, configuration, "tcp://127.0.0.1:9")


def test_another_version_is_refused(
    inbox: Path,
    configuration: Configuration,
    cluster: distributed.LocalCluster,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its blocks might have another form."""
    monkeypatch.setattr("rigbridge.__version__", "0.0.1")
    with pytest.raises(ConfigurationError, match=r"this machine 0\.0\.1"):
        imported(inbox, configuration, cluster.scheduler_address)


def test_files_that_workers_do_not_see_are_said(
    cluster: distributed.LocalCluster, configuration: Configuration
) -> None:
    """Before anything is read."""
    with pytest.raises(ConfigurationError, match="does not see /nowhere"):
        imported(Path("/nowhere/a.csv"), configuration, cluster.scheduler_address)


def test_a_worker_that_is_lost_while_it_is_asked_costs_nothing(
    cluster: distributed.LocalCluster,
    configuration: Configuration,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The others are asked again."""
    lost = [OSError("Address removed.")]
    ask = distributed.Client.run

    def asked(self: distributed.Client, *given: Any) -> Any:
        if lost:
            raise lost.pop()
        return ask(self, *given)

    monkeypatch.setattr(distributed.Client, "run", asked)
    with pytest.raises(ConfigurationError, match="does not see /nowhere"):
        imported(Path("/nowhere/a.csv"), configuration, cluster.scheduler_address)


def test_a_cluster_that_lost_all_workers_is_waited_for(
    inbox: Path,
    configuration: Configuration,
    cluster: distributed.LocalCluster,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That is said; what they held is read again by the worker that comes."""
    monkeypatch.setattr("rigbridge.imports.cluster._FIRST_PATIENCE", 0.0)
    said: list[str] = []

    def come(words: str) -> None:
        said.append(words)
        cluster.scale(1)

    results = imported(
        inbox,
        configuration,
        cluster.scheduler_address,
        meanwhile=lambda: cluster.scale(0),
        warn=come,
    )
    assert len(results) == len({result.source for result in results}) == COUNT
    assert ["has no worker any more" in words for words in said] == [True]

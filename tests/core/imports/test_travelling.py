"""What travels to the processes that read: no secret, and no copy that stays behind."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rigbridge.cli.imports.progress import ImportProgress
from rigbridge.configuration import Configuration, load_configuration
from rigbridge.destinations import DestinationSettings
from rigbridge.errors import (
    ConfigurationError,
    PermanentError,
    ServerUnavailableError,
)
from rigbridge.imports import (
    AdapterSet,
    PastImports,
    SourceResult,
    import_sources,
    pipeline,
)
from rigbridge.imports.blocks import Block, ReadSettings
from rigbridge.imports.frames import packed
from rigbridge.ledger import Ledger
from rigbridge.opening import open_destination
from rigbridge.sources import FoundSource, Scan

MEMBERS = 3
HEAD = "serial_number,procedure,measurement,value,outcome\n"
SECRET = "s3cret-of-the-store"


@pytest.fixture(name="archive")
def _archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tar archive of reports that are too large to travel along, and one bad one."""
    spools = tmp_path / "spools"
    spools.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(spools))
    monkeypatch.setattr("rigbridge.sources.members._CARRIED", 100)
    path = tmp_path / "reports.tar"
    with tarfile.open(path, "w") as archive:
        for number in range(MEMBERS):
            rows = f"S{number},P,m,1,PASS\n" + f",,m{number},2,PASS\n" * 20
            content = (HEAD + rows if number else "\0" * 500).encode()
            info = tarfile.TarInfo(f"{number}.csv")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    os.utime(path, (1_600_000_000, 1_600_000_000))
    return path


def copies(tmp_path: Path) -> list[Path]:
    """List the temporary copies of members."""
    return list((tmp_path / "spools").glob("rigbridge-members-*/*"))


def local(tmp_path: Path) -> Configuration:
    """Give settings for a store of this test."""
    return load_configuration(to="local", data=tmp_path / "data", time_zone="UTC")


@pytest.mark.parametrize("way", ["stored", "dry run", "process", "passed over"])
def test_copies_of_members_go_with_their_sources(
    archive: Path, tmp_path: Path, way: str
) -> None:
    """When all have ended, none is left, long before the scan is closed."""
    configuration = local(tmp_path)
    ledger = Ledger.open(configuration.data)
    past = PastImports(ledger, "local", "settings")
    jobs = 2 if way == "process" else 1
    for _ in range(2 if way == "passed over" else 1):
        destination = None if way == "dry run" else open_destination(configuration)
        with Scan((archive,)) as scan:
            results = import_sources(
                past.new(scan, lambda *_: None) if way == "passed over" else scan,
                AdapterSet(configuration),
                configuration,
                destination,
                jobs=jobs,
            )
            count = len(list(past.noted(results)))
            assert copies(tmp_path) == []
        if destination is not None:
            destination.close()
    ledger.close()
    assert count == (0 if way == "passed over" else MEMBERS)


def test_what_is_counted_beforehand_is_not_unpacked(
    archive: Path, tmp_path: Path
) -> None:
    """To know how many there are, an archive would have to lie in the folder twice."""
    with Scan((archive,)) as scan:
        progress = ImportProgress(scan, shown=False)
        assert len(copies(tmp_path)) == 1
        assert len(list(progress)) == MEMBERS


def test_no_secret_travels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a key nor the settings of any store or server."""
    configuration = Configuration(
        destination_settings=DestinationSettings(
            data=tmp_path,
            url=f"https://u:{SECRET}@rigs.example",
            api_key=SECRET,
            database=f"postgresql://u:{SECRET}@db/x",
            proxy=f"http://u:{SECRET}@proxy",
            own={"token": SECRET},
        ),
        to=f"kafka://u:{SECRET}@host/topic",
        destinations={"kafka": {"password": SECRET}},
        outbox={"token": SECRET},
        server={"key": SECRET},
        watch=({"password": SECRET},),
    )
    sent: list[ReadSettings] = []

    def noted(_: object, settings: ReadSettings, *__: object) -> Iterator[Block]:
        sent.append(settings)
        yield from ()

    monkeypatch.setattr(pipeline, "cluster_blocks", noted)
    sources: list[FoundSource] = []
    results: list[SourceResult] = list(
        import_sources(
            sources, AdapterSet(configuration), configuration, None, cluster="tcp://x:1"
        )
    )
    assert results == []
    assert SECRET.encode() not in packed(sent[0])
    assert sent[0].configuration.data == tmp_path


@pytest.mark.parametrize("attachments", [f"s3://key:{SECRET}@host/bucket", None])
def test_a_password_of_an_address_travels_to_no_cluster(
    tmp_path: Path, attachments: str | None
) -> None:
    """Neither that of a report nor that of the store's attachments."""
    configuration = Configuration(
        destination_settings=DestinationSettings(data=tmp_path, attachments=attachments)
    )
    url = f"https://u:{SECRET}@127.0.0.1:9/report.xml"
    results = import_sources(
        Scan([url]),
        AdapterSet(configuration),
        configuration,
        None,
        cluster="tcp://127.0.0.1:9",
    )
    with pytest.raises(ConfigurationError, match="would travel") as refused:
        next(results)
    assert SECRET not in str(refused.value)


def test_each_file_of_a_group_is_named_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store refuses a group; no error names the files of others."""
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text(f"{HEAD}{name},P,m,1,PASS\n")
    configuration = local(tmp_path)
    destination = open_destination(configuration)

    def refuse(*_: object) -> None:
        raise PermanentError("no such table")

    monkeypatch.setattr(type(destination), "store_prepared", refuse)
    files = [tmp_path / "a.csv", tmp_path / "b.csv"]
    results = import_sources(
        Scan(files), AdapterSet(configuration), configuration, destination
    )
    words = [str(error) for result in results for error in result.errors]
    destination.close()
    assert words == [f"{file}: no such table" for file in files]


def test_a_full_disk_ends_the_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said once, and what comes after is left for the next import."""
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text(f"{HEAD}{name},P,m,1,PASS\n")
    configuration = local(tmp_path)
    destination = open_destination(configuration)

    def full(*_: object) -> None:
        raise ServerUnavailableError("the disk is full")

    monkeypatch.setattr(type(destination), "store_prepared", full)
    files = [tmp_path / "a.csv", tmp_path / "b.csv"]
    first, second = import_sources(
        Scan(files), AdapterSet(configuration), configuration, destination
    )
    destination.close()
    assert [str(error) for error in first.errors] == [f"{files[0]}: the disk is full"]
    assert (first.tried, second.tried) == (True, False)

"""The import pipeline: every file is tried, what goes wrong is named, nothing mixes."""

from __future__ import annotations

import errno
import gc
import io
import os
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest

from rigbridge.adapters import Match, ReadContext, Source, Spool
from rigbridge.adapters.identity import IdentityRules
from rigbridge.configuration import Configuration
from rigbridge.destinations import DestinationSettings, Receipt
from rigbridge.errors import (
    AdapterFailedError,
    BadRequestError,
    MalformedSourceError,
    NoAnswerError,
    NoRunError,
    NotFoundError,
    SourceUnreadableError,
    UnrecognizedSourceError,
)
from rigbridge.imports import (
    AdapterSet,
    InstalledAdapter,
    Quarantine,
    ReadRun,
    SourceResult,
    import_sources,
    pipeline,
    read_source,
    retry_runs,
)
from rigbridge.imports.batches import Batch
from rigbridge.imports.blocks import Block, ReadSettings, read_batch
from rigbridge.ledger import RunStatus
from rigbridge.model import (
    Attachment,
    ProcedureRef,
    Run,
    RunOutcome,
    SubUnit,
    Unit,
)
from rigbridge.model.report import ConversionReport
from rigbridge.outbox.incoming import decode_item, read_run
from rigbridge.sources import FoundSource
from rigbridge.wire import ListedRun


@attrs.frozen
class LineSettings:
    """No settings."""


class LineAdapter:
    """Reads a home-made format: a serial number a line; some words go wrong."""

    name: ClassVar[str] = "lines"
    settings_type: ClassVar[type[LineSettings]] = LineSettings

    def __init__(self, settings: LineSettings | None = None) -> None:
        self.settings = settings

    def detect(self, head: bytes, name: str) -> Match | None:
        """Claim every file of its ending."""
        del head
        return Match(0.5, "its ending") if name.endswith(".lines") else None

    def read(self, source: Source, context: ReadContext) -> Iterator[Run]:
        """Give a run a line."""
        with source.open() as stream:
            lines = stream.read().decode().split()
        for index, serial in enumerate(lines):
            if serial == "BAD":
                error = MalformedSourceError(
                    "is bad", source=source.uri, place=f"line {index + 1}"
                )
                context.failed(error)
                continue
            if serial == "BUG":
                raise KeyError(serial)
            if serial == "DISK":
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            provenance = context.provenance(source, index)
            context.report.mapped("run")
            if serial == "DROP":
                context.report.dropped("line", "unwanted")
            if serial == "LEAVE":
                context.report.omitted("line", "not asked for")
            yield Run(
                id=provenance.run_id,
                outcome=RunOutcome.PASS,
                procedure=ProcedureRef(name="lines"),
                unit=Unit(serial_number=None if serial == "NOBODY" else serial),
                sub_units=(SubUnit(serial_number="PART"),) if serial == "WHOLE" else (),
                source=provenance,
            )


class Shelf:
    """A destination that keeps runs in a list, or fails as told."""

    def __init__(self, error: Exception | None = None) -> None:
        self.runs: list[Run] = []
        self.error = error

    def submit(self, run: Run, report: ConversionReport | None = None) -> Receipt:
        """Keep the run."""
        del report
        if self.error is not None:
            raise copy(self.error)
        if run.unit.serial_number is None:
            raise BadRequestError("no serial number", status=400)
        stored = {item.unit.serial_number for item in self.runs}
        if not {part.serial_number for part in run.sub_units} <= stored:
            raise NotFoundError("no such sub-unit", status=404)
        self.runs.append(run)
        return Receipt(stored_id=str(run.id), created=True)

    def attach(self, stored_id: str, attachment: Attachment) -> None:
        """Take nothing."""

    def list_runs(self, serial_number: str) -> Sequence[ListedRun]:
        """List nothing."""
        del serial_number
        return []

    def close(self) -> None:
        """Close nothing."""


class OnlyLines(AdapterSet):
    """A set of the one adapter above, without an installation."""

    def __init__(self) -> None:
        self._only = None
        installed = InstalledAdapter(adapter=LineAdapter(), version="1")
        self._loaded = [installed], {}


@pytest.fixture(name="configuration")
def _configuration(tmp_path: Path) -> Configuration:
    return Configuration(
        destination_settings=DestinationSettings(data=tmp_path / "data")
    )


def found(content: bytes, name: str) -> FoundSource:
    """Give a source in memory as a scan gives one."""
    return FoundSource(name=name, uri=name, opener=partial(io.BytesIO, content))


def results_of(
    contents: dict[str, bytes],
    configuration: Configuration,
    shelf: Shelf,
    **flags: Any,
) -> list[SourceResult]:
    """Import sources in memory."""
    sources = [found(content, name) for name, content in contents.items()]
    return list(import_sources(sources, OnlyLines(), configuration, shelf, **flags))


class TestReading:
    """One source to its runs."""

    def read(
        self, content: bytes, configuration: Configuration, spool: Spool
    ) -> list[Any]:
        """Read a source."""
        source = Source.from_bytes(content, "a.lines")
        installed = InstalledAdapter(adapter=LineAdapter(), version="1")
        return list(read_source(source, installed, configuration, spool))

    def test_a_bad_run_spares_its_neighbours(
        self, configuration: Configuration, tmp_path: Path
    ) -> None:
        """The error stands in its place among the runs."""
        with Spool(tmp_path) as spool:
            first, error, last = self.read(b"1 BAD 3", configuration, spool)
        assert isinstance(error, MalformedSourceError)
        assert [item.run.unit.serial_number for item in (first, last)] == ["1", "3"]
        assert last.run.source.index == 2

    def test_a_run_goes_with_its_taker(
        self, configuration: Configuration, tmp_path: Path
    ) -> None:
        """The reader keeps none: one may take as much memory as there is."""
        source = Source.from_bytes(b"1 2", "a.lines")
        installed = InstalledAdapter(adapter=LineAdapter(), version="1")
        with Spool(tmp_path) as spool:
            reading = read_source(source, installed, configuration, spool)
            item = next(reading)
            assert isinstance(item, ReadRun)
            completed = weakref.ref(item.run)
            del item
            gc.collect()
            assert completed() is None
            assert len(list(reading)) == 1

    def test_a_mistake_of_the_adapter_is_contained(
        self, configuration: Configuration, tmp_path: Path
    ) -> None:
        """What came before it is kept, and the error names adapter, place and cause."""
        with Spool(tmp_path) as spool:
            first, error = self.read(b"1 BUG 3", configuration, spool)
        assert isinstance(first, ReadRun)
        assert isinstance(error, AdapterFailedError)
        assert "adapter lines broke down at test_imports.py:" in str(error)
        assert isinstance(error.__cause__, KeyError)

    def test_a_disk_that_fails_is_no_mistake_of_the_adapter(
        self, configuration: Configuration, tmp_path: Path
    ) -> None:
        """What the system refuses while an adapter reads is said of the source."""
        with Spool(tmp_path) as spool:
            (error,) = self.read(b"DISK", configuration, spool)
        assert isinstance(error, SourceUnreadableError)
        assert "No space left on device" in str(error)

    def test_nothing_is_no_run(
        self, configuration: Configuration, tmp_path: Path
    ) -> None:
        """A source without a run is reported, not passed over."""
        with Spool(tmp_path) as spool:
            (error,) = self.read(b"  ", configuration, spool)
        assert isinstance(error, NoRunError)


class TestImport:
    """Sources into a destination."""

    def test_one_bad_file_spares_the_rest(self, configuration: Configuration) -> None:
        """The other files of the call still arrive."""
        shelf = Shelf()
        contents = {"a.lines": b"1", "b.txt": b"what", "c.lines": b"2"}
        first, bad, last = results_of(contents, configuration, shelf)
        assert [run.unit.serial_number for run in shelf.runs] == ["1", "2"]
        assert first.succeeded
        assert last.succeeded
        assert isinstance(bad.errors[0], UnrecognizedSourceError)

    def test_a_refused_run_is_named_with_its_file(
        self, configuration: Configuration
    ) -> None:
        """The store's words reach the user, with the file that they are about."""
        refusal = BadRequestError("Part number is required", status=400)
        (result,) = results_of({"a.lines": b"1"}, configuration, Shelf(refusal))
        assert str(result.errors[0]) == "a.lines: Part number is required"

    def test_a_refusal_names_the_file_and_the_run(
        self, configuration: Configuration
    ) -> None:
        """Two runs of one file that a server refuses can be told apart."""
        for serial, place in (("1", ""), ("0 1", "run 2: ")):
            refusal = NotFoundError("no such procedure", source="http://store")
            shelf = Shelf(refusal)
            (result,) = results_of({"a.lines": serial.encode()}, configuration, shelf)
            last = str(result.errors[-1])
            assert last.startswith(f"a.lines: {place}")
            assert last.endswith("http://store: no such procedure")

    def test_a_store_that_is_out_ends_the_import(
        self, configuration: Configuration
    ) -> None:
        """Files are not tried one by one against a dead server."""
        shelf = Shelf(NoAnswerError("connection refused"))
        first, second = results_of(
            {"a.lines": b"1", "b.lines": b"2"}, configuration, shelf
        )
        assert (first.tried, second.tried) == (True, False)
        assert not second.succeeded

    def test_an_assembly_waits_for_its_parts(
        self, configuration: Configuration
    ) -> None:
        """A store that wants the parts first gets them first, in whichever files."""
        shelf = Shelf()
        contents = {"a.lines": b"WHOLE", "b.lines": b"1", "c.lines": b"PART"}
        results = results_of(contents, configuration, shelf)
        assert all(result.succeeded for result in results)
        serials = [run.unit.serial_number for run in shelf.runs]
        assert serials == ["1", "PART", "WHOLE"]

    def test_a_process_that_died_leaves_no_assembly_twice(
        self, configuration: Configuration, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One that waits, and is given again by another process, is one run."""

        def blocks_of(
            batches: Iterable[Batch],
            _adapters: AdapterSet,
            settings: Callable[[], ReadSettings],
            _jobs: int,
        ) -> Iterator[Block]:
            for batch in batches:
                (block,) = read_batch(batch, settings())
                cut = (attrs.evolve(part, result=None) for part in block.parts)
                yield Block(parts=tuple(cut))
                yield block

        monkeypatch.setattr(pipeline, "blocks_of", blocks_of)
        (result,) = results_of({"a.lines": b"WHOLE PART"}, configuration, Shelf())
        assert len(result.runs) == 2
        assert len({run.id for run in result.runs}) == 2

    def test_an_assembly_without_its_parts_is_refused(
        self, configuration: Configuration
    ) -> None:
        """It goes to quarantine in the end, with the store's words."""
        (result,) = results_of({"a.lines": b"WHOLE"}, configuration, Shelf())
        assert "no such sub-unit" in str(result.errors[0])
        assert len(result.quarantined) == 1

    def test_a_request_to_stop_finishes_what_was_begun(
        self, configuration: Configuration
    ) -> None:
        """What was taken is stored; the rest is not touched."""
        shelf = Shelf()
        sources = iter([found(b"1", "a.lines"), found(b"2", "b.lines")])
        asked = iter([False, True])
        results = list(
            import_sources(
                sources, OnlyLines(), configuration, shelf, stop=lambda: next(asked)
            )
        )
        assert [result.source for result in results] == ["a.lines"]
        assert [item.uri for item in sources] == ["b.lines"]

    def test_strict_refuses_what_would_drop(self, configuration: Configuration) -> None:
        """Nothing is sent of a run of which something is dropped."""
        shelf = Shelf()
        contents = {"a.lines": b"1 DROP"}
        (result,) = results_of(contents, configuration, shelf, strict=True)
        assert len(shelf.runs) == 1
        assert "unwanted" in str(result.errors[0])

    def test_what_is_omitted_by_rule_is_refused_on_request(
        self, configuration: Configuration
    ) -> None:
        """Only ``all`` refuses it; what is lost and what is left out are counted."""
        contents = {"a.lines": b"1 LEAVE"}
        (result,) = results_of(contents, configuration, Shelf(), strict=True)
        assert not result.errors
        shelf = Shelf()
        (result,) = results_of(contents, configuration, shelf, strict="all")
        assert len(shelf.runs) == 1
        assert "1 left out, first: " in str(result.errors[0])

    def test_strict_counts_what_is_not_listed(
        self, configuration: Configuration, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The list of a report is bounded; what it lacks is refused all the same."""
        monkeypatch.setattr("rigbridge.model.report.MAX_ENTRIES", 0)
        (result,) = results_of(
            {"a.lines": b"DROP"}, configuration, Shelf(), strict=True
        )
        assert "would be missing: 1 lost" in str(result.errors[0])

    def test_the_source_can_travel_along(self, configuration: Configuration) -> None:
        """The report itself is attached byte for byte."""
        shelf = Shelf()
        contents = {"a.lines": b"1"}
        results_of(contents, configuration, shelf, attach_source=True)
        (attachment,) = shelf.runs[0].attachments
        assert (attachment.name, attachment.size) == ("a.lines", 1)

    def test_a_dry_run_sends_nothing(self, configuration: Configuration) -> None:
        """Reading alone shows what would arrive."""
        source = found(b"1 2", "a.lines")
        (result,) = import_sources([source], OnlyLines(), configuration, None)
        assert [item.status for item in result.runs] == [RunStatus.PLANNED] * 2

    def test_a_dry_run_says_what_would_be_refused(
        self, configuration: Configuration
    ) -> None:
        """A run without a serial number is no success, and is not kept anywhere."""
        source = found(b"1 NOBODY", "a.lines")
        (result,) = import_sources([source], OnlyLines(), configuration, None)
        assert "no serial number" in str(result.errors[0])
        assert len(result.runs) == 1
        assert not configuration.data.exists()


class TestQuarantine:
    """What no store takes as it is."""

    def test_a_refused_run_is_kept_with_the_reason(
        self, configuration: Configuration
    ) -> None:
        """The run and the reason lie beside each other; the others arrive."""
        shelf = Shelf()
        (result,) = results_of({"a.lines": b"1 NOBODY"}, configuration, shelf)
        (path,) = result.quarantined
        assert path.parents[1] == configuration.data / "quarantine"
        (run,) = shelf.runs
        kept = read_run(decode_item(path.parent), ConversionReport())
        assert kept.unit == Unit()
        assert kept.id != run.id
        assert "no serial number" in path.with_name("reason.txt").read_text()
        assert "Read from: a.lines" in path.with_name("reason.txt").read_text()

    def test_a_run_that_arrives_leaves_it(self, configuration: Configuration) -> None:
        """The same run, once a rule supplies what it lacked."""
        contents = {"7.lines": b"NOBODY"}
        results_of(contents, configuration, Shelf())
        rules = IdentityRules(file_name=[r"^(?P<serial_number>\d+)"])
        mended = attrs.evolve(configuration, identity=rules)
        (result,) = results_of(contents, mended, Shelf())
        assert result.succeeded
        assert list((configuration.data / "quarantine").iterdir()) == []

    def test_mended_rules_replace_what_wrong_ones_supplied(
        self, configuration: Configuration
    ) -> None:
        """The run is kept as it was read; it leaves once it is stored."""
        wrong = IdentityRules(procedures={"lines": "FVT99"})
        results_of(
            {"a.lines": b"1"},
            attrs.evolve(configuration, identity=wrong),
            Shelf(BadRequestError("no such procedure", status=400)),
        )
        right = IdentityRules(procedures={"lines": "FVT1"})
        quarantine, shelf = Quarantine(configuration.data), Shelf()
        (result,) = retry_runs(
            quarantine,
            quarantine.items(),
            attrs.evolve(configuration, identity=right),
            shelf,
        )
        assert result.errors == ()
        assert [run.procedure.id for run in shelf.runs] == ["FVT1"]
        assert list(quarantine.folder.iterdir()) == []

    def test_a_folder_that_cannot_be_written_is_named(
        self, configuration: Configuration
    ) -> None:
        """The import goes on, and both errors are there."""
        configuration.data.write_text("a file in the way")
        (result,) = results_of({"a.lines": b"NOBODY 2"}, configuration, Shelf())
        assert len(result.errors) == 2
        assert "quarantine" in str(result.errors[1])
        assert len(result.runs) == 1

    def test_a_dead_store_quarantines_nothing(
        self, configuration: Configuration
    ) -> None:
        """What may succeed later stays where it is."""
        shelf = Shelf(NoAnswerError("connection refused"))
        (result,) = results_of({"a.lines": b"1"}, configuration, shelf)
        assert result.quarantined == ()

"""Exported runs come back as they were."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given, settings

from rigbridge.adapters import Disposition, Source
from rigbridge.errors import MalformedSourceError
from rigbridge.export import ExportFormat, export_runs
from rigbridge.model import Attachment, ProcedureRef, Run, RunOutcome, Unit
from rigbridge.testing import AdapterCase, AdapterSuite, Sample, read_all
from rigbridge.testing.adapters import strategies
from rigbridge_runs import RunLinesAdapter


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Give a run with an attachment, as an adapter would read it."""
    file = tmp_path / "scope.bin"
    file.write_bytes(bytes(range(256)))
    return Run(
        id=uuid4(),
        outcome=RunOutcome.FAIL,
        procedure=ProcedureRef(name="Final test"),
        unit=Unit(serial_number="SN-1"),
        attachments=(Attachment.from_file(file),),
    )


@pytest.fixture
def exported(run: Run, tmp_path: Path) -> Path:
    """Give a file that holds it."""
    path = tmp_path / "runs.jsonl"
    export_runs([run], path, form=ExportFormat.JSONL)
    return path


class TestConformance(AdapterSuite):
    """The adapter as the contract wants it."""

    @pytest.fixture
    def case(self, exported: Path) -> AdapterCase:
        """Give a file with one run."""
        return AdapterCase(
            adapter=RunLinesAdapter(),
            samples=(Sample.from_path(exported),),
            exempt={"identity": "it leaves a run the id and the source that it had"},
        )


class TestReading:
    """What is read."""

    def test_the_source_is_left(self, exported: Path) -> None:
        """Unlike any other adapter, this one leaves a run the source that it had."""
        (found,) = read_all(RunLinesAdapter(), Source.from_path(exported)).runs
        assert found.source is None

    def test_the_run_is_the_same(self, run: Run, exported: Path) -> None:
        """A run keeps its id and everything else, the bytes of its files too."""
        (found,) = read_all(RunLinesAdapter(), Source.from_path(exported)).runs
        assert found == run
        opener = found.attachments[0].opener
        assert opener is not None
        with opener() as stream:
            assert stream.read() == bytes(range(256))

    def test_a_content_that_is_gone_is_said(self, exported: Path) -> None:
        """Without the folder beside it a file is kept by reference, and recorded."""
        moved = exported.parent / "elsewhere.jsonl"
        exported.rename(moved)
        reading = read_all(RunLinesAdapter(), Source.from_path(moved))
        assert reading.runs[0].attachments[0].opener is None
        assert reading.report.count(Disposition.COERCED, "attachment") == 1

    def test_an_upload_reaches_no_folder(self, exported: Path) -> None:
        """What is no file of this machine is no path, whatever it is called."""
        upload = Source(
            name=exported.name, uri=str(exported), opener=lambda: exported.open("rb")
        )
        (found,) = read_all(RunLinesAdapter(), upload).runs
        assert found.attachments[0].opener is None

    def test_a_wrong_line_spares_the_others(self, exported: Path) -> None:
        """A line that is cut off is an error that names it; the others are read."""
        line = exported.read_bytes()
        exported.write_bytes(line[:60] + b"\n" + line)
        reading = read_all(RunLinesAdapter(), Source.from_path(exported))
        assert len(reading.runs) == 1
        (failure,) = reading.failures
        assert isinstance(failure, MalformedSourceError)
        assert failure.place == "line 1"

    @settings(max_examples=40, deadline=None)
    @given(run=strategies.runs())
    def test_any_run_comes_back(
        self, tmp_path_factory: pytest.TempPathFactory, run: Run
    ) -> None:
        """Whatever a run holds, its line holds it too."""
        path = tmp_path_factory.mktemp("export") / "runs.jsonl"
        export_runs([run], path, form=ExportFormat.JSONL)
        (found,) = read_all(RunLinesAdapter(), Source.from_path(path)).runs
        assert found == run

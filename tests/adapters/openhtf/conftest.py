"""Real OpenHTF tests run in this process, and records of our own, for every test."""

from __future__ import annotations

import copy
import io
import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import pytest

import rigbridge_openhtf
from rigbridge.adapters import ConversionReport, Source, Spool
from rigbridge.configuration import load_configuration
from rigbridge.destinations import ReadableDestination
from rigbridge.model import Run
from rigbridge.opening import open_destination
from rigbridge.testing import Reading, read_all
from rigbridge_openhtf import OpenHTFSettings, OutputCallback, to_run
from rigbridge_openhtf.adapter import OpenHTFJSONAdapter
from rigbridge_openhtf.scope import Scope

SAMPLES = Path(__file__).parents[3] / "../shared/samples/openhtf_json"

ReadRecord: TypeAlias = Callable[..., Reading]
RunTest: TypeAlias = Callable[..., Any]
MakeCallback: TypeAlias = Callable[..., OutputCallback]


@attrs.frozen
class Both:
    """One test read through both doors, without what must differ."""

    live: Run
    written: Run
    live_report: ConversionReport
    record: Any


@pytest.fixture
def sample() -> Callable[[str], Path]:
    """Give the path of a real sample by the end of its name."""

    def find(name: str) -> Path:
        if not SAMPLES.is_dir():
            pytest.skip("the shared samples are not beside this checkout")
        (path,) = SAMPLES.glob(f"*{name}")
        return path

    return find


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """Give a spool that is closed after the test."""
    with Spool(tmp_path) as spool:
        yield spool


@pytest.fixture
def scope(spool: Spool) -> Scope:
    """Give a place with a report and the default settings."""
    return Scope(report=ConversionReport(), spool=spool, settings=OpenHTFSettings())


@pytest.fixture
def read(spool: Spool) -> ReadRecord:
    """Read a source: a path, bytes, or a document that is written as JSON first."""

    def reader(
        given: Any, *, settings: OpenHTFSettings | None = None, strict: bool = False
    ) -> Reading:
        if isinstance(given, Path):
            source = Source.from_path(given)
        else:
            content = given if isinstance(given, bytes) else json.dumps(given).encode()
            source = Source.from_bytes(content, "record.json")
        adapter = OpenHTFJSONAdapter(settings)
        return read_all(adapter, source, strict=strict, spool=spool)

    return reader


_RECORD: dict[str, Any] = {
    "dut_id": "SN-1",
    "station_id": "bench-3",
    "start_time_millis": 1700000000000,
    "end_time_millis": 1700000005000,
    "outcome": "PASS",
    "outcome_details": [],
    "code_info": {"name": "", "docstring": None, "sourcecode": ""},
    "metadata": {"test_name": "Board test"},
    "phases": [
        {
            "name": "measure",
            "outcome": "PASS",
            "result": {"phase_result": "CONTINUE"},
            "start_time_millis": 1700000001000,
            "end_time_millis": 1700000002000,
            "measurements": {},
            "attachments": {},
            "options": {},
            "codeinfo": {"name": "", "docstring": None, "sourcecode": ""},
        }
    ],
    "log_records": [],
}


@pytest.fixture
def record() -> dict[str, Any]:
    """Give a small whole record that a test may change."""
    return copy.deepcopy(_RECORD)


@pytest.fixture
def phase(record: dict[str, Any]) -> dict[str, Any]:
    """Give the only phase of the small record."""
    found: dict[str, Any] = record["phases"][0]
    return found


@pytest.fixture
def run_test(monkeypatch: pytest.MonkeyPatch) -> RunTest:
    """Execute a real OpenHTF test and give its record."""
    htf = pytest.importorskip("openhtf")
    # OpenHTF reads the arguments of the program when a test is made.
    monkeypatch.setattr(sys, "argv", ["station.py"])

    def execute(
        *phases: Any,
        callbacks: tuple[Callable[[Any], Any], ...] = (),
        serial: str | None = "SN-1",
        diagnosers: tuple[Any, ...] = (),
        **metadata: Any,
    ) -> Any:
        test = htf.Test(*phases, **metadata)
        records: list[Any] = []
        test.add_output_callbacks(records.append, *callbacks)
        test.add_test_diagnosers(*diagnosers)
        test.execute(test_start=lambda: serial)
        for thread in threading.enumerate():
            # OpenHTF leaves a phase behind that it had to kill.
            if thread.name.startswith("<PhaseExecutorThread"):
                thread.join(10)
        return records[0]

    return execute


@pytest.fixture
def run_both(run_test: RunTest, spool: Spool) -> Callable[..., Both]:
    """Execute a real test and read it live and from the JSON that OpenHTF writes."""

    def execute(
        *phases: Any, settings: OpenHTFSettings | None = None, **options: Any
    ) -> Both:
        name = "openhtf.output.callbacks.json_factory"
        json_factory = pytest.importorskip(name)
        written = io.BytesIO()
        output = json_factory.OutputToJSON(written, inline_attachments=True)
        report = ConversionReport()
        live: list[Run] = []

        def take(record: Any) -> None:
            live.append(to_run(record, spool=spool, report=report, settings=settings))

        record = run_test(*phases, callbacks=(take, output), **options)
        source = Source.from_bytes(written.getvalue(), "record.json")
        reading = read_all(OpenHTFJSONAdapter(settings), source, spool=spool)
        assert not reading.failures
        return Both(
            live=attrs.evolve(live[0], source=None),
            written=attrs.evolve(reading.runs[0], id=live[0].id, source=None),
            live_report=report,
            record=record,
        )

    return execute


@pytest.fixture
def make_callback(tmp_path: Path) -> Iterator[MakeCallback]:
    """Make callbacks that are closed after the test."""
    made: list[OutputCallback] = []

    def make(**options: Any) -> OutputCallback:
        options.setdefault("data", tmp_path / "data")
        callback = rigbridge_openhtf.output_callback(**options)
        made.append(callback)
        return callback

    yield make
    for callback in made:
        callback.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ReadableDestination]:
    """Give the embedded store that the callbacks write to."""
    configuration = load_configuration(data=tmp_path / "data")
    destination = open_destination(configuration)
    assert isinstance(destination, ReadableDestination)
    yield destination
    destination.close()

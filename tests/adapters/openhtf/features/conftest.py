"""
Real tests, executed with our callback and OpenHTF's own JSON output side by side.

What we make of a record is compared with that JSON field by field, by rules that are
written down here a second time, so that an error of the translation is not repeated by
its check.
"""

from __future__ import annotations

import base64
import io
import json
import math
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import pytest

from rigbridge.adapters import ConversionReport, Spool
from rigbridge.model import Measurement, Phase, Run, Series
from rigbridge_openhtf import to_run

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OUTCOMES = {"PARTIALLY_SET": "UNSET", "SKIPPED": "UNSET"}
_NUMBERS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


@attrs.frozen
class Compared:
    """A test that ran: what we made of it and what OpenHTF wrote itself."""

    run: Run
    written: dict[str, Any]
    report: ConversionReport
    record: Any
    passed: bool

    def phase(self, name: str) -> Phase:
        """Give the only phase of a name."""
        (found,) = [phase for phase in self.run.phases if phase.name == name]
        return found


RunCompared: TypeAlias = Callable[..., Compared]


@pytest.fixture(scope="session")
def run_compared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunCompared]:
    """Execute a real test, and compare its run with the JSON of OpenHTF."""
    htf = pytest.importorskip("openhtf")
    output = pytest.importorskip("openhtf.output.callbacks.json_factory")

    def execute(
        *phases: Any,
        serial: str | None = "SN-1",
        test_start: Any = None,
        diagnosers: tuple[Any, ...] = (),
        options: dict[str, Any] | None = None,
        **metadata: Any,
    ) -> Compared:
        test = htf.Test(*phases, **metadata)
        test.configure(**(options or {}))
        test.add_test_diagnosers(*diagnosers)
        report = ConversionReport()
        taken: list[tuple[Any, Run]] = []

        def take(record: Any) -> None:
            taken.append((record, to_run(record, spool=spool, report=report)))

        file = io.BytesIO()
        test.add_output_callbacks(take, output.OutputToJSON(file, allow_nan=True))
        start = test_start or (lambda: serial)
        passed = test.execute(test_start=start)
        _join_killed_phases()
        ((record, run),) = taken
        written = json.loads(file.getvalue())
        assert list(_disagreements(run, written)) == []
        return Compared(run, written, report, record, passed)

    with (
        pytest.MonkeyPatch.context() as patch,
        Spool(tmp_path_factory.mktemp("spool")) as spool,
    ):
        # OpenHTF reads the arguments of the program when a test is made.
        patch.setattr(sys, "argv", ["station.py"])
        yield execute


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], Path]:
    """Write a program, since some things only a process of its own can show."""

    def write(text: str) -> Path:
        path = tmp_path / "station.py"
        path.write_text(text)
        return path

    return write


def _join_killed_phases() -> None:
    for thread in threading.enumerate():
        # OpenHTF leaves a phase behind that it had to kill.
        if thread.name.startswith("<PhaseExecutorThread"):
            thread.join(10)


def _disagreements(run: Run, written: dict[str, Any]) -> Iterator[str]:
    unknown = written["dut_id"] in (None, "UNKNOWN_DUT")
    serial = None if unknown else written["dut_id"].strip()
    yield from _differ("outcome", str(run.outcome), written["outcome"])
    yield from _differ("serial number", run.unit.serial_number, serial)
    yield from _differ("station", run.station, written["station_id"])
    yield from _differ(
        "procedure", run.procedure.name, written["metadata"]["test_name"]
    )
    yield from _differ("start", run.started_at, _time(written["start_time_millis"]))
    yield from _differ("end", run.ended_at, _time(written["end_time_millis"]))
    details = run.metadata.get("outcome_details", [])
    yield from _differ("details", details, written["outcome_details"])
    for key in ("subtests", "branches", "diagnosers", "diagnoses"):
        kept = json.loads(json.dumps(run.metadata.get(key, [])))
        yield from _differ(key, kept, written[key])
    phases = [phase for phase in written["phases"] if not _is_trigger(phase)]
    names = [phase["name"] for phase in phases]
    yield from _differ("phases", [phase.name for phase in run.phases], names)
    for phase, stated in zip(run.phases, phases, strict=False):
        yield from _phase_disagreements(phase, stated)
    yield from _file_disagreements(run, phases)
    lines = [line["message"] for line in written["log_records"] if _is_kept(line)]
    taken = [entry.message for entry in run.logs][: len(lines)]
    yield from _differ("log", taken, lines)


def _phase_disagreements(phase: Phase, stated: dict[str, Any]) -> Iterator[str]:
    where = f"phase {phase.name}"
    subtest = stated["subtest_name"]
    yield from _differ(f"{where} outcome", str(phase.outcome), stated["outcome"])
    yield from _differ(
        f"{where} start", phase.started_at, _time(stated["start_time_millis"])
    )
    yield from _differ(f"{where} end", phase.ended_at, _time(stated["end_time_millis"]))
    # OpenHTF's JSON knows the innermost subtest, and nothing of groups.
    if subtest:
        yield from _differ(f"{where} path", subtest in phase.path, True)
    yield from _differ(
        f"{where} docstring", phase.docstring, stated["codeinfo"]["docstring"] or None
    )
    measurements = stated["measurements"]
    names = [item.name for item in phase.measurements]
    yield from _differ(f"{where} measurements", names, list(measurements))
    for item in phase.measurements:
        if item.name in measurements:
            yield from _measurement_disagreements(
                item, measurements[item.name], f"{where} {item.name}"
            )


def _measurement_disagreements(
    item: Measurement, stated: dict[str, Any], where: str
) -> Iterator[str]:
    outcome = _OUTCOMES.get(stated["outcome"], stated["outcome"])
    yield from _differ(f"{where} outcome", str(item.outcome), outcome)
    yield from _differ(f"{where} docstring", item.docstring, stated.get("docstring"))
    value: Any = item.value
    unit = item.unit
    if isinstance(value, Series):
        unit = value.measured.unit
        value = [list(row) for row in value.rows()]
        names = [axis.name for axis in item.value.dimensions]  # type: ignore[union-attr] # a series
        described = [
            axis.get("description") or _unit_name(axis) for axis in stated["dimensions"]
        ]
        yield from _differ(f"{where} dimensions", names, described)
    yield from _differ(
        f"{where} value", _comparable(value), _comparable(stated.get("measured_value"))
    )
    units = stated.get("units")
    if units is not None and (not stated.get("dimensions") or value is not None):
        said = units["suffix"] or _unit_name(units)
        yield from _differ(f"{where} unit", unit, said)
    texts = stated.get("validators", [])
    if bool(texts) != bool(item.validators or item.limits):
        yield f"{where}: validators {texts} became {item.limits} {item.validators}"


def _unit_name(unit: dict[str, Any]) -> str | None:
    name: str | None = unit["name"]
    return None if name in ("None", "No dimension") else name


def _file_disagreements(run: Run, phases: list[dict[str, Any]]) -> Iterator[str]:
    stated = [
        base64.b64decode(attachment["data"])
        for phase in phases
        for attachment in phase["attachments"].values()
    ]
    yield from _differ("attachments", [_content(a) for a in run.attachments], stated)
    types = [
        attachment["mimetype"]
        for phase in phases
        for attachment in phase["attachments"].values()
    ]
    for attachment, media_type in zip(run.attachments, types, strict=True):
        if media_type is not None:
            yield from _differ("media type", attachment.media_type, media_type)


def _content(attachment: Any) -> bytes:
    with attachment.opener() as stream:
        content: bytes = stream.read()
        return content


def _is_trigger(phase: dict[str, Any]) -> bool:
    return bool(phase["name"] == "trigger_phase" and phase["outcome"] == "PASS")


def _is_kept(line: dict[str, Any]) -> bool:
    ours = line["logger_name"].startswith("openhtf.test_record")
    framework = line["source"] in ("phase_executor.py", "test_executor.py") or (
        line["source"]
        in ("test_state.py", "threads.py", "diagnoses_lib.py", "phase_branches.py")
    )
    return line["level"] > 10 or (ours and not framework)


def _time(millis: int | None) -> datetime | None:
    return None if not millis else _EPOCH + timedelta(milliseconds=millis)


def _comparable(value: Any) -> Any:
    """Make non-finite numbers, which equal nothing, comparable."""
    if isinstance(value, str):
        value = _NUMBERS.get(value.lower(), value)
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return [_comparable(member) for member in value]
    if isinstance(value, dict):
        return {str(key): _comparable(member) for key, member in value.items()}
    return value


def _differ(what: str, ours: Any, theirs: Any) -> Iterator[str]:
    if ours != theirs or (isinstance(ours, bool) is not isinstance(theirs, bool)):
        yield f"{what}: {ours!r} instead of {theirs!r}"

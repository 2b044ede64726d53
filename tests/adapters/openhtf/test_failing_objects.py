"""A record holds objects of the test's own; any of them may fail when it is read."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rigbridge.adapters import ConversionReport, Spool
from rigbridge.configuration import load_configuration
from rigbridge.model import Run, RunOutcome
from rigbridge.opening import open_outbox
from rigbridge.outbox.incoming import IncomingFolder
from rigbridge_openhtf import OutputCallback, to_run
from rigbridge_openhtf.guarded import ask

htf = pytest.importorskip("openhtf")
units = pytest.importorskip("openhtf.util.units")


class _Gone:
    """What it is asked for stood on an instrument that answers no longer."""

    mimetype = "text/plain"

    @property
    def data(self) -> bytes:
        raise ConnectionError("the instrument is gone")

    def __call__(self, value: object) -> bool:
        return bool(value)

    def __str__(self) -> str:
        raise ConnectionError("the instrument is gone")

    __repr__ = __str__


@pytest.fixture(name="keep")
def _keep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Any], Run]]:
    """Hand a record over, to the data folder itself, and give the run that waits."""
    monkeypatch.chdir(tmp_path)
    callback = OutputCallback(data=tmp_path / "data", to="nonsense")

    def keep(record: Any) -> Run:
        callback(record)
        (item,) = IncomingFolder(tmp_path / "data").items()
        assert item.folder.parent == tmp_path / "data/incoming"
        with open_outbox(load_configuration(data=tmp_path / "data")) as outbox:
            return outbox.run(item.id)[0]

    yield keep
    callback.close()


def _measure(test: Any) -> None:
    test.measurements.volts = 4.75
    test.attach("trace.csv", b"1,2\n")


def _record(run_test: Any, **options: Any) -> Any:
    return run_test(htf.measures(htf.Measurement("volts"))(_measure), **options)


def test_a_record_without_a_verdict_was_aborted(
    run_test: Any, keep: Callable[[Any], Run]
) -> None:
    """After Ctrl-C older releases call their callbacks before there is a verdict."""
    record = _record(run_test)
    record.outcome = None
    assert keep(record).outcome is RunOutcome.ABORTED


def test_an_attachment_costs_no_more_than_its_bytes(
    run_test: Any, keep: Callable[[Any], Run]
) -> None:
    """The error of its class is not one of our folder."""
    record = _record(run_test)
    record.phases[-1].attachments["screen.png"] = _Gone()
    run = keep(record)
    assert [(item.name, item.opener is None) for item in run.attachments] == [
        ("trace.csv", False),
        ("screen.png", True),
    ]


def test_a_validator_costs_no_more_than_its_text(
    run_test: Any, keep: Callable[[Any], Run]
) -> None:
    """The rest of its measurement is there."""
    record = _record(run_test)
    record.phases[-1].measurements["volts"].validators.append(_Gone())
    run = keep(record)
    assert run.unit.serial_number == "SN-1"
    assert run.phases[-1].measurements[0].value == 4.75


def test_a_serial_number_may_be_no_unicode(
    run_test: Any, keep: Callable[[Any], Run]
) -> None:
    """A scanner gave bytes, and Python made text of them that JSON cannot hold."""
    run = keep(_record(run_test, serial="SN\udcff1"))
    assert run.unit.serial_number is not None
    assert "SN" in run.unit.serial_number


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EIO])
def test_a_file_that_cannot_be_read_for_now_loses_no_bytes(
    run_test: Any, spool: Spool, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Whoever sends tries it again; only a file that stays unreadable is left out."""
    record = _record(run_test)
    file = Path(record.phases[-1].attachments["trace.csv"]._filename)
    opened = Path.open

    def refuse(path: Path, *given: Any, **options: Any) -> Any:
        if path == file:
            raise OSError(number, os.strerror(number), str(path))
        return opened(path, *given, **options)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", refuse)
        with pytest.raises(OSError, match=os.strerror(number)):
            to_run(record, spool=spool)
    report = ConversionReport()
    assert to_run(record, spool=spool, report=report).attachments[0].size == 4


FAILURES = [
    ConnectionError("the instrument is gone"),
    SystemExit("a driver gave up"),
    asyncio.CancelledError("a loop ended"),
    GeneratorExit(),
]


class _Torn:
    """Anything, one of whose fields raises when it is read."""

    def __init__(self, whole: Any, name: str, error: BaseException) -> None:
        self._whole, self._name, self._error = whole, name, error

    def __getattr__(self, name: str) -> Any:
        if name == self._name:
            raise self._error
        return getattr(self._whole, name)


class _Failing:
    """An object that raises whatever it is asked for."""

    def __init__(self, error: BaseException) -> None:
        object.__setattr__(self, "error", error)

    @property  # type: ignore[misc]  # a test's object may do this
    def __class__(self) -> Any:
        raise object.__getattribute__(self, "error")

    def __str__(self) -> str:
        raise object.__getattribute__(self, "error")

    __repr__ = __str__

    def __getattr__(self, name: str) -> Any:
        raise object.__getattribute__(self, "error")


@pytest.fixture(name="unread")
def _unread(
    tmp_path: Path, keep: Callable[[Any], Run], capsys: pytest.CaptureFixture[str]
) -> Callable[[Any], tuple[Run, dict[str, str]]]:
    """Hand a record over; gives the run, and which places are said to be unread."""

    def unread(record: Any) -> tuple[Run, dict[str, str]]:
        run = keep(record)
        assert "kept nowhere" not in capsys.readouterr().err
        with open_outbox(load_configuration(data=tmp_path / "data")) as outbox:
            entries = outbox.run(run.id)[1].entries
        return run, {
            entry.place.path or "": entry.detail or ""
            for entry in entries
            if entry.item == "field" and entry.place is not None
        }

    return unread


@pytest.mark.parametrize(
    ("name", "error"),
    [
        *zip(
            ["phases", "outcome_details", "outcome", "metadata"], FAILURES, strict=True
        ),
        ("start_time_millis", SystemExit(3)),
    ],
    ids=str,
)
def test_a_field_of_the_record_costs_no_more_than_itself(
    run_test: Any, unread: Any, name: str, error: BaseException
) -> None:
    """It is named in the report; only the verdict itself changes the verdict."""
    run, said = unread(_Torn(_record(run_test), name, error))
    assert type(error).__name__ in said[f"$.{name}"]
    assert run.outcome is (RunOutcome.ERROR if name == "outcome" else RunOutcome.PASS)
    assert run.unit.serial_number == "SN-1"
    assert bool(run.phases) is (name != "phases")
    assert len(run.attachments) == (name != "phases")


@pytest.mark.parametrize("name", ["attachments", "measurements", "outcome", "options"])
def test_a_field_of_a_phase_costs_no_more_than_itself(
    run_test: Any, unread: Any, name: str
) -> None:
    """The phase stays, and so do the others."""
    record = _record(run_test)
    last = len(record.phases) - 1
    record.phases[last] = _Torn(record.phases[last], name, SystemExit(3))
    run, said = unread(record)
    assert list(said) == [f"$.phases[{last}].{name}"]
    assert run.phases[-1].name == "_measure"
    assert len(run.phases[-1].measurements) == (name != "measurements")
    assert len(run.attachments) == (name != "attachments")
    assert (run.phases[-1].outcome == "ERROR") is (name == "outcome")


def test_what_a_container_gave_before_it_failed_stays(
    run_test: Any, unread: Any
) -> None:
    """A list of the test's own broke off in the middle."""

    class Broken(list[Any]):
        def __iter__(self) -> Iterator[Any]:
            yield from list.__getitem__(self, slice(1))
            raise ConnectionError("the instrument is gone")

    record = _record(run_test)
    record.phases = Broken(record.phases[-1:] * 2)
    run, said = unread(record)
    assert [phase.name for phase in run.phases] == ["_measure"]
    assert "$.phases" in said


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_an_object_may_raise_anything(
    run_test: Any, unread: Any, error: BaseException
) -> None:
    """It costs no more than its own place, wherever it stands."""
    record = _record(run_test)
    phase = record.phases[-1]
    record.metadata["tool"] = _Failing(error)
    record.log_records.append(_Failing(error))
    phase.measurements["volts"].validators.append(_Failing(error))
    phase.measurements["volts"].docstring = _Failing(error)
    phase.attachments["screen.png"] = _Failing(error)
    run, _ = unread(record)
    assert run.outcome is RunOutcome.PASS
    assert run.phases[-1].measurements[0].value == 4.75
    assert [item.opener is None for item in run.attachments] == [False, True]


def test_a_measurement_keeps_what_can_be_read(run_test: Any, unread: Any) -> None:
    """The value does not go with its unit."""
    record = _record(run_test)
    found = record.phases[-1].measurements
    found["volts"] = _Torn(found["volts"], "units", SystemExit(3))
    run, said = unread(record)
    assert list(said) == [
        f"$.phases[{len(record.phases) - 1}].measurements[volts].units"
    ]
    (measurement,) = run.phases[-1].measurements
    assert (measurement.name, measurement.value) == ("volts", 4.75)
    assert measurement.outcome == "PASS"


def test_one_by_one_gives_what_all_at_once_gives(run_test: Any) -> None:
    """A measurement and a line that fail change nothing of those beside them."""
    names = ["volts", "words", "trace", "torn"]

    @htf.measures(
        htf.Measurement("volts").in_range(4, 5.5).with_units(units.VOLT).doc("rail"),
        htf.Measurement("words").matches_regex("a.").with_validator(bool),
        htf.Measurement("trace").with_dimensions(units.SECOND, "n"),
        htf.Measurement("torn"),
    )
    def measure(test: Any) -> None:
        test.measurements.volts, test.measurements.words = 4.75, "ab"
        test.measurements.trace[0.5, 1] = float("nan")
        test.measurements.torn = 2**70
        test.logger.info("done")

    whole, torn = run_test(measure), run_test(measure)
    found = torn.phases[-1].measurements
    found["torn"] = _Torn(found["torn"], "units", SystemExit(3))
    torn.log_records.append(_Failing(SystemExit(3)))

    def told(record: Any) -> tuple[list[Any], list[str]]:
        run = to_run(record, spool=spool)
        measured = run.phases[-1].measurements
        assert [each.name for each in measured] == names
        return list(measured), [line.message for line in run.logs]

    with Spool() as spool:
        (measured, said), (again, said_again) = told(whole), told(torn)
    assert [repr(each) for each in measured] == [repr(each) for each in again]
    assert "done" in said
    assert len(said_again) in {len(said), len(said) + 1}


def test_the_end_that_a_signal_asks_for_is_no_failure_of_an_object() -> None:
    """A handler raises once; what reads the object again succeeds."""
    raised = iter([True, False])

    def read() -> str:
        if next(raised):
            raise SystemExit(143)
        return "read"

    with pytest.raises(SystemExit):
        ask(read)

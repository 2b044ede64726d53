"""A record holds objects of the test's own; any of them may fail when it is read."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rigbridge.adapters import ConversionReport, Spool
from rigbridge.configuration import load_configuration
from rigbridge.model import Run
from rigbridge.opening import open_outbox
from rigbridge.outbox.incoming import IncomingFolder
from rigbridge_openhtf import OutputCallback, to_run

htf = pytest.importorskip("openhtf")


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
    """Its record is written in OpenHTF's own form, or without it."""
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

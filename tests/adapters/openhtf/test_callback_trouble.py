"""The output callback in trouble: no record is lost, and no test is disturbed."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any
from unittest.mock import Mock

import pytest

from rigbridge.configuration import load_configuration
from rigbridge.destinations import ReadableDestination
from rigbridge.model import Run
from rigbridge.opening import open_outbox
from rigbridge.outbox import EntryState
from rigbridge.outbox.incoming import IncomingFolder, IncomingItem
from rigbridge_openhtf import OutputCallback
from rigbridge_openhtf.adapter import OpenHTFJSONAdapter

htf = pytest.importorskip("openhtf")

MakeCallback = Callable[..., OutputCallback]


@pytest.fixture(autouse=True)
def _project_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder without a configuration of its own."""
    monkeypatch.chdir(tmp_path)


def _measure(test: Any) -> None:
    test.measurements.volts = 4.75
    test.attach("trace.csv", b"1,2\n")


def _phase() -> Any:
    return htf.measures(htf.Measurement("volts").in_range(4.5, 5))(_measure)


def _waiting(folder: Path) -> IncomingItem:
    """Give the only item that waits in a folder for hand-overs."""
    (item,) = IncomingFolder(folder.parent, name=folder.name).items()
    return item


def _kept(data: Path) -> Run:
    """Give the run that waits in a data folder, translated."""
    configuration = load_configuration(data=data)
    with open_outbox(configuration) as outbox:
        (entry,) = outbox.entries()
        run, _ = outbox.run(entry.id)
    return run


class TestTrouble:
    """Whatever goes wrong, the test goes on and its record is kept."""

    def test_no_serial_number(
        self, run_test: Any, make_callback: MakeCallback, tmp_path: Path
    ) -> None:
        """A run that no store takes is parked whole, for a person to see why."""
        callback = make_callback()
        run_test(_phase(), callbacks=(callback,), serial=None)
        assert callback.flush(60) == 0
        entry = callback.entry()
        assert entry is not None
        assert entry.state is EntryState.PARKED
        assert "serial" in (entry.reason or "")
        callback.close()
        with open_outbox(load_configuration(data=tmp_path / "data")) as outbox:
            run, _ = outbox.run(entry.id)
            assert run.phases[0].measurements[0].value == 4.75
            assert run.attachments[0].opener is not None
            with run.attachments[0].opener() as stream:
                assert stream.read() == b"1,2\n"

    @pytest.mark.parametrize("to", ["ftp://store", "nonsense"])
    def test_a_bad_configuration(
        self,
        run_test: Any,
        make_callback: MakeCallback,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
        to: str,
    ) -> None:
        """A setting that is wrong costs no record, and is said once."""
        callback = make_callback(to=to)
        for _ in range(3):
            run_test(_phase(), callbacks=(callback,))
        assert callback.flush(30) == 3
        assert len(list((tmp_path / "data/incoming").iterdir())) == 3
        (said,) = [each for each in caplog.records if each.name.startswith("rigbridge")]
        assert to in said.getMessage()

    def test_a_table_of_no_adapter(
        self,
        run_test: Any,
        make_callback: MakeCallback,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """A misspelled table is said with the names there are; the run is kept."""
        (tmp_path / "rigbridge.toml").write_text('[adapters.openhtf]\nfoo = "bar"\n')
        run_test(_phase(), callbacks=(make_callback(),))
        assert "adapters.openhtf: there is no such adapter" in caplog.text
        assert "openhtf-json" in caplog.text
        assert _waiting(tmp_path / "data/incoming").given.serial_number == "SN-1"

    def test_a_bad_file(
        self, run_test: Any, make_callback: MakeCallback, tmp_path: Path
    ) -> None:
        """A configuration file that is broken costs no record; mended, it is sent."""
        (tmp_path / "rigbridge.toml").write_text("to = [")
        run_test(_phase(), callbacks=(make_callback(),))
        assert _waiting(tmp_path / "data/incoming").given.serial_number == "SN-1"
        (tmp_path / "rigbridge.toml").unlink()
        assert make_callback().flush(60) == 0
        assert list((tmp_path / "data/incoming").iterdir()) == []

    def test_a_folder_that_cannot_be_written(
        self,
        run_test: Any,
        make_callback: MakeCallback,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Without a data folder the temporary folder has to do."""
        (tmp_path / "data").write_text("a file stands where the folder belongs")
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        record = run_test(_phase())
        monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
        make_callback()(record)
        stand_in = IncomingFolder(tmp_path / "data").stand_in
        assert elsewhere in stand_in.parents
        (path,) = stand_in.iterdir()
        assert (path / "file-1").read_bytes() == b"1,2\n"

    def test_nothing_can_be_written(
        self,
        run_test: Any,
        make_callback: MakeCallback,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """Even then the test goes on; the operator is told the unit and the reason."""
        (tmp_path / "data").write_text("a file stands where the folder belongs")
        record = run_test(_phase())
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "data"))
        callback = make_callback()
        capsys.readouterr()
        callback(record)
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert "the run of SN-1 (PASS) could be kept nowhere" in said
        assert "NotADirectoryError" in said
        assert callback.last_run_id is None

    def test_a_line_of_the_log_that_is_none(
        self, run_test: Any, make_callback: MakeCallback, tmp_path: Path
    ) -> None:
        """Anything may stand in the log of a record."""
        record = run_test(_phase())
        record.log_records.append("no log record at all")
        make_callback(to="nonsense")(record)
        assert _kept(tmp_path / "data").logs[-1].message == "no log record at all"

    def test_what_cannot_be_translated_waits(
        self,
        run_test: Any,
        make_callback: MakeCallback,
        store: ReadableDestination,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """It is listed with its reason, and tried again on request."""
        broken = Mock(side_effect=ValueError("a fault of ours"))
        with monkeypatch.context() as patch:
            patch.setattr(OpenHTFJSONAdapter, "translate", broken)
            callback = make_callback()
            run_test(_phase(), callbacks=(callback,))
            assert callback.flush(60) == 0
        entry = callback.entry()
        assert entry is not None
        assert entry.state is EntryState.PARKED
        assert entry.serial_number == "SN-1"
        assert "a fault of ours" in (entry.reason or "")
        callback.close()
        with open_outbox(load_configuration(data=callback.fixed.data)) as outbox:
            assert outbox.status().parked == 1
            outbox.retry(entry.id)
            assert outbox.flush(60) == 0
        assert [str(run.id) for run in store.recent_runs(10)] == [str(entry.id)]

    def test_an_attachment_that_is_gone(
        self, run_test: Any, make_callback: MakeCallback, tmp_path: Path
    ) -> None:
        """One file costs no more than its bytes."""
        record = run_test(_phase())
        file = Path(record.phases[1].attachments["trace.csv"]._filename)
        file.unlink()
        make_callback(to="nonsense")(record)
        file.touch()  # OpenHTF deletes it in the end
        (attachment,) = _kept(tmp_path / "data").attachments
        assert attachment.name == "trace.csv"
        assert attachment.opener is None

    def test_an_object_that_is_no_record(
        self, make_callback: MakeCallback, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Anything may be handed to the callback without an exception."""
        make_callback()(object())
        assert "could be kept nowhere" in capsys.readouterr().err

    def test_the_test_itself_is_not_disturbed(
        self, run_test: Any, make_callback: MakeCallback, tmp_path: Path
    ) -> None:
        """Callbacks after ours are called, with the record as it was."""
        (tmp_path / "data").write_text("")
        later: list[Any] = []
        before = make_callback(to="nonsense")
        record = run_test(_phase(), callbacks=(before, later.append))
        assert later == [record]
        assert record.outcome.name == "PASS"
        assert record.phases[1].attachments["trace.csv"].data == b"1,2\n"


@pytest.mark.parametrize("calls", [2, 4, 8, 20, 50, 90, 140, 200, 300, 450])
def test_an_interrupt_at_any_point(
    run_test: Any, make_callback: MakeCallback, tmp_path: Path, calls: int
) -> None:
    """Ctrl-C while the callback works costs no run, and no file of it."""

    def attach(test: Any) -> None:
        for number in range(5):
            test.attach(f"{number}.bin", bytes([number]))

    record = run_test(_phase(), attach)
    callback = make_callback(to="nonsense")
    left, begun = calls, False

    # Python calls this at each call within the callback, where it would also raise the
    # interrupt of a signal.
    def interrupt(frame: FrameType, event: str, _: object) -> None:
        nonlocal left, begun
        begun = begun or frame.f_code.co_name == "brought_to_end"
        if begun and event == "call":
            left -= 1
            if not left:
                raise KeyboardInterrupt

    sys.setprofile(interrupt)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            callback(record)
    finally:
        sys.setprofile(None)
    assert left <= 0
    assert len(_kept(tmp_path / "data").attachments) == 6

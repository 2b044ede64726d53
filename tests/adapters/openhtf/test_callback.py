"""The output callback: durable before it returns, and never the test's problem."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any
from unittest.mock import Mock

import pytest

import rigbridge_openhtf
from rigbridge.adapters import Disposition
from rigbridge.adapters.identity import IdentityRules
from rigbridge.configuration import load_configuration
from rigbridge.destinations import ReadableDestination
from rigbridge.model import Run
from rigbridge.opening import open_destination, open_outbox
from rigbridge.outbox import EntryState, Outbox
from rigbridge.outbox.incoming import IncomingFolder, IncomingItem
from rigbridge_openhtf import OpenHTFSettings, OutputCallback
from rigbridge_openhtf.adapter import OpenHTFJSONAdapter

htf = pytest.importorskip("openhtf")

MakeCallback = Callable[..., OutputCallback]


@pytest.fixture(autouse=True)
def _project_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder without a configuration of its own."""
    monkeypatch.chdir(tmp_path)


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


class TestConstruction:
    """Everything is made ready before the first record."""

    def test_the_folder_is_opened(
        self, make_callback: MakeCallback, tmp_path: Path
    ) -> None:
        """In the background, so that no test waits for it."""
        callback = make_callback()
        callback.prepare()
        assert callback.flush(30) == 0
        assert (tmp_path / "data/incoming").is_dir()

    def test_the_working_folder_may_change(
        self,
        run_test: Any,
        make_callback: MakeCallback,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Paths and configuration count as they were when the callback was made."""
        (tmp_path / "rigbridge.toml").write_text('data = "here"')
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "rigbridge.toml").write_text('data = "there"')
        monkeypatch.delenv("RIGBRIDGE_DATA", raising=False)
        callbacks = [make_callback(data=None), make_callback(data="relative")]

        def leave(test: Any) -> None:
            del test
            os.chdir(elsewhere)

        run_test(leave, callbacks=tuple(callbacks))
        for callback, name in zip(callbacks, ("here", "relative"), strict=True):
            assert callback.flush(30) == 0
            assert callback.entry() is not None
            assert (tmp_path / name / "store.sqlite").is_file()
        assert [path.name for path in elsewhere.iterdir()] == ["rigbridge.toml"]

    def test_closing_twice(self, make_callback: MakeCallback) -> None:
        """A callback that never saw a record can be closed, twice."""
        callback = make_callback()
        callback.close()
        callback.close()


class TestLocal:
    """Records reach the embedded store through the outbox."""

    def test_a_record_is_stored(
        self, run_test: Any, make_callback: MakeCallback, store: ReadableDestination
    ) -> None:
        """The run is in the store with its values and its attachment's bytes."""
        callback = make_callback()
        run_test(_phase(), callbacks=(callback,), test_name="Board")
        assert callback.flush(30) == 0
        (listed,) = store.recent_runs(10)
        run = store.get_run(str(listed.id))
        assert run.id == callback.last_run_id
        assert run.procedure.name == "Board"
        assert run.unit.serial_number == "SN-1"
        assert run.phases[0].measurements[0].value == 4.75
        (attachment,) = run.attachments
        assert attachment.opener is not None
        with attachment.opener() as stream:
            assert stream.read() == b"1,2\n"

    def test_two_tests_at_once(
        self, run_test: Any, make_callback: MakeCallback, store: ReadableDestination
    ) -> None:
        """One callback takes the records of several threads."""
        callback = make_callback()
        records = [run_test(_phase()) for _ in range(4)]
        _in_threads(callback, records)
        assert callback.flush(30) == 0
        assert len(store.recent_runs(10)) == 4

    def test_after_closing(
        self, run_test: Any, make_callback: MakeCallback, store: ReadableDestination
    ) -> None:
        """A record that arrives after closing is stored as well."""
        callback = make_callback()
        run_test(_phase(), callbacks=(callback,))
        callback.flush(30)
        callback.close()
        run_test(_phase(), callbacks=(callback,))
        assert callback.flush(30) == 0
        assert len(store.recent_runs(10)) == 2

    def test_settings_of_the_configuration(
        self,
        run_test: Any,
        make_callback: MakeCallback,
        store: ReadableDestination,
        tmp_path: Path,
    ) -> None:
        """The settings of the adapter count for the callback, and so do rules."""
        (tmp_path / "rigbridge.toml").write_text(
            "[adapters.openhtf-json]\nframework_phases = true\n"
            '[identity]\nserial_number = ["(?P<part_number>[A-Z]+)-"]\n'
        )
        callback = make_callback()
        run_test(_phase(), callbacks=(callback,))
        assert callback.flush(30) == 0
        (listed,) = store.recent_runs(10)
        run = store.get_run(str(listed.id))
        assert [phase.name for phase in run.phases] == ["trigger_phase", "_measure"]
        assert run.unit.part_number == "SN"

    def test_settings_of_the_caller(
        self, run_test: Any, make_callback: MakeCallback, store: ReadableDestination
    ) -> None:
        """The settings that the caller gives count over the configuration."""
        settings = OpenHTFSettings(
            framework_phases=True, procedure_id="FVT1", log_level="error"
        )
        rules = IdentityRules(serial_number=r"(?P<part_number>\w+)-")
        callback = make_callback(settings=settings, identity=rules)
        run_test(_phase(), callbacks=(callback,))
        assert callback.flush(30) == 0
        (listed,) = store.recent_runs(10)
        run = store.get_run(str(listed.id))
        assert len(run.phases) == 2
        assert run.procedure.id == "FVT1"
        assert run.unit.part_number == "SN"
        assert run.logs == ()


def _in_threads(callback: OutputCallback, records: list[Any]) -> None:
    threads = [threading.Thread(target=callback, args=(each,)) for each in records]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


class TestTheSameRecord:
    """One execution of a test is one run, however often it is handed over."""

    def test_a_callback_that_was_added_twice(
        self, run_test: Any, make_callback: MakeCallback, store: ReadableDestination
    ) -> None:
        """Added within a loop, say: an easy slip."""
        callback = make_callback()
        run_test(_phase(), callbacks=(callback, callback, callback))
        run_test(_phase(), callbacks=(callback,))
        assert callback.flush(30) == 0
        assert len(store.recent_runs(10)) == 2

    def test_two_callbacks(
        self, run_test: Any, make_callback: MakeCallback, store: ReadableDestination
    ) -> None:
        """A callback and a station on one test, in one data folder."""
        first, second = make_callback(), make_callback()
        run_test(_phase(), callbacks=(first, second))
        assert first.flush(30) == second.flush(30) == 0
        assert first.last_run_id == second.last_run_id
        assert len(store.recent_runs(10)) == 1

    def test_two_places(
        self, run_test: Any, make_callback: MakeCallback, tmp_path: Path, nowhere: str
    ) -> None:
        """What is meant for two stores goes to two."""
        here = make_callback()
        there = make_callback(to=nowhere, api_key="key")
        other = make_callback(data=tmp_path / "other")
        run_test(_phase(), callbacks=(here, there, other))
        assert here.last_run_id is not None
        assert len({here.last_run_id, there.last_run_id, other.last_run_id}) == 3

    def test_from_several_threads(
        self, run_test: Any, make_callback: MakeCallback, store: ReadableDestination
    ) -> None:
        """Also where they hand it over in the same moment."""
        callback = make_callback()
        _in_threads(callback, [run_test(_phase())] * 4)
        assert callback.flush(30) == 0
        assert len(store.recent_runs(10)) == 1


@pytest.fixture
def nowhere() -> str:
    """Give the URL of a store that nobody serves."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}"


class TestOutbox:
    """Before every store stands the outbox."""

    def test_how_a_run_stands(
        self, run_test: Any, make_callback: MakeCallback, store: ReadableDestination
    ) -> None:
        """The callback says under which id a run is stored; of no run, nothing."""
        callback = make_callback()
        assert callback.entry() is None
        callback.prepare()
        assert callback.entry() is None
        run_test(_phase(), callbacks=(callback,))
        callback.flush(30)
        entry = callback.entry()
        (listed,) = store.recent_runs(10)
        assert entry is not None
        assert entry.state is EntryState.DONE
        assert entry.stored_id == str(listed.id)
        callback.close()
        assert callback.entry() == entry

    def test_a_store_out_of_reach(
        self,
        run_test: Any,
        make_callback: MakeCallback,
        tmp_path: Path,
        nowhere: str,
    ) -> None:
        """The record waits in the outbox, with its bytes, when the callback returns."""
        callback = make_callback(to=nowhere, api_key="key")
        record = run_test(_phase(), callbacks=(callback,))
        assert callback.flush(0) == 1
        callback.close()
        record.phases[1].attachments.clear()
        with open_outbox(load_configuration(data=tmp_path / "data")) as outbox:
            (entry,) = outbox.entries()
            run, report = outbox.run(entry.id)
        assert run.id == callback.last_run_id
        assert report.count(Disposition.MAPPED, "measurement") == 1
        assert run.attachments[0].opener is not None
        with run.attachments[0].opener() as stream:
            assert stream.read() == b"1,2\n"

    def test_what_waits_after_closing(
        self, run_test: Any, make_callback: MakeCallback, nowhere: str
    ) -> None:
        """A closed callback still says how many of its runs wait."""
        callback = make_callback(to=nowhere, api_key="key")
        run_test(_phase(), callbacks=(callback,))
        callback.close()
        assert callback.flush(0) == 1

    def test_an_outbox_of_the_caller(
        self,
        run_test: Any,
        make_callback: MakeCallback,
        store: ReadableDestination,
        tmp_path: Path,
    ) -> None:
        """The caller's outbox is used as it is, and stays open."""
        configuration = load_configuration(data=tmp_path / "data")
        folder = tmp_path / "mine"
        with Outbox.open(folder, partial(open_destination, configuration)) as outbox:
            callback = make_callback(outbox=outbox)
            run_test(_phase(), callbacks=(callback,))
            callback.close()
            assert not (tmp_path / "data/store.sqlite").exists()
            assert callback.flush(30) == 0
            (listed,) = store.recent_runs(10)
            run = store.get_run(str(listed.id))
        assert run.id == callback.last_run_id
        assert run.attachments[0].size == 4

    def test_the_end_of_the_process(self, tmp_path: Path, nowhere: str) -> None:
        """A program ends by itself and without an error; what waits stays."""
        program = tmp_path / "station.py"
        program.write_text(_PROGRAM)
        done = subprocess.run(
            [sys.executable, str(program), nowhere, str(tmp_path / "data")],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        assert "Traceback" not in done.stderr
        # Without logging set up the terminal is the operator's.
        assert "rigbridge" not in done.stderr
        with open_outbox(load_configuration(data=tmp_path / "data")) as outbox:
            assert len(outbox.entries()) == 1


_PROGRAM = """
import sys
import openhtf
import rigbridge_openhtf

url, data = sys.argv[1:]
sys.argv = sys.argv[:1]
test = openhtf.Test(test_name="Board")
test.add_output_callbacks(rigbridge_openhtf.output_callback(to=url, data=data))
test.execute(test_start=lambda: "SN-1")
"""


class TestTrouble:
    """Whatever goes wrong, the test goes on and its record is kept."""

    def test_no_serial_number(
        self, run_test: Any, make_callback: MakeCallback, tmp_path: Path
    ) -> None:
        """A run that no store takes is parked whole, for a person to see why."""
        callback = make_callback()
        run_test(_phase(), callbacks=(callback,), serial=None)
        assert callback.flush(30) == 0
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
        assert make_callback().flush(30) == 0
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
            assert callback.flush(30) == 0
        entry = callback.entry()
        assert entry is not None
        assert entry.state is EntryState.PARKED
        assert entry.serial_number == "SN-1"
        assert "a fault of ours" in (entry.reason or "")
        callback.close()
        with open_outbox(load_configuration(data=callback.fixed.data)) as outbox:
            assert outbox.status().parked == 1
            outbox.retry(entry.id)
            assert outbox.flush(30) == 0
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

"""The output callback: durable before it returns, and never the test's problem."""

from __future__ import annotations

import errno
import logging
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest

import rigbridge_openhtf
from rigbridge.adapters import Disposition, Source
from rigbridge.adapters.identity import IdentityRules
from rigbridge.configuration import load_configuration
from rigbridge.destinations import Destination, ReadableDestination
from rigbridge.imports import recover_unsent
from rigbridge.kept import RunFolder, UnsentFolder, attachment_folder, unsent_folders
from rigbridge.model import Run
from rigbridge.opening import open_destination
from rigbridge.outbox import EntryState, Outbox
from rigbridge.testing import read_all
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


def _kept(folder: Path) -> tuple[Run, Path]:
    """Read the run that was kept in a data folder, with its attachments."""
    (path,) = (folder / "unsent").glob("*.json")
    return RunFolder(path.parent).read(path).run, path


class TestConstruction:
    """Making a callback does nothing yet."""

    def test_nothing_is_created(
        self, make_callback: MakeCallback, tmp_path: Path
    ) -> None:
        """Neither folders nor threads exist before the first record."""
        threads = threading.active_count()
        callback = make_callback(to="http://127.0.0.1:9", api_key="key")
        assert callback.flush(0) == 0
        assert threading.active_count() == threads
        assert not (tmp_path / "data").exists()

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
        record = run_test(_phase())
        threads = [threading.Thread(target=callback, args=(record,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert callback.flush(30) == 0
        assert len(store.recent_runs(10)) == 4

    def test_after_closing(
        self, run_test: Any, make_callback: MakeCallback, store: ReadableDestination
    ) -> None:
        """A record that arrives after closing is stored as well."""
        callback = make_callback()
        record = run_test(_phase(), callbacks=(callback,))
        callback.flush(30)
        callback.close()
        callback(record)
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
        with Outbox.open(tmp_path / "data/outbox", _no_destination) as outbox:
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
            assert len(store.recent_runs(10)) == 0
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
        assert "1 runs wait in the outbox" in done.stderr
        with Outbox.open(tmp_path / "data/outbox", _no_destination) as outbox:
            assert len(outbox.entries()) == 1


def _no_destination() -> Destination:
    raise AssertionError("nothing is sent here")


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
        with Outbox.open(tmp_path / "data/outbox", _no_destination) as outbox:
            run, _ = outbox.run(entry.id)
            assert run.phases[0].measurements[0].value == 4.75
            assert run.attachments[0].opener is not None
            with run.attachments[0].opener() as stream:
                assert stream.read() == b"1,2\n"

    def test_an_outbox_that_refuses(
        self,
        run_test: Any,
        make_callback: MakeCallback,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """What cannot be queued is kept whole, and its place is logged."""
        callback = make_callback()
        callback.prepare()
        record = run_test(_phase())
        (tmp_path / "data/outbox/content").write_text("a file where a folder belongs")
        callback(record)
        run, path = _kept(tmp_path / "data")
        assert run.unit.serial_number == "SN-1"
        assert run.attachments[0].opener is not None
        with run.attachments[0].opener() as stream:
            assert stream.read() == b"1,2\n"
        (entry,) = [e for e in caplog.records if e.name == "rigbridge.openhtf"]
        assert entry.levelno == logging.ERROR
        assert entry.exc_info is not None
        assert str(path) in entry.getMessage()

    @pytest.mark.parametrize("to", ["ftp://store", "nonsense"])
    def test_a_bad_configuration(
        self, run_test: Any, make_callback: MakeCallback, tmp_path: Path, to: str
    ) -> None:
        """A setting that is wrong costs no record."""
        run_test(_phase(), callbacks=(make_callback(to=to),))
        run, _ = _kept(tmp_path / "data")
        assert run.unit.serial_number == "SN-1"

    def test_a_bad_file(
        self, run_test: Any, make_callback: MakeCallback, tmp_path: Path
    ) -> None:
        """A configuration file that is broken costs no record."""
        (tmp_path / "rigbridge.toml").write_text("to = [")
        run_test(_phase(), callbacks=(make_callback(data=None),))
        run, _ = _kept(tmp_path / "data")
        assert run.unit.serial_number == "SN-1"

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
        _, stand_in = unsent_folders(tmp_path / "data")
        assert elsewhere in stand_in.parents
        run, _ = _kept(stand_in.parent)
        assert run.unit.serial_number == "SN-1"

    def test_nothing_can_be_written(
        self,
        run_test: Any,
        make_callback: MakeCallback,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Even then the test goes on, and the log says what happened."""
        (tmp_path / "data").write_text("a file stands where the folder belongs")
        record = run_test(_phase())
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "data"))
        make_callback()(record)
        assert "could not be handed over or kept" in caplog.text

    def test_a_record_that_cannot_be_read(
        self, run_test: Any, make_callback: MakeCallback, tmp_path: Path
    ) -> None:
        """A record that we fail on is kept as OpenHTF's JSON, which we can import."""
        record = run_test(_phase())
        record.log_records.append("no log record at all")
        make_callback()(record)
        (path,) = (tmp_path / "data/unsent").glob("*.openhtf.json")
        reading = read_all(OpenHTFJSONAdapter(), Source.from_path(path))
        (run,) = reading.runs
        assert run.phases[0].measurements[0].value == 4.75
        assert run.attachments[0].size == 4
        reading.spool.close()

    def test_a_record_that_can_be_read_later(
        self, run_test: Any, make_callback: MakeCallback, tmp_path: Path
    ) -> None:
        """What was kept as JSON is queued by ``rigbridge outbox``, once."""
        record = run_test(_phase())
        record.log_records.append("no log record at all")
        callback = make_callback()
        callback(record)
        configuration = load_configuration(data=tmp_path / "data")
        with Outbox.open(tmp_path / "data/outbox", _no_destination) as outbox:
            recovery = recover_unsent(configuration, outbox)
            assert recovery.records == ()
            assert recover_unsent(configuration, outbox).recovered == ()
            (run_id,) = recovery.recovered
            run, _ = outbox.run(run_id)
        assert run.phases[0].measurements[0].value == 4.75
        assert list((tmp_path / "data/unsent").glob("*.json")) == []

    def test_a_data_folder_without_room_for_attachments(
        self, run_test: Any, make_callback: MakeCallback, store: ReadableDestination
    ) -> None:
        """Attachments that cannot be spooled beside the data go elsewhere."""
        callback = make_callback()
        callback.prepare()
        assert callback.queue is not None
        (callback.queue.data / "spool").write_text("a file where a folder belongs")
        run_test(_phase(), callbacks=(callback,))
        assert callback.flush(30) == 0
        (listed,) = store.recent_runs(10)
        (attachment,) = store.get_run(str(listed.id)).attachments
        assert attachment.size == 4

    def test_nothing_is_left_of_a_failed_try(
        self,
        run_test: Any,
        make_callback: MakeCallback,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Half a kept run takes no room where a whole one has none."""
        record = run_test(_phase())
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
        unsent, stand_in = unsent_folders(tmp_path / "data")
        unsent.mkdir(parents=True)
        rename = Path.replace

        def full(path: Path, target: Path) -> Path:
            if unsent in path.parents:
                raise OSError(errno.ENOSPC, "no room")
            return rename(path, target)

        monkeypatch.setattr(Path, "replace", full)
        make_callback(to="nonsense")(record)
        assert [path.name for path in unsent.iterdir()] == ["errors.log"]
        assert len(list(stand_in.glob("*.json"))) == 1

    def test_errors_are_counted(
        self,
        run_test: Any,
        make_callback: MakeCallback,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """``rigbridge outbox status`` can say how many there were, and the last."""
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        record = run_test(_phase())
        record.log_records.append("no log record at all")
        callback = make_callback()
        callback(record)
        callback(record)
        errors = UnsentFolder(tmp_path / "data").errors()
        assert errors.count == 2
        assert "AttributeError" in (errors.last or "")

    def test_an_object_that_is_no_record(
        self, make_callback: MakeCallback, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Anything may be handed to the callback without an exception."""
        make_callback()(object())
        assert "AttributeError" in caplog.text

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


def test_keeps_no_part_twice(
    run_test: Any, make_callback: MakeCallback, tmp_path: Path
) -> None:
    """The files of a kept run stand once each, by their digest."""

    def attach(test: Any) -> None:
        test.attach("a", b"same")
        test.attach("b", b"same")

    run_test(attach, callbacks=(make_callback(to="nonsense"),))
    run, path = _kept(tmp_path / "data")
    assert len(run.attachments) == 2
    assert len(list(attachment_folder(path).iterdir())) == 1
    assert attrs.evolve(run, attachments=()).outcome.value == "PASS"

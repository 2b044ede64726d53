"""The output callback: durable before it returns, and never the test's problem."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rigbridge.adapters import Disposition
from rigbridge.adapters.identity import IdentityRules
from rigbridge.configuration import load_configuration
from rigbridge.destinations import ReadableDestination
from rigbridge.opening import open_destination, open_outbox
from rigbridge.outbox import EntryState, Outbox
from rigbridge_openhtf import OpenHTFSettings, OutputCallback

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


class TestConstruction:
    """Everything is made ready before the first record."""

    def test_the_folder_is_opened(
        self, make_callback: MakeCallback, tmp_path: Path
    ) -> None:
        """In the background, so that no test waits for it."""
        callback = make_callback()
        callback.prepare()
        assert callback.flush(60) == 0
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
            assert callback.flush(60) == 0
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
        assert callback.flush(60) == 0
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
        assert callback.flush(60) == 0
        assert len(store.recent_runs(10)) == 4

    def test_after_closing(
        self, run_test: Any, make_callback: MakeCallback, store: ReadableDestination
    ) -> None:
        """A record that arrives after closing is stored as well."""
        callback = make_callback()
        run_test(_phase(), callbacks=(callback,))
        callback.flush(60)
        callback.close()
        run_test(_phase(), callbacks=(callback,))
        assert callback.flush(60) == 0
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
        assert callback.flush(60) == 0
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
        assert callback.flush(60) == 0
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
        assert callback.flush(60) == 0
        assert len(store.recent_runs(10)) == 2

    def test_two_callbacks(
        self, run_test: Any, make_callback: MakeCallback, store: ReadableDestination
    ) -> None:
        """A callback and a station on one test, in one data folder."""
        first, second = make_callback(), make_callback()
        run_test(_phase(), callbacks=(first, second))
        assert first.flush(30) == second.flush(60) == 0
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
        assert callback.flush(60) == 0
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
        callback.flush(60)
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
            assert callback.flush(60) == 0
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

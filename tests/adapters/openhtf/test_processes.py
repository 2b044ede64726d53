"""Whole station programs, each a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import attrs
import pytest

from rigbridge.configuration import load_configuration
from rigbridge.destinations import ReadableDestination
from rigbridge.errors import ConfigurationError
from rigbridge.model import PhaseOutcome, Run, RunOutcome
from rigbridge.opening import open_destination, open_outbox

pytest.importorskip("openhtf")

HEAD = """
import sys, threading, time
import openhtf as htf
import rigbridge_openhtf
from openhtf.plugs import BasePlug

data, sys.argv = sys.argv[1], sys.argv[:1]
"""


@attrs.frozen
class Program:
    """A station program in a folder."""

    folder: Path

    def command(self, body: str) -> list[str]:
        """Write the program and give its command."""
        path = self.folder / "station.py"
        path.write_text(HEAD + body)
        return [sys.executable, str(path), str(self.folder / "data")]

    def run(self, body: str) -> str:
        """Run it to its end; give what it wrote to standard error."""
        done = subprocess.run(
            self.command(body),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return done.stderr

    @contextmanager
    def running(self, body: str) -> Iterator[subprocess.Popen[str]]:
        """Run it until it says on standard output that it is under way."""
        with subprocess.Popen(
            self.command(body),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert process.stdout is not None
                while process.stdout.readline().strip() != "under way":
                    assert process.poll() is None
                yield process
            finally:
                process.kill()

    def stored(self) -> list[Run]:
        """Give the runs of the embedded store, the first stored first."""
        if not (self.folder / "data/store.sqlite").is_file():
            return []
        store = open_destination(load_configuration(data=self.folder / "data"))
        assert isinstance(store, ReadableDestination)
        try:
            listed = reversed(store.recent_runs(100))
            return [store.get_run(str(run.id)) for run in listed]
        except ConfigurationError:
            return []  # another process is about to make it
        finally:
            store.close()


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Give a folder for a program."""
    return Program(tmp_path)


class TestSeveralTests:
    """Tests after each other, beside each other, and in threads."""

    def test_all_arrive(self, program: Program) -> None:
        """Each execution is one run, with the serial number and plug of its own."""
        said = program.run(
            """
class Meter(BasePlug):
    def read(self):
        return 1.5

@htf.measures(htf.Measurement("volts").in_range(1, 2))
@htf.plug(meter=Meter)
def measure(test, meter):
    test.measurements.volts = meter.read()
    together.wait(30)

together = threading.Barrier(3)
tests = [htf.Test(measure, test_name=f"Board {n}") for n in range(3)]

def execute(n):
    for turn in range(2):
        tests[n].execute(test_start=lambda: f"SN-{n}-{turn}")

with rigbridge_openhtf.station(*tests, data=data, deadline=60):
    threads = [threading.Thread(target=execute, args=(n,)) for n in (1, 2)]
    for thread in threads:
        thread.start()
    execute(0)
    for thread in threads:
        thread.join()
"""
        )
        assert "rigbridge: 6 runs: 6 stored in the embedded store" in said
        assert "Traceback" not in said
        runs = program.stored()
        assert sorted(
            (str(run.procedure.name), str(run.unit.serial_number)) for run in runs
        ) == [(f"Board {n}", f"SN-{n}-{turn}") for n in range(3) for turn in range(2)]
        assert {run.phases[0].measurements[0].value for run in runs} == {1.5}

    @pytest.mark.skipif(
        version("openhtf").startswith("1.5."),
        reason="its own server does not run on Python 3.11",
    )
    def test_with_the_station_server(self, program: Program) -> None:
        """OpenHTF's own page for stations and we do not disturb each other."""
        said = program.run(
            """
from openhtf.output.servers import station_server
from openhtf.plugs import user_input

htf.conf.load(station_server_port="0")

def ask(test):
    test.logger.info("asked")

test = htf.Test(ask, test_name="Board")
with station_server.StationServer() as server:
    test.add_output_callbacks(server.publish_final_state)
    with rigbridge_openhtf.station(test, data=data, deadline=60):
        for number in range(2):
            test.execute(test_start=lambda: f"SN-{number}")
"""
        )
        assert "2 runs: 2 stored" in said
        assert "Traceback" not in said
        assert [run.unit.serial_number for run in program.stored()] == ["SN-0", "SN-1"]


# OpenHTF cannot stop a phase in the very moment in which it begins.
UNDER_WAY = """
def endless(test):
    time.sleep(0.3)
    print("under way", flush=True)
    while True:
        time.sleep(0.01)

test = htf.Test(endless, test_name="Board")
"""
IN_A_STATION = """
with rigbridge_openhtf.station(test, data=data, deadline=60):
    test.execute(test_start=lambda: "SN-1")
"""
WITH_THE_CALLBACK = """
test.add_output_callbacks(rigbridge_openhtf.output_callback(data=data))
test.execute(test_start=lambda: "SN-1")
"""


class TestInterruption:
    """Tests that do not come to their end."""

    @pytest.mark.skipif(os.name == "nt", reason="SIGINT is sent as POSIX has it")
    @pytest.mark.parametrize(
        "body",
        [IN_A_STATION, WITH_THE_CALLBACK],
        ids=["station", "callback"],
    )
    def test_an_interrupt(self, program: Program, body: str) -> None:
        """Ctrl-C in mid-test: the aborted run arrives, and the program ends by it."""
        with program.running(UNDER_WAY + body) as process:
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
        assert "KeyboardInterrupt" in said
        assert ("SN-1 ABORTED is stored" in said) is ("station" in body)
        (run,) = program.stored()
        assert run.outcome is RunOutcome.ABORTED
        assert [phase.outcome for phase in run.phases] == [PhaseOutcome.ERROR]

    @pytest.mark.skipif(os.name == "nt", reason="SIGINT is sent as POSIX has it")
    @pytest.mark.parametrize("asked_for", [False, True])
    def test_an_interrupt_of_the_start(
        self, program: Program, *, asked_for: bool
    ) -> None:
        """Canceled at the prompt for the unit, nothing was tested; it can be kept."""
        with program.running(
            f"""
def wait():
    time.sleep(0.3)
    print("under way", flush=True)
    while True:
        time.sleep(0.01)

test = htf.Test(test_name="Board")
settings = rigbridge_openhtf.OpenHTFSettings(canceled_starts={asked_for})
with rigbridge_openhtf.station(test, data=data, settings=settings):
    test.execute(test_start=wait)
"""
        ) as process:
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
        assert ("canceled before it began, nothing is stored" in said) is not asked_for
        configuration = load_configuration(data=program.folder / "data")
        with open_outbox(configuration) as outbox:
            assert len(outbox.entries()) == asked_for

    def test_a_kill(self, program: Program) -> None:
        """A process that dies right after a test leaves its run in the outbox."""
        with program.running(
            """
import rigbridge_store.store

# The store takes its time, so that the process dies before the run is there.
rigbridge_store.store.RunStore.open = lambda *_, **__: time.sleep(60)
test = htf.Test(test_name="Board")
test.add_output_callbacks(rigbridge_openhtf.output_callback(data=data))
test.execute(test_start=lambda: "SN-1")
print("under way", flush=True)
time.sleep(60)
"""
        ) as process:
            process.kill()
        assert program.stored() == []
        configuration = load_configuration(data=program.folder / "data")
        with open_outbox(configuration) as outbox:
            (entry,) = outbox.entries()
            assert entry.serial_number == "SN-1"
            if entry.due is None:
                # The dead process was sending: its lease runs out by itself.
                outbox._leases._clock = lambda: time.time() + 120
                outbox._view._clock = outbox._queue._clock = outbox._leases._clock
            assert outbox.flush(60) == 0
        assert [run.unit.serial_number for run in program.stored()] == ["SN-1"]


CHILDREN = """
import copy, os

records = []
test = htf.Test(lambda test: None, test_name="Board")
test.add_output_callbacks(records.append)
test.execute(test_start=lambda: "SN-1")
callback = rigbridge_openhtf.output_callback(data=data)
children = []

def another(serial_number):
    record = copy.copy(records[0])
    record.dut_id = serial_number
    return record

for number in range(24):
    callback(another(f"parent-{number}"))
    time.sleep(0.002 * (number % 7))
    child = os.fork()
    if not child:
        callback(another(f"child-{number}"))
        callback(records[0])
        os._exit(0)
    children.append(child)
end = time.monotonic() + 30
while children and time.monotonic() < end:
    children = [each for each in children if not os.waitpid(each, os.WNOHANG)[0]]
    time.sleep(0.02)
print(len(children), "hang", file=sys.stderr)
callback(records[0])
assert callback.flush(60) == 0
"""

ORPHAN = """
import os

test = htf.Test(lambda test: None, test_name="Board")
test.add_output_callbacks(rigbridge_openhtf.output_callback(data=data))
if os.fork():
    os._exit(0)
os.setsid()
# As services do; whoever reads these would wait for its end.
for stream in (1, 2):
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
test.execute(test_start=lambda: "SN-1")
# A loaded machine sends later than within the seconds that an exit waits.
end = time.monotonic() + 120
while not os.path.exists(data + "-seen") and time.monotonic() < end:
    time.sleep(0.1)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
class TestForks:
    """Children of a program that hands over and sends meanwhile."""

    def test_no_child_hangs(self, program: Program) -> None:
        """Each hands its record over, whatever the parent does just then."""
        assert "0 hang" in program.run(CHILDREN)
        # What all of them hand over is one run.
        assert len(program.stored()) == 49

    def test_a_child_that_outlives_its_parent(self, program: Program) -> None:
        """It sends by itself: a service that goes into the background, say."""
        program.run(ORPHAN)
        end = time.monotonic() + 120
        while not program.stored() and time.monotonic() < end:
            time.sleep(0.1)
        (program.folder / "data-seen").touch()
        assert [run.unit.serial_number for run in program.stored()] == ["SN-1"]


def test_the_terminal_is_the_operators(program: Program) -> None:
    """Without logging set up nothing reaches it but the line of the station."""
    said = program.run(
        """
test = htf.Test(lambda test: None, test_name="Board")
url = "http://127.0.0.1:9"
test.add_output_callbacks(
    rigbridge_openhtf.output_callback(to=url, api_key="k", data=data + "-1"),
    rigbridge_openhtf.output_callback(to="nonsense", data=data + "-2"),
)
with rigbridge_openhtf.station(test, to=url, api_key="k", data=data, deadline=0.5):
    test.execute(test_start=lambda: "SN-1")
"""
    )
    ours = [line for line in said.splitlines() if "rigbridge" in line]
    assert len(ours) == 1
    assert ours[0].startswith("rigbridge: SN-1 PASS, run ")

"""Several processes and one outbox: forks, sudden ends, interpreters that exit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rigbridge.model import Attachment, Run
from rigbridge.outbox import EntryState, Outbox
from rigbridge.testing.run_store.faults import Fault, Operation
from rigbridge.testing.run_store.server import RunStoreServer

OpenOutbox = Callable[..., Outbox]

_PREPARE = """
import os, sys, time
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4
from rigbridge.client.destination import HTTPDestination
from rigbridge.destinations import DestinationSettings
from rigbridge.model import ProcedureRef, Run, RunOutcome, Unit
from rigbridge.outbox import Outbox

folder, url, key = sys.argv[1:4]
settings = DestinationSettings(data=Path(folder), url=url, api_key=key, timeout=10)

def make():
    return HTTPDestination(settings)

def run(number):
    return Run(
        id=uuid4(),
        outcome=RunOutcome.PASS,
        procedure=ProcedureRef(name="P"),
        unit=Unit(serial_number=f"SN-{number}"),
        started_at=datetime(2026, 1, 2, 3, 4, 5, number, tzinfo=UTC),
    )

outbox = Outbox.open(Path(folder), make)
"""


@pytest.fixture(name="start")
def _start(
    server: RunStoreServer, folder: Path
) -> Callable[[str], subprocess.Popen[str]]:
    """Start a program that has opened the outbox of the test."""

    def start(program: str) -> subprocess.Popen[str]:
        command = [
            sys.executable,
            "-X",
            "faulthandler",
            "-W",
            "error",
            "-c",
            _PREPARE + program,
        ]
        return subprocess.Popen(
            [*command, str(folder), server.url, server.api_key],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def _end(process: subprocess.Popen[str]) -> str:
    try:
        output, errors = process.communicate(timeout=170)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    assert process.returncode == 0, errors
    assert errors == ""
    return output


def _kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate(timeout=170)
    assert process.returncode == -signal.SIGKILL


def _expire_leases(outbox: Outbox) -> None:
    with outbox._database.writing() as connection:
        connection.execute("UPDATE entry SET lease_until = 0")


@pytest.mark.skipif(os.name == "nt", reason="signals and forks of POSIX")
class TestProcesses:
    """What other processes do to an outbox."""

    def test_an_interpreter_exits_while_its_sender_runs(
        self,
        server: RunStoreServer,
        start: Callable[[str], subprocess.Popen[str]],
        open_outbox: OpenOutbox,
    ) -> None:
        """A program that neither flushes nor closes ends at once, and loses nothing."""
        server.inject(Fault.SLOW_ANSWER_AFTER, on=Operation.CREATE, seconds=300)
        process = start("outbox.start()\nfor n in range(3): outbox.submit(run(n))")
        _end(process)
        outbox = open_outbox(server)
        assert outbox.status().waiting == 3

    def test_a_killed_process_loses_nothing_that_was_handed_over(
        self,
        server: RunStoreServer,
        start: Callable[[str], subprocess.Popen[str]],
        open_outbox: OpenOutbox,
    ) -> None:
        """What ``submit`` returned for is there after a kill."""
        process = start(
            "n = 0\n"
            "while True:\n"
            "    print(outbox.submit(run(n)), flush=True)\n"
            "    n += 1\n"
        )
        assert process.stdout is not None
        told = [process.stdout.readline().strip() for _ in range(20)]
        _kill(process)
        kept = {str(entry.id) for entry in open_outbox(server).entries()}
        assert set(told) <= kept

    def test_a_process_killed_while_it_creates_doubles_nothing(
        self,
        server: RunStoreServer,
        start: Callable[[str], subprocess.Popen[str]],
        open_outbox: OpenOutbox,
    ) -> None:
        """Whoever takes over finds the run that the killed process had created."""
        server.inject(Fault.SLOW_ANSWER_AFTER, on=Operation.CREATE, seconds=300)
        process = start("outbox.submit(run(1))\noutbox.flush(60)")
        while not server.runs:
            time.sleep(0.01)
        _kill(process)
        outbox = open_outbox(server)
        assert [entry.state for entry in outbox.entries()] == [EntryState.SENDING]
        _expire_leases(outbox)
        assert outbox.flush(60) == 0
        assert len(server.runs) == 1
        assert server.count(Operation.CREATE) == 1

    def test_a_process_killed_before_its_create_arrived_loses_nothing(
        self,
        server: RunStoreServer,
        start: Callable[[str], subprocess.Popen[str]],
        open_outbox: OpenOutbox,
    ) -> None:
        """Whoever takes over waits until the create must be over, then sends it."""
        process = start(
            "import rigbridge.client.transport.calls as c\n"
            "c.create_run = lambda *a, **k: (print('now', flush=True),"
            " time.sleep(300))\n"
            "outbox.submit(run(1))\noutbox.flush(60)"
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "now\n"
        _kill(process)
        outbox = open_outbox(server, timeout=2.0)
        _expire_leases(outbox)
        assert outbox.flush(60) == 0
        assert len(server.runs) == 1

    def test_many_processes_share_one_outbox(
        self, server: RunStoreServer, start: Callable[[str], subprocess.Popen[str]]
    ) -> None:
        """All hand over and send at once; each run arrives once."""
        programs = [
            start(
                f"for n in range(5): outbox.submit(run({part} * 100 + n))\n"
                "print(outbox.flush(60))\noutbox.close()"
            )
            for part in range(3)
        ]
        for process in programs:
            assert _end(process) == "0\n"
        assert len(server.runs) == 15
        assert len({run.serial_number for run in server.runs}) == 15

    def test_both_sides_of_a_fork_go_on(
        self,
        server: RunStoreServer,
        start: Callable[[str], subprocess.Popen[str]],
    ) -> None:
        """Parent and child hand over and send, each with its own thread."""
        process = start(
            "outbox.start()\n"
            "outbox.submit(run(1))\n"
            "outbox.flush(60)\n"
            "child = os.fork()\n"
            "outbox.submit(run(2 if child else 3))\n"
            "left = outbox.flush(90)\n"
            "outbox.close()\n"
            "if child:\n"
            "    left += os.waitpid(child, 0)[1]\n"
            "    print(left)\n"
            "else:\n"
            "    os._exit(left)\n"
        )
        assert _end(process) == "0\n"
        assert sorted(run.serial_number for run in server.runs) == [
            "SN-1",
            "SN-2",
            "SN-3",
        ]

    def test_forks_amid_deliveries_stop_nobody(
        self,
        server: RunStoreServer,
        start: Callable[[str], subprocess.Popen[str]],
    ) -> None:
        """Children that are forked while the sender is at work can use the outbox."""
        process = start(
            "outbox.submit(run(50))\n"
            "outbox.start()\n"
            "outbox.flush(60)\n"
            "children = []\n"
            "for n in range(6):\n"
            "    outbox.submit(run(n))\n"
            "    child = os.fork()\n"
            "    if not child:\n"
            "        outbox.submit(run(100 + n))\n"
            "        outbox.close(60)\n"
            "        os._exit(0)\n"
            "    children.append(child)\n"
            "codes = [os.waitpid(child, 0)[1] for child in children]\n"
            "left = outbox.flush(60)\n"
            "outbox.close()\n"
            "print(left, sum(codes))\n"
        )
        assert _end(process) == "0 0\n"
        serial_numbers = [run.serial_number for run in server.runs]
        assert len(serial_numbers) == len(set(serial_numbers)) == 13


def test_a_run_with_files_is_taken_over_whole(
    server: RunStoreServer,
    open_outbox: OpenOutbox,
    make_run: Callable[..., Run],
    make_file: Callable[..., Attachment],
) -> None:
    """An outbox that is opened anew sends what another one was given."""
    first = open_outbox(server)
    first.submit(make_run(attachments=[make_file("a", b"1" * 100_000)]))
    first.close()
    assert open_outbox(server).flush(60) == 0
    assert server.attachments(server.runs[0].id) == [("a", b"1" * 100_000)]

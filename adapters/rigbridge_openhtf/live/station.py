"""
A context manager for stations: every test arrives, and the operator is told.

A library does not print. A script uses :func:`station` when an operator reads its
output. It is the only place that writes to a terminal: one line at the end, on standard
error or on the stream that the script gives.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rigbridge_openhtf.live.callback import OutputCallback
from rigbridge_openhtf.live.hand_over import HandOver, RecordStatus, status_line
from rigbridge_openhtf.settings import OpenHTFSettings

if TYPE_CHECKING:
    from rigbridge.adapters.identity import IdentityRules
    from rigbridge.outbox import Outbox, OutboxEntry
    from rigbridge_openhtf.live.openhtf_types import LiveTest

__all__ = ["DEADLINE", "Station", "Writable", "station"]

DEADLINE = 10.0
"""Seconds that a station waits at its end for what is still to be sent."""

_LOGGER = logging.getLogger("rigbridge.openhtf")


class Writable(Protocol):
    """Where a line can be written: a file, a stream, a widget."""

    def write(self, text: str, /) -> object:
        """Write a text."""
        ...


def station(
    *tests: LiveTest,
    deadline: float = DEADLINE,
    stream: Writable | None = None,
    to: str | None = None,
    data: Path | str | None = None,
    api_key: str | None = None,
    settings: OpenHTFSettings | None = None,
    identity: IdentityRules | None = None,
    outbox: Outbox | None = None,
) -> Station:
    """
    Send every record of some tests while the block lasts.

    Example::

        test = openhtf.Test(phase)
        with rigbridge_openhtf.station(test):
            test.execute(test_start=openhtf.plugs.user_input.prompt_for_test_start())

    The block ends when all is sent, or at the deadline. One line then says what was
    stored where, or what waits. What is not given comes from the configuration as it is
    now.

    Args:
        tests: the ``openhtf.Test`` objects.
        deadline: seconds to wait at the end, at most.
        stream: where the line goes; standard error by default.
        to: ``local`` for the embedded store, or the URL of a run store.
        data: the folder of the embedded store and the outbox.
        api_key: the key for a store behind a URL.
        settings: how records are read: the procedure, the log lines, and more.
        identity: the rules that find part number, revision and batch in the serial
            number, and more.
        outbox: an outbox of the caller's own, who starts and closes it.
    """
    # Filled from the threads of the tests: to append to a list takes no lock.
    results: list[HandOver] = []
    callback = OutputCallback(
        to=to,
        data=data,
        api_key=api_key,
        settings=settings,
        identity=identity,
        outbox=outbox,
        observe=results.append,
    )
    return Station(tests, callback, results, deadline=deadline, stream=stream)


class Station:
    """
    The context manager that :func:`station` makes.

    Args:
        tests: the ``openhtf.Test`` objects.
        callback: takes their records.
        results: collects what became of the records.
        deadline: seconds to wait at the end, at most.
        stream: where the line goes; standard error by default.
    """

    def __init__(
        self,
        tests: tuple[LiveTest, ...],
        callback: OutputCallback,
        results: Sequence[HandOver],
        *,
        deadline: float,
        stream: Writable | None,
    ) -> None:
        self._tests = tests
        self._callback = callback
        self._results = results
        self._deadline = deadline
        self._stream = stream

    def __enter__(self) -> OutputCallback:
        self._callback.prepare()
        for test in self._tests:
            test.add_output_callbacks(self._callback)
        return self._callback

    def __exit__(self, *error: object) -> None:
        for test in self._tests:
            # OpenHTF has no call that removes a callback, so it goes from the list
            # itself. The script may have replaced that list meanwhile.
            with contextlib.suppress(ValueError):
                test.get_option("output_callbacks").remove(self._callback)
        try:
            self._callback.flush(self._deadline)
        except Exception:
            _LOGGER.exception("the outbox could not be flushed")
        finally:
            # Also when the operator does not wait and presses Ctrl-C.
            self._write_line()
            self._callback.close()

    def _write_line(self) -> None:
        try:
            fixed = self._callback.fixed
            # A callback may stand in the list of a test several times.
            results = {done.run_id: done for done in self._results}
            records = [
                RecordStatus(done, self._entry(done)) for done in results.values()
            ]
            line = status_line(
                records,
                store=fixed.store,
                folder=fixed.data,
                flush=fixed.flush_command(),
                problem=None if fixed.problem is None else str(fixed.problem),
            )
            stream = sys.stderr if self._stream is None else self._stream
            # Under pythonw.exe, which has no console, sys.stderr is None.
            if line is not None and stream is not None:
                stream.write(f"{line}\n")
        except Exception:
            _LOGGER.exception("the operator could not be told what was stored")

    def _entry(self, done: HandOver) -> OutboxEntry | None:
        return None if done.folder is None else self._callback.entry(done.run_id)

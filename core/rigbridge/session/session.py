"""The session of a program that tests: where its runs go, and how they get there."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Self
from uuid import UUID, uuid4

import attrs

from rigbridge.adapters import Spool
from rigbridge.configuration import Configuration, load_configuration
from rigbridge.errors import RigbridgeError
from rigbridge.machine.threads import end_with_process
from rigbridge.model import Instrument, ProcedureRef, Run, Unit
from rigbridge.opening import load_outbox, open_outbox
from rigbridge.outbox import Outbox, OutboxEntry
from rigbridge.outbox.disk_space import explaining_refusals
from rigbridge.outbox.ending import EXIT_DEADLINE, flush_at_end
from rigbridge.outbox.incoming import (
    IncomingFolder,
    OngoingRuns,
    say_lost,
    write_run,
)
from rigbridge.session.run_recorder import RunRecorder

__all__ = ["Session"]

_LOGGER = logging.getLogger("rigbridge.session")


class Session:
    """
    Records the runs of a program that tests, and brings them to a run store.

    At its end each run is written to the data folder, which needs no network and
    survives a power cut. A background thread sends it from there. If the process is
    killed before, the next session hands over the phases that had ended, as ABORTED.

    Example::

        with rigbridge.Session() as session:
            with session.run(unit="SN-0042", procedure="Final test") as run:
                with run.phase("power") as phase:
                    phase.measure("vcc", 3.3, unit="V", low=3.1, high=3.5)
                run.attach("scope.png")

    Configuration and paths are those at the moment when it is made. One session may
    serve several runs, also at the same time and in several threads.

    Args:
        to: ``local`` for the embedded store, a URL, or the name of a destination.
        data: the folder of the embedded store and the outbox.
        api_key: the key for a store behind a URL.
        configuration: the settings, or a file to read them from, instead of the usual
            places.
        station: where the runs are made.
        operator: who makes them.
        instruments: what they are measured with; each has a name of its own.
        send: whether to send in the background; otherwise ``rigbridge outbox flush``
            or the agent does.

    Raises:
        ConfigurationError: a wrong setting.
    """

    def __init__(
        self,
        *,
        to: str | None = None,
        data: Path | str | None = None,
        api_key: str | None = None,
        configuration: Configuration | str | os.PathLike[str] | None = None,
        station: str | None = None,
        operator: str | None = None,
        instruments: Iterable[Instrument] = (),
        send: bool = True,
    ) -> None:
        if not isinstance(configuration, Configuration):
            configuration = load_configuration(
                to=to,
                data=None if data is None else Path(data),
                api_key=api_key,
                file=None if configuration is None else Path(configuration),
            )
        # A test that changes the working folder must not send its runs elsewhere.
        self._configuration = attrs.evolve(
            configuration,
            destination_settings=attrs.evolve(
                configuration.destination_settings, data=configuration.data.absolute()
            ),
        )
        self._station = station
        self._operator = operator
        self._instruments = tuple(instruments)
        self._incoming = IncomingFolder(self._configuration.data)
        self._ongoing = self.ongoing("session")
        self._outbox: Outbox | None = None
        # Guards _outbox: the thread that opens it and one that closes the session.
        self._lock = threading.Lock()
        self._closed = False
        self._handed_over = 0
        self._opening: threading.Thread | None = None
        try:
            self._incoming.prepare()
        except OSError as error:
            # Runs go to the stand-in folder; each says so in the log.
            _LOGGER.warning("the data folder cannot be used: %s", error)
        if send:
            # Opening a database and importing a client take longer than a first test.
            self._opening = threading.Thread(
                target=self._open, name="rigbridge-session", daemon=True
            )
            self._opening.start()
            # Before the exit handler: threads are told to stop after it.
            end_with_process(self._opening, lambda: None)
        # For programs without a with block: the thread that sends is a daemon.
        atexit.register(self._at_exit)

    @property
    def data(self) -> Path:
        """The data folder, absolute."""
        return self._configuration.data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def run(
        self,
        unit: Unit | str,
        procedure: ProcedureRef | str,
        *,
        operator: str | None = None,
        station: str | None = None,
        instruments: Iterable[Instrument] | None = None,
        docstring: str | None = None,
    ) -> RunRecorder:
        """
        Begin a run; a context manager that hands it over at its end.

        Args:
            unit: the unit under test, or its serial number.
            procedure: the procedure, or its name.
            operator: who runs it; by default as the session says.
            station: where it runs, likewise.
            instruments: what it is measured with, likewise.
            docstring: an explanation.

        Raises:
            ModelError: a blank serial number or name, or two instruments of one name.
        """
        run_id = uuid4()
        folder = self._ongoing.begin(run_id)
        return RunRecorder(
            unit,
            procedure,
            run_id=run_id,
            note=self._ongoing.note,
            hand_over=self._hand_over,
            # On the disk of the data folder, where handing over is a link.
            spool=Spool(folder, in_place=True),
            operator=self._operator if operator is None else operator,
            station=self._station if station is None else station,
            instruments=self._instruments if instruments is None else instruments,
            docstring=docstring,
        )

    def ongoing(self, kind: str) -> OngoingRuns:
        """
        Make the journals of runs that somebody builds beside this session's recorders.

        Args:
            kind: what builds them, for the name of the folder.
        """
        return OngoingRuns(
            self.data, kind, uuid4(), self._configuration.destination_name
        )

    def submit(self, run: Run) -> None:
        """
        Hand over a run that was made by hand; it is on the disk when this returns.

        Raises:
            ModelError: a text that is no Unicode.
            FileUnreadableError: an attachment cannot be read.
            OutboxUnusableError: neither the data folder nor its stand-in can be
                written.
            DiskFullError: both are full.
        """
        destination = self._configuration.destination_name
        with explaining_refusals(self.data):
            write_run(self._incoming, run, destination=destination)
        self._handed_over += 1
        with self._lock:
            if self._outbox is not None:
                self._outbox.wake()

    def _hand_over(self, run: Run) -> None:
        try:
            self.submit(run)
            self._ongoing.end(run.id)
        except (RigbridgeError, OSError) as error:
            _LOGGER.exception("run %s cannot be handed over", run.id)
            if self._ongoing.keep(run):
                return
            # A test never fails because of us; that a run is lost is always said.
            say_lost(run.unit.serial_number, str(run.outcome), str(error))

    def _open(self) -> None:
        try:
            loader = load_outbox(self._configuration)
            outbox = open_outbox(self._configuration, loader=loader)
        except (RigbridgeError, OSError) as error:
            _LOGGER.error("nothing is sent for now: %s", error)  # noqa: TRY400 - the text says it all
            return
        with self._lock:
            if self._closed:
                outbox.close()
                return
            self._outbox = outbox
        outbox.start()

    def entry(self, run_id: UUID) -> OutboxEntry | None:
        """
        Tell what has become of a run: waiting, or stored under which id and link.

        Returns:
            None if the outbox does not know it (yet).
        """
        outbox = self._sender(EXIT_DEADLINE)
        return None if outbox is None else outbox.entry(run_id)

    def flush(self, deadline: float = EXIT_DEADLINE) -> int:
        """
        Send what waits, at most for some seconds.

        Returns:
            How many runs still wait; they stay in the data folder.
        """
        end = time.monotonic() + deadline
        outbox = self._sender(deadline)
        if outbox is None:
            return sum(1 for _ in self._incoming.items())
        # Opening took some of the time. A store that is known to be silent is left to
        # the next minute.
        return outbox.flush(max(0.0, end - time.monotonic()), insist=False)

    def _sender(self, patience: float) -> Outbox | None:
        if self._opening is not None:
            self._opening.join(patience)
        with self._lock:
            return self._outbox

    def close(self) -> None:
        """
        Send what waits for some seconds at most, and release everything.

        What could not be sent stays: the next session sends it, ``rigbridge outbox
        flush`` or the agent. May be called twice.
        """
        atexit.unregister(self._at_exit)
        if self._closed:
            return
        if self._handed_over and self._opening is not None:
            waiting = flush_at_end(self._sender, embedded=self._configuration.is_local)
            if waiting is None:
                waiting = sum(1 for _ in self._incoming.items())
            if waiting:
                _LOGGER.warning(
                    "%d runs wait in %s; the next session or "
                    "'rigbridge outbox flush' sends them",
                    waiting,
                    self._configuration.data,
                )
        with self._lock:
            self._closed = True
            outbox, self._outbox = self._outbox, None
        if outbox is not None:
            outbox.close()
        self._ongoing.close()

    def _at_exit(self) -> None:
        # What is raised here would only be printed, without a word on what it means.
        try:
            self.close()
        except Exception:
            _LOGGER.exception("the outbox could not be flushed at the end")

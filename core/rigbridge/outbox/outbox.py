"""The outbox: runs are safe in it at once, and sent when that is possible."""

from __future__ import annotations

import importlib
import logging
import sqlite3
import time
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Self, cast
from uuid import UUID

import attrs

from rigbridge.destinations import LOCAL, Destination
from rigbridge.errors import ConfigurationError, OutboxBusyError, RigbridgeError
from rigbridge.model import Run
from rigbridge.model.report import ConversionReport
from rigbridge.outbox.content import ContentFolder
from rigbridge.outbox.disk_space import (
    explaining_refusals,
    explains_refusals,
    keep_ballast,
    shortage,
)
from rigbridge.outbox.entries import (
    DeliveryResult,
    EntryState,
    OutboxEntry,
    OutboxStatus,
    run_id_of,
)
from rigbridge.outbox.incoming.intake import IncomingIntake
from rigbridge.outbox.incoming.ongoing import take_up_ended
from rigbridge.outbox.incoming.view import IncomingView
from rigbridge.outbox.intake import RunIntake
from rigbridge.outbox.overview import NOT_DELIVERED, all_entries, whole_status
from rigbridge.outbox.policy import HOLD_PAUSE
from rigbridge.outbox.queue.clock import QueueClock
from rigbridge.outbox.queue.database import OutboxDatabase
from rigbridge.outbox.queue.entry_queue import EntryQueue
from rigbridge.outbox.queue.leases import Leases
from rigbridge.outbox.queue.queue_view import QueueView
from rigbridge.outbox.queue.retention import Housekeeping, Retention
from rigbridge.outbox.sending.attempt import RunRules, restore, restore_report
from rigbridge.outbox.sending.delivery import Delivery
from rigbridge.outbox.sending.process import ProcessSending
from rigbridge.outbox.sending.results import ResultRecorder

__all__ = ["Outbox"]

_LOGGER = logging.getLogger("rigbridge.outbox")
_POLL = 0.02
_GRACE = 5.0
_HOUSEKEEPING = 0.2
"""Seconds to wait for others before tidying up is left to the next opening."""


class Outbox:
    """
    A durable queue of runs before one destination.

    Several threads and processes may use one folder at once. What was handed over
    stays until it is delivered, or a person drops it; a power cut loses nothing.
    Where the system refuses the folder, each method raises DiskFullError or
    OutboxUnusableError; what was handed over before stays there.

    Example::

        with Outbox.open(folder, lambda: HTTPDestination(settings)) as outbox:
            outbox.start()
            outbox.submit(run)

    Args:
        folder: holds the queue; made if it is not there.
        destination: makes the destination, when something is first sent.
        name: of the destination. Runs that are handed over here go to it, and only runs
            that name it, or no destination yet, are sent. Without a name a run goes to
            the destination of whoever first sends it.
        retention: how long delivered runs are remembered; 90 days by default.
        observe: is told how each attempt ended, in the thread that sends.
        rules: complete each run before it is sent, at each attempt; the queue keeps
            the run as it was handed over. None leaves runs as they are.
        incoming: takes what was handed over beside this object; it is queued before
            anything is sent. None where nothing is.

    Raises:
        ConfigurationError: the folder cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        destination: Callable[[], Destination],
        *,
        name: str | None = None,
        retention: Retention | None = None,
        observe: Callable[[DeliveryResult], None] | None = None,
        rules: RunRules | None = None,
        incoming: IncomingIntake | None = None,
    ) -> None:
        self.folder = folder
        self.name = name
        self._patient = True
        self._incoming = incoming
        self._handed_over = IncomingView(incoming)
        self._retention = retention or Retention()
        self._database = OutboxDatabase(folder / "outbox.sqlite", folder / "content")
        with explaining_refusals(folder):
            clock = QueueClock(self._database)
        self._queue = EntryQueue(self._database, clock, wall=time.time)
        self._view = QueueView(self._database, clock, shown=clock.shown, name=name)
        self._housekeeping = Housekeeping(self._database)
        self._leases = Leases(
            self._database, clock, wall=time.time, boot=clock.boot, name=name
        )
        self._contents = ContentFolder(folder / "content")
        self._intake = RunIntake(folder, self._queue, self._contents)
        results = ResultRecorder(self._leases, self._contents, self._discard, observe)
        self._sending = ProcessSending(
            destination,
            Delivery(self._leases, self._contents, results, rules),
            database=self._database,
            leases=self._leases,
            view=self._view,
            take_in=self._take_in,
        )
        self.take_up_ended()
        try:
            if incoming is not None:
                incoming.folder.sweep()
            # With a damaged database set aside nothing is swept: what refers to the
            # attachments may be in that one only.
            if not self._database.set_aside:
                self._housekeeping.sweep(self._contents.sweep, _HOUSEKEEPING)
            self._housekeeping.prune(self._retention, _HOUSEKEEPING)
            keep_ballast(folder)
        except (sqlite3.OperationalError, OSError, OutboxBusyError) as error:
            # On a full disk, what can be sent still is. Where others hold the outbox,
            # whoever opens it waits for this, and the next one does it as well.
            quiet = isinstance(error, OutboxBusyError)
            level = logging.DEBUG if quiet else logging.WARNING
            _LOGGER.log(level, "the outbox in %s is not tidied up: %s", folder, error)

    @classmethod
    def open(
        cls,
        folder: Path,
        destination: Callable[[], Destination],
        *,
        name: str | None = None,
        retention: Retention | None = None,
        observe: Callable[[DeliveryResult], None] | None = None,
        rules: RunRules | None = None,
        incoming: IncomingIntake | None = None,
    ) -> Self:
        """Open the outbox in a folder; takes and raises what the class does."""
        return cls(
            folder,
            destination,
            name=name,
            retention=retention,
            observe=observe,
            rules=rules,
            incoming=incoming,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @explains_refusals
    def submit(
        self,
        run: Run,
        report: ConversionReport | None = None,
        *,
        patience: float | None = None,
    ) -> UUID:
        """
        Hand over a run; it is on the disk, attachments included, when this returns.

        The network is not touched. A run that was handed over before is not queued
        twice, whatever became of it.

        Args:
            run: the run.
            report: what its reading recorded; travels along.
            patience: seconds to wait where other threads or processes hold the
                outbox; for the latter half a minute by default.

        Returns:
            The run's id.

        Raises:
            ConfigurationError: it is no run.
            OutboxBusyError: they held it for longer; nothing is queued.
            DiskFullError: there is no room for it; nothing is queued.
            SourceUnreadableError: an attachment cannot be read; nothing is queued.
        """
        # A program without a type checker may give anything.
        given = cast("object", run)
        if not isinstance(given, Run):
            raise ConfigurationError(
                f"submit takes a rigbridge.Run, not {type(given).__name__}",
                remedy="rigbridge.read(path) gives the runs of a file",
            )
        report = ConversionReport() if report is None else report
        with self.handing_over():
            # Sending waits meanwhile: both would take turns at one interpreter.
            queued = self._intake.submit(run, report, patience, destination=self.name)
        if queued:
            self._sending.wake()
        return run.id

    def _take_in(self, stopping: Callable[[], bool]) -> bool:
        """Queue what was handed over beside this object; says whether there was any."""
        if self._incoming is None:
            return False

        def submit(run: Run, report: ConversionReport, name: str | None) -> None:
            # Whoever sends takes in what goes elsewhere as well, under its own name.
            self._intake.submit(run, report, None, destination=name)

        try:
            return self._incoming.take_all(submit, stopping) > 0
        except (RigbridgeError, OSError) as error:
            # The items stay. What is queued already must be sent all the same.
            if self._incoming.trouble is None:  # else said, once for each item
                _LOGGER.error("what was handed over cannot be queued: %s", error)  # noqa: TRY400 - the text says it all
            return False

    @property
    def incoming(self) -> IncomingIntake | None:
        """What reads the items that were handed over beside this object, or None."""
        return self._incoming

    def take_from(self, incoming: IncomingIntake) -> None:
        """Take in what is handed over beside this object, from now on."""
        self._incoming = incoming
        self._handed_over = IncomingView(incoming)

    def wake(self) -> None:
        """Have the thread that sends look at once, if there is one."""
        self._sending.wake()

    @contextmanager
    def handing_over(self) -> Generator[None]:
        """Pause sending in this process, which would slow down a hand-over."""
        with self._sending.priority.handing_over():
            yield

    @staticmethod
    def load() -> None:
        """
        Import what the thread that sends needs.

        A fork of the program while that thread imports would leave the child with an
        import that never ends.
        """
        importlib.import_module("cattrs.gen")

    def start(self) -> None:
        """
        Send in the background from now on, also in the child after a fork.

        A destination that cannot be made for now is logged, and tried again.
        """
        self.load()
        self._sending.start()

    @explains_refusals
    def flush(self, deadline: float, *, insist: bool = True) -> int:
        """
        Send what waits, now, and return at the deadline at the latest.

        What goes to another destination stays. With the background thread running this
        waits for it; otherwise it sends in a thread of its own. A delivery that is on
        its way at the deadline goes on as long as the process does, and is taken up
        again by the next one.

        Args:
            deadline: seconds that this may take.
            insist: end all waits, those that a server asked for as well, since a person
                asks for it; the server may ask again. Otherwise this ends at once
                while the store is known not to answer, and notes for a minute that
                it does not where nothing came of the whole time.

        Returns:
            How many runs still wait; parked ones do not count.

        Raises:
            ConfigurationError: the destination cannot be made.
            PluginError: likewise.
        """
        end = time.monotonic() + deadline
        if insist:
            # Durable, so that another process that sends sees it, too.
            self._queue.hasten(self.name)
        self._sending.wake()
        first: int | None = None
        while True:
            coming = self._handed_over.waiting()
            waiting = self._view.waiting() + coming
            first = waiting if first is None else first
            remaining = end - time.monotonic()
            if not waiting:
                return 0
            if remaining <= 0:
                # Whoever gave a deadline does not wait once more when it closes.
                self._patient = False
                # Only a store that was asked: a busy machine says nothing of its store,
                # and the embedded one is part of it.
                asked = self.name != LOCAL and self._view.is_sending()
                if not insist and waiting >= first and asked:
                    self._leases.note_silence(
                        f"the store took nothing in {deadline:.0f} s", HOLD_PAUSE
                    )
                return waiting
            # On a full disk a test program must not wait at its end, each time.
            stuck = 0 if self._incoming is None or insist else self._incoming.postponed
            if coming <= stuck and (
                waiting == stuck or self._is_pointless(remaining, insist=insist)
            ):
                return waiting
            # With a thread that sends, this one only waits: two would share one lock.
            # One that pauses after an error is not waited for by a person.
            waits = self.is_sending and not (insist and self._sending.trouble)
            if waits or not self._sending.deliver_within(remaining):
                time.sleep(max(0.0, min(_POLL, end - time.monotonic())))

    def _is_pointless(self, remaining: float, *, insist: bool) -> bool:
        """Whether nothing can be sent in the time that remains."""
        held = self._view.circuit()
        if held is not None and (not insist or held[1] > remaining):
            return True
        return self._view.is_idle_for(remaining)

    @explains_refusals
    def status(self) -> OutboxStatus:
        """Give the state of the outbox."""
        status = whole_status(self._handed_over, self._view, name=self.name)
        return attrs.evolve(status, set_aside=tuple(self._database.set_aside))

    @property
    def is_sending(self) -> bool:
        """Whether the background thread of this process runs."""
        return self._sending.in_background

    @explains_refusals
    def take_up_ended(self) -> None:
        """Hand over the runs of processes that are gone, as opening the outbox does."""
        if self._incoming is not None and take_up_ended(self._incoming.folder):
            self._sending.wake()

    @explains_refusals
    def prune(self) -> int:
        """Forget delivered runs by the retention, as opening does; says how many."""
        gone = self._housekeeping.prune(self._retention)
        keep_ballast(self.folder)
        return gone

    @property
    def trouble(self) -> str | None:
        """What keeps this process from sending or taking runs; None if nothing."""
        coming = None if self._incoming is None else self._incoming.trouble
        return self._sending.trouble or shortage(self.folder) or coming

    @explains_refusals
    def entries(
        self, states: Collection[EntryState] = NOT_DELIVERED
    ) -> list[OutboxEntry]:
        """
        List entries, the first that was handed over first.

        Args:
            states: which; all but the delivered ones by default.
        """
        return all_entries(self._handed_over, self._view, states)

    @explains_refusals
    def entry(self, run_id: UUID | str) -> OutboxEntry | None:
        """Give the entry of a run; None if it was never here, or is forgotten."""
        wanted = run_id_of(run_id)
        # In this order: an item leaves its folder only once it is queued.
        return self._handed_over.find(wanted) or self._view.entry(wanted)

    @explains_refusals
    def run(self, run_id: UUID | str) -> tuple[Run, ConversionReport]:
        """
        Give back a run that is not delivered yet, and its conversion report.

        Raises:
            ConfigurationError: there is no such run, or it is delivered.
            Exception: it was handed over and cannot be translated.
        """
        wanted = run_id_of(run_id)
        # Queued first: another thread or process may queue it at any moment, and its
        # files would go from the folder while they are read.
        self._take_in(lambda: False)
        if (found := self._handed_over.run(wanted)) is not None:
            return found
        document, report, digests = self._queue.documents(wanted)
        return restore(document, digests, self._contents), restore_report(report)

    @explains_refusals
    def retry(self, run_id: UUID | str, *, stored_as: str | None = None) -> None:
        """
        Have a parked or waiting run tried again at once, whatever a server asked for.

        Args:
            run_id: the run.
            stored_as: the id of the stored run that it is, where a create got no answer
                and only a person could tell; then it is not sent again, its files are.

        Raises:
            ConfigurationError: there is no such run, it is delivered, or the stored run
                is another one of ours.
        """
        wanted = run_id_of(run_id)
        if stored_as is not None or not self._handed_over.retry(wanted):
            self._queue.retry(wanted, stored_as)
        self._sending.wake()

    @explains_refusals
    def move(self, old: str, new: str) -> int:
        """
        Have what goes to one destination go to another, which is the same store.

        A store may get a new host name, or change from http to https. What the old
        address was told is looked up under the new one before it is sent again.

        Args:
            old: the name of the destination, as entries have it.
            new: its new name.

        Returns:
            How many runs go there now.

        Raises:
            ConfigurationError: no entry names the old one.
        """
        # What was handed over and is not queued yet names its destination as well.
        self._take_in(lambda: False)
        names = self._view.names()
        if old not in names:
            raise ConfigurationError(
                f"no run of the outbox goes to {old!r}",
                remedy=f"known: {', '.join(sorted(names)) or 'none'}",
            )
        moved = self._queue.move(old, new)
        _LOGGER.warning("%d runs that went to %s go to %s now", moved, old, new)
        self._sending.wake()
        return moved

    @explains_refusals
    def drop(self, run_id: UUID | str) -> None:
        """
        Remove a run for good, without delivering it.

        Raises:
            ConfigurationError: there is no such run, or it is delivered or being sent.
        """
        wanted = run_id_of(run_id)
        contents: list[str] = []
        if not self._handed_over.drop(wanted):
            # Entry first, files after: the other order could leave an entry without
            # them.
            contents = self._queue.drop(wanted)
        _LOGGER.warning("run %s was dropped on request", run_id)
        self._discard(contents)

    @explains_refusals
    def close(self, grace: float | None = None) -> None:
        """
        Stop sending and release everything; what waits stays. May be called twice.

        Args:
            grace: seconds to wait for a delivery to come to its next step. One that
                takes longer goes on until there, and what it held is released then. By
                default five, or none after a flush that has used up its deadline.
        """
        if grace is None:
            grace = _GRACE if self._patient else 0.0
        self._sending.close(grace)

    def _discard(self, contents: list[str]) -> None:
        # What was set aside may name them as well, and be all that is left of a run.
        if not contents or self._database.set_aside:
            return
        try:
            self._housekeeping.discard(contents, self._contents.remove)
        except (OSError, sqlite3.Error, OutboxBusyError) as error:
            # The run is delivered. A scanner may hold its file, or the disk fail.
            _LOGGER.warning("files stay until the next opening: %s", error)

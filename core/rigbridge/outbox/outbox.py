"""The outbox: runs are safe in it at once, and sent when that is possible."""

from __future__ import annotations

import hashlib
import importlib
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID

import attrs
import msgspec

from rigbridge.convert import encode_document
from rigbridge.destinations import Destination
from rigbridge.errors import ConfigurationError, OutboxBusyError, PluginError
from rigbridge.model import Run
from rigbridge.model.report import ConversionReport
from rigbridge.outbox.content import ContentFolder
from rigbridge.outbox.database import Database
from rigbridge.outbox.delivery import Delivery, restore
from rigbridge.outbox.entries import (
    DeliveryResult,
    EntryState,
    OutboxEntry,
    OutboxStatus,
)
from rigbridge.outbox.leases import Claim, Leases
from rigbridge.outbox.policy import Retention
from rigbridge.outbox.precedence import Precedence
from rigbridge.outbox.queue import Journal, Known, NewEntry
from rigbridge.outbox.sender import Sender
from rigbridge.outbox.space import making_room, require
from rigbridge.wire import encode

__all__ = ["Outbox"]

_LOGGER = logging.getLogger("rigbridge.outbox")
_POLL = 0.02
_HOUSEKEEPING = 0.2
"""Seconds to wait for others before tidying up is left to the next opening."""
_TRIES = 5
_NOT_DELIVERED = (EntryState.PENDING, EntryState.SENDING, EntryState.PARKED)


@attrs.define(eq=False)
class _Process:
    """What must not cross a fork: threads, their locks, open connections."""

    pid: int = attrs.field(factory=os.getpid)
    starting: threading.Lock = attrs.field(factory=threading.Lock)
    delivering: threading.Lock = attrs.field(factory=threading.Lock)
    precedence: Precedence = attrs.field(factory=Precedence)
    sender: Sender | None = None
    destination: Destination | None = None
    # What the parent of a fork has: neither used nor closed, and not forgotten
    # either, since forgetting it would close its connections.
    inherited: _Process | None = None


class Outbox:
    """
    A durable queue of runs before one destination.

    Several threads and processes may use one folder at once. What was handed over
    stays until it is delivered, or a person drops it; a power cut loses nothing.

    Example::

        with Outbox.open(folder, lambda: HTTPDestination(settings)) as outbox:
            outbox.start()
            outbox.submit(run)

    Args:
        folder: holds the queue; made if it is not there.
        destination: makes the destination, when something is first sent.
        retention: how long delivered runs are remembered; 90 days by default.
        observe: is told how each attempt ended, in the thread that sends.

    Raises:
        ConfigurationError: the folder cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        destination: Callable[[], Destination],
        *,
        retention: Retention | None = None,
        observe: Callable[[DeliveryResult], None] | None = None,
    ) -> None:
        self.folder = folder
        self._retention = retention or Retention()
        self._make_destination = destination
        self._database = Database(folder / "outbox.sqlite")
        self._journal = Journal(self._database)
        self._leases = Leases(self._database)
        self._contents = ContentFolder(folder / "content")
        self._delivery = Delivery(self._leases, self._contents, self._discard, observe)
        self._process = _Process()
        self._started = False
        self._closed = False
        try:
            # What refers to attachments may lie in a damaged database.
            if not self._database.set_aside:
                self._journal.sweep(self._contents.sweep, _HOUSEKEEPING)
            self._journal.prune(self._retention, _HOUSEKEEPING)
        except OutboxBusyError:
            # Whoever opens the outbox waits for this, and the next one does it as well.
            _LOGGER.debug("others hold the outbox in %s: not tidied up", folder)

    @classmethod
    def open(
        cls,
        folder: Path,
        destination: Callable[[], Destination],
        *,
        retention: Retention | None = None,
        observe: Callable[[DeliveryResult], None] | None = None,
    ) -> Self:
        """
        Open the outbox in a folder.

        Args:
            folder: holds the queue; made if it is not there.
            destination: makes the destination, when something is first sent.
            retention: how long delivered runs are remembered; 90 days by default.
            observe: is told how each attempt ended, in the thread that sends.

        Raises:
            ConfigurationError: the folder cannot be used.
        """
        return cls(folder, destination, retention=retention, observe=observe)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

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
            OutboxBusyError: they held it for longer; nothing is queued.
            DiskFullError: there is no room for it; nothing is queued.
            SourceUnreadableError: an attachment cannot be read; nothing is queued.
            OSError: the folder cannot be written; nothing is queued.
        """
        report = ConversionReport() if report is None else report
        with self.handing_over():
            self._submit(run, report, patience)
        return run.id

    @contextmanager
    def handing_over(self) -> Generator[None, None, None]:
        """
        Keep this process from sending for the moment, since somebody waits.

        For one who has to prepare what is submitted, or to finish something after it:
        a thread that sends would slow that down.
        """
        with self._here().precedence.first():
            yield

    def _submit(
        self, run: Run, report: ConversionReport, patience: float | None
    ) -> None:
        known = self._journal.find(run.id, patience)
        if known is not None:
            self._compare(run, known)
            return
        needed = self._contents.room_for(run)
        require(self.folder, needed)
        for _ in range(_TRIES):
            with making_room(self.folder, needed):
                added = self._add(run, report, patience)
            if added:
                self._wake_sender()
                return
            # Another process has just delivered the last run that shared a file with
            # this one, and removed the file: it is kept anew.
        raise OSError(f"the attachments of run {run.id} do not stay in {self.folder}")

    def _compare(self, run: Run, known: Known) -> None:
        """Say so where a run that was handed over before has other content now."""
        if known.digest is None:
            return
        if known.digest != _digest(encode_document(self._contents.describe(run))):
            _LOGGER.warning(
                "run %s was handed over before with other content, which stays", run.id
            )

    def _add(self, run: Run, report: ConversionReport, patience: float | None) -> bool:
        kept = self._contents.keep(run, report)
        document = encode_document(kept)
        contents = frozenset(
            item.sha256 for item in kept.attachments if item.opener and item.sha256
        )
        entry = NewEntry(
            id=run.id,
            digest=_digest(document),
            document=document,
            report=encode(report.as_document()),
            serial_number=run.unit.serial_number,
            procedure=run.procedure.name or run.procedure.id,
            contents=contents,
            parts=frozenset(part.serial_number for part in run.sub_units),
        )

        def complete() -> bool:
            return all(self._contents.path(sha256).is_file() for sha256 in contents)

        return self._journal.add(entry, complete, patience)

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

        A destination that cannot be made for now is an error in the log, and tried
        again.
        """
        self.load()
        here = self._here()
        with here.delivering:
            if here.destination is None:
                try:
                    here.destination = self._make_destination()
                except (ConfigurationError, PluginError) as error:
                    _LOGGER.error("nothing can be sent: %s", error)  # noqa: TRY400 - the text says it all
        self._started = True
        self._wake_sender()

    def flush(self, deadline: float) -> int:
        """
        Send what waits, now.

        Waits of our own making are cut short, those that a server asked for are not.
        With the background thread running this waits for it, at most until the
        deadline. Otherwise the calling thread sends: no delivery begins after the
        deadline, but one that has begun is brought to its end.

        Args:
            deadline: seconds that this may take.

        Returns:
            How many runs still wait; parked ones do not count.

        Raises:
            ConfigurationError: the destination cannot be made.
            PluginError: likewise.
        """
        end = time.monotonic() + deadline
        self._journal.hasten()
        self._wake_sender()
        while True:
            waiting = self._journal.waiting()
            remaining = end - time.monotonic()
            if not waiting or remaining <= 0 or self._is_vain(remaining):
                return waiting
            sender = self._here().sender
            background = sender is not None and sender.alive
            if background or not self._deliver_due(remaining):
                time.sleep(min(_POLL, remaining))

    def _is_vain(self, remaining: float) -> bool:
        """Whether nothing can be sent in the time that remains."""
        held = self._journal.held()
        if held is not None and held[1] > remaining:
            return True
        turn = self._journal.next_turn()
        return not self._journal.sending() and turn is not None and turn > remaining

    def status(self) -> OutboxStatus:
        """Say how the outbox stands."""
        return attrs.evolve(
            self._journal.status(),
            set_aside=tuple(self._database.set_aside),
        )

    @property
    def is_sending(self) -> bool:
        """Whether the background thread of this process runs."""
        sender = self._here().sender
        return sender is not None and sender.alive

    def prune(self) -> int:
        """
        Forget delivered runs by the retention; also done when the outbox is opened.

        Returns:
            How many.
        """
        return self._journal.prune(self._retention)

    def entries(
        self, states: Collection[EntryState] = _NOT_DELIVERED
    ) -> list[OutboxEntry]:
        """
        List entries, the first that was handed over first.

        Args:
            states: which; all but the delivered ones by default.
        """
        return self._journal.entries(states)

    def entry(self, run_id: UUID) -> OutboxEntry | None:
        """Say how a run stands; None if it was never here, or is forgotten."""
        return self._journal.entry(run_id)

    def run(self, run_id: UUID) -> tuple[Run, ConversionReport]:
        """
        Give back a run that is not delivered yet, and its conversion report.

        Raises:
            ConfigurationError: there is no such run, or it is delivered.
        """
        document, report, digests = self._journal.documents(run_id)
        run = restore(document, digests, self._contents)
        return run, ConversionReport.from_document(msgspec.json.decode(report))

    def retry(self, run_id: UUID) -> None:
        """
        Have a parked or waiting run tried again at once.

        Raises:
            ConfigurationError: there is no such run, or it is delivered.
        """
        self._journal.retry(run_id)
        self._wake_sender()

    def drop(self, run_id: UUID) -> None:
        """
        Remove a run for good, without delivering it.

        Raises:
            ConfigurationError: there is no such run, or it is delivered or being sent.
        """
        contents = self._journal.drop(run_id)
        _LOGGER.warning("run %s was dropped on request", run_id)
        self._discard(contents)

    def close(self, grace: float = 5.0) -> None:
        """
        Stop sending and release everything; what waits stays. May be called twice.

        Args:
            grace: seconds to wait for a delivery to come to its next step. One that
                takes longer goes on until there, and what it held is released then.
        """
        here = self._here()
        end = time.monotonic() + grace
        # In this order: a sender that finds everything closed knows that it is to end.
        if here.sender is not None:
            here.sender.tell_to_stop()
        self._closed = True
        if here.sender is not None:
            here.sender.join(grace)
        if not self._release(max(0.0, end - time.monotonic())):
            _LOGGER.warning("a delivery is still under way, it ends at its next step")

    def _release(self, patience: float = 0.0) -> bool:
        """Close what is open, unless a delivery uses it; then that does it."""
        here = self._here()
        if not here.delivering.acquire(timeout=patience):
            return False
        try:
            destination, here.destination = here.destination, None
            if destination is not None:
                destination.close()
            self._database.close()
        finally:
            here.delivering.release()
        return True

    def _discard(self, contents: list[str]) -> None:
        if contents:
            self._journal.discard(contents, self._contents.remove)

    def _here(self) -> _Process:
        """Give what belongs to this process; the child of a fork begins anew."""
        if self._process.pid != os.getpid():
            self._process = _Process(inherited=self._process)
        return self._process

    def _wake_sender(self) -> None:
        if not self._started or self._closed:
            return
        here = self._here()
        with here.starting:
            if here.sender is None or not here.sender.alive:
                sender = Sender(self._deliver_due, self._journal.next_turn)
                try:
                    sender.start()
                except RuntimeError:
                    return  # the interpreter ends: a flush sends in its own thread
                here.sender = sender
            here.sender.wake()

    def _deliver_due(self, patience: float = math.inf) -> bool:
        """
        Deliver what is due; False if that is nothing.

        Args:
            patience: seconds after which no delivery begins.
        """
        here = self._here()
        end = time.monotonic() + patience
        wait = patience if patience < threading.TIMEOUT_MAX else -1
        if not here.delivering.acquire(timeout=wait):
            return False
        try:
            if self._closed:
                return False
            if here.destination is None:
                here.destination = self._make_destination()

            def claim() -> Claim | None:
                here.precedence.give_way()
                over = self._closed or time.monotonic() >= end
                return None if over else self._leases.claim()

            def stopping() -> bool:
                here.precedence.give_way()
                return self._closed

            return self._delivery.deliver_all(claim, here.destination, stopping)
        finally:
            here.delivering.release()
            if self._closed:
                self._release()


def _digest(document: bytes) -> str:
    return hashlib.sha256(document).hexdigest()

"""Sending in this process: in a thread of its own, or in that of the caller."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Callable

import attrs

from rigbridge.destinations import Destination, foreign_failures
from rigbridge.errors import ConfigurationError, PluginError
from rigbridge.machine.threads import end_with_process
from rigbridge.outbox.disk_space import explains_refusals
from rigbridge.outbox.queue.database import OutboxDatabase
from rigbridge.outbox.queue.leases import LeasedRun, Leases
from rigbridge.outbox.queue.queue_view import QueueView
from rigbridge.outbox.sending.delivery import Delivery
from rigbridge.outbox.sending.priority import HandOverPriority
from rigbridge.outbox.sending.sender import Sender

__all__ = ["ProcessSending"]

_LOGGER = logging.getLogger("rigbridge.outbox")


@attrs.define(eq=False)
class _ProcessState:
    """What must not cross a fork: threads, their locks, open connections."""

    pid: int = attrs.field(factory=os.getpid)
    starting: threading.Lock = attrs.field(factory=threading.Lock)
    delivering: threading.Lock = attrs.field(factory=threading.Lock)
    priority: HandOverPriority = attrs.field(factory=HandOverPriority)
    sender: Sender | None = None
    destination: Destination | None = None
    # What the parent of a fork has: neither used nor closed, and not forgotten
    # either, since forgetting it would close its connections.
    inherited: _ProcessState | None = None


class ProcessSending:
    """
    Sends what is due, in one thread of a process at a time; goes on after a fork.

    Args:
        make_destination: makes the destination, when something is first sent.
        database: the queue, closed once nobody sends any more.
        view: tells when it is due.
        take_in: queues what was handed over beside the queue, before anything is sent;
            is told how to ask whether to end, and says whether there was any.
    """

    def __init__(
        self,
        make_destination: Callable[[], Destination],
        delivery: Delivery,
        *,
        database: OutboxDatabase,
        leases: Leases,
        view: QueueView,
        take_in: Callable[[Callable[[], bool]], bool],
    ) -> None:
        self.folder = database.folder
        self._take_in = take_in
        self._make_destination = make_destination
        self._delivery = delivery
        self._database = database
        self._leases = leases
        self._view = view
        self._process = _ProcessState()
        self._started = False
        self._closed = False

    @property
    def priority(self) -> HandOverPriority:
        """The priority of those who hand over in this process."""
        return self._state().priority

    @property
    def in_background(self) -> bool:
        """Whether the background thread of this process runs."""
        sender = self._state().sender
        return sender is not None and sender.alive

    @property
    def trouble(self) -> str | None:
        """Why the background thread could not do its work the last time, or None."""
        sender = self._state().sender
        return None if sender is None else sender.trouble

    def start(self) -> None:
        """
        Send in the background from now on, also in the child after a fork.

        A destination that cannot be made for now is an error in the log, and tried
        again.
        """
        state = self._state()
        with state.delivering:
            if state.destination is None:
                try:
                    state.destination = self._make_destination()
                except (ConfigurationError, PluginError) as error:
                    _LOGGER.error("nothing can be sent: %s", error)  # noqa: TRY400 - the text says it all
        self._started = True
        self.wake()

    def wake(self) -> None:
        """Have the background thread look at once, where there is to be one."""
        if not self._started or self._closed:
            return
        state = self._state()
        # Two threads that hand over at once must not start two senders.
        with state.starting:
            if state.sender is None or not state.sender.alive:
                sender = Sender(self.deliver_due, self._view.seconds_until_due)
                try:
                    sender.start()
                except RuntimeError:
                    return  # the interpreter ends: a flush sends in its own thread
                state.sender = sender
            state.sender.wake()

    @explains_refusals
    def deliver_due(self, patience: float = math.inf) -> bool:
        """
        Deliver what is due; False if that is nothing.

        Args:
            patience: seconds after which no delivery begins.
        """
        state = self._state()
        end = time.monotonic() + patience
        # acquire takes no infinity and no number beyond TIMEOUT_MAX; -1 is for ever.
        wait = patience if patience < threading.TIMEOUT_MAX else -1
        if not state.delivering.acquire(timeout=wait):
            return False
        try:
            if self._closed:
                return False

            def stopping() -> bool:
                state.priority.wait()
                return self._closed

            # Before the destination is made: what is wrong with that keeps nobody from
            # reading what was handed over.
            taken_in = self._take_in(stopping)
            if state.destination is None:
                state.destination = self._make_destination()

            def take() -> LeasedRun | None:
                state.priority.wait()
                # Checked after the wait: closing may have happened meanwhile.
                over = self._closed or time.monotonic() >= end
                return None if over else self._leases.take()

            sent = self._delivery.deliver_all(take, state.destination, stopping)
            return sent or taken_in
        finally:
            state.delivering.release()
            # A close that did not wait for this delivery left the rest to it.
            if self._closed:
                self._release()

    def deliver_within(self, seconds: float) -> bool:
        """
        Deliver what is due in a thread of its own, and wait for it no longer than that.

        Returns:
            Whether there was anything, as far as it is known by then.

        Raises:
            BaseException: what delivering raises by then.
        """
        found: list[bool] = []
        errors: list[BaseException] = []

        def deliver() -> None:
            try:
                found.append(self.deliver_due(seconds))
            except BaseException as error:  # noqa: BLE001 - raised by who waits
                errors.append(error)

        # A daemon: a store that does not answer keeps no program from ending.
        thread = threading.Thread(target=deliver, name="rigbridge-flush", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return self.deliver_due(seconds)  # the interpreter ends: no new threads
        end_with_process(thread, lambda: None)
        thread.join(min(seconds, threading.TIMEOUT_MAX))
        if errors:
            raise errors[0]
        return any(found)

    def close(self, grace: float) -> None:
        """
        Stop sending, and release the destination and the database.

        Args:
            grace: seconds to wait for a delivery to come to its next step.
        """
        state = self._state()
        end = time.monotonic() + grace
        # In this order: a sender that finds everything closed knows that it is to end.
        if state.sender is not None:
            state.sender.tell_to_stop()
        self._closed = True
        if state.sender is not None:
            state.sender.join(grace)
        if not self._release(max(0.0, end - time.monotonic())):
            _LOGGER.info("a delivery is still under way, it ends at its next step")

    def _release(self, patience: float = 0.0) -> bool:
        """Close what is open, unless a delivery uses it; then that does it."""
        state = self._state()
        if not state.delivering.acquire(timeout=patience):
            return False
        try:
            destination, state.destination = state.destination, None
            try:
                if destination is not None:
                    with foreign_failures(destination, "close"):
                        destination.close()
            finally:
                # Whatever it raised: an open database would hold its file for ever.
                self._database.close()
        finally:
            state.delivering.release()
        return True

    def _state(self) -> _ProcessState:
        """Give what belongs to this process; the child of a fork begins anew."""
        # Threads do not survive a fork, and their locks may be held for ever.
        if self._process.pid != os.getpid():
            self._process = _ProcessState(inherited=self._process)
        return self._process

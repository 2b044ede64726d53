"""Renewing leases while their deliveries go on."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from contextlib import suppress
from typing import Self

from rigbridge.errors import OutboxBusyError
from rigbridge.outbox.queue.clock import LEASE
from rigbridge.outbox.queue.leases import LeasedRun, LeaseLostError, Leases

__all__ = ["LeaseHeartbeat"]

_LOGGER = logging.getLogger("rigbridge.outbox")
# Longer than an upload of many gigabytes; a delivery that hangs ends there.
_MAX_SECONDS = 6 * 3600.0


class LeaseHeartbeat:
    """
    Renews leases in a thread while their deliveries go on.

    After six hours a delivery counts as dead: its lease is no longer renewed.
    """

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self._ends: dict[str, tuple[LeasedRun, float]] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(
            target=self._beat, name="rigbridge-lease", daemon=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def add(self, leased: LeasedRun) -> None:
        """Renew the lease from now on."""
        with self._lock:
            self._ends[leased.owner] = (leased, time.monotonic() + _MAX_SECONDS)
            if self._thread.ident is None:
                # An interpreter that ends starts no thread: a flush at exit goes on
                # without, for as long as a lease lasts by itself.
                with suppress(RuntimeError):
                    self._thread.start()

    def remove(self, leased: LeasedRun) -> None:
        """Leave the lease of a finished delivery alone."""
        with self._lock:
            self._ends.pop(leased.owner, None)

    def _beat(self) -> None:
        # Two renewals may fail before the lease runs out.
        while not self._over.wait(LEASE / 3):
            with self._lock:
                now = time.monotonic()
                # Only listed under the lock: renewing waits for the database.
                held = [leased for leased, end in self._ends.values() if now < end]
            for leased in held:
                self._renew(leased)

    def _renew(self, leased: LeasedRun) -> None:
        try:
            self._leases.renew(leased)
        except LeaseLostError:
            self.remove(leased)  # the delivery meets this at its next step
        # A busy database is no lost lease: the next beat tries again.
        except (OutboxBusyError, sqlite3.Error):
            _LOGGER.exception("the lease on run %s was not renewed", leased.id)

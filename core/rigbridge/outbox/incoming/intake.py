"""From the folder into the queue: what was handed over is translated and queued."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Protocol, TypeAlias, cast
from uuid import UUID

import attrs

from rigbridge.adapters import Spool
from rigbridge.adapters.identity import IdentityRules
from rigbridge.errors import (
    ConfigurationError,
    DiskFullError,
    SourceUnreadableError,
)
from rigbridge.machine.files import is_lasting
from rigbridge.machine.folders import make_folder, require_folder
from rigbridge.model import Run
from rigbridge.model.report import ConversionReport
from rigbridge.outbox.incoming.folder import IncomingFolder
from rigbridge.outbox.incoming.item import (
    RUN_KIND,
    UNREADABLE_KIND,
    IncomingItem,
    decode_item,
)
from rigbridge.outbox.incoming.runs import read_run
from rigbridge.outbox.policy import MAX_PROBE, delay

__all__ = ["IncomingIntake", "Translate"]

_LOGGER = logging.getLogger("rigbridge.outbox")
# The item is as it was: the next attempt may queue it.
_LATER = (DiskFullError, OSError, MemoryError)

_Submit: TypeAlias = Callable[[Run, ConversionReport, str | None], object]


@attrs.frozen
class _Wait:
    """Until when an item is left alone, and why."""

    attempts: int
    due: float
    reason: str

    @classmethod
    def after(cls, before: _Wait | None, error: Exception) -> _Wait:
        """Give the wait after another failure."""
        attempts = 1 if before is None else before.attempts + 1
        due = time.monotonic() + delay(attempts, most=MAX_PROBE)
        return cls(attempts, due, str(error) or type(error).__name__)


class Translate(Protocol):
    """Makes the run of an item, by the adapter that its kind names."""

    def __call__(
        self, item: IncomingItem, spool: Spool, report: ConversionReport
    ) -> Run:
        """Translate an item; any error is the reason why it waits."""
        ...


class IncomingIntake:
    """
    Queues what lies in the folder.

    Several processes may do so at once: the queue takes a run once.

    Args:
        translate: translates records; None leaves them to another program.
    """

    def __init__(
        self,
        folder: IncomingFolder,
        translate: Translate | None = None,
    ) -> None:
        self.folder = folder
        self._translate = translate
        self._waits: dict[UUID, _Wait] = {}
        # Guards nothing but double work within this process.
        self._busy = threading.Lock()

    def take_all(
        self,
        submit: _Submit,
        stopping: Callable[[], bool] = lambda: False,
    ) -> int:
        """
        Queue every item that can be; each leaves the folder once it is queued.

        What cannot be translated is noted with its reason, and waits for a person. What
        the system cannot read or queue for now is left for a while, the others go on.

        Args:
            submit: queues a run for the destination of that name, durably.
            stopping: is asked before each item whether to end there.

        Returns:
            How many items were queued.

        Raises:
            OSError: an item cannot be read or queued for now; those behind it are.
            SourceUnreadableError: likewise.
            DiskFullError: likewise.
            OutboxBusyError: nothing can be queued for now.
        """
        if not self._busy.acquire(blocking=False):
            return 0
        try:
            return self._take_all(submit, stopping)
        finally:
            self._busy.release()

    @property
    def trouble(self) -> str | None:
        """Why something cannot be queued for now, though it could be read; or None."""
        return next((wait.reason for wait in self._waits.values()), None)

    @property
    def postponed(self) -> int:
        """How many items could not be read or queued the last time."""
        return len(self._waits)

    def _take_all(self, submit: _Submit, stopping: Callable[[], bool]) -> int:
        taken = 0
        waits: dict[UUID, _Wait] = {}
        errors: list[Exception] = []
        for item in self.folder.items():
            if stopping():
                return taken
            wait = self._waits.get(item.id)
            if item.refusal is not None:
                if item.given.kind == UNREADABLE_KIND:
                    self._refuse(item, item.refusal.reason)
            elif wait is not None and time.monotonic() < wait.due:
                waits[item.id] = wait
            else:
                try:
                    taken += self._take(item, submit)
                # One that cannot be queued for now must not hold up those behind it.
                except (*_LATER, SourceUnreadableError) as error:
                    waits[item.id] = _Wait.after(wait, error)
                    errors.append(error)
                    if wait is None:
                        _LOGGER.error(  # noqa: TRY400 - no fault of ours: a line is enough
                            "run %s waits and is tried again, it cannot be queued for "
                            "now: %s",
                            item.id,
                            waits[item.id].reason,
                        )
        # Only what is still there; another process may have taken the rest.
        self._waits = waits
        if errors:
            raise errors[0]
        return taken

    def _take(self, item: IncomingItem, submit: _Submit) -> bool:
        if item.given.kind not in (RUN_KIND, UNREADABLE_KIND) and (
            self._translate is None
        ):
            return False
        report = ConversionReport()
        spools = self.folder.folder.parent / "spool"
        try:
            require_folder(spools.parent)
            make_folder(spools)
            with Spool(spools, in_place=True) as spool:
                try:
                    run = self.run(item, spool, report)
                    run = _identified(item, run, report)
                except Exception as error:
                    if _may_pass(error):
                        raise
                    return self._set_aside(item, error)
                try:
                    submit(run, report, item.given.destination)
                except Exception as error:
                    # What the queue cannot take now it may take later; a file or a
                    # value of the run that it can never take is a matter of this run.
                    of_queue = isinstance(error, (*_LATER, sqlite3.Error))
                    if of_queue or _may_pass(error):
                        raise
                    return self._set_aside(item, error)
        except (*_LATER, SourceUnreadableError):
            if not item.folder.is_dir():
                return False  # another process has queued it meanwhile
            raise
        # Only now: a crash in between queues it again, which the queue notices.
        self.folder.remove(item)
        return True

    def run(self, item: IncomingItem, spool: Spool, report: ConversionReport) -> Run:
        """
        Make the run of an item.

        Raises:
            ConfigurationError: nobody here translates items of its kind.
            Exception: whatever its adapter raises.
        """
        if item.given.kind == UNREADABLE_KIND:
            # Raises what is wrong with it; the system may have got over that.
            item = decode_item(item.folder)
        if item.given.kind == RUN_KIND:
            return read_run(item, report)
        if self._translate is None:
            raise ConfigurationError(
                f"no adapter is at hand for items of kind {item.given.kind!r}"
            )
        return self._translate(item, spool, report)

    def retry(self, item: IncomingItem) -> None:
        """
        Have an item translated again, and at once.

        Raises:
            OSError: the folder cannot be written.
        """
        self._waits.pop(item.id, None)
        self.folder.retry(item)

    def _set_aside(self, item: IncomingItem, error: Exception) -> bool:
        """Note why an item cannot be queued; says that it is not."""
        if item.folder.is_dir():  # else another process has queued it meanwhile
            reason = str(error) or type(error).__name__
            if not isinstance(error, ConfigurationError):
                reason = f"{type(error).__name__}: {reason}"
            self._refuse(item, reason, error)
        return False

    def _refuse(
        self, item: IncomingItem, reason: str, error: Exception | None = None
    ) -> None:
        if item.refusal is not None and self.folder.is_refused(item):
            return
        _LOGGER.error(
            "run %s cannot be read and waits in %s: %s",
            item.id,
            item.folder,
            reason,
            exc_info=error,
        )
        self.folder.refuse(item, reason)


def _may_pass(error: Exception) -> bool:
    """Whether an item can be read later: the system had no room or no answer."""
    if isinstance(error, SourceUnreadableError) and not isinstance(error, OSError):
        cause = error.__cause__
        return isinstance(cause, OSError) and not is_lasting(cause)
    if isinstance(error, OSError):
        return not is_lasting(error)
    return isinstance(error, (MemoryError, DiskFullError))


def _identified(item: IncomingItem, run: Run, report: ConversionReport) -> Run:
    """Apply the rules that the program gave itself; no configuration holds them."""
    table = item.given.identity
    if table is None:
        return run
    # Checked when they were made; the class compiles its expressions itself.
    make = cast("Callable[..., IdentityRules]", IdentityRules)
    return make(**table).apply(run, name="", report=report)

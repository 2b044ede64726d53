"""From the folder into the queue: what was handed over is translated and queued."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol, cast

from rigbridge.adapters import Spool
from rigbridge.adapters.identity import IdentityRules
from rigbridge.errors import (
    ConfigurationError,
    DiskFullError,
    OutboxBusyError,
    SourceUnreadableError,
)
from rigbridge.machine.folders import make_folder
from rigbridge.model import Run
from rigbridge.model.report import ConversionReport
from rigbridge.outbox.incoming.folder import IncomingFolder
from rigbridge.outbox.incoming.item import RUN_KIND, UNREADABLE_KIND, IncomingItem
from rigbridge.outbox.incoming.runs import read_run

__all__ = ["IncomingIntake", "Translate"]

_LOGGER = logging.getLogger("rigbridge.outbox")
# The item is as it was: the next attempt may queue it.
_LATER = (DiskFullError, OutboxBusyError, OSError)


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
        folder: the folder.
        translate: translates records; None leaves them to another program.
    """

    def __init__(
        self,
        folder: IncomingFolder,
        translate: Translate | None = None,
    ) -> None:
        self.folder = folder
        self._translate = translate
        # Guards nothing but double work within this process.
        self._busy = threading.Lock()

    def take_all(
        self,
        submit: Callable[[Run, ConversionReport, str | None], object],
        stopping: Callable[[], bool] = lambda: False,
    ) -> int:
        """
        Queue every item that can be; each leaves the folder once it is queued.

        What cannot be translated is noted with its reason, and waits for a person.

        Args:
            submit: queues a run for the destination of that name, durably.
            stopping: is asked before each item whether to end there.

        Returns:
            How many items were queued.

        Raises:
            OSError: the queue cannot be written, as things are.
            DiskFullError: likewise.
            OutboxBusyError: likewise.
        """
        if not self._busy.acquire(blocking=False):
            return 0
        try:
            taken = 0
            for item in self.folder.items():
                if stopping():
                    break
                if item.refusal is None and self._take(item, submit):
                    taken += 1
            return taken
        finally:
            self._busy.release()

    def _take(
        self,
        item: IncomingItem,
        submit: Callable[[Run, ConversionReport, str | None], object],
    ) -> bool:
        if item.given.kind not in (RUN_KIND, UNREADABLE_KIND) and (
            self._translate is None
        ):
            return False
        report = ConversionReport()
        try:
            spools = self.folder.folder.parent / "spool"
            make_folder(spools)
            with Spool(spools, in_place=True) as spool:
                try:
                    run = self.run(item, spool, report)
                    run = _identified(item, run, report)
                except Exception as error:  # noqa: BLE001 - an adapter may raise anything
                    self._refuse(item, error)
                    return False
                submit(run, report, item.given.destination)
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

        Args:
            item: the item.
            spool: takes files; the run needs it open.
            report: takes what is recorded.

        Raises:
            ConfigurationError: nobody here translates items of its kind.
            Exception: whatever its adapter raises.
        """
        if item.given.kind == RUN_KIND:
            return read_run(item, report)
        if self._translate is None:
            raise ConfigurationError(
                f"no adapter is at hand for items of kind {item.given.kind!r}"
            )
        return self._translate(item, spool, report)

    def _refuse(self, item: IncomingItem, error: Exception) -> None:
        if not item.folder.is_dir():
            return  # another process has queued it meanwhile
        reason = str(error) or type(error).__name__
        if not isinstance(error, (ConfigurationError,)):
            reason = f"{type(error).__name__}: {reason}"
        _LOGGER.error(
            "run %s cannot be read and waits in %s: %s",
            item.id,
            item.folder,
            reason,
            exc_info=error,
        )
        self.folder.refuse(item, reason)


def _identified(item: IncomingItem, run: Run, report: ConversionReport) -> Run:
    """Apply the rules that the program gave itself; no configuration holds them."""
    table = item.given.identity
    if table is None:
        return run
    # Checked when they were made; the class compiles its expressions itself.
    make = cast("Callable[..., IdentityRules]", IdentityRules)
    return make(**table).apply(run, name="", report=report)

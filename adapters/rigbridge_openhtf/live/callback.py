"""
The output callback: the one line that a test engineer adds to a test.

A test never waits for a store, and no error of rigbridge makes it fail or lose data. A
record is written down as it is, durably, before the callback returns; whoever sends
translates and queues it (:mod:`rigbridge_openhtf.live.background`). Errors go to the
logger ``rigbridge.openhtf`` and are never raised. Only what could be kept nowhere is
said on standard error as well.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import attrs

from rigbridge.errors import ConfigurationError
from rigbridge.machine.interruption import brought_to_end
from rigbridge.machine.threads import prepare_for_the_end
from rigbridge.outbox.ending import flush_at_end
from rigbridge.outbox.incoming import IncomingFolder, say_lost, shared_threads
from rigbridge_openhtf.guarded import told_error
from rigbridge_openhtf.live.background import BackgroundOutbox
from rigbridge_openhtf.live.fixed_settings import FixedSettings, fix_settings
from rigbridge_openhtf.live.hand_over import HandOver
from rigbridge_openhtf.live.known_records import known_record
from rigbridge_openhtf.live.record_writing import (
    RecordSummary,
    load_writer,
    write_record,
)
from rigbridge_openhtf.settings import OpenHTFSettings

if TYPE_CHECKING:
    from rigbridge.adapters.identity import IdentityRules
    from rigbridge.machine.plugins import PluginLoader
    from rigbridge.outbox import Outbox, OutboxEntry

__all__ = ["OutputCallback", "output_callback"]

_LOGGER = logging.getLogger("rigbridge.openhtf")
# Seconds that somebody who asks how a run stands waits for the outbox to be opened.
_PATIENCE = 30.0


def output_callback(
    *,
    to: str | None = None,
    data: Path | str | None = None,
    api_key: str | None = None,
    settings: OpenHTFSettings | None = None,
    identity: IdentityRules | None = None,
    outbox: Outbox | None = None,
) -> OutputCallback:
    """
    Make the callback that sends every record of a test to a run store.

    Example::

        test = openhtf.Test(phase)
        test.add_output_callbacks(rigbridge_openhtf.output_callback())

    What is not given comes from the configuration (``rigbridge.toml``, the
    environment) as it is now. A wrong setting is logged once; records are kept
    nonetheless. In the background the data folder is opened and what waits in it is
    sent, so that nobody waits for that at the end of the first test.

    Args:
        to: ``local`` for the embedded store, or the URL of a run store.
        data: the folder of the embedded store and the outbox.
        api_key: the key for a store behind a URL.
        settings: how records are read: the procedure, the log lines, and more.
        identity: the rules that find part number, revision and batch in the serial
            number, and more.
        outbox: an outbox of the caller's own, who starts and closes it.
    """
    callback = OutputCallback(
        to=to,
        data=data,
        api_key=api_key,
        settings=settings,
        identity=identity,
        outbox=outbox,
    )
    callback.prepare()
    return callback


class OutputCallback:
    """
    An OpenHTF output callback, as :func:`output_callback` makes it of its arguments.

    One callback may serve several tests, also at the same time.

    Args:
        observe: is called with what became of each record, in the thread of its test.
    """

    def __init__(
        self,
        *,
        to: str | None = None,
        data: Path | str | None = None,
        api_key: str | None = None,
        settings: OpenHTFSettings | None = None,
        identity: IdentityRules | None = None,
        outbox: Outbox | None = None,
        observe: Callable[[HandOver], object] | None = None,
    ) -> None:
        self._fixed = fix_settings(
            to=to,
            data=None if data is None else Path(data),
            api_key=api_key,
            settings=settings,
            identity=identity,
        )
        if self._fixed.problem is not None:
            _LOGGER.error(
                "records are kept in %s, and not sent: %s",
                self._fixed.data,
                self._fixed.problem,
            )
        if outbox is not None:
            # Its owner decides where it sends to.
            self._fixed = attrs.evolve(self._fixed, destination=outbox.name)
        self._outbox = BackgroundOutbox(self._make_outbox, given=outbox)
        self._incoming = _incoming_folder(self._fixed, outbox)
        self._observe = observe
        self._plugins: PluginLoader | None = None
        self._prepared = False
        self._last_run_id: UUID | None = None
        # The processes that handed something over: a child inherits this object.
        self._used_by: set[int] = set()

    @property
    def last_run_id(self) -> UUID | None:
        """The id of the run that was handed over last, or None."""
        return self._last_run_id

    @property
    def fixed(self) -> FixedSettings:
        """What it works with, as it was when it was made."""
        return self._fixed

    def __call__(self, record: object) -> None:
        """
        Take a finished record; never raises an error of ours.

        Args:
            record: the ``openhtf.core.test_record.TestRecord``.
        """
        # Also on Ctrl-C: an impatient operator must not lose the record.
        done = brought_to_end(lambda: self._take(record))
        if self._observe is not None:
            self._observe(done)

    def _take(self, record: object) -> HandOver:
        place = (self._incoming.folder, self._fixed.destination)
        known = known_record(record, place)
        if known.handed_over is not None:
            self._last_run_id = known.run_id
            return known.handed_over
        summary = RecordSummary.of(record, self._fixed.settings)
        done = HandOver(
            run_id=known.run_id,
            serial_number=summary.serial_number,
            outcome=summary.outcome,
            canceled=summary.never_began and not self._fixed.settings.canceled_starts,
        )
        if done.canceled:
            _LOGGER.info("a test that was canceled before it began is not handed over")
        else:
            done = self._write(record, done, summary)
        # What could be kept nowhere may be kept when it is handed over once more.
        if done.problem is None:
            known.handed_over = done
        return done

    def _write(
        self, record: object, done: HandOver, summary: RecordSummary
    ) -> HandOver:
        with self._outbox.handing_over():
            try:
                folder = write_record(
                    self._incoming, record, done.run_id, summary, self._fixed
                )
            except Exception as error:
                _LOGGER.exception("a record could be kept nowhere")
                problem = told_error(error)
                say_lost(done.serial_number, done.outcome, problem)
                return attrs.evolve(done, problem=problem)
        self._last_run_id = done.run_id
        self._used_by.add(os.getpid())
        # The record is safe. Only one who comes after closing waits for what follows.
        if self._prepared:
            self._outbox.wake()
        else:
            self.prepare()
        return attrs.evolve(done, folder=folder)

    def prepare(self) -> None:
        """
        Make ready in the background, so that nobody waits after the first test.

        The code that is needed is loaded, the folder made, the outbox opened, and what
        waits in it is sent.
        """
        if self._prepared:
            return
        self._prepared = True
        prepare_for_the_end()
        atexit.register(self._at_exit)
        load_writer()
        shared_threads().start()
        # A folder that cannot be made is met again, and said, with a record.
        shared_threads().begin([self._incoming], _prepare_folder)
        if self._fixed.configuration is None:
            return
        try:
            # Loaded here: a fork while a thread imports would leave the child with an
            # import that never ends.
            from rigbridge.opening import load_outbox  # not all need it

            self._plugins = load_outbox(self._fixed.configuration)
        except Exception as error:  # noqa: BLE001 - said once; records are kept
            _LOGGER.error("records are kept, and not sent for now: %s", error)  # noqa: TRY400 - the text says it all
            return
        self._outbox.begin()

    def _make_outbox(self) -> Outbox:
        if self._fixed.configuration is None:
            raise self._fixed.problem or ConfigurationError("nothing is configured")
        from rigbridge.opening import open_outbox

        return open_outbox(self._fixed.configuration, loader=self._plugins)

    def entry(self, run_id: UUID | None = None) -> OutboxEntry | None:
        """
        Tell the state of a run: waiting, or stored under which id and link.

        Args:
            run_id: its id; that of the last run by default.

        Returns:
            None if the outbox does not know the run, or cannot be opened.
        """
        run_id = self._last_run_id if run_id is None else run_id
        if run_id is None or self._fixed.configuration is None:
            return None
        # Also after closing, or the block of a station: opened again, as for a record.
        outbox = self._outbox.opened(_PATIENCE)
        return None if outbox is None else outbox.entry(run_id)

    def flush(self, deadline: float = 10.0) -> int:
        """
        Wait until everything is sent, or until the deadline.

        It may be called after closing: a record may have come later.

        Args:
            deadline: seconds to wait at most.

        Returns:
            How many runs still wait; they stay in the data folder.
        """
        waiting = None
        if self._fixed.configuration is not None:
            waiting = self._outbox.flush(deadline)
        return self._incoming.pending() if waiting is None else waiting

    def close(self) -> None:
        """
        Release files and threads; what waits stays in the data folder.

        A record that arrives later opens them again.
        """
        self._prepared = False
        # Else the handler would keep every callback of a long process alive.
        atexit.unregister(self._at_exit)
        self._outbox.close()

    def _at_exit(self) -> None:
        # A child leaves the sending to the process that it comes from.
        if os.getpid() not in self._used_by or self._outbox.is_elsewhere:
            return
        # Exit handlers run before daemon threads end, so the sender still works. What
        # is raised here would only be printed, without a word on what it means.
        try:
            waiting = None
            if (configuration := self._fixed.configuration) is not None:
                waiting = flush_at_end(
                    self._outbox.opened, embedded=configuration.is_local
                )
            if waiting is None:
                waiting = self._incoming.pending()
            if waiting:
                _LOGGER.warning(
                    "%d runs wait in %s; the next test or '%s' sends them",
                    waiting,
                    self._fixed.data,
                    self._fixed.flush_command(),
                )
            self.close()
        except Exception:
            _LOGGER.exception("the outbox could not be flushed at the end")


def _incoming_folder(fixed: FixedSettings, outbox: Outbox | None) -> IncomingFolder:
    """Give the folder that the sender takes from."""
    if outbox is None:
        return IncomingFolder(fixed.data)
    if outbox.incoming is not None:
        return outbox.incoming.folder
    from rigbridge.configuration import Configuration  # not all need it
    from rigbridge.destinations import DestinationSettings
    from rigbridge.opening import incoming_intake

    # An outbox of the caller's own takes from a folder of its own: what is in the data
    # folder goes where the configuration says.
    folder = IncomingFolder(outbox.folder)
    configuration = fixed.configuration or Configuration(
        destination_settings=DestinationSettings(data=fixed.data)
    )
    outbox.take_from(incoming_intake(configuration, folder))
    return folder


def _prepare_folder(folder: IncomingFolder) -> None:
    with contextlib.suppress(OSError):
        folder.prepare()

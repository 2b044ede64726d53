"""
The output callback: the one line that a test engineer adds to a test.

A test never waits for a store, and no error of rigbridge makes it fail or lose data. A
record is translated and made durable in the outbox before the callback returns; a
background thread sends from there. Every error of rigbridge is logged with its
traceback by the logger ``rigbridge.openhtf``, counted for ``rigbridge outbox status``,
and never raised. What could not be queued is kept in a file whose path is logged
(:mod:`rigbridge_openhtf.live.keeping`).
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import attrs

from rigbridge.adapters import ConversionReport, Spool
from rigbridge.kept import UnsentFolder
from rigbridge.machine.folders import make_folder
from rigbridge.model import Run
from rigbridge_openhtf.live.hand_over import HandOver
from rigbridge_openhtf.live.keeping import keep_record
from rigbridge_openhtf.live.records import to_run
from rigbridge_openhtf.live.run_queue import RunQueue
from rigbridge_openhtf.settings import OpenHTFSettings
from rigbridge_openhtf.translation.phases import never_began

if TYPE_CHECKING:
    from rigbridge.adapters.identity import IdentityRules
    from rigbridge.machine.plugins import PluginLoader
    from rigbridge.outbox import Outbox, OutboxEntry

__all__ = ["EXIT_DEADLINE", "OutputCallback", "output_callback"]

EXIT_DEADLINE = 5.0
"""Seconds that the process waits at its end for what is still to be sent."""

_LOGGER = logging.getLogger("rigbridge.openhtf")


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
    environment) as it is when the first record arrives. Until then nothing is opened,
    created or started. But the code is loaded now, so that nobody waits for that at the
    end of the first test, and a wrong setting is logged now, too.

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
    callback.load()
    return callback


class OutputCallback:
    """
    An OpenHTF output callback; see :func:`output_callback`, which makes it.

    One callback may serve several tests, also at the same time.

    Args:
        to: as for :func:`output_callback`, like all but the last.
        data: likewise.
        api_key: likewise.
        settings: likewise.
        identity: likewise.
        outbox: likewise.
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
        self._to = to
        self._data = None if data is None else Path(data)
        self._api_key = api_key
        self._settings = settings
        self._identity = identity
        self._outbox = outbox
        self._observe = observe
        # Guards _queue: tests in several threads may call at the same time.
        self._lock = threading.Lock()
        self._plugins: PluginLoader | None = None
        self._queue: RunQueue | None = None
        self._last_run_id: UUID | None = None

    @property
    def last_run_id(self) -> UUID | None:
        """The id of the run that was queued last, or None."""
        return self._last_run_id

    def __call__(self, record: object) -> None:
        """
        Take a finished record; never raises an error of ours.

        Args:
            record: the ``openhtf.core.test_record.TestRecord``.
        """
        done = HandOver()
        try:
            done = self._take(record)
        except Exception as error:
            _LOGGER.exception("a test record could not be handed over or kept")
            _count_error(error, self._fallback_folder())
        if self._observe is not None:
            self._observe(done)

    def load(self) -> None:
        """Load the code that the first record needs; nothing is opened yet."""
        try:
            self._plugins = RunQueue.load(
                to=self._to, data=self._data, api_key=self._api_key
            )
        except Exception as error:  # noqa: BLE001 - met again, and kept, with a record
            _LOGGER.warning("nothing could be handed over as things are: %s", error)

    def prepare(self) -> None:
        """
        Open what the configuration names, so that the first record need not wait.

        What fails is logged, and tried again with the first record.
        """
        self._open()

    @property
    def queue(self) -> RunQueue | None:
        """Where runs go, or None while it is not open."""
        return self._queue

    def entry(self, run_id: UUID | None = None) -> OutboxEntry | None:
        """
        Tell the state of a run: waiting, or stored under which id and link.

        Args:
            run_id: its id; that of the last run by default.

        Returns:
            None if the outbox does not know the run.
        """
        run_id = self._last_run_id if run_id is None else run_id
        if run_id is None:
            return None
        # Also after closing, or the block of a station: opened again, as for a record.
        queue = self._open()
        return None if queue is None else queue.entry(run_id)

    def flush(self, deadline: float = 10.0) -> int:
        """
        Wait until everything is sent, or until the deadline.

        It may be called after closing: a record may have come later.

        Args:
            deadline: seconds to wait at most.

        Returns:
            How many runs still wait; they stay in the outbox.
        """
        # Runs of this callback may wait also after closing; without any run of its own
        # it has nothing to open an outbox for.
        queue = self._queue if self._last_run_id is None else self._open()
        if queue is not None:
            return queue.flush(deadline)
        return 0 if self._outbox is None else self._outbox.flush(deadline)

    def close(self) -> None:
        """
        Release files and threads; what waits stays in the outbox.

        A record that arrives later opens them again.
        """
        with self._lock:
            queue, self._queue = self._queue, None
        # Else the handler would keep every callback of a long process alive.
        atexit.unregister(self._at_exit)
        if queue is not None:
            queue.close()

    def _at_exit(self) -> None:
        # Exit handlers run before daemon threads end, so the sender still works. What
        # is raised here would only be printed, without a word on what it means.
        try:
            waiting = self.flush(EXIT_DEADLINE)
            if waiting:
                _LOGGER.warning(
                    "%d runs wait in the outbox; the next test or "
                    "'rigbridge outbox flush' sends them",
                    waiting,
                )
            self.close()
        except Exception:
            _LOGGER.exception("the outbox could not be flushed at the end")

    def _take(self, record: object) -> HandOver:
        queue = self._open()
        settings = self._settings or OpenHTFSettings()
        data = self._fallback_folder()
        if queue is not None:
            settings, data = queue.settings, queue.data
        with contextlib.ExitStack() as spools:
            if queue is not None:
                spools.enter_context(queue.handing_over())
            try:
                run, report = _translated(record, settings, data, spools)
            # Also on Ctrl-C: an impatient operator must not lose the record.
            except BaseException as error:
                path = keep_record(record, data)
                _LOGGER.exception("a record could not be read and is kept in %s", path)
                _count_error(error, data)
                if isinstance(error, Exception):
                    return HandOver(kept=path)
                raise
            if never_began(run) and not settings.canceled_starts:
                _LOGGER.info(
                    "a test that was canceled before it began is not handed over"
                )
                return HandOver(outcome=str(run.outcome), canceled=True)
            # Inside the stack: the outbox links or copies the files of the spool.
            return self._hand_over(run, report, queue, data)

    def _hand_over(
        self, run: Run, report: ConversionReport, queue: RunQueue | None, data: Path
    ) -> HandOver:
        done = HandOver(
            run_id=run.id,
            serial_number=run.unit.serial_number,
            outcome=str(run.outcome),
        )
        words = "run %s could not be handed over: kept in %s"
        if queue is None:
            # The reason was logged when opening failed.
            path = UnsentFolder(data).keep_run(run, report)
            _LOGGER.error(words, run.id, path)
            return attrs.evolve(done, kept=path)
        try:
            queue.submit(run, report)
        except BaseException as error:
            path = UnsentFolder(data).keep_run(run, report)
            _LOGGER.exception(words, run.id, path)
            _count_error(error, data)
            if isinstance(error, Exception):
                return attrs.evolve(done, kept=path)
            raise
        self._last_run_id = run.id
        return attrs.evolve(done, queued=True)

    def _open(self) -> RunQueue | None:
        """Open the queue, once; None, and logged, if that fails."""
        with self._lock:
            if self._queue is None:
                try:
                    self._queue = RunQueue.open(
                        to=self._to,
                        data=self._data,
                        api_key=self._api_key,
                        settings=self._settings,
                        identity=self._identity,
                        outbox=self._outbox,
                        plugins=self._plugins,
                    )
                except Exception as error:
                    _LOGGER.exception("nothing can be handed over")
                    _count_error(error, self._fallback_folder())
                    return None
                # Only now: a process whose callback took no record ends at once.
                atexit.register(self._at_exit)
            return self._queue

    def _fallback_folder(self) -> Path:
        """Where to keep what cannot be handed over if there is no configuration."""
        if self._data is not None:
            return self._data
        if named := os.environ.get("RIGBRIDGE_DATA", "").strip():
            return Path(named).expanduser()
        import platformdirs  # noqa: PLC0415 - only where nothing else names it

        return platformdirs.user_data_path("rigbridge", appauthor=False)


def _translated(
    record: object, settings: OpenHTFSettings, data: Path, spools: contextlib.ExitStack
) -> tuple[Run, ConversionReport]:
    """Translate a record; its attachments go into a spool that lasts as the stack."""

    def into(spool: Spool) -> tuple[Run, ConversionReport]:
        # A new report each time: the first try may have recorded half of the record.
        report = ConversionReport()
        return to_run(record, spool=spool, report=report, settings=settings), report

    folder = data / "spool"
    try:
        make_folder(folder)
        # OpenHTF keeps its own files as long as the callback has the record: in_place
        # leaves them where they are. Other bytes go to the disk of the data folder,
        # where the outbox takes them by a hard link, without a second copy; a folder
        # for temporary files may be in memory.
        return into(spools.enter_context(Spool(folder, in_place=True)))
    except OSError as error:
        _LOGGER.warning("attachments do not go into %s: %s", folder, error)
        spools.close()
        return into(spools.enter_context(Spool(in_place=True)))


def _count_error(error: BaseException, data: Path) -> None:
    """Have ``rigbridge outbox status`` show an error that was logged."""
    try:
        UnsentFolder(data).note_error(f"{type(error).__name__}: {error}")
    except OSError:
        _LOGGER.exception("the error could not be counted")

"""
The output callback: the one line that a test engineer adds to a test.

The test never waits for a store, never fails and loses nothing because of us. A record
is translated and made durable in the outbox before the callback returns; a background
thread sends from there. Every error of ours is
logged with its traceback by the logger ``rigbridge.openhtf``, counted for ``rigbridge
outbox status``, never raised, and what could not be handed over is kept in a file whose
path is logged (:mod:`rigbridge_openhtf.live.keeping`).
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs

from rigbridge.adapters import ConversionReport
from rigbridge.kept import UnsentFolder
from rigbridge.model import Run
from rigbridge_openhtf.live.hand_over import HandOver, count_error, translated
from rigbridge_openhtf.live.keeping import keep_record
from rigbridge_openhtf.live.run_queue import Route
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
    environment), which counts as it is when the first record arrives; until then
    nothing is opened, created or started. The code that it needs is loaded now, so that
    nobody waits for that at the end of the first test; a setting that is wrong is
    logged now, too.

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
        to: ``local`` for the embedded store, or the URL of a run store.
        data: the folder of the embedded store and the outbox.
        api_key: the key for a store behind a URL.
        settings: how records are read: the procedure, the log lines, and more.
        identity: the rules that find part number, revision and batch in the serial
            number, and more.
        outbox: an outbox of the caller's own, who starts and closes it.
        observe: is told what became of each record, in the thread of its test.
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
        self._lock = threading.Lock()
        self._plugins: PluginLoader | None = None
        self._route: Route | None = None
        self._last_run_id: UUID | None = None

    @property
    def last_run_id(self) -> UUID | None:
        """The id of the run that was handed over last, or None."""
        return self._last_run_id

    def __call__(self, record: Any) -> None:
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
            count_error(error, self._fallback_folder())
        if self._observe is not None:
            self._observe(done)

    def load(self) -> None:
        """Load the code that the first record needs; nothing is opened yet."""
        try:
            self._plugins = Route.load(
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
    def route(self) -> Route | None:
        """The way that runs go, or None while it is not open."""
        return self._route

    def entry(self, run_id: UUID | None = None) -> OutboxEntry | None:
        """
        Say how a run stands: waiting, or stored under which id and link.

        Args:
            run_id: its id; that of the last run by default.

        Returns:
            None if the outbox does not know the run.
        """
        run_id = self._last_run_id if run_id is None else run_id
        if run_id is None:
            return None
        # Also after closing, or the block of a station: opened again, as for a record.
        route = self._open()
        return None if route is None else route.entry(run_id)

    def flush(self, deadline: float = 10.0) -> int:
        """
        Wait until everything is sent, or until the deadline.

        Also after closing, which a record may have overtaken.

        Args:
            deadline: seconds to wait at most.

        Returns:
            How many runs still wait; they stay in the outbox.
        """
        # After closing, too, runs may wait; who has handed over nothing opens nothing.
        route = self._route if self._last_run_id is None else self._open()
        if route is not None:
            return route.flush(deadline)
        return 0 if self._outbox is None else self._outbox.flush(deadline)

    def close(self) -> None:
        """
        Release files and threads; what waits stays in the outbox.

        A record that arrives later opens them again.
        """
        with self._lock:
            route, self._route = self._route, None
        atexit.unregister(self._at_exit)
        if route is not None:
            route.close()

    def _at_exit(self) -> None:
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

    def _take(self, record: Any) -> HandOver:
        route = self._open()
        settings = self._settings or OpenHTFSettings()
        data = self._fallback_folder()
        if route is not None:
            settings, data = route.settings, route.data
        with contextlib.ExitStack() as spools:
            if route is not None:
                spools.enter_context(route.handing_over())
            try:
                run, report = translated(record, settings, data, spools)
            except BaseException as error:
                path = keep_record(record, data)
                _LOGGER.exception("a record could not be read and is kept in %s", path)
                count_error(error, data)
                if isinstance(error, Exception):
                    return HandOver(kept=path)
                raise
            if never_began(run) and not settings.canceled_starts:
                _LOGGER.info(
                    "a test that was canceled before it began is not handed over"
                )
                return HandOver(outcome=str(run.outcome), canceled=True)
            return self._hand_over(run, report, route, data)

    def _hand_over(
        self, run: Run, report: ConversionReport, route: Route | None, data: Path
    ) -> HandOver:
        done = HandOver(
            run_id=run.id,
            serial_number=run.unit.serial_number,
            outcome=str(run.outcome),
        )
        words = "run %s could not be handed over: kept in %s"
        if route is None:
            # Why there is no route was logged when it was opened.
            path = UnsentFolder(data).keep_run(run, report)
            _LOGGER.error(words, run.id, path)
            return attrs.evolve(done, kept=path)
        try:
            route.deliver(run, report)
        except BaseException as error:
            path = UnsentFolder(data).keep_run(run, report)
            _LOGGER.exception(words, run.id, path)
            count_error(error, data)
            if isinstance(error, Exception):
                return attrs.evolve(done, kept=path)
            raise
        self._last_run_id = run.id
        return attrs.evolve(done, queued=True)

    def _open(self) -> Route | None:
        """Open where runs go, once; None, and logged, if that fails."""
        with self._lock:
            if self._route is None:
                try:
                    self._route = Route.open(
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
                    count_error(error, self._fallback_folder())
                    return None
                atexit.register(self._at_exit)
            return self._route

    def _fallback_folder(self) -> Path:
        """Where to keep what cannot be handed over if there is no configuration."""
        if self._data is not None:
            return self._data
        if named := os.environ.get("RIGBRIDGE_DATA", "").strip():
            return Path(named).expanduser()
        import platformdirs  # noqa: PLC0415 - only where nothing else names it

        return platformdirs.user_data_path("rigbridge", appauthor=False)

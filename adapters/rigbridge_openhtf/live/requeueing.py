"""
Queue runs that were kept in files, in the background.

A station without an agent has nobody else who would do that. What could not even be
read as a run is left to ``rigbridge outbox flush`` or a person.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from rigbridge.kept import UnsentFolder
from rigbridge.model import Run
from rigbridge.model.report import ConversionReport

__all__ = ["KeptRuns"]

_LOGGER = logging.getLogger("rigbridge.openhtf")


class KeptRuns:
    """
    The runs that lie in the folder for what could not be queued.

    Args:
        data: the data folder.
        submit: queues a run durably.
    """

    def __init__(
        self, data: Path, submit: Callable[[Run, ConversionReport], object]
    ) -> None:
        self._folder = UnsentFolder(data)
        self._submit = submit
        self._thread: threading.Thread | None = None

    def queue(self) -> None:
        """Begin to queue them, if there are any; at most one thread does so."""
        if self._thread is not None and self._thread.is_alive():
            return
        try:
            if not self._folder.holds_runs():
                return
        except OSError:
            # The run that was just handed over is safe; this must not say otherwise.
            _LOGGER.exception("whether runs were kept in files cannot be seen")
            return
        thread = threading.Thread(
            target=self._run, name="rigbridge-kept-runs", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:
            return  # the interpreter ends; the next program queues them
        self._thread = thread

    def join(self, grace: float) -> None:
        """Wait until what has begun is done, at most some seconds."""
        if self._thread is not None:
            self._thread.join(grace)

    def _run(self) -> None:
        try:
            recovery = self._folder.recover(self._submit)
        except Exception:
            _LOGGER.exception("runs that were kept in files could not be queued")
            return
        for failure in recovery.failures:
            _LOGGER.warning("a run that was kept stays in its file: %s", failure)
        if recovery.recovered:
            _LOGGER.info("queued %d runs kept in files", len(recovery.recovered))

"""All watched folders together: a thread each, one import at a time."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Self

from rigbridge.destinations import Destination, foreign_failures
from rigbridge.errors import ConfigurationError
from rigbridge.imports import (
    AdapterSet,
    Afterwards,
    FileStep,
    PastImports,
    SourceResult,
    destination_key,
    distrust_ledger,
    import_sources,
    remembered,
    settings_digest,
)
from rigbridge.ledger import KnownSource, Ledger
from rigbridge.machine.folders import path_text
from rigbridge.opening import open_destination
from rigbridge.sources import FoundSource, Scan
from rigbridge.watching.folder_watch import FolderWatch, WatchState
from rigbridge.watching.rules import WatchRule

__all__ = ["Watching"]

_LOGGER = logging.getLogger("rigbridge.watching")

_FLUSH = 600.0
"""Seconds after which an archive is written that is not full."""


class Watching:
    """
    Watches folders from the beginning to the end of a ``with`` statement.

    Args:
        observe: called with what came of each file.

    Raises:
        ConfigurationError: a setting is wrong, or a folder is watched twice.
        PluginError: an adapter that was asked for by name does not load.
    """

    def __init__(
        self,
        rules: Sequence[WatchRule],
        observe: Callable[[SourceResult], None] = lambda _: None,
    ) -> None:
        _check_overlaps(rules)
        self._stop = threading.Event()
        # One at a time: a store has one writer in any case, and memory is limited.
        lock = threading.Lock()
        self._imports = [_FolderImport(rule, lock, observe) for rule in rules]
        self._watches = [
            FolderWatch(rule, own.import_files)
            for rule, own in zip(rules, self._imports, strict=True)
        ]
        self._threads: list[threading.Thread] = []

    @property
    def states(self) -> Sequence[WatchState]:
        """How it stands with each folder."""
        return [watch.state for watch in self._watches]

    def __enter__(self) -> Self:
        for watch in self._watches:
            thread = threading.Thread(
                target=watch.run, args=(self._stop,), name="rigbridge-watch"
            )
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for own in self._imports:
            own.close()


class _FolderImport:
    """Imports what one folder has, and treats the files."""

    def __init__(
        self,
        rule: WatchRule,
        lock: threading.Lock,
        observe: Callable[[SourceResult], None],
    ) -> None:
        self._rule = rule
        self._lock = lock
        self._observe = observe
        self._adapters = AdapterSet(rule.configuration, only=rule.adapter)
        self._afterwards = Afterwards(rule.step, (rule.folder,))
        self._ledger = Ledger.open(rule.configuration.data)
        self._told = 0
        self._destination: Destination | None = None
        self._flushed = time.monotonic()

    def import_files(
        self, files: Iterable[FoundSource], stop: Callable[[], bool]
    ) -> Iterator[SourceResult]:
        """Import files; ends early when it is told to."""
        with self._lock, Scan((), self._rule.selection) as scan:
            # Only once there is a file: a store may be out of reach when the service
            # starts.
            if self._destination is None:
                for doubt in distrust_ledger(self._ledger, self._rule.configuration):
                    _LOGGER.warning("%s", doubt)
                self._destination = open_destination(self._rule.configuration)

            def sources() -> Iterator[FoundSource]:
                for file in files:
                    if stop():
                        return
                    yield from scan.opened(file)

            past = self._past()
            results = import_sources(
                past.new(sources(), self._pass),
                self._adapters,
                self._rule.configuration,
                self._destination,
            )
            try:
                for result in past.noted(results):
                    self._observe(result)
                    yield result
            finally:
                self._tell_problems()
            # Files that wait in an archive are still in the folder; they are not to
            # wait there for a year.
            if time.monotonic() - self._flushed >= _FLUSH:
                self._flushed = time.monotonic()
                self._afterwards.close()

    def _past(self) -> PastImports:
        rule = self._rule
        return PastImports(
            self._ledger,
            destination_key(rule.configuration),
            settings_digest(rule.configuration, only=rule.adapter),
            durable=self._afterwards.finish,
        )

    def _pass(self, found: FoundSource, known: KnownSource) -> None:
        if self._rule.step != FileStep():
            # One that was ended may not have come to that.
            self._afterwards.finish(remembered(self._ledger, found, known))

    def _tell_problems(self) -> None:
        problems = self._ledger.problems
        for problem in problems[self._told :]:
            _LOGGER.warning("%s", problem)
        self._told = len(problems)

    def close(self) -> None:
        """End it: the last archive, the store, the ledger."""
        self._afterwards.close()
        self._ledger.close()
        if self._destination is not None:
            with foreign_failures(self._destination, "close"):
                self._destination.close()


def _check_overlaps(rules: Sequence[WatchRule]) -> None:
    folders = [rule.folder.resolve() for rule in rules]
    for at, folder in enumerate(folders):
        for other in folders[:at]:
            if folder.is_relative_to(other) or other.is_relative_to(folder):
                raise ConfigurationError(
                    f"is watched already, by {path_text(other)}",
                    source=path_text(folder),
                    remedy="name each folder once; folders below it are watched too",
                )

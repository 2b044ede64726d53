"""
Batches to blocks on the workers of a Dask cluster.

dask.distributed decides which worker reads what, and gives a batch to another one where
a worker is lost. A batch comes back whole or not at all, so nothing of it is stored
twice when it is read twice; and what a store takes twice is one run in any case.
"""

from __future__ import annotations

import logging
import os
import queue
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from itertools import chain
from typing import Any, cast

import attrs

import rigbridge
from rigbridge.configuration import Configuration
from rigbridge.errors import AdapterUnavailableError, ConfigurationError, SourceError
from rigbridge.imports.batches import Batch
from rigbridge.imports.blocks import (
    Block,
    ReadSettings,
    SourcePart,
    read_batch,
)
from rigbridge.imports.frames import packed, unpacked
from rigbridge.imports.results import begun
from rigbridge.sources import FoundSource, has_secret

__all__ = ["cluster_blocks", "without_secrets"]

_LOGGER = logging.getLogger("rigbridge.imports")

# A worker that dies may have been killed for another reason than this batch, such as a
# restart of its machine.
_MOST_ATTEMPTS = 3
# Long enough to restart the scheduler by hand, which should not cost an import of days.
_PATIENCE = 600.0
"""Seconds that a scheduler may be gone before the import ends."""
# At the start somebody waits at the terminal, and a wrong address should show soon.
_FIRST_PATIENCE = 30.0
_ATTEMPT = 10.0
# One to read and one waiting behind it: a thread never idles over the network.
_AHEAD = 2
"""Batches on their way for each thread of the cluster."""


def cluster_blocks(
    batches: Iterable[Batch],
    settings: ReadSettings,
    address: str,
    stop: Callable[[], bool] = lambda: False,
    warn: Callable[[str], None] = _LOGGER.warning,
) -> Generator[Block]:
    """
    Read batches on a cluster; a few for each of its threads are on their way at a time.

    Args:
        address: of the scheduler (``tcp://host:8786``).
        stop: asked where there is no worker any more: whether to wait for none.
        warn: told in words what a person should look at.

    Raises:
        AdapterUnavailableError: the library is not installed.
        ConfigurationError: nobody answers there, or its workers have another version,
            or do not see the files.
    """
    waiting = iter(batches)
    first = next(waiting, None)
    if first is None:
        return
    cluster = _Cluster(settings, address)
    try:
        cluster.check(first)
        yield from cluster.blocks(chain((first,), waiting), stop, warn)
    finally:
        cluster.close()


def without_secrets(
    sources: Iterable[FoundSource], configuration: Configuration
) -> Iterator[FoundSource]:
    """
    Give the sources that may travel: a task is seen by the scheduler, and logged.

    Raises:
        ConfigurationError: a source, or the attachments of the store, can be reached
            by workers only with a password that would travel to them.
    """
    attachments = configuration.destination_settings.attachments
    if attachments is not None and has_secret(attachments):
        raise _secret("the address of the store's attachments")
    for found in sources:
        if found.has_secret:
            raise _secret(found.uri)
        yield found


def _secret(source: str) -> ConfigurationError:
    return ConfigurationError(
        "holds a password or a query, which would travel to the workers of the cluster",
        source=source,
        remedy="leave it out of the address, and let the environment of each worker "
        "hold it; or import without --dask",
    )


def _read(batch: bytes, settings: bytes, version: str) -> list[bytes]:
    """Read a batch on a worker; what is pickled here is opaque to the scheduler."""
    # Pickles of two versions may differ in a field, which would show only as a wrong
    # run.
    if version != rigbridge.__version__:
        raise ConfigurationError(
            f"this worker has rigbridge {rigbridge.__version__}, the import {version}",
            remedy="install one version on all machines",
        )
    return [packed(block) for block in read_batch(unpacked(batch), _settings(settings))]


@lru_cache(maxsize=2)
def _settings(content: bytes) -> ReadSettings:
    # Loading the adapters takes longer than reading a report.
    return cast("ReadSettings", unpacked(content))


def _worker_facts(paths: list[str]) -> tuple[str, list[str]]:
    """Give the version on a worker, and which of some paths it does not see."""
    return rigbridge.__version__, [path for path in paths if not os.path.exists(path)]  # noqa: PTH110 - texts come and go


class _Cluster:
    """The import's side of a cluster."""

    def __init__(self, settings: ReadSettings, address: str) -> None:
        try:
            import distributed  # an extra
        except ImportError as error:
            raise AdapterUnavailableError("distributed", extra="dask") from error
        self._library: Any = distributed
        self._address = address
        self._spool = settings.spool
        self._settings = packed(settings)
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._pending: dict[Any, Batch] = {}
        self._again: deque[Batch] = deque()
        self._client = self._connected(_FIRST_PATIENCE)

    def _connected(self, patience: float) -> Any:
        until = time.monotonic() + patience
        while True:
            try:
                return self._library.Client(
                    # Not the default client of the process: the program may use a
                    # cluster of its own.
                    self._address,
                    timeout=_ATTEMPT,
                    set_as_default=False,
                )
            except (OSError, TimeoutError, ValueError) as error:
                # A ValueError is an address that nobody can connect to; waiting does
                # not mend it.
                if time.monotonic() > until or isinstance(error, ValueError):
                    raise ConfigurationError(
                        f"no scheduler answers: {str(error) or 'no answer in time'}",
                        source=self._address,
                        remedy="check the address, and that dask-scheduler runs there",
                    ) from error
                time.sleep(1)

    def check(self, first: Batch) -> None:
        """
        Make sure that the workers can do the work.

        Raises:
            ConfigurationError: one cannot, or there is none.
        """
        paths = [str(found.path) for _, found in first.sources[:1] if found.path]
        if self._spool is not None:
            paths.append(str(self._spool))
        for worker, (version, unseen) in self._facts(paths).items():
            if version != rigbridge.__version__:
                raise ConfigurationError(
                    f"has rigbridge {version}, this machine {rigbridge.__version__}",
                    source=worker,
                    remedy="install one version on all machines",
                )
            if unseen:
                raise ConfigurationError(
                    f"does not see {unseen[0]}",
                    source=worker,
                    remedy="put reports and data folder on a share that every machine "
                    "has at the same path, or name the reports by a URL",
                )

    def _facts(self, paths: list[str]) -> dict[str, tuple[str, list[str]]]:
        """Ask the workers; one may be lost while it is asked, as at any time."""
        attempts = 0
        while True:
            try:
                self._client.wait_for_workers(1, timeout=60)
                found: dict[str, tuple[str, list[str]]]
                found = self._client.run(_worker_facts, paths)
            except Exception as error:
                attempts += 1
                # Nobody came in a minute, or what was asked does not work on them.
                if isinstance(error, TimeoutError) or attempts == _MOST_ATTEMPTS:
                    words = str(error) or type(error).__name__
                    raise ConfigurationError(
                        f"its workers cannot be used: {words}",
                        source=self._address,
                        remedy="install rigbridge on each of them, and start one at "
                        "least",
                    ) from error
                time.sleep(1)
            else:
                return found

    def blocks(
        self,
        batches: Iterator[Batch],
        stop: Callable[[], bool],
        warn: Callable[[str], None],
    ) -> Iterator[Block]:
        """Read batches."""
        while True:
            self._submit(batches)
            if not self._pending:
                return
            try:
                future = self._done.get(timeout=1.0)
            except queue.Empty:
                if self._client.status not in {"running", "connecting"}:
                    self._reconnect()
                elif self._is_deserted(warn) and stop():
                    return
                continue
            batch = self._pending.pop(future, None)
            # One of a connection that is gone was begun anew.
            if batch is not None:
                yield from self._taken(future, batch)

    def _submit(self, batches: Iterator[Batch]) -> None:
        threads = sum(self._client.nthreads().values()) if not self._pending else 0
        self._width = _AHEAD * threads if threads else self._width
        while len(self._pending) < max(self._width, 1):
            batch = self._again.popleft() if self._again else next(batches, None)
            if batch is None:
                return
            future = self._client.submit(
                # Two batches of the same bytes are two tasks: pure tasks would be
                # merged by their digest.
                _read,
                packed(batch),
                self._settings,
                rigbridge.__version__,
                pure=False,
            )
            self._pending[future] = batch
            # Called in a thread of the library, so it only puts the future into the
            # queue.
            future.add_done_callback(self._done.put)

    _width = 1

    def _is_deserted(self, warn: Callable[[str], None]) -> bool:
        """Tell whether no worker is left, which is said once it has lasted."""
        if self._client.nthreads():
            self._deserted_since = None
            return False
        if self._deserted_since is None:
            self._deserted_since = time.monotonic()
        elif time.monotonic() - self._deserted_since > _FIRST_PATIENCE:
            self._deserted_since = float("inf")
            warn(
                f"the cluster {self._address} has no worker any more; the import waits "
                f"for one (start it: 'dask worker {self._address}'; or press Ctrl-C: "
                "what is stored stays, and the same command goes on, also without "
                "--dask)"
            )
        return True

    _deserted_since: float | None = None

    def _taken(self, future: Any, batch: Batch) -> Iterator[Block]:
        if future.status == "cancelled":
            self._again.append(batch)
            return
        try:
            frames = cast("list[bytes]", future.result(timeout=60))
        except ConfigurationError:
            raise
        # The scheduler, the connection or the worker that held the result is gone; the
        # batch has done nothing wrong.
        except (OSError, TimeoutError, self._library.CancelledError):
            self._again.append(batch)
            return
        except Exception as error:  # noqa: BLE001 - what a worker raised
            yield from self._failed(batch, error)
            return
        # Now, since the scheduler keeps results in the memory of workers as long as
        # somebody holds the future.
        future.release()
        for frame in frames:
            yield unpacked(frame)

    def _failed(self, batch: Batch, error: Exception) -> Iterator[Block]:
        """Read what ended workers again, each source alone, a few times."""
        attempts = batch.attempts + 1
        for number, found in batch.sources:
            # Alone, so that it is known which source ends a worker.
            if len(batch.sources) > 1 or attempts < _MOST_ATTEMPTS:
                again = Batch(sources=((number, found),), attempts=attempts)
                self._again.append(again)
                continue
            words = str(error) or type(error).__name__
            failure = SourceError(
                f"no worker could read it: {words}",
                source=found.uri,
                remedy="look at it apart from the rest, without --dask",
            )
            result = attrs.evolve(begun(found), errors=(failure,))
            # Nothing is void: what was given of it by then is stored.
            yield Block(parts=(SourcePart(number=number, begins=False, result=result),))

    def _reconnect(self) -> None:
        """Begin anew what was on its way, where the scheduler was restarted."""
        self._again.extend(self._pending.values())
        self._pending.clear()
        self._close_client()
        self._client = self._connected(_PATIENCE)

    def close(self) -> None:
        """Let go of what is on its way."""
        with suppress(Exception):
            # Best effort: the import has ended, and its error must not be hidden by one
            # of the cluster.
            self._client.cancel(list(self._pending), force=True)
        self._close_client()

    def _close_client(self) -> None:
        with suppress(Exception):
            self._client.close(timeout=5)

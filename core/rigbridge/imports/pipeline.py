"""
Sources into a destination: read in processes, stored in groups by one writer.

One bad file never stops the rest. A destination that is out of reach, or refuses
everyone, does: the sources that were not tried are counted, and the same call can be
repeated, since a store takes each run once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from copy import copy
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias
from uuid import UUID

import attrs

from rigbridge.configuration import Configuration
from rigbridge.destinations import (
    BulkDestination,
    Destination,
    PreparedItem,
    Receipt,
    foreign_failures,
)
from rigbridge.errors import (
    DeliveryError,
    HeldError,
    NoAnswerError,
    NotFoundError,
    PermanentError,
    RetriableError,
    RigbridgeError,
    RunProblemsError,
    SourceUnreadableError,
)
from rigbridge.imports.batches import batches_of
from rigbridge.imports.blocks import (
    ReadSettings,
    SourcePart,
    keep_refused,
    placed,
)
from rigbridge.imports.cluster import cluster_blocks, without_secrets
from rigbridge.imports.detection import AdapterSet
from rigbridge.imports.documents import DocumentDestination, Stored, stored_in
from rigbridge.imports.postponing import PostponedItems
from rigbridge.imports.quarantine import Quarantine
from rigbridge.imports.results import ImportedRun, SourceResult, begun
from rigbridge.imports.spooling import import_spool
from rigbridge.imports.strictness import Strictness
from rigbridge.imports.workers import blocks_of
from rigbridge.ledger import RunStatus
from rigbridge.sources import FoundSource, NamedFolders

__all__ = ["import_sources"]

_LOGGER = logging.getLogger("rigbridge.imports")

# Large groups make one commit for many runs; the time bounds what a crash can cost.
_GROUP_RUNS = 64
_GROUP_BYTES = 4 << 20
_GROUP_SECONDS = 2.0
"""When a group is stored that is not full: what is read should be safe soon."""


def import_sources(
    sources: Iterable[FoundSource],
    adapters: AdapterSet,
    configuration: Configuration,
    destination: Destination | None,
    *,
    strict: Strictness = False,
    attach_source: bool = False,
    jobs: int | None = 1,
    cluster: str | None = None,
    stop: Callable[[], bool] = lambda: False,
    warn: Callable[[str], None] = _LOGGER.warning,
) -> Generator[SourceResult]:
    """
    Import sources, one result each, as they come to their ends.

    A run that cannot be stored as it is goes to the quarantine of the data folder.
    Closing the generator ends the import at once; what was stored by then stays.

    Args:
        destination: where the runs go, or None to only read them.
        strict: whether a run of which anything is missing is an error and is not sent.
        attach_source: let the source itself travel along as an attachment.
        jobs: how many processes read; 1 is this one, and None as many as there are
            processors, or this one where there is little to read.
        cluster: the address of a Dask scheduler whose workers read, instead.
        stop: asked before each source is taken; True ends the import once what was
            taken is stored.
        warn: told in words what a person should look at while it goes on.

    Raises:
        ConfigurationError: the processes cannot be started, or the cluster cannot
            be used.
        AdapterUnavailableError: the library for a cluster is not installed.
    """
    settings = ReadSettings(
        # It travels to the processes that read, which need no key of any store.
        configuration=configuration.for_reading(),
        adapters=adapters,
        strict=strict,
        attach_source=attach_source,
    )
    if cluster is not None:
        sources = without_secrets(sources, configuration)
    with ExitStack() as stack:
        writer = _Writer(settings)
        bulk = None
        if destination is not None:
            try:
                spool = stack.enter_context(import_spool(configuration.data))
            except OSError:
                # A data folder on a full or read-only disk still lets reports be read.
                # What cannot be written there is said of the runs that need it.
                spool = Path(stack.enter_context(TemporaryDirectory()))
            bulk = stored_in(destination, spool)
            settings = attrs.evolve(settings, spool=spool)
            writer = _Writer(settings, bulk, PostponedItems(spool))

        def prepared() -> ReadSettings:
            # Opens the store, which takes as long as starting the processes that read.
            preparer = None if bulk is None else bulk.preparer()
            return attrs.evolve(settings, preparer=preparer)

        taken = writer.taken(sources, stop)
        batches = batches_of(taken)
        blocks = (
            blocks_of(batches, adapters, prepared, jobs)
            if cluster is None
            else cluster_blocks(batches, prepared(), cluster, stop, warn)
        )
        # Closing ends the workers also where the caller stops in the middle.
        with closing(blocks):
            for block in blocks:
                for part in block.parts:
                    yield from writer.take(part)
        yield from writer.finish()


class _SourceState:
    """A source that is being imported."""

    def __init__(self, found: FoundSource) -> None:
        self.found = found
        self.runs: list[ImportedRun] = []
        self.errors: list[RigbridgeError] = []
        self.refused: dict[str, RigbridgeError] = {}
        self.result: SourceResult | None = None
        self.waiting = 0
        self.is_left = False
        self.created: set[UUID] = set()
        self.attempt = 0
        self.postponed = 0

    def restart(self) -> None:
        """Forget what a process gave that died; what it has stored stays new."""
        # What of it waits for other runs is void: it is given again.
        self.attempt += 1
        self.waiting -= self.postponed
        self.postponed = 0
        new = (run.id for run in self.runs if run.status is RunStatus.CREATED)
        self.created.update(new)
        self.runs, self.errors, self.refused = [], [], {}

    def add(self, run: ImportedRun, receipt: Receipt) -> None:
        arrived = run.arrived(receipt)
        if run.id in self.created:
            self.created.discard(run.id)
            arrived = attrs.evolve(arrived, status=RunStatus.CREATED)
        self.runs.append(arrived)
        self.errors.extend(placed(error, self.found, run) for error in arrived.failures)


_Waiting: TypeAlias = tuple[_SourceState, int, ImportedRun, NotFoundError]
"""A run that waits for others, of which attempt it is, and why it was refused."""


class _Writer:
    """
    Gathers runs into groups, stores each, and gives the sources that are complete.

    Args:
        bulk: stores a group; None where nothing is sent.
    """

    def __init__(
        self,
        settings: ReadSettings,
        bulk: BulkDestination | DocumentDestination | None = None,
        postponed: PostponedItems[_Waiting] | None = None,
    ) -> None:
        self._settings = settings
        self._bulk = bulk
        self._postponed = postponed
        self._quarantine = Quarantine(settings.configuration.data)
        self._states: dict[int, _SourceState] = {}
        self._found: dict[int, FoundSource] = {}
        self._group: list[tuple[_SourceState, ImportedRun, PreparedItem]] = []
        self._size = 0
        self._since = 0.0
        self._folders = NamedFolders()
        self._without_folder: list[tuple[FoundSource, RigbridgeError]] = []
        self._sources: Iterator[FoundSource] = iter(())
        # The error that ended the import: what comes after it is not tried.
        self._outage: RigbridgeError | None = None
        # What kept a whole group from being stored.
        self._group_error: RetriableError | None = None

    def taken(
        self, sources: Iterable[FoundSource], stop: Callable[[], bool]
    ) -> Iterator[FoundSource]:
        """Give sources on to be read, until the import ends."""
        self._sources = iter(sources)
        number = 0
        # Asked before each source, so that a person who stops an import need not wait
        # for the rest.
        while self._outage is None and not stop():
            found = next(self._sources, None)
            if found is None:
                return
            if (gone := self._folders.error(found)) is not None:
                self._without_folder.append((found, gone))
                continue
            self._found[number] = found
            number += 1
            yield found
        # The caller stopped it: if the store fails later, the rest was not left out
        # because of that.
        if self._outage is None:
            self._sources = iter(())

    def take(self, part: SourcePart) -> Iterator[SourceResult]:
        """Take some runs of a source."""
        state = self._states.get(part.number)
        if state is None:
            state = _SourceState(self._found.pop(part.number))
            self._states[part.number] = state
        elif part.begins:
            # The group holds runs of the process that died. They are stored as they
            # are; only what follows begins anew.
            yield from self.flush()
            state.restart()
        if self._bulk is None:
            state.runs.extend(part.runs)
        else:
            if not self._group:
                self._since = time.monotonic()
            for run, item in zip(part.runs, part.items, strict=True):
                state.waiting += 1
                self._size += item.size
                self._group.append((state, run, item))
        # Set at its last part, so that a source is complete only once all of its parts
        # came.
        state.result = part.result
        if self._is_due():
            yield from self.flush()
        elif not self._group:
            yield from self._complete()

    def _is_due(self) -> bool:
        return bool(self._group) and (
            len(self._group) >= _GROUP_RUNS
            or self._size >= _GROUP_BYTES
            or time.monotonic() - self._since >= _GROUP_SECONDS
        )

    def flush(self) -> Iterator[SourceResult]:
        """Store the group, and give the sources that are complete with it."""
        group, self._group, self._size = self._group, [], 0
        self._store_group(group)
        yield from self._complete()

    def _store_group(
        self, group: list[tuple[_SourceState, ImportedRun, PreparedItem]]
    ) -> int:
        """Store runs together; gives how many came to an end."""
        if not group or self._bulk is None:
            return 0
        ended = 0
        for (state, run, item), outcome in zip(
            group, self._outcomes([item for _, _, item in group]), strict=True
        ):
            # Other runs of this import may bring the units that it names.
            if (
                self._postponed is not None
                and item.is_assembly
                and isinstance(outcome, NotFoundError)
            ):
                self._postponed.keep((state, state.attempt, run, outcome), item)
                state.postponed += 1
                continue
            ended += 1
            self._note(state, run, outcome)
        return ended

    def _outcomes(self, items: list[PreparedItem]) -> Sequence[Stored | None]:
        """Store items; None stands for one that is not tried any more."""
        if self._outage is not None or self._bulk is None:
            return [None] * len(items)
        try:
            with foreign_failures(self._bulk, "store_prepared"):
                return self._bulk.store_prepared(items)
        except RetriableError as error:
            # No run of the group is to blame: a full disk, a store out of reach.
            self._group_error = error
            # One and the same object: by that it is told from the errors of single
            # runs.
            return [error] * len(items)
        except DeliveryError as error:
            # One for each: it is to name the file of its run, and no other.
            return [copy(error) for _ in items]

    def _note(
        self, state: _SourceState, run: ImportedRun, outcome: Stored | None
    ) -> None:
        state.waiting -= 1
        if isinstance(outcome, Receipt):
            # Stored now: what an earlier import put into quarantine is obsolete.
            self._quarantine.release(run.id)
            state.add(run, outcome)
            return
        # What ended the import is said of the first run that met it.
        if outcome is None or outcome is self._outage:
            state.is_left = True
            return
        ends = outcome is self._group_error or isinstance(
            outcome, (HeldError, NoAnswerError)
        )
        error = placed(outcome, state.found, run)
        state.errors.append(error)
        # They concern every run, not this one: the rest would only fail slowly.
        if ends:
            # The first one: later ones are mostly its consequences.
            self._outage = self._outage or error
        elif isinstance(error, (PermanentError, RunProblemsError)):
            # Gathered by source: each source with refused runs is read once more, not
            # once for each run.
            state.refused[str(run.id)] = error

    def _complete(self) -> Iterator[SourceResult]:
        done = [
            number
            for number, state in self._states.items()
            if state.result is not None and not state.waiting
        ]
        for number in done:
            yield self._result(self._states.pop(number))

    def _result(self, state: _SourceState) -> SourceResult:
        try:
            return self._ended(state)
        finally:
            # Not before: what its store refuses is read once more.
            state.found.release()

    def _ended(self, state: _SourceState) -> SourceResult:
        result = state.result or begun(state.found)
        if not state.runs and any(
            isinstance(error, SourceUnreadableError) for error in result.errors
        ):
            gone = self._folders.look(state.found)
            if gone is not None:
                return _not_tried(state.found, gone)
        outage = self._outage
        is_named = any(error is outage for error in state.errors)
        if state.is_left and outage is not None and not is_named:
            if not state.runs:
                return _not_tried(state.found, outage)
            state.errors.append(outage)
        quarantined = list(result.quarantined)
        errors = [*result.errors, *state.errors]
        if state.refused:
            kept, problems = keep_refused(state.found, state.refused, self._settings)
            quarantined += kept
            errors += problems
        return attrs.evolve(
            result,
            runs=tuple(state.runs),
            errors=tuple(errors),
            quarantined=tuple(quarantined),
        )

    def finish(self) -> Iterator[SourceResult]:
        """Store what is left, and say what was not tried."""
        yield from self.flush()
        if self._postponed is not None:
            # In rounds: an assembly may be part of another one.
            progress = 1
            # A round without progress means that what is left waits for runs that
            # nobody brings.
            while progress:
                progress = sum(
                    self._store_group(
                        [
                            (state, run, item)
                            for (state, attempt, run, _), item in group
                            # A later attempt has given the same run again.
                            if attempt == state.attempt
                        ]
                    )
                    for group in self._postponed.groups(_GROUP_RUNS)
                )
            for group in self._postponed.groups(_GROUP_RUNS):
                for (state, _, run, outcome), _ in group:
                    # What is still here gets the refusal of its first attempt.
                    self._note(state, run, outcome)
            yield from self._complete()
        left: Iterable[tuple[FoundSource, RigbridgeError]] = self._without_folder
        if self._outage is not None:
            outage = self._outage
            left = chain(left, ((found, outage) for found in self._sources))
        for found, error in left:
            found.release()
            yield _not_tried(found, error)


def _not_tried(found: FoundSource, error: RigbridgeError) -> SourceResult:
    return attrs.evolve(begun(found), errors=(error,), tried=False)

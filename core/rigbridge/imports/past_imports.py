"""
The ledger during an import: which sources are skipped, and when results are recorded.

An entry is written after its runs are stored. A process that is killed in between
leaves sources without an entry: they are read again, and the store knows their runs.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

import attrs

from rigbridge.adapters import ADAPTER_GROUP
from rigbridge.configuration import Configuration
from rigbridge.errors import (
    ForbiddenError,
    HeldError,
    NoRunError,
    NotFoundError,
    PermanentError,
    RetriableError,
    RigbridgeError,
    RunProblemsError,
    SourceError,
    SourceUnreadableError,
)
from rigbridge.imports.results import ImportedRun, SourceResult, begun
from rigbridge.ledger import (
    KnownSource,
    Ledger,
    LedgerEntry,
    LedgerLookup,
    LedgerProblem,
    LedgerRun,
    RunStatus,
    Verdict,
    store_doubt,
)
from rigbridge.machine.folders import path_text
from rigbridge.machine.plugins import PluginLoader

if TYPE_CHECKING:
    from rigbridge.imports.strictness import Strictness
    from rigbridge.sources import FoundSource

__all__ = [
    "PastImports",
    "destination_key",
    "distrust_ledger",
    "ledger_run",
    "passed_over",
    "settings_digest",
]

# What is lost if the process is killed: at most so many entries, or those of two
# seconds.
_GROUP = 64
_GROUP_SECONDS = 2.0
_LOOKED_UP = 256
"""How many sources are looked up together, which takes a fifth of the time."""

_PASSING = (
    # What a run names may be there by then, and a right may be given.
    ForbiddenError,
    NotFoundError,
    HeldError,
    RetriableError,
    SourceUnreadableError,
)
"""What may be gone at the next import, without a change of file or settings."""


def destination_key(configuration: Configuration) -> str:
    """Name the destination of an import as the ledger does; holds no secret."""
    name = configuration.destination_name
    database = configuration.destination_settings.database
    if not configuration.is_local or database is None:
        return name
    parts = urlsplit(database)
    # Two databases that one data folder was used for are two destinations.
    return f"{name} in {parts.hostname or ''}{parts.path}"


def settings_digest(
    configuration: Configuration,
    *,
    only: str | None = None,
    strict: Strictness = False,
    attach_source: bool = False,
) -> str:
    """
    Digest what decides about a source beside its content.

    That is the zones, the rules of identity, the settings of the adapters, which of
    them are installed in which version, and what the command refuses.
    """
    loader = PluginLoader(ADAPTER_GROUP)
    document = {
        "time_zone": configuration.time_zone.default,
        "time_zones": dict(configuration.time_zone.stations),
        "identity": configuration.identity.as_table(),
        "adapters": dict(configuration.adapters),
        "installed": {name: loader.owner(name)[1] for name in loader.names},
        "only": only,
        "strict": str(strict),
        "attach_source": attach_source,
    }
    text = json.dumps(document, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def distrust_ledger(ledger: Ledger, configuration: Configuration) -> Iterator[str]:
    """
    Have everything read again where the store that held it is not there.

    A person may have deleted the store, or copied the ledger alone to another machine;
    or put an older copy of it back, which is only said: what is missing may have been
    deleted there. To be called before the store is opened, which makes a new one.

    Yields:
        A sentence that says so; none where all is as usual.
    """
    name = destination_key(configuration)
    if configuration.is_without_store:
        if count := ledger.doubt_all(name):
            yield (
                f"{path_text(configuration.data)} has no store, though its ledger "
                f"names {count} imported files: those that are there are read again"
            )
        return
    if not configuration.is_local:
        return

    def ask(run: str) -> None:
        # Rarely: opening a store takes longer than a call that finds nothing new.
        from rigbridge.destinations import ReadableDestination
        from rigbridge.opening import open_destination

        destination = open_destination(configuration)
        try:
            if isinstance(destination, ReadableDestination):
                destination.get_run(run)
        finally:
            destination.close()

    doubt = store_doubt(ledger, name, configuration.store_file, ask)
    if doubt is not None:
        yield doubt


def passed_over(found: FoundSource) -> SourceResult:
    """Make the result of a source that was imported before as it is."""
    return attrs.evolve(begun(found), skipped=True)


class PastImports:
    """
    What earlier imports have done, and the notes of this one.

    Args:
        ledger: the ledger of the data folder; is flushed, and closed by its owner.
        destination: as :func:`destination_key` gives it.
        settings: as :func:`settings_digest` gives it.
        replace: whether stored runs make way: what is cut off then has to be read
            again by the next import.
        durable: called with each result once its entry is written: a file that is
            moved before would be in no account if the import were killed then.
    """

    def __init__(
        self,
        ledger: Ledger,
        destination: str,
        settings: str,
        *,
        again: bool = False,
        replace: bool = False,
        durable: Callable[[SourceResult], None] = lambda _: None,
    ) -> None:
        self._ledger = ledger
        self._lookup = LedgerLookup(ledger, destination, settings, again=again)
        self._destination = destination
        self._settings = settings
        self._replaces = replace
        self._began = time.time_ns()
        self._waiting: list[LedgerEntry] = []
        # Of the sources that are being read: the entries of those that are not new.
        self._before: dict[bytes, KnownSource] = {}
        self._durable = durable
        self._results: list[SourceResult] = []
        self._since = time.monotonic()

    def new(
        self,
        sources: Iterable[FoundSource],
        passed: Callable[[FoundSource, KnownSource], None],
    ) -> Iterator[FoundSource]:
        """
        Give the sources that have to be read.

        Args:
            passed: called for each of the others, with what the ledger knows of it.
        """
        for group in _looked_up_together(sources):
            keys = [found.key for found in group]
            # Before the first run is replaced, and for the whole group in one
            # transaction.
            if self._replaces:
                self._ledger.doubt(keys, self._destination)
            self._lookup.expect(keys)
            for found in group:
                known = None
                if found.size is not None and found.mtime_ns is not None:
                    known = self._lookup.finished(
                        found.key,
                        found.size,
                        found.mtime_ns,
                        partial(_digest, found),
                    )
                if known is None:
                    before = self._lookup.imported_before(found.key)
                    if before is not None:
                        self._before[found.key] = before
                    yield found
                else:
                    # A member that was unpacked takes room until it is released.
                    found.release()
                    passed(found, known)

    def noted(self, results: Iterable[SourceResult]) -> Iterator[SourceResult]:
        """
        Note each source, and pass its result on.

        Args:
            results: what came of sources, whose runs are durable.
        """
        try:
            for result in results:
                # Asked before the entry is written anew.
                told = attrs.evolve(result, beside=self._earlier_runs(result))
                self._note(told)
                yield told
        finally:
            self.flush()

    def _earlier_runs(self, result: SourceResult) -> tuple[str, ...]:
        """Give the stored runs of a source that it held before it was changed."""
        before = self._before.pop(result.key or b"", None)
        if before is None or not result.runs or before.digest is None:
            return ()
        if result.digest is None or before.digest.hex() == result.digest:
            return ()
        entry = self._ledger.entry(before.key)
        held = () if entry is None else entry.runs
        kept = {run.id for run in result.runs}
        return tuple(run.stored_id or str(run.id) for run in held if run.id not in kept)

    def flush(self) -> None:
        """Write what waits; also at the end."""
        # Taken out first: a result must not be told twice if a step below fails.
        waiting, self._waiting = self._waiting, []
        results, self._results = self._results, []
        # The entries before the steps that may delete a file: without its entry a
        # deleted file would be missing from the account.
        is_noted = self._ledger.record(waiting)
        self._lookup.flush()
        self._since = time.monotonic()
        if is_noted:
            for result in results:
                self._durable(result)

    def _note(self, result: SourceResult) -> None:
        if not result.tried or result.key is None:
            return
        self._results.append(result)
        if _is_quarantined_item(result.path):
            # The source that it was read from has the entry; its run is stored now.
            for run in result.runs:
                # Matched by the run's id: the file in quarantine is not the source that
                # has the entry.
                self._ledger.settle(ledger_run(run), self._destination)
            return
        if result.size is None or result.mtime_ns is None or _is_gone(result):
            return
        self._waiting.append(self._entry(result, result.size, result.mtime_ns))
        # In groups, which take a tenth of the time; what is lost is imported again.
        if (
            len(self._waiting) >= _GROUP
            or time.monotonic() - self._since > _GROUP_SECONDS
        ):
            self.flush()

    def _entry(self, result: SourceResult, size: int, mtime_ns: int) -> LedgerEntry:
        key = result.key or b""
        verdict = _verdict(result)
        same_as = None
        # Only if the store knew every run: a copy with one new run has an entry of its
        # own.
        if verdict is Verdict.IMPORTED and all(
            run.status in {RunStatus.KNOWN, RunStatus.DIFFERS} for run in result.runs
        ):
            same_as = self._same_content(key, result.digest)
        is_passing = any(isinstance(error, _PASSING) for error in result.errors)
        return LedgerEntry(
            path=key,
            destination=self._destination,
            size=size,
            mtime_ns=mtime_ns,
            seen_ns=self._began,
            digest=result.digest,
            adapter=result.adapter,
            adapter_version=result.adapter_version,
            # Equal to no settings: it is tried again by the next import.
            settings="" if is_passing else self._settings,
            verdict=verdict if same_as is None else Verdict.DUPLICATE,
            runs=() if same_as else (*map(ledger_run, result.runs), *_kept(result)),
            amounts={} if same_as else result.report.amounts(),
            problems=tuple(
                problem for error in result.errors for problem in _problems(error)
            ),
            same_as=same_as,
        )

    def _same_content(self, key: bytes, digest: str | None) -> bytes | None:
        """Find the source that this one is a copy of."""
        if digest is None:
            return None
        # Entries that are not written yet are no less true.
        for entry in self._waiting:
            if entry.digest == digest and entry.verdict is Verdict.IMPORTED:
                return entry.path
        found = self._ledger.with_content(digest, self._destination)
        return None if found == key else found


def _looked_up_together(
    sources: Iterable[FoundSource],
) -> Iterator[Sequence[FoundSource]]:
    group: list[FoundSource] = []
    for found in sources:
        group.append(found)
        # A member that was unpacked takes its place until it was read.
        if len(group) >= _LOOKED_UP or found.is_carried:
            yield group
            group = []
    if group:
        yield group


def _digest(found: FoundSource) -> str | None:
    try:
        return found.source().digest
    except SourceError:
        return None


def _is_gone(result: SourceResult) -> bool:
    """
    Tell whether a file went before it was read: nobody knows what it was.

    Somebody may have moved it; an entry would be one that failed for ever.
    """
    return (
        result.digest is None
        and bool(result.errors)
        and result.path is not None
        and not os.path.lexists(result.path)
    )


def _is_quarantined_item(path: Path | None) -> bool:
    # A call that reads nothing does without the outbox, which takes long to load.
    from rigbridge.outbox.incoming import ITEM_FILE, is_item_name

    return (
        path is not None and path.name == ITEM_FILE and is_item_name(path.parent.name)
    )


def _verdict(result: SourceResult) -> Verdict:
    errors = [error for error in result.errors if not isinstance(error, NoRunError)]
    # A plain one refuses a run that was read: it is incomplete, or cannot be kept.
    read = (RunProblemsError, PermanentError, HeldError, RetriableError)
    if any(
        isinstance(error, SourceError) and type(error) is not SourceError
        for error in errors
    ):
        return Verdict.FAILED
    if errors and len(result.quarantined) < sum(
        isinstance(error, read) or type(error) is SourceError for error in errors
    ):
        return Verdict.REFUSED
    if errors or result.quarantined:
        return Verdict.QUARANTINED
    return Verdict.IMPORTED if result.runs else Verdict.EMPTY


def ledger_run(run: ImportedRun) -> LedgerRun:
    """Give a run as the ledger keeps it."""
    stored_id = run.stored_id
    return LedgerRun(
        id=run.id,
        status=run.status,
        measurements=run.measurements,
        attachments=run.attachments,
        stored_id=None if stored_id == str(run.id) else stored_id,
    )


def _kept(result: SourceResult) -> Iterator[LedgerRun]:
    """Give the runs in quarantine: each lies in a folder that has its id for a name."""
    for document in result.quarantined:
        yield LedgerRun(id=UUID(document.parent.name), status=RunStatus.QUARANTINED)


def _problems(error: RigbridgeError) -> Iterator[LedgerProblem]:
    """Give an error as the ledger keeps it; the problems of a run one by one."""
    parts: Iterable[object] = (
        error.exceptions if isinstance(error, RunProblemsError) else (error,)
    )
    for part in parts:
        if isinstance(part, RigbridgeError):
            yield LedgerProblem(
                kind=type(part).__name__,
                message=part.message,
                place=part.place,
                remedy=part.remedy,
            )

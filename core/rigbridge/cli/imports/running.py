"""Runs an import for a command: shows progress, writes the ledger, obeys Ctrl-C."""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

import attrs

from rigbridge.cli.imports.progress import ImportProgress, interruptible
from rigbridge.cli.output import call_for, say_warning
from rigbridge.errors import ConfigurationError, RigbridgeError

if TYPE_CHECKING:
    from rigbridge.cli.summaries.summary import ImportSummary
    from rigbridge.configuration import Configuration
    from rigbridge.destinations import Destination
    from rigbridge.imports import (
        AdapterSet,
        Afterwards,
        PlannedScan,
        SourceResult,
        Strictness,
    )
    from rigbridge.ledger import KnownSource, Ledger
    from rigbridge.sources import FoundSource, Scan

__all__ = ["run_import"]


def run_import(
    scan: Scan | PlannedScan,
    configuration: Configuration,
    *,
    note: Callable[[SourceResult], None] | None = None,
    afterwards: Afterwards | None = None,
    only: str | None = None,
    dry_run: bool = False,
    strict: Strictness = False,
    attach_source: bool = False,
    again: bool = False,
    replace: bool = False,
    runs: bool = False,
    quiet: bool = False,
    jobs: int | None = None,
    cluster: str | None = None,
    as_json: bool = False,
) -> ImportSummary:
    """
    Import, and give what came of the files.

    Args:
        note: told of each source, also of those that are passed over.
        only: the adapter to use instead of detection.
        strict: as :func:`~rigbridge.imports.import_sources` takes it; so do
            ``attach_source``, ``jobs`` and ``cluster``.
        replace: let stored runs make way for what is read now.
        quiet: show only what went wrong.
        jobs: see ``strict``.
        cluster: see ``strict``.
        as_json: whether a program reads the output.

    Raises:
        ConfigurationError: the settings or the destination cannot be used.
    """
    from rigbridge.cli.summaries.summary import ImportSummary
    from rigbridge.imports import (
        PastImports,
        destination_key,
        settings_digest,
    )
    from rigbridge.opening import check_adapters

    # Also where nothing is read: settings that nobody reads are misspelled ones.
    check_adapters(configuration)
    summary = ImportSummary(
        as_json=as_json,
        dry_run=dry_run,
        runs=runs,
        quiet=quiet,
        spell=partial(call_for, configuration),
    )
    sources = ImportProgress(scan, shown=not (as_json or quiet), as_json=as_json)
    ledger, is_trusted = _open_ledger(configuration)
    settings = settings_digest(
        configuration, only=only, strict=strict, attach_source=attach_source
    )
    past = PastImports(
        ledger,
        destination_key(configuration),
        settings,
        again=again,
        replace=replace and not dry_run,
        durable=_keep_file if afterwards is None else afterwards.finish,
    )

    def note_results(results: Iterable[SourceResult]) -> None:
        # A dry run stores nothing, so that nothing is noted.
        for result in results if dry_run else past.noted(results):
            summary.add(result)
            if note is not None:
                note(result)
            sources.add(result)

    def note_known(found: FoundSource, known: KnownSource) -> None:
        summary.pass_over(known, as_now=known.settings == settings)
        sources.pass_over(found)
        if note is not None or afterwards is not None:
            _note_known(found, known, ledger, note, afterwards)

    # Closed in reverse: the workers end before the destination that they send to.
    with ExitStack() as stack:
        stack.callback(_close, ledger, configuration if is_trusted else None)
        stack.callback(scan.close)
        stop = stack.enter_context(interruptible())
        try:
            with sources.running():
                new = past.new(sources, note_known)
                first = next(new, None)
                # Adapters and the store take longer to load than to pass over a folder.
                if first is not None:
                    from rigbridge.imports import import_sources

                    read = _reading(configuration, only, dry_run, replace)
                    adapters, destination = stack.enter_context(read)
                    results = import_sources(
                        chain((first,), new),
                        adapters,
                        configuration,
                        destination,
                        strict=strict,
                        attach_source=attach_source,
                        jobs=jobs,
                        cluster=cluster,
                        stop=stop.is_set,
                        warn=say_warning,
                    )
                    note_results(stack.enter_context(closing(results)))
        except KeyboardInterrupt:
            stop.set()
        finally:
            past.flush()
            if afterwards is not None:
                afterwards.close()
        if stop.is_set():
            # What arrived is stored; a person still wants to know how far that got.
            _count_left(summary, sources)
    summary.passed_over = scan.counts
    return summary


def _count_left(summary: ImportSummary, sources: ImportProgress) -> None:
    from rigbridge.imports import passed_over

    for found in sources.unfinished():
        summary.add(attrs.evolve(passed_over(found), skipped=False, tried=False))


def _note_known(
    found: FoundSource,
    known: KnownSource,
    ledger: Ledger,
    note: Callable[[SourceResult], None] | None,
    afterwards: Afterwards | None,
) -> None:
    from rigbridge.imports import passed_over, remembered

    if note is not None:
        note(passed_over(found))
    if afterwards is not None:
        # An import that was cut off may not have come to that.
        afterwards.finish(remembered(ledger, found, known))


@contextmanager
def _reading(
    configuration: Configuration, only: str | None, dry_run: bool, replace: bool
) -> Generator[tuple[AdapterSet, Destination | None]]:
    """Load the adapters, and open the destination unless nothing is stored."""
    from rigbridge.destinations import foreign_failures
    from rigbridge.imports import AdapterSet

    adapters = AdapterSet(configuration, only=only)
    destination = None if dry_run else _open_destination(configuration, replace=replace)
    try:
        yield adapters, destination
    finally:
        if destination is not None:
            with foreign_failures(destination, "close"):
                destination.close()


def _keep_file(_: SourceResult) -> None:
    """Leave the file of a result as it is."""


def _open_destination(configuration: Configuration, *, replace: bool) -> Destination:
    """
    Open the destination, whose runs make way for what is read now if asked for.

    Raises:
        ConfigurationError: they cannot.
    """
    from rigbridge.destinations import ReplacingDestination, foreign_failures
    from rigbridge.opening import open_destination

    destination = open_destination(configuration)
    if not replace:
        return destination
    if not isinstance(destination, ReplacingDestination):
        raise ConfigurationError(
            f"the destination {configuration.destination_name} cannot replace runs",
            remedy="leave --replace out",
        )
    try:
        with foreign_failures(destination, "begin_replacing"):
            destination.begin_replacing()
    except RigbridgeError:
        destination.close()
        raise
    return destination


def _open_ledger(configuration: Configuration) -> tuple[Ledger, bool]:
    """Open the ledger; the store may be another one than what it tells of."""
    from rigbridge.imports import distrust_ledger
    from rigbridge.ledger import Ledger

    ledger = Ledger.open(configuration.data)
    doubts = tuple(distrust_ledger(ledger, configuration))
    for doubt in doubts:
        say_warning(doubt)
    return ledger, not doubts


def _close(ledger: Ledger, configuration: Configuration | None) -> None:
    """
    Close a ledger, and say what was wrong with it.

    Args:
        configuration: whose store it tells of; None where that is in doubt.
    """
    from rigbridge.imports import destination_key
    from rigbridge.ledger import note_store

    if configuration is not None:
        # The store is closed by now: nothing of it is still in its log.
        note_store(ledger, destination_key(configuration), configuration.store_file)
    ledger.close()
    for problem in ledger.problems:
        say_warning(problem)

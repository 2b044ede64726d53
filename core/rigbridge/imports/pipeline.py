"""
Sources into a destination: scan, detect, read, submit.

One bad file never stops the rest. A destination that is out of reach, or refuses
everyone, does: the sources that were not tried are counted, and the same call can be
repeated, since a store takes each run once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import attrs

from rigbridge.adapters import ConversionReport, Spool
from rigbridge.configuration import Configuration
from rigbridge.convert import dump
from rigbridge.destinations import Destination, foreign_failures
from rigbridge.errors import (
    DeliveryError,
    HeldError,
    NoAnswerError,
    PermanentError,
    RigbridgeError,
    RunProblemsError,
    SourceError,
    SourceUnreadableError,
)
from rigbridge.imports.detection import AdapterSet
from rigbridge.imports.quarantine import Quarantine
from rigbridge.imports.reading import ReadRun, read_source
from rigbridge.imports.results import ImportedRun, SourceResult
from rigbridge.imports.strictness import Strictness, strict_refusal
from rigbridge.machine.folders import read_chunks
from rigbridge.model import Attachment, Run
from rigbridge.sources import FoundSource

__all__ = ["import_sources"]

_ACCEPT = "import without --strict to accept that"


def import_sources(
    sources: Iterable[FoundSource],
    adapters: AdapterSet,
    configuration: Configuration,
    destination: Destination | None,
    *,
    strict: Strictness = False,
    attach_source: bool = False,
) -> Iterator[SourceResult]:
    """
    Import sources, one result each, in their order.

    A run that cannot be stored as it is goes to the quarantine of the data folder.

    Args:
        sources: what to import.
        adapters: the adapters to choose from.
        configuration: the site's settings.
        destination: where the runs go, or None to only read them.
        strict: whether a run of which anything is missing is an error and is not sent.
        attach_source: let the source itself travel along as an attachment.
    """
    # The error that ended the import: what comes after it is not tried.
    outage: DeliveryError | None = None
    for source in sources:
        if outage is not None:
            yield attrs.evolve(_found(source), errors=(outage,), tried=False)
            continue
        work = _SourceImport(source, configuration, destination)
        result = work.result(adapters, strict=strict, attach_source=attach_source)
        # Both errors concern every run, not this one: the rest would only fail slowly.
        outage = next(
            (
                error
                for error in result.errors
                if isinstance(error, (HeldError, NoAnswerError))
            ),
            None,
        )
        yield result


def _found(found: FoundSource) -> SourceResult:
    """Begin the result of a source."""
    return SourceResult(
        source=found.uri, path=found.path, size=found.size, mtime_ns=found.mtime_ns
    )


class _SourceImport:
    """The import of one source."""

    def __init__(
        self,
        found: FoundSource,
        configuration: Configuration,
        destination: Destination | None,
    ) -> None:
        self._found = found
        self._source = found.source()
        self._configuration = configuration
        self._destination = destination
        self._runs: list[ImportedRun] = []
        self._errors: list[RigbridgeError] = []
        # Nothing is made on the disk before a run has to go there.
        self._quarantine = Quarantine(configuration.data)
        self._quarantined: list[Path] = []
        self._report = ConversionReport()

    def result(
        self, adapters: AdapterSet, *, strict: Strictness, attach_source: bool
    ) -> SourceResult:
        result = _found(self._found)
        try:
            installed = adapters.choose(self._source)
            result = attrs.evolve(
                result,
                adapter=installed.adapter.name,
                adapter_version=installed.version,
                digest=self._source.digest,
            )
            with Spool() as spool:
                extra = self._source_copy(spool) if attach_source else ()
                for item in read_source(
                    self._source,
                    installed,
                    self._configuration,
                    spool,
                    strict=bool(strict),
                    remainder=self._report,
                ):
                    if isinstance(item, SourceError):
                        self._errors.append(item)
                    else:
                        self._submit(item, extra, strict=strict)
        except (HeldError, NoAnswerError, SourceError) as error:
            self._errors.append(error)
        return attrs.evolve(
            result,
            runs=tuple(self._runs),
            errors=tuple(self._errors),
            quarantined=tuple(self._quarantined),
            report=self._report.counts(),
        )

    def _source_copy(self, spool: Spool) -> tuple[Attachment, ...]:
        # A copy, since whoever writes the report may still change it.
        try:
            with self._source.stored() as stream:
                chunks = read_chunks(stream)
                return (spool.add(chunks, name=self._source.name),)
        except OSError as error:
            raise SourceUnreadableError(
                f"cannot be copied: {error}",
                source=self._source.uri,
                remedy="check the file and the space in the temporary folder",
            ) from error

    def _submit(
        self, item: ReadRun, extra: tuple[Attachment, ...], *, strict: Strictness
    ) -> None:
        run, report = item.run, item.report
        try:
            refusal = strict_refusal(item, self._source, strict, remedy=_ACCEPT)
            if refusal is not None:
                self._errors.append(refusal)
                return
            if extra:
                run = attrs.evolve(run, attachments=(*run.attachments, *extra))
            receipt = None
            if self._destination is None:
                # What a store would refuse is said beforehand, too.
                dump(run, report)
            else:
                with foreign_failures(self._destination, "submit"):
                    receipt = self._destination.submit(run, report)
            imported = ImportedRun.of(run)
            self._runs.append(
                imported if receipt is None else imported.arrived(receipt)
            )
            if receipt is not None:
                # Stored now: what an earlier import put into quarantine is obsolete.
                self._quarantine.release(run.id)
                self._errors.extend(
                    self._placed(failure.error, run) for failure in receipt.failures
                )
        except (HeldError, NoAnswerError):
            raise
        except (DeliveryError, RunProblemsError) as error:
            self._errors.append(self._placed(error, run))
            # Only what no repetition can mend: all else is imported again as it is.
            final = isinstance(error, (PermanentError, RunProblemsError))
            if final and self._destination is not None:
                self._keep(item, extra, error)
        finally:
            # Also for a run that failed: its elements are part of the source.
            self._report.merge(report)

    def _keep(
        self, item: ReadRun, extra: tuple[Attachment, ...], reason: RigbridgeError
    ) -> None:
        """Put a run into quarantine that no store takes as it is."""
        # Without the rules: they may be what is wrong, and are applied at each retry.
        run = attrs.evolve(item.raw, attachments=(*item.raw.attachments, *extra))
        try:
            path = self._quarantine.keep(
                run,
                item.raw_report,
                reason,
                destination=self._configuration.destination_name,
                source=self._source.path,
            )
            self._quarantined.append(path)
        except (OSError, RigbridgeError) as error:
            words = getattr(error, "strerror", None) or str(error)
            self._errors.append(
                SourceError(
                    f"the run cannot be kept in quarantine either: {words}",
                    source=str(self._quarantine.folder),
                    remedy="check the folder and its disk; the report is untouched",
                )
            )

    def _placed(self, error: RigbridgeError, run: Run) -> RigbridgeError:
        """Let an error name the file and the run, before what it names itself."""
        # Only later runs of a file are numbered: most files hold one.
        index = None if run.source is None else run.source.index
        places = [] if not index else [f"run {index + 1}"]
        if error.source != self._source.uri:
            places += [error.source] if error.source else []
            error.source = self._source.uri
        places += [error.place] if error.place else []
        error.place = ": ".join(places) or None
        return error

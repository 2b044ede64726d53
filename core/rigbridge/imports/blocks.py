"""
Batches to blocks of prepared runs: the work that any number of processes can do.

:func:`read_batch` is the same in this process, in a worker and on a cluster. It
detects, reads, converts and prepares; it sends nothing anywhere, and what it gives can
be pickled.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from rigbridge.adapters import ConversionReport, Source, Spool
from rigbridge.configuration import Configuration
from rigbridge.convert import dump
from rigbridge.destinations import PreparedItem, Preparer, foreign_failures
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
from rigbridge.imports.batches import Batch
from rigbridge.imports.detection import AdapterSet
from rigbridge.imports.reading import ReadRun, read_source
from rigbridge.imports.results import ImportedRun, SourceResult, begun
from rigbridge.imports.strictness import Strictness, strict_refusal
from rigbridge.machine.folders import read_chunks
from rigbridge.model import Attachment

if TYPE_CHECKING:
    from rigbridge.sources import FoundSource

__all__ = [
    "Block",
    "ReadSettings",
    "SourcePart",
    "keep_refused",
    "placed",
    "read_batch",
]

_ACCEPT = "import without --strict to accept that"
# A block is held in memory and pickled: bounded by count for small runs, and by bytes
# for large ones.
_MOST_RUNS = 32
_MOST_BYTES = 1 << 20
_MOST_HASHED = 1 << 26


@attrs.frozen(kw_only=True)
class ReadSettings:
    """
    How sources are read; can be sent to another process.

    Attributes:
        adapters: the adapters to choose from; another process makes its own.
        strict: whether a run of which anything is missing is an error and is not sent.
        attach_source: let the source itself travel along as an attachment.
        preparer: brings runs into the form of their destination; None to only read
            them.
        spool: the folder for bytes that lie aside; the system's temporary folder for
            None.
    """

    configuration: Configuration
    adapters: AdapterSet
    strict: Strictness = False
    attach_source: bool = False
    preparer: Preparer | None = None
    spool: Path | None = None


@attrs.frozen(kw_only=True)
class SourcePart:
    """
    Some runs of one source.

    Attributes:
        number: the number of the source within the import.
        begins: whether these are its first runs; what was given of it before, by a
            process that has died, is void then.
        items: the same runs as their destination takes them; empty where nothing is
            sent.
        result: the source without its runs, once all of them have been given.
    """

    number: int
    begins: bool
    runs: tuple[ImportedRun, ...] = ()
    items: tuple[PreparedItem, ...] = ()
    result: SourceResult | None = None


@attrs.frozen(kw_only=True)
class Block:
    """
    What is sent at a time.

    Attributes:
        parts: runs of one source or several, in order.
    """

    parts: tuple[SourcePart, ...]


def read_batch(batch: Batch, settings: ReadSettings) -> Iterator[Block]:
    """
    Read the sources of a batch, one after the other.

    A bad one never stops the rest; what is wrong with it is in its result.

    Yields:
        Blocks of few runs, so that neither side holds many.
    """
    parts: list[SourcePart] = []
    runs: list[ImportedRun] = []
    items: list[PreparedItem] = []
    count = size = 0

    def block() -> Block:
        nonlocal parts, count, size
        full, parts, count, size = Block(parts=tuple(parts)), [], 0, 0
        return full

    for number, found in batch.sources:
        begins = True
        reading = _SourceReading(found, settings)
        for piece in reading.pieces():
            ended = isinstance(piece, SourceResult)
            if not isinstance(piece, SourceResult):
                run, item = piece
                runs.append(run)
                count += 1
                if item is not None:
                    items.append(item)
                    size += item.size
            # A part ends with its source as well, so that the writer learns soon that a
            # file is complete.
            if ended or count >= _MOST_RUNS or size >= _MOST_BYTES:
                parts.append(
                    SourcePart(
                        number=number,
                        begins=begins,
                        runs=tuple(runs),
                        items=tuple(items),
                        result=piece if isinstance(piece, SourceResult) else None,
                    )
                )
                begins = False
                runs, items = [], []
                if count >= _MOST_RUNS or size >= _MOST_BYTES:
                    yield block()
    if parts:
        yield block()


class _SourceReading:
    """The reading of one source."""

    def __init__(self, found: FoundSource, settings: ReadSettings) -> None:
        self._found = found
        self._settings = settings
        self._source = found.source()
        self._errors: list[RigbridgeError] = []
        self._quarantined: list[Path] = []
        self._report = ConversionReport()

    def pieces(
        self,
    ) -> Iterator[tuple[ImportedRun, PreparedItem | None] | SourceResult]:
        """Give its runs, each prepared, and in the end what else is to be said."""
        began = time.monotonic()
        # Begun before anything is opened: a file that cannot even be read needs a
        # result with its name.
        result = begun(self._found)
        try:
            claim = self._settings.adapters.claim(self._source)
            installed = claim.installed
            result = attrs.evolve(
                result,
                adapter=installed.adapter.name,
                adapter_version=installed.version,
                score=claim.match.score,
                reason=claim.match.reason,
            )
            with Spool(self._settings.spool) as spool:
                extra = _source_copy(self._source, spool, self._settings)
                for item in read_source(
                    self._source,
                    installed,
                    self._settings.configuration,
                    spool,
                    strict=bool(self._settings.strict),
                    remainder=self._report,
                ):
                    if isinstance(item, SourceError):
                        self._errors.append(item)
                    elif (prepared := self._prepared(item, extra)) is not None:
                        yield prepared
            result = attrs.evolve(result, digest=self._source.digest)
        except (HeldError, NoAnswerError, SourceError) as error:
            # Errors of a person's or network's making end the source here. Any other
            # exception is a defect and must be seen.
            self._errors.append(error)
            result = attrs.evolve(result, digest=self._digest_of_failed(result))
        yield attrs.evolve(
            result,
            errors=tuple(self._errors),
            quarantined=tuple(self._quarantined),
            # The single entries would fill the memory of who gathers the results.
            report=self._report.counts(),
            seconds=time.monotonic() - began,
        )

    def _digest_of_failed(self, result: SourceResult) -> str | None:
        """Tell the content of a source that failed, so that a touched one is known."""
        # A film among the reports is not read to its end for that.
        if result.adapter is None and (self._found.size or 0) > _MOST_HASHED:
            return None
        try:
            return self._source.digest
        except SourceError:
            return None

    def _prepared(
        self, item: ReadRun, extra: tuple[Attachment, ...]
    ) -> tuple[ImportedRun, PreparedItem | None] | None:
        run, report, settings = item.run, item.report, self._settings
        refusal = strict_refusal(item, self._source, settings.strict, remedy=_ACCEPT)
        try:
            if refusal is not None:
                self._errors.append(refusal)
                return None
            if extra:
                run = attrs.evolve(run, attachments=(*run.attachments, *extra))
            imported = ImportedRun.of(run)
            if settings.preparer is None:
                # The document is thrown away: only its errors matter.
                # What a store would refuse is said beforehand, too.
                dump(run, report)
                return imported, None
            with foreign_failures(settings.preparer, "prepare"):
                return imported, settings.preparer.prepare(run, report)
        except (HeldError, NoAnswerError):
            # They concern every run, so they end the reading of the source.
            raise
        except (DeliveryError, RunProblemsError) as error:
            self._refuse(item, extra, placed(error, self._found, ImportedRun.of(run)))
            return None
        finally:
            # Also for a run that failed: its elements are part of the source.
            self._report.merge(report)

    def _refuse(
        self, item: ReadRun, extra: tuple[Attachment, ...], error: RigbridgeError
    ) -> None:
        self._errors.append(error)
        # Only what no repetition can mend: all else is imported again as it is.
        final = isinstance(error, (PermanentError, RunProblemsError))
        if final and self._settings.preparer is not None:
            kept = _keep(item, extra, error, self._found, self._settings)
            if isinstance(kept, Path):
                self._quarantined.append(kept)
            else:
                self._errors.append(kept)


def placed(
    error: RigbridgeError, found: FoundSource, run: ImportedRun
) -> RigbridgeError:
    """Let an error name the file and the run, before what it names itself."""
    # Only later runs of a file are numbered: most files hold one.
    places = [f"run {run.index + 1}"] if run.index else []
    if error.source != found.uri:
        places += [error.source] if error.source else []
        error.source = found.uri
    places += [error.place] if error.place else []
    error.place = ": ".join(places) or None
    return error


def keep_refused(
    found: FoundSource, reasons: dict[str, RigbridgeError], settings: ReadSettings
) -> tuple[list[Path], list[RigbridgeError]]:
    """
    Put runs into quarantine that their store has refused, by reading them again.

    Args:
        reasons: why, by the text of the id of each run.

    Returns:
        Their documents, and what went wrong with those that could not be kept.
    """
    kept: list[Path] = []
    errors: list[RigbridgeError] = []
    source = found.source()
    try:
        installed = settings.adapters.choose(source)
        with Spool(settings.spool) as spool:
            extra = _source_copy(source, spool, settings)
            for item in read_source(source, installed, settings.configuration, spool):
                # The first reading may have found the reason why some runs are broken;
                # only those that the store refused are looked for.
                if isinstance(item, SourceError):
                    continue  # it was said when the source was read first
                reason = reasons.pop(str(item.run.id), None)
                if reason is None:
                    continue
                document = _keep(item, extra, reason, found, settings)
                if isinstance(document, Path):
                    kept.append(document)
                else:
                    errors.append(document)
                if not reasons:
                    # A file of many runs need not be read to its end for one that was
                    # refused.
                    break
    except SourceError as error:
        errors.append(error)
    # Its bytes decide the ids, so a run that is not found again belongs to bytes that
    # are gone.
    if reasons and not errors:
        errors.append(
            SourceError(
                "changed during the import, so that its runs that the store refused "
                "could not be put into quarantine",
                source=found.uri,
                remedy="import it again",
            )
        )
    return kept, errors


def _keep(
    item: ReadRun,
    extra: tuple[Attachment, ...],
    reason: RigbridgeError,
    found: FoundSource,
    settings: ReadSettings,
) -> Path | SourceError:
    """Put a run into quarantine that no store takes as it is."""
    # Imported here: a worker whose reports are in order needs nothing of the outbox.
    from rigbridge.imports.quarantine import Quarantine

    quarantine = Quarantine(settings.configuration.data)
    # Without the rules: they may be what is wrong, and are applied at each retry.
    run = attrs.evolve(item.raw, attachments=(*item.raw.attachments, *extra))
    try:
        return quarantine.keep(
            run,
            item.raw_report,
            reason,
            destination=settings.configuration.destination_name,
            source=found.path,
            zones=settings.configuration.time_zone,
        )
    except (OSError, RigbridgeError) as error:
        words = getattr(error, "strerror", None) or str(error)
        return SourceError(
            f"the run cannot be kept in quarantine either: {words}",
            source=str(quarantine.folder),
            remedy="check the folder and its disk; the report is untouched",
        )


def _source_copy(
    source: Source, spool: Spool, settings: ReadSettings
) -> tuple[Attachment, ...]:
    if not settings.attach_source:
        return ()
    # A copy, since whoever writes the report may still change it.
    try:
        with source.stored() as stream:
            return (spool.add(read_chunks(stream), name=source.name),)
    except OSError as error:
        raise SourceUnreadableError(
            f"cannot be copied: {error}",
            source=source.uri,
            remedy="check the file and the space in the temporary folder",
        ) from error

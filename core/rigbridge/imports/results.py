"""The results of an import: small objects that processes can exchange."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self
from uuid import UUID

import attrs

from rigbridge.errors import NoRunError, RigbridgeError
from rigbridge.ledger import RunStatus
from rigbridge.model import RunOutcome
from rigbridge.model.report import ConversionReport

if TYPE_CHECKING:
    from rigbridge.destinations import Receipt
    from rigbridge.model import Run
    from rigbridge.sources import FoundSource

__all__ = ["ImportedRun", "SourceResult", "begun"]


@attrs.frozen(kw_only=True)
class ImportedRun:
    """
    A run that was read, and arrived unless it is only planned.

    Attributes:
        index: its place among the runs of its source, counted from 0.
        serial_number: of its unit, or None.
        procedure: the name of its procedure or else its id, or None.
        procedure_id: the id of its procedure in the store, or None.
        started_at: its start, or None.
        phases, measurements, attachments: how many of these it has.
        attached_bytes: how long its attachments are together, as far as is known.
        partial: whether the report was cut off, so that the run is not the whole one.
        stored_id: the id under which the store knows it, or None.
        differences: in what it differs from the one that was stored before, in words.
        failures: the attachments that did not arrive, each with its reason.
    """

    id: UUID
    index: int = 0
    serial_number: str | None
    procedure: str | None
    procedure_id: str | None = None
    outcome: RunOutcome
    started_at: datetime | None
    phases: int
    measurements: int
    attachments: int
    attached_bytes: int = 0
    partial: bool = False
    status: RunStatus = RunStatus.PLANNED
    stored_id: str | None = None
    differences: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    failures: tuple[RigbridgeError, ...] = ()

    @classmethod
    def of(cls, run: Run) -> Self:
        """Describe a run that was read."""
        return cls(
            id=run.id,
            # Position 0 or None: most formats hold one run and do not number it.
            index=(run.source and run.source.index) or 0,
            serial_number=run.unit.serial_number,
            procedure=run.procedure.name or run.procedure.id,
            procedure_id=run.procedure.id,
            outcome=run.outcome,
            started_at=run.started_at,
            phases=len(run.phases),
            measurements=sum(len(phase.measurements) for phase in run.phases),
            attachments=len(run.attachments),
            attached_bytes=sum(each.size or 0 for each in run.attachments),
            partial=run.metadata.get("partial") is True,
        )

    def arrived(self, receipt: Receipt) -> Self:
        """Note what the destination did with it."""
        status = RunStatus.CREATED if receipt.created else RunStatus.KNOWN
        if receipt.differs:
            status = RunStatus.REPLACED if receipt.replaced else RunStatus.DIFFERS
        return attrs.evolve(
            self,
            status=status,
            differences=receipt.differences,
            stored_id=receipt.stored_id,
            warnings=receipt.warnings,
            failures=tuple(failure.error for failure in receipt.failures),
        )


@attrs.frozen(kw_only=True)
class SourceResult:
    """
    What came of one source.

    Attributes:
        source: the path or address of the source, as people read it.
        key: what the ledger knows it by; None for what no scan found.
        path: the file, where it is one of this machine.
        size, mtime_ns: its length in bytes and the time of its last change, as it was
            found; None where that is not known.
        digest: the SHA-256 of its bytes, or None where they were not read.
        adapter: the adapter that read it, or None if none was chosen.
        score, reason: how sure the adapter was, above 0 and up to 1, and what it saw.
        quarantined: the documents (``item.json``) of the runs in quarantine, which
            cannot be stored as they are.
        report: what was recorded, of all its runs together: the counts, without the
            single entries.
        tried: False for a source that was left because the destination is out, or the
            folder that was named is gone, which ``errors`` then holds; or because the
            import was interrupted.
        skipped: whether the ledger says that it was imported before as it is.
        beside: the ids of stored runs that the source held when it was imported before,
            and does not hold any more since it was changed.
        seconds: how long it took to read and convert it.
    """

    source: str
    key: bytes | None = attrs.field(default=None, repr=False)
    path: Path | None = None
    size: int | None = None
    mtime_ns: int | None = None
    digest: str | None = None
    adapter: str | None = None
    adapter_version: str | None = None
    score: float | None = None
    reason: str | None = None
    runs: tuple[ImportedRun, ...] = ()
    errors: tuple[RigbridgeError, ...] = ()
    quarantined: tuple[Path, ...] = ()
    report: ConversionReport = attrs.field(factory=ConversionReport)
    tried: bool = True
    skipped: bool = False
    beside: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def succeeded(self) -> bool:
        """
        Whether everything in the source arrived, attachments included.

        A source that holds no run is no failure; its only error says so.
        """
        return self.tried and all(
            isinstance(error, NoRunError) for error in self.errors
        )

    @property
    def is_empty(self) -> bool:
        """Whether the source was read and holds no run."""
        return self.succeeded and not self.skipped and not self.runs


def begun(found: FoundSource) -> SourceResult:
    """Begin the result of a source."""
    return SourceResult(
        source=found.uri,
        key=found.key,
        path=found.path,
        size=found.size,
        mtime_ns=found.mtime_ns,
    )

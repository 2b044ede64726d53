"""
The runs of imports that no store takes as they are, until somebody mends the cause.

Such a run (it lacks a serial number, say) is neither sent under a made-up name nor
forgotten. It lies in the folder ``quarantine`` of the data folder, in the form of what
is handed over: ``ID/item.json`` with its files beside it, and the reason in
``ID/reason.txt``. It is kept as it was read, before the rules of identity, so that
mended rules mend it: :func:`retry_runs` applies them anew. It leaves once it is stored.
``ID/zones.json`` names the time zones by which it was read; where the site has mended
them, it is read anew from its source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import UUID

import attrs
import msgspec

from rigbridge.adapters import TimeZonePolicy
from rigbridge.adapters.identity import source_name
from rigbridge.configuration import Configuration
from rigbridge.destinations import Destination, Receipt, foreign_failures
from rigbridge.errors import (
    HeldError,
    NoAnswerError,
    RetriableError,
    RigbridgeError,
    SourceUnreadableError,
)
from rigbridge.imports.reading import read_again, zones_document, zones_mended
from rigbridge.imports.results import ImportedRun
from rigbridge.machine.files import whole_file
from rigbridge.model import Run
from rigbridge.model.report import ConversionReport
from rigbridge.outbox.incoming import (
    ITEM_FILE,
    IncomingFolder,
    IncomingItem,
    read_run,
    write_run,
)
from rigbridge.wire import encode

__all__ = ["Quarantine", "RetriedRun", "retry_runs"]

_REASON, _ZONES = "reason.txt", "zones.json"


class Quarantine:
    """
    The quarantine of a data folder.

    Args:
        data: the data folder; nothing is made there before a run has to be kept.
    """

    def __init__(self, data: Path) -> None:
        # Not synced: the source is still there, and importing it again repeats this.
        self._items = IncomingFolder(data, name="quarantine", durable=False)
        self.folder = self._items.folder

    def keep(
        self,
        run: Run,
        report: ConversionReport,
        reason: RigbridgeError,
        *,
        destination: str | None = None,
        source: Path | None = None,
        zones: TimeZonePolicy | None = None,
    ) -> Path:
        """
        Keep a run with its files and the reason; one of the same id is replaced.

        Args:
            destination: the name of the destination that it is for.
            zones: the time zones by which it was read; None where nobody knows.

        Returns:
            The document of the run, which an import reads.

        Raises:
            ModelError: a text that is no Unicode (a lone surrogate).
            OSError: the folder cannot be written, or an attachment cannot be read.
        """
        folder = self.folder / str(run.id)
        document = folder / ITEM_FILE
        # An item that is imported itself holds the files that would be copied here.
        is_itself = source is not None and source.absolute() == document
        known = self._items.find(run.id)
        if known is None or not is_itself:
            if known is not None:
                self._items.remove(known)
            write_run(self._items, run, report, destination=destination)
            if zones is not None:
                with whole_file(folder / _ZONES, durable=False) as partial:
                    partial.write_bytes(encode(zones_document(zones)))
        known = self._items.find(run.id)
        if known is not None:
            self.refuse(known, reason, _source_of(run))
        return document

    def refuse(self, item: IncomingItem, reason: RigbridgeError, source: str) -> None:
        """
        Note why a run cannot be stored, for programs and for people.

        Args:
            source: the file that it was read from, for people.

        Raises:
            OSError: the folder cannot be written.
        """
        self._items.refuse(item, str(reason))
        words = (
            f"{reason}\n\n"
            f"Read from: {source}\n"
            "Mend the cause, as the brackets above say, and try it again: "
            f"rigbridge quarantine retry {item.id}\n"
        )
        # Written whole: a person may read it at any moment.
        with whole_file(item.folder / _REASON, durable=False) as partial:
            partial.write_text(words, encoding="utf-8", errors="backslashreplace")

    @staticmethod
    def zones(item: IncomingItem) -> object:
        """Tell by which time zones a run was read; None where nobody knows."""
        try:
            return msgspec.json.decode((item.folder / _ZONES).read_bytes())
        except (OSError, msgspec.MsgspecError):
            return None

    @staticmethod
    def words(item: IncomingItem) -> str:
        """Say why a run is here, where it was read and what mends it, in lines."""
        try:
            return (item.folder / _REASON).read_text(encoding="utf-8").rstrip()
        except (OSError, UnicodeDecodeError):
            # Somebody tidied up, or it was kept a moment ago.
            return "" if item.refusal is None else item.refusal.reason

    def items(self) -> Iterator[IncomingItem]:
        """List what is here, the first that was kept first, without the contents."""
        # Years of reports may lie here; their contents do not fit into memory.
        for item in self._items.items():
            yield attrs.evolve(item, given=attrs.evolve(item.given, content=b""))

    def find(self, run_id: UUID) -> IncomingItem | None:
        """Read a run with its content; None if it is not here."""
        return self._items.find(run_id)

    def remove(self, item: IncomingItem) -> None:
        """
        Remove a run for good.

        Raises:
            OSError: the folder cannot be written.
        """
        self._items.remove(item)

    def release(self, run_id: UUID) -> None:
        """Remove a run that is stored now, if it was kept here."""
        # Asked for every run that an import stores: mostly there is no folder at all.
        if not self.folder.is_dir():
            return
        item = self._items.find(run_id)
        if item is not None:
            self._items.remove(item)


@attrs.frozen(kw_only=True)
class RetriedRun:
    """
    What came of a run in quarantine.

    Attributes:
        item: the run as it lay there.
        source: the file that it was read from.
        run: the run as it was sent; None where that did not come to pass.
        receipt: what the destination said; None where it refused the run, or was not
            asked.
        errors: why the run stays; empty for one that is stored and has left.
        tried: False where the destination is out, which an earlier error says.
    """

    item: IncomingItem
    source: str = "unknown"
    run: ImportedRun | None = None
    receipt: Receipt | None = None
    errors: tuple[RigbridgeError, ...] = ()
    tried: bool = True


def retry_runs(
    quarantine: Quarantine,
    items: Iterable[IncomingItem],
    configuration: Configuration,
    destination: Destination,
) -> Iterator[RetriedRun]:
    """
    Store runs from quarantine, by the rules as they are now; one result each.

    Args:
        items: which; one that has left meanwhile is passed over.

    Raises:
        OSError: the folder cannot be written.
    """
    is_out = False
    for item in items:
        if is_out:
            yield RetriedRun(item=item, tried=False)
            continue
        # Read again: listing leaves out the contents, and somebody may have removed it
        # meanwhile.
        whole = quarantine.find(item.id)
        if whole is None:
            continue
        result = _retried(whole, configuration, destination)
        # Both errors concern every run, not this one: the rest would only fail slowly.
        is_out = any(
            isinstance(error, (HeldError, NoAnswerError)) for error in result.errors
        )
        if not result.errors:
            quarantine.remove(item)
        # What may succeed by itself later says nothing about the run.
        elif not isinstance(result.errors[0], (HeldError, RetriableError)):
            quarantine.refuse(item, result.errors[0], result.source)
        yield result


def _retried(
    item: IncomingItem, configuration: Configuration, destination: Destination
) -> RetriedRun:
    report = ConversionReport()
    source = "unknown"
    try:
        run = read_run(item, report, durable=False)
        source = _source_of(run)
        if zones_mended(Quarantine.zones(item), configuration.time_zone):
            run, report = read_again(run, configuration)
        run = configuration.identity.apply(run, name=source_name(run), report=report)
        with foreign_failures(destination, "submit"):
            receipt = destination.submit(run, report)
    except RigbridgeError as error:
        return RetriedRun(item=item, source=source, errors=(_placed(error, item),))
    except OSError as error:
        unreadable = SourceUnreadableError(
            f"cannot be read: {error}",
            source=str(item.folder),
            remedy="check the disk, or import the report again",
        )
        return RetriedRun(item=item, source=source, errors=(unreadable,))
    failures = tuple(_placed(failure.error, item) for failure in receipt.failures)
    return RetriedRun(
        item=item,
        source=source,
        run=ImportedRun.of(run).arrived(receipt),
        receipt=receipt,
        errors=failures,
    )


def _placed(error: RigbridgeError, item: IncomingItem) -> RigbridgeError:
    """Let an error name the run, where it names nothing itself."""
    if error.source is None:
        error.source = str(item.folder)
    return error


def _source_of(run: Run) -> str:
    """Name where a run was read from, for people."""
    uri = None if run.source is None else run.source.uri
    return uri or "unknown"

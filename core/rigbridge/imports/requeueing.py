"""Runs and records that could not be queued are read once more, and queued."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from rigbridge.adapters import Source, Spool
from rigbridge.configuration import Configuration
from rigbridge.errors import SourceError
from rigbridge.imports.detection import AdapterSet
from rigbridge.imports.reading import read_source
from rigbridge.kept import Recovery, UnsentFolder
from rigbridge.model import Run
from rigbridge.model.report import ConversionReport
from rigbridge.outbox import Outbox

__all__ = ["recover_unsent", "requeue_record"]


def requeue_record(
    path: Path, configuration: Configuration, outbox: Outbox
) -> list[UUID]:
    """
    Queue the runs of a record that could not be read when it was handed over.

    Args:
        path: the record, in the format of its source.
        configuration: the site's settings.
        outbox: where the runs go.

    Returns:
        The ids of the runs; the same however often the record is read.

    Raises:
        SourceError: it can still not be read.
        RigbridgeError: a run cannot be queued.
        OSError: the outbox cannot be written.
    """
    source = Source.from_path(path)
    installed = AdapterSet(configuration).choose(source)
    queued: list[UUID] = []
    with Spool() as spool:
        for item in read_source(source, installed, configuration, spool):
            # The file stays then; its queued runs are not queued twice later.
            if isinstance(item, SourceError):
                raise item
            queued.append(outbox.submit(item.run, item.report))
    return queued


def recover_unsent(configuration: Configuration, outbox: Outbox) -> Recovery:
    """
    Queue the runs that could not be queued when they were handed over.

    What could not even be read as a run is read once more, by the adapters that are
    installed now.

    Args:
        configuration: names the data folder; its rules of identity are applied again,
            since they may be what failed.
        outbox: the outbox.
    """

    def requeue(path: Path) -> Sequence[UUID]:
        return requeue_record(path, configuration, outbox)

    def submit(run: Run, report: ConversionReport) -> None:
        # The name of the file is our own, and says nothing about the unit.
        completed = configuration.identity.apply(run, name="", report=report)
        outbox.submit(completed, report)

    return UnsentFolder(configuration.data).recover(submit, requeue)

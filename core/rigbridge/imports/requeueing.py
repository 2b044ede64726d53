"""What was kept in the format of its source is read once more, and queued."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from rigbridge.adapters import Source, Spool
from rigbridge.configuration import Configuration
from rigbridge.errors import SourceError
from rigbridge.imports.detection import AdapterSet
from rigbridge.imports.reading import read_source
from rigbridge.outbox import Outbox

__all__ = ["requeue_record"]


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
            if isinstance(item, SourceError):
                raise item
            queued.append(outbox.submit(item.run, item.report))
    return queued

"""Runs and records that could not be queued are read once more, and queued."""

from __future__ import annotations

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

__all__ = ["recover_unsent"]


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

    def requeue(path: Path) -> list[UUID]:
        source = Source.from_path(path)
        installed = AdapterSet(configuration).choose(source)
        queued: list[UUID] = []
        with Spool() as spool:
            for item in read_source(source, installed, configuration, spool):
                # The file stays then. Its ids are the same when it is read again, so
                # that what is queued already is not queued twice.
                if isinstance(item, SourceError):
                    raise item
                queued.append(outbox.submit(item.run, item.report))
        return queued

    def submit(run: Run, report: ConversionReport) -> None:
        # The name of the file is our own, and says nothing about the unit.
        completed = configuration.identity.apply(run, name="", report=report)
        outbox.submit(completed, report)

    return UnsentFolder(configuration.data).recover(submit, requeue)

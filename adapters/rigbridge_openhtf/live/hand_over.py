"""What the callback does with a record before and beside the outbox."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path
from typing import Any
from uuid import UUID

import attrs

from rigbridge.adapters import ConversionReport, Spool
from rigbridge.kept import UnsentFolder
from rigbridge.machine.folders import make_folder
from rigbridge.model import Run
from rigbridge_openhtf.live.records import to_run
from rigbridge_openhtf.settings import OpenHTFSettings

__all__ = ["HandOver", "count_error", "translated"]

_LOGGER = logging.getLogger("rigbridge.openhtf")


@attrs.frozen(kw_only=True)
class HandOver:
    """
    What became of a record when it was handed over.

    Attributes:
        run_id: the id of its run; None if the record could not be read.
        serial_number: of the unit under test, or None.
        outcome: the verdict, or None.
        kept: the file that holds it where it could not be queued, or None.
        queued: whether it is in the outbox.
        canceled: whether it was left out, since the test was canceled before it began.
    """

    run_id: UUID | None = None
    serial_number: str | None = None
    outcome: str | None = None
    kept: Path | None = None
    queued: bool = False
    canceled: bool = False


def translated(
    record: Any, settings: OpenHTFSettings, data: Path, spools: contextlib.ExitStack
) -> tuple[Run, ConversionReport]:
    """
    Translate a record, its attachments into a spool that lasts as long as the stack.

    OpenHTF's own files stay as long as the callback has the record, so that they are
    left where they are. Others, on the disk of the data folder, can be taken over
    without a second copy and do not fill a temporary folder that is held in memory;
    that has to do where the data folder cannot be written.
    """
    folder = data / "spool"
    try:
        make_folder(folder)
        return _into(
            spools.enter_context(Spool(folder, in_place=True)), record, settings
        )
    except OSError as error:
        _LOGGER.warning("attachments do not go into %s: %s", folder, error)
        spools.close()
        return _into(spools.enter_context(Spool(in_place=True)), record, settings)


def _into(
    spool: Spool, record: Any, settings: OpenHTFSettings
) -> tuple[Run, ConversionReport]:
    report = ConversionReport()
    return to_run(record, spool=spool, report=report, settings=settings), report


def count_error(error: BaseException, data: Path) -> None:
    """Have ``rigbridge outbox status`` show an error; it was logged already."""
    try:
        UnsentFolder(data).note_error(f"{type(error).__name__}: {error}")
    except OSError:
        _LOGGER.exception("the error could not be counted")

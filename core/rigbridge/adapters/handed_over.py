"""Records that a program hands over in its own form, and their adapters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable
from uuid import UUID

import attrs

from rigbridge.adapters.context import ReadContext
from rigbridge.model import Run

__all__ = ["HandedOverRecord", "RecordAdapter"]


@attrs.frozen(kw_only=True)
class HandedOverRecord:
    """
    A record that waits in the outbox, as the program wrote it.

    Attributes:
        content: JSON, as the adapter's own writer made it.
        file: gives a file of the record by the name that its writer got for it; None
            if it is not there. Nobody writes to such a file any more.
    """

    id: UUID
    content: bytes = attrs.field(repr=False)
    file: Callable[[str], Path | None]


@runtime_checkable
class RecordAdapter(Protocol):
    """
    An adapter that also translates what a program of its framework handed over.

    The program's part only writes the record down: nobody should wait for a
    translation at the end of a test. The outbox then loads the adapter by the name in
    the item, in the process that sends.
    """

    def translate(self, record: HandedOverRecord, context: ReadContext) -> Run:
        """
        Make the run of a record.

        The run has the id of the record.

        Raises:
            SourceError: it cannot be read; it then waits with that reason.
        """
        ...

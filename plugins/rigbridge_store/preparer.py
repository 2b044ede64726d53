"""What makes the rows of runs in a process that knows no table."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import attrs

from rigbridge.destinations import PreparedItem
from rigbridge.errors import ServerUnavailableError
from rigbridge.model import Run
from rigbridge.model.report import ConversionReport
from rigbridge.wire import CODES
from rigbridge_store.files.contents import ContentStore
from rigbridge_store.files.remote_contents import contents_of
from rigbridge_store.intake.preparation import PreparedRun
from rigbridge_store.submission import prepare_submission

__all__ = ["StorePreparer"]

_OF_A_ROW = 60


@attrs.frozen(slots=False)
class StorePreparer:
    """
    Makes rows, and stores the contents of attachments.

    A content that no run comes to refer to is removed when the store is next cleaned.

    Attributes:
        data: the data folder.
        attachments: the URL under which contents are kept, or None for the folder.
    """

    data: Path
    attachments: str | None = attrs.field(default=None, repr=False)

    def __reduce__(self) -> tuple[type[StorePreparer], tuple[Path, str | None]]:
        # Another process opens the contents itself.
        return StorePreparer, (self.data, self.attachments)

    @cached_property
    def _contents(self) -> ContentStore:
        return contents_of(self.data, self.attachments)

    def prepare(self, run: Run, report: ConversionReport) -> PreparedItem:
        """
        Make the rows of a run.

        Raises:
            RunProblemsError: the run has no serial number or names no procedure.
            BadRequestError, UnprocessableError: fields that no store would take.
            ServerUnavailableError: the data folder cannot be used for now.
        """
        try:
            contents = self._contents
        except OSError as error:
            raise ServerUnavailableError(
                f"the data folder cannot be used: {error.strerror or error}",
                source=str(self.data),
                status=503,
                code=CODES[503],
            ) from error
        submission = prepare_submission(contents, run, report)
        return PreparedItem(
            run_id=run.id,
            payload=submission,
            size=_size(submission.creation.prepared),
            is_assembly=bool(run.sub_units),
        )


def _size(prepared: PreparedRun) -> int:
    """Estimate what a run takes on its way to the one who writes it."""
    rows = len(prepared.phases) + len(prepared.measurements) + len(prepared.logs)
    documents = (
        prepared.sidecar,
        prepared.report,
        *(row[-1] for row in prepared.large),
    )
    return (
        len(prepared.head)
        + _OF_A_ROW * rows
        + sum(len(item) for item in documents if isinstance(item, bytes))
    )

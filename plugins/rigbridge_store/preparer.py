"""
Prepares a run of the model for storing, in a process that needs no database.

Nothing here, and nothing that it imports, may import SQLAlchemy: a process that reads
reports would take longer to start, and more memory, for what it never calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import cast

import attrs
from msgspec import UNSET

from rigbridge.convert import dump
from rigbridge.destinations import AttachmentFailure, PreparedItem
from rigbridge.errors import (
    DeliveryError,
    NoAnswerError,
    ServerUnavailableError,
    UnprocessableError,
)
from rigbridge.model import Attachment, JSONObject, Run
from rigbridge.model.report import ConversionReport
from rigbridge.wire import CODES
from rigbridge_store.access.principals import Principal
from rigbridge_store.files.contents import ContentStore
from rigbridge_store.files.remote_contents import contents_of
from rigbridge_store.intake.creation import Creation, IdempotencyKey
from rigbridge_store.intake.policies import CreationPolicy, Repetition
from rigbridge_store.intake.preparation import (
    PreparedRun,
    digest,
    prepare,
    searchable,
    without_rows,
)
from rigbridge_store.refusals import half_a_character
from rigbridge_store.results import StoredContent, StoredFile

__all__ = [
    "SUBMISSION",
    "StorePreparer",
    "Submission",
    "prepare_submission",
    "store_content",
]

_CHUNK = 1 << 20
# Bytes: about what a row takes between two processes.
_OF_A_ROW = 60
SUBMISSION = CreationPolicy(create_missing=True, declared_operators=True)
"""How strict it is unless told otherwise: nobody could create what is missing."""


@attrs.frozen(kw_only=True)
class Submission:
    """
    A run whose rows are made and whose files are in the store; can be pickled.

    Attributes:
        creation: the rows, and all else that is needed to write them.
        failures: the attachments that could not be stored.
    """

    creation: Creation
    failures: tuple[AttachmentFailure, ...] = ()


def prepare_submission(
    contents: ContentStore,
    run: Run,
    report: ConversionReport | None = None,
    *,
    principal: Principal | None = None,
    policy: CreationPolicy = SUBMISSION,
    repetition: Repetition = Repetition.WARNED,
) -> Submission:
    """
    Do all of :func:`rigbridge_store.submission.submit_run` that needs no table.

    The contents of its files are stored; nothing refers to them yet. ``repetition``
    says what becomes of a run that is there already with other content.

    Raises:
        RunProblemsError: the run has no serial number or names no procedure.
        BadRequestError, UnprocessableError: fields that no store would take.
    """
    payload = dump(run, report)
    files: list[StoredFile] = []
    failures: list[AttachmentFailure] = []
    for attachment in run.attachments:
        file = _described(attachment)
        try:
            file = store_content(contents, attachment)
        except DeliveryError as error:
            # The run is stored all the same; submitting it again supplies the bytes.
            failures.append(AttachmentFailure(name=attachment.name, error=error))
        if run.source is not None and file.sha256 == run.source.digest:
            file = attrs.evolve(file, is_report=True)
        files.append(file)
    try:
        sidecar = payload.dense_sidecar()
    except UnicodeEncodeError as error:
        raise half_a_character(error) from error
    body = attrs.evolve(
        payload.body,
        operated_by=run.operator or UNSET,
        rigbridge=UNSET if sidecar is None else sidecar,
    )
    document: JSONObject | None = None
    if report is not None:
        # It gives JSON values, which its return type does not tell.
        document = cast("JSONObject", report.as_document())
    # A rule that changed since the first time makes another body of the same run.
    key = IdempotencyKey.of(str(run.id), digest(body), repetition=repetition)
    metadata = searchable(run.metadata)
    # A large run need not stand beside its rows.
    del run, payload
    creation = Creation(
        body=without_rows(body),
        prepared=prepare(body, report=document),
        principal=principal,
        policy=policy,
        key=key,
        files=files,
        metadata=metadata,
    )
    return Submission(creation=creation, failures=tuple(failures))


@attrs.frozen(slots=False)
class StorePreparer:
    """
    Makes rows, and stores the contents of attachments.

    A content that no run comes to refer to is removed when the store is next cleaned.

    Attributes:
        attachments: the URL under which contents are kept, or None for the folder.
        repetition: what becomes of a run that is there already with other content.
    """

    data: Path
    attachments: str | None = attrs.field(default=None, repr=False)
    repetition: Repetition = Repetition.WARNED

    def __reduce__(
        self,
    ) -> tuple[type[StorePreparer], tuple[Path, str | None, Repetition]]:
        # Another process opens the contents itself.
        return StorePreparer, (self.data, self.attachments, self.repetition)

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
        submission = prepare_submission(
            contents, run, report, repetition=self.repetition
        )
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


def _described(attachment: Attachment) -> StoredFile:
    return StoredFile(
        name=attachment.name,
        mime_type=attachment.media_type,
        size=attachment.size,
        sha256=attachment.sha256,
    )


def store_content(contents: ContentStore, attachment: Attachment) -> StoredFile:
    """
    Bring the bytes of an attachment into the store, if there are any.

    Raises:
        UnprocessableError: they are not those that were described.
        NoAnswerError: they cannot be read now.
    """
    file = _described(attachment)
    if not attachment.embedded:
        return file
    if file.sha256 is not None and file.size is not None:
        content = StoredContent(sha256=file.sha256, size=file.size)
        # Bytes that the store has already are not written again.
        if contents.is_sound(content):
            return attrs.evolve(file, stored=True)
    content = contents.store(_chunks(attachment))
    if file.sha256 not in (None, content.sha256) or file.size not in (
        None,
        content.size,
    ):
        raise UnprocessableError(
            "the bytes are not those that were described; the file was changed",
            source=attachment.name,
            remedy="read the source again",
        )
    return attrs.evolve(file, sha256=content.sha256, size=content.size, stored=True)


def _chunks(attachment: Attachment) -> Iterator[bytes]:
    if attachment.opener is None:
        return
    try:
        with attachment.opener() as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise NoAnswerError(
            f"the attachment cannot be read: {error.strerror or error}",
            source=attachment.name,
            remedy="make the file readable and submit the run again",
        ) from error

"""A run of the model into the store, with its files: the way of every door of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
from msgspec import UNSET

from rigbridge.convert import dump
from rigbridge.destinations import AttachmentFailure, Receipt
from rigbridge.errors import (
    DeliveryError,
    NoAnswerError,
    PermanentError,
    UnprocessableError,
)
from rigbridge.model import Attachment, Run
from rigbridge.model.report import ConversionReport
from rigbridge_store.access.principals import Principal
from rigbridge_store.files.contents import ContentStore
from rigbridge_store.intake.creation import Creation, IdempotencyKey
from rigbridge_store.intake.metadata import searchable
from rigbridge_store.intake.policies import CreationPolicy, Repetition
from rigbridge_store.intake.preparation import digest, prepare, without_rows
from rigbridge_store.results import StoredContent, StoredFile
from rigbridge_store.store import RunStore

__all__ = [
    "SUBMISSION",
    "Submission",
    "attach_file",
    "prepare_submission",
    "store_submissions",
    "submit_run",
]

_CHUNK = 1 << 20
SUBMISSION = CreationPolicy(create_missing=True, declared_operators=True)
"""How strict it is unless told otherwise: nobody could create what is missing."""


def submit_run(
    store: RunStore,
    run: Run,
    report: ConversionReport | None = None,
    *,
    principal: Principal | None = None,
    policy: CreationPolicy = SUBMISSION,
) -> Receipt:
    """
    Store a run with its attachments, in one transaction.

    The run's own id is its id in the store. What it refers to is created on the way.
    An attachment whose bytes cannot be read now is kept by reference and named in the
    receipt; submitting the run again supplies it.

    Raises:
        RunProblemsError: the run has no serial number or names no procedure.
        BadRequestError: a unit would come to contain itself, or has no part number
            where the policy demands one.
        ForbiddenError: a station that is not linked to the procedure.
        ServerUnavailableError: the store cannot be written for now.
    """
    submission = prepare_submission(
        store.contents, run, report, principal=principal, policy=policy
    )
    (outcome,) = store_submissions(store, [submission])
    if isinstance(outcome, PermanentError):
        raise outcome
    return outcome


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
) -> Submission:
    """
    Do all of :func:`submit_run` that needs no table.

    The contents of its files are stored; nothing refers to them yet.

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
            file = _stored(contents, attachment)
        except DeliveryError as error:
            # The run is stored all the same; submitting it again supplies the bytes.
            failures.append(AttachmentFailure(name=attachment.name, error=error))
        files.append(file)
    body = attrs.evolve(
        payload.body,
        operated_by=run.operator or UNSET,
        rigbridge=UNSET if payload.sidecar is None else payload.sidecar,
    )
    document: Mapping[str, Any] | None = None
    if report is not None:
        document = report.as_document()
    # A rule that changed since the first time makes another body of the same run.
    key = IdempotencyKey.of(str(run.id), digest(body), repetition=Repetition.WARNED)
    creation = Creation(
        body=without_rows(body),
        prepared=prepare(body, report=document),
        principal=principal,
        policy=policy,
        key=key,
        files=files,
        metadata=searchable(run.metadata),
    )
    return Submission(creation=creation, failures=tuple(failures))


def store_submissions(
    store: RunStore, submissions: Sequence[Submission]
) -> list[Receipt | PermanentError]:
    """
    Write prepared runs, durably and together.

    Returns:
        What came of each, in their order; one that is refused leaves the others alone.

    Raises:
        ServerUnavailableError: the store cannot be written for now.
    """
    outcomes: list[Receipt | PermanentError] = []
    creations = [submission.creation for submission in submissions]
    for submission, created in zip(
        submissions, store.create_prepared(creations), strict=True
    ):
        if isinstance(created, PermanentError):
            outcomes.append(created)
            continue
        files = submission.creation.files
        if not created.created:
            _supply(store, created.id, files)
        outcomes.append(
            Receipt(
                stored_id=created.id,
                created=created.created,
                attached=tuple(file.name for file in files if file.stored),
                failures=submission.failures,
                warnings=created.warnings,
                differs=created.differs,
            )
        )
    return outcomes


def attach_file(store: RunStore, run_id: str, attachment: Attachment) -> None:
    """
    Add a file to a stored run; the same file twice is linked once.

    Raises:
        NotFoundError: there is no such run.
        UnprocessableError: the attachment has no bytes, or not those described.
        NoAnswerError: its bytes cannot be read now.
    """
    file = _stored(store.contents, attachment)
    if not file.stored:
        raise UnprocessableError(
            "the attachment is a reference without bytes", source=attachment.name
        )
    _supply(store, run_id, [file])


def _described(attachment: Attachment) -> StoredFile:
    return StoredFile(
        name=attachment.name,
        mime_type=attachment.media_type,
        size=attachment.size,
        sha256=attachment.sha256,
    )


def _stored(contents: ContentStore, attachment: Attachment) -> StoredFile:
    """Bring the bytes of an attachment into the store, if there are any."""
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


def _supply(store: RunStore, run_id: str, files: Sequence[StoredFile]) -> None:
    """Give a run that was there already the contents that it lacked."""
    for file in files:
        if file.stored and file.sha256 is not None and file.size is not None:
            content = StoredContent(sha256=file.sha256, size=file.size)
            store.attach_file(
                run_id, name=file.name, mime_type=file.mime_type, content=content
            )

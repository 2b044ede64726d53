"""Stores a run of the model with its files; every interface of the store uses this."""

from __future__ import annotations

from collections.abc import Sequence

from rigbridge.destinations import Receipt
from rigbridge.errors import PermanentError, UnprocessableError
from rigbridge.model import Attachment, Run
from rigbridge.model.report import ConversionReport
from rigbridge_store.access.principals import Principal
from rigbridge_store.intake.policies import CreationPolicy, Repetition
from rigbridge_store.preparer import (
    SUBMISSION,
    Submission,
    prepare_submission,
    store_content,
)
from rigbridge_store.results import StoredContent, StoredFile
from rigbridge_store.store import RunStore

__all__ = ["attach_file", "store_submissions", "submit_prepared", "submit_run"]


def submit_run(
    store: RunStore,
    run: Run,
    report: ConversionReport | None = None,
    *,
    principal: Principal | None = None,
    policy: CreationPolicy = SUBMISSION,
    repetition: Repetition = Repetition.WARNED,
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
        store.contents,
        run,
        report,
        principal=principal,
        policy=policy,
        repetition=repetition,
    )
    return submit_prepared(store, submission)


def submit_prepared(store: RunStore, submission: Submission) -> Receipt:
    """
    Store a run whose rows are made, in one transaction.

    Raises:
        PermanentError, ServerUnavailableError: as :func:`submit_run`.
    """
    (outcome,) = store_submissions(store, [submission])
    if isinstance(outcome, PermanentError):
        raise outcome
    return outcome


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
        # A run that was there may lack bytes that could not be read the first time.
        if not (created.created or created.replaced):
            _supply(store, created.id, files)
        outcomes.append(
            Receipt(
                stored_id=created.id,
                created=created.created,
                attached=tuple(file.name for file in files if file.stored),
                failures=submission.failures,
                warnings=created.warnings,
                differs=created.differs,
                differences=created.differences,
                replaced=created.replaced,
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
    file = store_content(store.contents, attachment)
    if not file.stored:
        raise UnprocessableError(
            "the attachment is a reference without bytes", source=attachment.name
        )
    _supply(store, run_id, [file])


def _supply(store: RunStore, run_id: str, files: Sequence[StoredFile]) -> None:
    """Give a run that was there already the contents that it lacked."""
    for file in files:
        if file.stored and file.sha256 is not None and file.size is not None:
            content = StoredContent(sha256=file.sha256, size=file.size)
            store.attach_file(
                run_id,
                name=file.name,
                mime_type=file.mime_type,
                content=content,
                is_report=file.is_report,
            )

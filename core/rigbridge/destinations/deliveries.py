"""The delivery of a run to a destination: its progress and its result."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

import attrs

from rigbridge.errors import DeliveryError
from rigbridge.model import Run
from rigbridge.model.report import ConversionReport

__all__ = [
    "AttachmentFailure",
    "Claims",
    "Consignment",
    "FileProgress",
    "Outcome",
    "PreparedItem",
    "Progress",
    "ProgressKeeper",
    "Receipt",
    "SentRun",
]


@attrs.frozen(kw_only=True)
class AttachmentFailure:
    """
    An attachment that did not arrive.

    Attributes:
        name: the attachment's name.
        error: why; its type says whether trying again can help.
    """

    name: str
    error: DeliveryError


@attrs.frozen(kw_only=True)
class Receipt:
    """
    What a destination did with a run.

    Attributes:
        stored_id: the id under which the store knows the run.
        created: False if the run was there already.
        attached: the names of the attachments that are linked now.
        failures: the attachments that did not arrive, each with its reason.
        url: where a person can look at the run, or None.
        warnings: what the store remarked.
        differs: whether the run was there already with other content, which stays
            unless it was replaced.
        differences: what of it differs, in words, as far as the store says.
        replaced: whether it made way for this one.
    """

    stored_id: str
    created: bool
    attached: tuple[str, ...] = ()
    failures: tuple[AttachmentFailure, ...] = ()
    url: str | None = None
    warnings: tuple[str, ...] = ()
    differs: bool = False
    differences: tuple[str, ...] = ()
    replaced: bool = False


@attrs.frozen(kw_only=True)
class PreparedItem:
    """
    A run in the form in which its destination takes it, as another process may make it.

    Attributes:
        run_id: the id of the run.
        payload: what the destination stores: rows or a document, never a model. It can
            be pickled, and holds no open files.
        size: about how many bytes that are.
        is_assembly: whether it names sub-units, whose runs are better stored first.
    """

    run_id: UUID
    payload: object
    size: int
    is_assembly: bool = False


@attrs.frozen(kw_only=True)
class FileProgress:
    """
    How far one file of a delivery has come.

    Attributes:
        position: the file's position in the run's attachments, counted from 0; the
            sidecar stands behind the last.
        upload_id: the id of its completed upload, or None.
        linked: whether it is linked to the run.
        refusal: the words in which it was refused for good, or None.
    """

    position: int
    upload_id: str | None = None
    linked: bool = False
    refusal: str | None = None


@attrs.frozen(kw_only=True)
class SentRun:
    """
    What a create named, and when: how its run is found again.

    The rules that complete a run may be others by then, so it is not asked anew.

    Attributes:
        key: the same for all runs of one unit, procedure, start and outcome.
        serial_number: of the unit.
        procedure_id: of the procedure, or None.
        procedure_name: of the procedure, or None.
        began: Unix time of the store's own clock before the first create, or None
            where the store does not say.
        seen: the ids that the store listed of the unit before the first create; None
            where it was not asked.
        keyed: whether the store said then that it knows idempotency keys; None where
            it did not come to say.
        inline: whether the sidecar was in the body.
    """

    key: str
    serial_number: str
    procedure_id: str | None = None
    procedure_name: str | None = None
    began: float | None = None
    seen: tuple[str, ...] | None = None
    keyed: bool | None = None
    inline: bool = False


@attrs.frozen(kw_only=True)
class Progress:
    """
    How far a delivery has come; kept durably between attempts.

    Attributes:
        store: the address that it is about; None where that is not known.
        sent: whether a create was sent whose fate is not known for certain.
        not_before: Unix time before which a create that got no answer may still be at
            work in the server, so that it must not be sent again; or None.
        looked_up_at: Unix time of a look-up that did not find it while that was so, or
            None.
        sent_as: what the create named, once one was sent.
        unresolved: whether nobody but a person can tell if the create arrived.
        stored_id: the id under which the store knows the run, once it does.
        url: where a person can look at the run, or None.
        warnings: what the store remarked.
        files: the files that have come some way.
    """

    store: str | None = None
    sent: bool = False
    not_before: float | None = None
    looked_up_at: float | None = None
    sent_as: SentRun | None = None
    unresolved: bool = False
    stored_id: str | None = None
    url: str | None = None
    warnings: tuple[str, ...] = ()
    files: tuple[FileProgress, ...] = ()

    @property
    def searched(self) -> SentRun | None:
        """What the create named, where nothing else finds its run: no key does."""
        sent = self.sent_as
        return None if sent is None or sent.keyed else sent

    def file(self, position: int) -> FileProgress:
        """Say how far a file has come."""
        for file in self.files:
            if file.position == position:
                return file
        return FileProgress(position=position)

    def with_files(self, files: Iterable[FileProgress]) -> Progress:
        """Note how far several files have come."""
        # What is new stands behind, and so takes the place of what was known.
        known = {file.position: file for file in (*self.files, *files)}
        ordered = sorted(known.values(), key=lambda file: file.position)
        return attrs.evolve(self, files=tuple(ordered))


@attrs.frozen(kw_only=True)
class Claims:
    """
    What our other deliveries know of stored runs.

    Attributes:
        owners: the run of ours that a stored run belongs to, by its id in the store.
        rivals: whether another run of ours of the same unit, procedure, start and
            outcome was sent, and nobody knows yet what became of it.
    """

    owners: Mapping[str, UUID] = attrs.field(factory=dict[str, UUID])
    rivals: bool = False


# Asked at run time: a plain function keeps progress as well, and knows no others.
@runtime_checkable
class ProgressKeeper(Protocol):
    """Makes the progress of one run durable, and knows of the others of ours."""

    def __call__(self, progress: Progress) -> None:
        """
        Make the progress durable.

        A stored id belongs to one run of ours only, and of runs that look the same one
        is under way at a time.

        Raises:
            RunWaitsError: another run has to be settled before this one is sent.
            UnexpectedAnswerError: the stored id belongs to another run of ours.
        """

    def claims(self, stored_ids: Collection[str], key: str) -> Claims:
        """Tell to whom stored runs belong, and whether others have that key."""
        ...

    def confirm(self) -> None:
        """Make sure that the delivery is still ours; what it raises ends it."""


@attrs.frozen(kw_only=True)
class Consignment:
    """
    A run on its way.

    Attributes:
        run: the run.
        progress: what the attempt before kept; a new one at first.
        keep: makes the progress durable before the next step; None if nobody keeps
            it, and then a store without idempotency keys is asked first whether it
            has the run.
        report: what its reading recorded; travels along, and is added to.
    """

    run: Run
    progress: Progress = attrs.field(factory=Progress)
    keep: Callable[[Progress], Any] | None = None
    report: ConversionReport | None = None


@attrs.frozen(kw_only=True)
class Outcome:
    """
    What came of a consignment: one of ``receipt`` and ``error``.

    Attributes:
        consignment: the consignment.
        receipt: what the store did with it.
        error: why it is not stored, or why nobody can tell for now.
    """

    consignment: Consignment
    receipt: Receipt | None = None
    error: Exception | None = None

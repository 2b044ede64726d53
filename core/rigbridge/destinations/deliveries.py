"""A run on its way to a destination: how far it has come, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import attrs

from rigbridge.errors import DeliveryError
from rigbridge.model import Run
from rigbridge.model.report import ConversionReport

__all__ = [
    "AttachmentFailure",
    "Consignment",
    "FileProgress",
    "Outcome",
    "Progress",
    "Receipt",
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
    """

    stored_id: str
    created: bool
    attached: tuple[str, ...] = ()
    failures: tuple[AttachmentFailure, ...] = ()
    url: str | None = None
    warnings: tuple[str, ...] = ()


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
class Progress:
    """
    How far a delivery has come; kept durably between attempts.

    Attributes:
        store: the address that it is about; None where that is not known.
        sent: whether a create was sent whose fate is not known for certain.
        not_before: Unix time before which a create that got no answer may still be at
            work in the server, so that it must not be sent again; or None.
        unresolved: whether nobody but a person can tell if the create arrived.
        stored_id: the id under which the store knows the run, once it does.
        url: where a person can look at the run, or None.
        warnings: what the store remarked.
        files: the files that have come some way.
    """

    store: str | None = None
    sent: bool = False
    not_before: float | None = None
    unresolved: bool = False
    stored_id: str | None = None
    url: str | None = None
    warnings: tuple[str, ...] = ()
    files: tuple[FileProgress, ...] = ()

    def file(self, position: int) -> FileProgress:
        """Say how far a file has come."""
        for file in self.files:
            if file.position == position:
                return file
        return FileProgress(position=position)

    def with_files(self, files: Iterable[FileProgress]) -> Progress:
        """Note how far several files have come."""
        known = {file.position: file for file in (*self.files, *files)}
        ordered = sorted(known.values(), key=lambda file: file.position)
        return attrs.evolve(self, files=tuple(ordered))


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

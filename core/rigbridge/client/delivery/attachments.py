"""Sends and links the files of a run, and reports each failure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import attrs

from rigbridge.client.delivery.creation import RunCreation
from rigbridge.client.operations import upload
from rigbridge.client.steps import Flow, Keep, Together
from rigbridge.destinations import AttachmentFailure, FileProgress
from rigbridge.errors import (
    DeliveryError,
    HeldError,
    NoAnswerError,
    PermanentError,
)
from rigbridge.model import Attachment
from rigbridge.wire import ListedAttachment

__all__ = ["FileDelivery"]

_TOO_MANY = 429
# What servers answer to linking an upload that has expired.
_GONE = frozenset({400, 404, 409})


class FileDelivery:
    """
    The files of one attempt, as flows: sent first, linked once the run exists.

    Args:
        link: gives the flow that links uploads to a run.
        files: the files, each with its position.
    """

    def __init__(
        self,
        creation: RunCreation,
        link: Callable[[str, Sequence[str]], Flow[None]],
        files: Iterable[tuple[int, Attachment]],
    ) -> None:
        self._creation = creation
        self._link_uploads = link
        self._files = list(files)
        self._failures: dict[int, DeliveryError] = {}
        self._given_up: DeliveryError | None = None

    @property
    def size(self) -> int | None:
        """How many bytes there are to send, or None if nobody knows."""
        sizes = [file.size for _, file in self._files]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None

    @property
    def count(self) -> int:
        """How many files there are."""
        return len(self._files)

    @property
    def attached(self) -> tuple[str, ...]:
        """The names of the files that are linked now."""
        progress = self._creation.progress
        return tuple(
            file.name
            for position, file in self._files
            if progress.file(position).linked
        )

    @property
    def failures(self) -> tuple[AttachmentFailure, ...]:
        """The files that did not arrive, each with its reason."""
        return tuple(
            AttachmentFailure(name=file.name, error=self._failures[position])
            for position, file in self._files
            if position in self._failures
        )

    def give_up(self, error: DeliveryError) -> None:
        """Begin with no further file; the run itself did not get through."""
        self._given_up = error

    def send(self) -> Flow[None]:
        """
        Send the files that are not sent yet, several at once.

        A file that was refused for good is not tried again. Once the store is out of
        reach, the rest is not tried in this attempt.
        """
        listed = list(self._creation.listed)
        sending: list[Flow[None]] = []
        for position, file in self._files:
            state = self._creation.progress.file(position)
            if state.linked:
                continue
            if state.refusal is not None:
                self._failures[position] = PermanentError(state.refusal)
            elif _is_listed(file, listed):
                # An earlier attempt linked it, and was cut before it could note that.
                yield _note(attrs.evolve(state, linked=True))
            elif state.upload_id is None:
                sending.append(self._upload(position, file))
        if sending:
            yield Together(sending)

    def link(self, stored_id: str) -> Flow[None]:
        """
        Link the files that were sent.

        Args:
            stored_id: the id under which the store knows the run.
        """
        progress = self._creation.progress
        ready = [
            (position, file)
            for position, file in self._files
            if position not in self._failures
            and progress.file(position).upload_id is not None
            and not progress.file(position).linked
        ]
        yield from self._link(stored_id, ready)

    def _fail(self, position: int, error: DeliveryError) -> Flow[None]:
        self._failures[position] = error
        if isinstance(error, PermanentError):
            state = self._creation.progress.file(position)
            yield _note(attrs.evolve(state, refusal=str(error)))

    def _out_of_reach(self) -> DeliveryError | None:
        """Give the failure after which trying the next file has no sense."""
        # A copy: the threads of other files add to it meanwhile.
        for error in (self._given_up, *self._failures.copy().values()):
            if error is not None and error is self._given_up:
                return error
            # Refused keys and missing networks hit the next file as well. Other errors
            # concern one file.
            if isinstance(error, (HeldError, NoAnswerError)):
                return error
            if error is not None and error.status == _TOO_MANY:
                return error
        return None

    def _upload(self, position: int, file: Attachment) -> Flow[None]:
        reason = self._out_of_reach()
        if reason is not None or file.opener is None:
            self._failures[position] = reason or PermanentError(
                "has no bytes", source=file.name
            )
            return
        try:
            upload_id = yield from upload(
                file.name, file.media_type, file.size, file.opener, file.sha256
            )
        except DeliveryError as error:
            yield from self._fail(position, error)
            return
        # A file that was sent again has no failure any more.
        self._failures.pop(position, None)
        yield _note(FileProgress(position=position, upload_id=upload_id))

    def _link(
        self, stored_id: str, files: list[tuple[int, Attachment]], *, anew: bool = False
    ) -> Flow[None]:
        """Link all at once; if that is refused, one by one to find the culprit."""
        # In one call first, since each call over a far network takes a round trip.
        error = yield from self._try_link(stored_id, [place for place, _ in files])
        if error is None:
            return
        final = isinstance(error, PermanentError)
        # One bad file makes some servers refuse all of them.
        if final and len(files) > 1:
            for one in files:
                yield from self._link(stored_id, [one], anew=anew)
            return
        # The upload may be gone by now, or never have come where it should. Whatever
        # else went wrong, it may be linked already, and a second would double the file.
        gone = final and error.status in _GONE
        for position, file in files:
            if not gone or anew:
                yield from self._fail(position, error)
                continue
            yield from self._upload(position, file)
            if position not in self._failures:
                # Once, so that it ends here if the new upload is refused, too.
                yield from self._link(stored_id, [(position, file)], anew=True)

    def _try_link(
        self, stored_id: str, positions: list[int]
    ) -> Flow[DeliveryError | None]:
        progress = self._creation.progress
        states = [progress.file(position) for position in positions]
        upload_ids = [str(state.upload_id) for state in states]
        try:
            yield from self._link_uploads(stored_id, upload_ids)
        except DeliveryError as error:
            return error
        if states:
            yield _note(*(attrs.evolve(state, linked=True) for state in states))
        return None


def _note(*states: FileProgress) -> Keep:
    """Make the step that keeps how far files have come."""
    return Keep(lambda progress: progress.with_files(states))


def _is_listed(attachment: Attachment, listed: list[ListedAttachment]) -> bool:
    """Whether a file is among those that the store listed; takes it off the list."""
    for other in listed:
        if (
            other.name == attachment.name
            and _agree(other.size, attachment.size)
            and _agree(other.sha256, attachment.sha256)
        ):
            # Taken off, so that two equal files of one run are matched with two that
            # are listed.
            listed.remove(other)
            return True
    return False


def _agree(left: object, right: object) -> bool:
    # A list need not tell size or digest; then the name has to do.
    return left is None or right is None or left == right

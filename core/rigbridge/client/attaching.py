"""The files of a run: each sent and linked, each failure told, none left out."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from rigbridge.client.client import Client
from rigbridge.client.submission import Submission, is_listed
from rigbridge.destinations import AttachmentFailure, FileProgress
from rigbridge.errors import (
    DeliveryError,
    HeldError,
    NoAnswerError,
    PermanentError,
    RetriableError,
)
from rigbridge.model import Attachment

__all__ = ["Attaching"]

_TOO_MANY = 429
_GONE = frozenset({400, 404, 409})


class Attaching:
    """
    The attaching part of one attempt.

    Args:
        client: speaks with the store.
        submission: holds the progress; the run was created by it.
        stored_id: the id under which the store knows the run.
    """

    def __init__(self, client: Client, submission: Submission, stored_id: str) -> None:
        self._client = client
        self._submission = submission
        self._stored_id = stored_id
        self._names: dict[int, str] = {}
        self._failures: dict[int, DeliveryError] = {}

    @property
    def attached(self) -> tuple[str, ...]:
        """The names of the files that are linked now."""
        progress = self._submission.progress
        return tuple(
            name
            for position, name in self._names.items()
            if progress.file(position).linked
        )

    @property
    def failures(self) -> tuple[AttachmentFailure, ...]:
        """The files that did not arrive, each with its reason."""
        return tuple(
            AttachmentFailure(name=self._names[position], error=error)
            for position, error in sorted(self._failures.items())
        )

    def attach(self, files: Iterable[tuple[int, Attachment]]) -> None:
        """
        Send and link files that are not linked yet.

        A file that was refused for good is not tried again. Once the store is out of
        reach, the rest is not tried in this attempt.

        Args:
            files: each with its position.
        """
        files = list(files)
        self._names.update((position, file.name) for position, file in files)
        listed = list(self._submission.listed)
        resumed: set[int] = set()
        ready: list[tuple[int, Attachment]] = []
        for position, file in files:
            state = self._submission.progress.file(position)
            if state.linked:
                continue
            if state.refusal is not None:
                self._failures[position] = PermanentError(state.refusal)
            elif is_listed(file, listed):
                self._note(attrs.evolve(state, linked=True))
            elif state.upload_id is not None:
                resumed.add(position)
                ready.append((position, file))
            elif self._upload(position, file):
                ready.append((position, file))
        self._link(ready, resumed)

    def _note(self, state: FileProgress) -> None:
        submission = self._submission
        submission.keep(submission.progress.with_file(state))

    def _fail(self, position: int, error: DeliveryError) -> None:
        self._failures[position] = error
        if isinstance(error, PermanentError):
            state = self._submission.progress.file(position)
            self._note(attrs.evolve(state, refusal=str(error)))

    def _out_of_reach(self) -> DeliveryError | None:
        """Give the failure after which trying the next file has no sense."""
        for error in self._failures.values():
            if isinstance(error, (HeldError, NoAnswerError)):
                return error
            if isinstance(error, RetriableError) and error.status == _TOO_MANY:
                return error
        return None

    def _upload(self, position: int, file: Attachment) -> bool:
        reason = self._out_of_reach()
        if reason is not None or file.opener is None:
            self._failures[position] = reason or PermanentError(
                "has no bytes", source=file.name
            )
            return False
        try:
            upload_id = self._client.upload(
                file.name, file.media_type, file.size, file.opener
            )
        except DeliveryError as error:
            self._fail(position, error)
            return False
        self._note(FileProgress(position=position, upload_id=upload_id))
        return True

    def _link(self, files: list[tuple[int, Attachment]], resumed: set[int]) -> None:
        """Link all at once; if that is refused, one by one to find the culprit."""
        error = self._try_link([position for position, _ in files])
        if error is None:
            return
        final = isinstance(error, PermanentError)
        if final and len(files) > 1:
            for one in files:
                self._link([one], resumed)
            return
        # The upload of an earlier attempt may be gone by now. Whatever else went
        # wrong, it may be linked already, and a second one would double the file.
        gone = error.status in _GONE
        for position, file in files:
            if not gone or position not in resumed:
                self._fail(position, error)
            elif self._upload(position, file):
                self._link([(position, file)], set())

    def _try_link(self, positions: list[int]) -> DeliveryError | None:
        progress = self._submission.progress
        states = [progress.file(position) for position in positions]
        upload_ids = [str(state.upload_id) for state in states]
        try:
            self._client.link(self._stored_id, upload_ids)
        except DeliveryError as error:
            return error
        for state in states:
            progress = progress.with_file(attrs.evolve(state, linked=True))
        if states:
            self._submission.keep(progress)
        return None

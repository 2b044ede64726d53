"""
One attempt to bring a run to a store: create it, send its files, link them.

Each step is kept before the next begins, and an attempt goes on where the one before
was cut. Whether a run exists after its create got no answer is found out before it is
ever sent again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import attrs

from rigbridge.client.delivery import lookup
from rigbridge.client.listing import ReceivedRun
from rigbridge.client.operations import list_runs
from rigbridge.client.steps import Flow, Keep
from rigbridge.client.transport import calls
from rigbridge.client.transport.calls import CreateAnswer
from rigbridge.client.transport.exceptions import may_be_at_work, never_sent
from rigbridge.destinations import Progress
from rigbridge.errors import (
    ConflictError,
    DeliveryError,
    NoAnswerError,
    PermanentError,
    RetriableError,
)
from rigbridge.model import JSONObject, JSONValue, Run
from rigbridge.wire import CreateRun, ListedAttachment

__all__ = ["RunCreation"]

_TOO_MANY = 429


class RunCreation:
    """
    The creating part of one attempt, as flows.

    Args:
        url: the store.
        run: the run.
        progress: where the attempt before left off.
        patience: seconds after which the server has finished whatever it began.
        known: whether the progress tells all that was ever sent of this run; if not,
            the store is asked first.
    """

    def __init__(
        self, url: str, run: Run, progress: Progress, *, patience: float, known: bool
    ) -> None:
        self._url = url
        self._run = run
        self._patience = patience
        self._known = known
        self.progress = _at(url, progress)
        self.created = True
        self.listed: Sequence[ListedAttachment] = ()

    def look_up(
        self, body: CreateRun, ask_capabilities: Flow[JSONObject | None]
    ) -> Flow[str | None]:
        """
        Find the run of an earlier create, if there may have been one.

        Args:
            body: the run.
            ask_capabilities: asks what the store can do.

        Returns:
            The id under which the store knows the run, or None if it is to be sent.

        Raises:
            DeliveryError: nobody can tell for now.
        """
        if self.progress.stored_id is not None:
            return self.progress.stored_id
        sent = self.progress.sent
        if self._known and not sent:
            return None
        capabilities = yield from ask_capabilities
        if (capabilities or {}).get("idempotency_key") is True:
            return None
        if not lookup.can_be_found(body):
            if not sent:
                return None
            yield Keep(lambda progress: attrs.evolve(progress, unresolved=True))
            raise PermanentError(
                f"the run of {body.unit_under_test.serial_number!r} was sent, no "
                "answer came, and having no start time it cannot be found again",
                source=self._url,
                remedy="look for it in the store; drop it if it is there, else retry",
            )
        found = yield from self._find(body)
        if found is not None:
            self.created = sent
            return (yield from self._note(found))
        self._wait_for_the_last()
        return None

    def _find(self, body: CreateRun) -> Flow[ReceivedRun | None]:
        runs = yield from list_runs(body.unit_under_test.serial_number)
        return lookup.find(body, runs)

    def _note(self, found: ReceivedRun) -> Flow[str]:
        if isinstance(found.attachments, list):
            self.listed = found.attachments
        yield Keep(
            lambda progress: attrs.evolve(progress, stored_id=found.id, not_before=None)
        )
        return found.id

    def _wait_for_the_last(self) -> None:
        """Refuse to send again while the server may still be at work."""
        not_before = self.progress.not_before
        wait = 0.0 if not_before is None else not_before - time.time()
        # A clock that was set back must not make it wait for years.
        if 0 < wait <= 2 * self._patience:
            raise NoAnswerError(
                "the last create got no answer and may still be at work",
                source=self._url,
                retry_after=wait,
            )

    def send(self, body: CreateRun) -> Flow[str]:
        """
        Create the run.

        Returns:
            The id under which the store knows it.

        Raises:
            DeliveryError: it does not exist, or nobody can tell for now.
        """
        sent_before = self.progress.sent
        not_before = time.time() + 2 * self._patience
        yield Keep(
            lambda progress: attrs.evolve(
                progress, sent=True, unresolved=False, not_before=not_before
            )
        )
        try:
            created: CreateAnswer = yield calls.create_run(
                body, idempotency_key=self._run.id
            )
        except DeliveryError as error:
            if not _did_not_arrive(error):
                return (yield from self._resolve(body, error, sent_before=sent_before))
            yield Keep(
                lambda progress: attrs.evolve(
                    progress, sent=sent_before, not_before=None
                )
            )
            raise
        stored_id = str(created.id)
        yield Keep(
            lambda progress: attrs.evolve(
                progress,
                stored_id=stored_id,
                not_before=None,
                url=created.url,
                warnings=tuple(map(_text, created.warnings or ())),
            )
        )
        return stored_id

    def _resolve(
        self, body: CreateRun, error: DeliveryError, *, sent_before: bool
    ) -> Flow[str]:
        """Look whether a create that got no proper answer arrived; else raise."""
        busy = may_be_at_work(error)
        not_before = time.time() + self._patience if busy else None
        yield Keep(lambda progress: attrs.evolve(progress, not_before=not_before))
        found = None
        if lookup.can_be_found(body):
            try:
                found = yield from self._find(body)
            except DeliveryError as failure:
                # The next attempt looks again before it sends anything.
                error.add_note(f"nor could it be looked up: {failure}")
            else:
                if found is None and isinstance(error, ConflictError):
                    yield Keep(
                        lambda progress: attrs.evolve(progress, sent=sent_before)
                    )
        if found is None:
            raise error
        if isinstance(error, ConflictError):
            self.created = False
        return (yield from self._note(found))


def _at(url: str, progress: Progress) -> Progress:
    """Give a progress as it counts at an address."""
    if progress.store == url:
        return progress
    # The queue sends a run to one store only, so another address is a new one of it:
    # what was told to the old one is looked up, and no id of it is relied on.
    return Progress(
        store=url,
        sent=progress.sent or progress.stored_id is not None,
        not_before=progress.not_before,
    )


def _did_not_arrive(error: DeliveryError) -> bool:
    """Whether the store certainly did not take the run."""
    if never_sent(error):
        return True
    if isinstance(error, ConflictError):
        return False  # perhaps with itself, as an earlier version sent it
    # What is not the store's word says nothing of what the store did, whatever its
    # status: a proxy answers 502, 413 or a page also after it passed the body on.
    if isinstance(error, RetriableError):
        return error.status == _TOO_MANY and error.code is not None
    return True


def _text(warning: JSONValue) -> str:
    message = warning.get("message") if isinstance(warning, Mapping) else None
    return message if isinstance(message, str) else str(warning)

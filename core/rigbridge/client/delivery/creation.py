"""
One attempt to bring a run to a store: create it, send its files, link them.

Each step is kept before the next begins, and an attempt goes on where the one before
was cut. Whether a run exists after its create got no answer is found out before it is
ever sent again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import attrs

from rigbridge.client.delivery.lookup import Search, named_by
from rigbridge.client.listing import ReceivedRun
from rigbridge.client.memory.list_memory import ListMemory
from rigbridge.client.operations import (
    CapabilityMemory,
    ask_capabilities,
    list_runs,
)
from rigbridge.client.steps import AskClaims, Flow, Keep, Recall
from rigbridge.client.transport import calls
from rigbridge.client.transport.calls import CreateAnswer
from rigbridge.client.transport.exceptions import may_be_at_work, never_sent
from rigbridge.destinations import Claims, Progress, SentRun
from rigbridge.errors import (
    AmbiguousRunError,
    ConflictError,
    DeliveryError,
    NoAnswerError,
    PermanentError,
    RetriableError,
    UnexpectedAnswerError,
)
from rigbridge.model import JSONValue, Run
from rigbridge.wire import CreateRun, ListedAttachment

__all__ = ["RunCreation"]

_TOO_MANY = 429


class RunCreation:
    """
    The creating part of one attempt, as flows.

    Args:
        patience: seconds after which the server has finished whatever it began.
        known: whether the progress tells all that was ever sent of this run; if not,
            the store is asked first.
        now: gives the time of the store's own clock, or None.
        capabilities: what the store can do, once it was asked.
    """

    def __init__(
        self,
        url: str,
        run: Run,
        progress: Progress,
        *,
        patience: float,
        known: bool,
        memory: ListMemory,
        now: Callable[[], float | None],
        capabilities: CapabilityMemory,
    ) -> None:
        self._url = url
        self._run = run
        self._patience = patience
        self._known = known
        self._memory = memory
        self._now = now
        self._capabilities = capabilities
        self._runs: list[ReceivedRun] | None = None
        self.progress = _at(url, progress)
        self.created = True
        self.differs = False
        self.listed: Sequence[ListedAttachment] = ()

    def look_up(self, body: CreateRun) -> Flow[str | None]:
        """
        Find the run of an earlier create, if there may have been one.

        Returns:
            The id under which the store knows the run, or None if it is to be sent.

        Raises:
            AmbiguousRunError: nobody but a person can tell.
            DeliveryError: nobody can tell for now.
        """
        # Only a queue knows all that was sent. What another program sent is in the
        # ledger at best.
        if self._known:
            if self.progress.stored_id is not None:
                return self.progress.stored_id
            if not self.progress.sent:
                return None
        # With keys the create itself is the look-up: the store answers the same run
        # again.
        if (yield from self._has_keys()) and not self._went_without_key():
            return None
        if not self._known:
            yield Recall()
            remembered = self.progress.stored_id
            if remembered is not None:
                if (yield from self._is_there(body, remembered)):
                    self.created = False
                    return remembered
                # A person removed it, or the store begins anew: so does the delivery.
                self.progress = Progress(store=self._url)
        sent = self.progress.sent
        try:
            found = yield from self._find(body)
        except AmbiguousRunError:
            yield Keep(lambda progress: attrs.evolve(progress, unresolved=True))
            raise
        if found is not None:
            # Not ours alone: a run that was there before anything was sent was created
            # by somebody else.
            self.created = sent
            return (yield from self._note(body, found))
        # Last, since a run that is found needs no waiting.
        yield from self._wait_for_the_last()
        return None

    def _has_keys(self) -> Flow[bool]:
        """Whether the store itself tells a run from its repetition."""
        yield from ask_capabilities(self._capabilities)
        if self._capabilities.asked:
            return self._capabilities.offers("idempotency_key")
        # It does not come to say now; what it said before the first create counts.
        sent = self._sent_before()
        return sent is not None and sent.keyed is True

    def _sent_before(self) -> SentRun | None:
        progress = self.progress
        was_sent = progress.sent or progress.stored_id is not None
        return progress.sent_as if was_sent else None

    def _went_without_key(self) -> bool:
        """Whether the store could not keep the key then: it was brought up to date."""
        sent = self._sent_before()
        return sent is not None and sent.keyed is False

    def takes_inline(self) -> Flow[bool]:
        """
        Whether the sidecar travels in the body, as it did with an earlier create.

        A store that did not come to say what it can do, once or again, would otherwise
        get another body under the same key, or the run without its sidecar.
        """
        yield from ask_capabilities(self._capabilities)
        now = self._capabilities.offers("sidecar", "inline")
        sent = self._sent_before()
        if sent is not None and (now or not self._capabilities.asked):
            return sent.inline
        return now

    def _is_there(self, body: CreateRun, stored_id: str) -> Flow[bool]:
        """Whether the store still has a run that it was sent."""
        runs = yield from self._list(_sent(self.progress, body).serial_number)
        run = next((run for run in runs if run.id == stored_id), None)
        if run is not None and isinstance(run.attachments, list):
            self.listed = run.attachments
        return run is not None

    def _list(self, serial_number: str) -> Flow[list[ReceivedRun]]:
        runs = yield from list_runs(serial_number)
        self._memory.learn(runs)
        self._runs = runs
        return runs

    def _find(
        self, body: CreateRun, *, is_there: bool = False
    ) -> Flow[ReceivedRun | None]:
        sent = _sent(self.progress, body)
        search = Search(
            body=body,
            sent=sent,
            run_id=self._run.id,
            was_sent=self.progress.sent,
            is_there=is_there,
        )
        runs = yield from self._list(sent.serial_number)
        candidates = search.candidates(runs)
        named = body.unit_under_test.serial_number
        if is_there and not candidates and named != sent.serial_number:
            # The rules that gave the unit its number may be others by now.
            search = attrs.evolve(search, sent=named_by(body))
            candidates = search.candidates((yield from self._list(named)))
        claims = Claims()
        if candidates:
            ids = tuple(run.id for run in candidates)
            claims = yield AskClaims(ids, sent.key)
        return search.choose(candidates, claims)

    def _note(self, body: CreateRun, found: ReceivedRun) -> Flow[str]:
        if isinstance(found.attachments, list):
            self.listed = found.attachments
        yield Keep(
            lambda progress: attrs.evolve(
                progress,
                stored_id=found.id,
                not_before=None,
                looked_up_at=None,
                sent_as=_sent(progress, body),
            )
        )
        return found.id

    def _wait_for_the_last(self) -> Flow[None]:
        """
        Refuse to send again while the last create may still be at work.

        Raises:
            NoAnswerError: it may be; the run is looked up again before it is sent.
        """
        not_before = self.progress.not_before
        if not_before is None:
            return
        now = time.time()
        # Whoever sent it may have been stopped in the middle, with the machine or by
        # itself, and go on after this look-up. So its time counts from here as well.
        looked = self.progress.looked_up_at
        if looked is None or looked > now:
            looked = now
            # Kept, so that the time does not begin anew with each attempt.
            yield Keep(lambda progress: attrs.evolve(progress, looked_up_at=now))
        # A clock that was set back must not make it wait for years.
        end = not_before if not_before <= now + 2 * self._patience else now
        wait = max(looked + self._patience, end)
        if wait > now:
            raise NoAnswerError(
                # Not a refusal: the queue comes back by itself after the wait.
                "the last create got no answer and may still be at work",
                source=self._url,
                retry_after=wait - now,
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
        # The name of the first create is kept. What the list showed before it is only
        # known from then.
        sent_as = self.progress.sent_as if sent_before else None
        if sent_as is None:
            sent_as = yield from self._name(body)
            sent_as = attrs.evolve(sent_as, inline=isinstance(body.rigbridge, dict))
        # Twice: the server may receive the last piece at the end of one timeout, and
        # then work for another.
        not_before = time.time() + 2 * self._patience
        # Before the request leaves. If the power fails right after it, the next attempt
        # must know that a create may have arrived.
        yield Keep(
            lambda progress: attrs.evolve(
                progress,
                sent=True,
                unresolved=False,
                not_before=not_before,
                looked_up_at=None,
                sent_as=sent_as,
            )
        )
        try:
            created: CreateAnswer = yield calls.create_run(
                body, idempotency_key=self._run.id
            )
        except DeliveryError as error:
            # No look-up is needed for what never arrived, and the run may go out again
            # at once.
            if not _did_not_arrive(error):
                return (yield from self._resolve(body, error, sent_before=sent_before))
            yield Keep(
                lambda progress: attrs.evolve(
                    progress, sent=sent_before, not_before=None
                )
            )
            raise
        if not sent_as.keyed:
            # A unit that is known to have a run is the one whose list shows the shape
            # of lists.
            self._memory.example = sent_as.serial_number
        stored_id = str(created.id)
        if not self._memory.note_created(stored_id, self._run.id):
            # The next attempt looks it up, or repeats the key.
            raise UnexpectedAnswerError(
                f"run {stored_id} of the store is another run of ours",
                source=self._url,
            )
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

    def _name(self, body: CreateRun) -> Flow[SentRun]:
        """
        Give what the create names, and what later tells its run from those before it.

        A list that shows what was measured, or when a run was created, says enough
        afterwards. Where it shows neither, the runs that are there are noted before.
        A store with idempotency keys needs nothing of this.
        """
        keyed = yield from self._has_keys()
        final = self._capabilities.asked
        named = attrs.evolve(named_by(body), keyed=keyed if final else None)
        if keyed:
            return named
        memory = self._memory
        try:
            if not memory.is_known and self._runs is None and memory.example:
                yield from self._list(memory.example)
                # That list was of another unit.
                self._runs = None
            tells = (memory.shows_content is True and bool(body.phases)) or (
                memory.shows_creation is True and self._now() is not None
            )
            if not tells and self._runs is None:
                yield from self._list(named.serial_number)
        except PermanentError:
            # A store that gives no lists: after a lost answer a person has to look.
            self._runs = None
        return attrs.evolve(
            named,
            began=self._now(),
            seen=None if self._runs is None else tuple(run.id for run in self._runs),
        )

    def _resolve(
        self, body: CreateRun, error: DeliveryError, *, sent_before: bool
    ) -> Flow[str]:
        """Look whether a create that got no proper answer arrived; else raise."""
        busy = may_be_at_work(error)
        not_before = time.time() + self._patience if busy else None
        yield Keep(lambda progress: attrs.evolve(progress, not_before=not_before))
        if isinstance(error, ConflictError):
            return (yield from self._settle(body, error, sent_before=sent_before))
        # Who asks us to wait is not asked at once; the next attempt looks first. One
        # that repeats the key need not look at all, and might find a run that is equal.
        if error.status == _TOO_MANY or self._repeats_key():
            raise error
        try:
            found = yield from self._find(body)
        except DeliveryError as failure:
            # The next attempt looks again before it sends anything.
            error.add_note(f"nor could it be looked up: {failure}")
            raise error from failure
        if found is None:
            raise error
        return (yield from self._note(body, found))

    def _repeats_key(self) -> bool:
        sent = self._sent_before()
        return sent is not None and sent.keyed is True

    def _settle(
        self, body: CreateRun, error: ConflictError, *, sent_before: bool
    ) -> Flow[str]:
        """
        Find the run that a create conflicts with: an earlier create of this one.

        Raises:
            ConflictError: the conflict is about something else.
            AmbiguousRunError: nobody but a person can tell which run that is.
            DeliveryError: nobody can tell for now: a stored run is never parked since
                it could not be looked up.
        """
        is_there = yield from self._has_keys()
        try:
            found = yield from self._find(body, is_there=is_there)
        except AmbiguousRunError:
            yield Keep(lambda progress: attrs.evolve(progress, unresolved=True))
            raise
        except PermanentError as failure:
            error.add_note(f"nor could it be looked up: {failure}")
            raise error from failure
        if found is None:
            if not self._capabilities.asked and self._capabilities.doubt is not None:
                raise self._capabilities.doubt
            yield Keep(lambda progress: attrs.evolve(progress, sent=sent_before))
            raise error
        self.created = False
        # A store that knows keys takes the same body under one any number of times.
        self.differs = is_there
        return (yield from self._note(body, found))


def _at(url: str, progress: Progress) -> Progress:
    """Give a progress as it counts at an address."""
    # The progress of one store is worth nothing at another: ids there are other ids.
    if progress.store == url:
        return progress
    # The queue sends a run to one store only, so another address is a new one of it:
    # what was told to the old one is looked up, and no id of it is relied on.
    return Progress(
        store=url,
        sent=progress.sent or progress.stored_id is not None,
        not_before=progress.not_before,
        sent_as=progress.sent_as,
    )


def _sent(progress: Progress, body: CreateRun) -> SentRun:
    """Give what the last create named; what the next one will where there was none."""
    return named_by(body) if progress.sent_as is None else progress.sent_as


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

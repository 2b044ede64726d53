"""What the creation of one run needs; groups of them are written together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from rigbridge.model import JSONScalar
from rigbridge.wire import CreateRun
from rigbridge_store.access.principals import Principal
from rigbridge_store.fields import MAX_TEXT, text_or_none
from rigbridge_store.intake.policies import CreationPolicy, Repetition
from rigbridge_store.intake.preparation import PreparedRun
from rigbridge_store.refusals import bad_request
from rigbridge_store.results import StoredFile
from rigbridge_store.tables.values import canonical_uuid, new_id

__all__ = ["Creation", "IdempotencyKey", "RunSlot"]


@attrs.frozen(kw_only=True)
class RunSlot:
    """
    The place of a run in an execution.

    Attributes:
        execution_id: the execution, named by the client.
        slot_key: the slot of the fixture, or None.
        slot_name: its name as declared then, or None.
    """

    execution_id: str
    slot_key: str | None = None
    slot_name: str | None = None


@attrs.frozen(kw_only=True)
class IdempotencyKey:
    """
    The name that a sender gave to a creation.

    Attributes:
        text: the key; a UUID in its usual spelling.
        run_id: the id that the run gets: the key itself where it is a UUID, so that
            a run has one id at every door.
        digest: of the body that came with it.
        repetition: what becomes of another body under the same key.
    """

    text: str
    run_id: str
    digest: str
    repetition: Repetition

    @property
    def is_id(self) -> bool:
        """Whether the key is the id of the run."""
        return self.text == self.run_id

    @classmethod
    def of(
        cls, text: str, digest: str, *, repetition: Repetition = Repetition.REFUSED
    ) -> IdempotencyKey:
        """
        Read a key.

        Raises:
            BadRequestError: it is blank or too long.
        """
        if not text.strip() or len(text) > MAX_TEXT:
            raise bad_request(
                f"The idempotency key must have 1 to {MAX_TEXT} characters."
            )
        uuid = canonical_uuid(text)
        return cls(
            # A UUID as the key is the id of the run, so that the store needs no row for
            # the key.
            text=uuid or text,
            run_id=uuid or new_id(),
            digest=digest,
            repetition=repetition,
        )


@attrs.frozen(kw_only=True)
class Creation:
    """
    Everything that one creation needs.

    Attributes:
        body: what was sent; what is in ``prepared`` may be left out.
        principal: who sent it, or None in process.
        key: under which name it was sent, or None.
        metadata: single values that can be searched by.
        unit_metadata: likewise of the unit.
        slot: its place in an execution of several runs, or None.
    """

    body: CreateRun
    prepared: PreparedRun
    principal: Principal | None
    policy: CreationPolicy
    key: IdempotencyKey | None
    files: Sequence[StoredFile]
    metadata: Mapping[str, JSONScalar] = attrs.field(factory=dict[str, JSONScalar])
    unit_metadata: Mapping[str, JSONScalar] = attrs.field(factory=dict[str, JSONScalar])
    slot: RunSlot | None = None

    @property
    def procedure(self) -> str:
        """How it names its procedure: by the id, or else by the name."""
        named = text_or_none(self.body.procedure_id) or self.body.procedure_name
        return text_or_none(named) or ""

    @property
    def station(self) -> int | None:
        """The station that sends it, or None."""
        principal = self.principal
        if principal is None or not principal.is_station:
            return None
        return principal.key

    @property
    def user(self) -> int | None:
        """The user who sends it, or None."""
        principal = self.principal
        if principal is None or principal.is_station:
            return None
        return principal.key

    @property
    def station_name(self) -> str | None:
        """The name of the station where the run was made, or None."""
        # What the report says counts: one key may serve a line of several stations.
        if self.prepared.station is not None or self.principal is None:
            return self.prepared.station
        return None if self.station is None else self.principal.name

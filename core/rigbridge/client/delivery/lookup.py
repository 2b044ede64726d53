"""
Finds a run in the store after the answer to its create was lost.

The stock contract has no idempotency key, so the runs of the unit are compared: same
procedure, same start to the millisecond, same outcome, and the same content as far as
the list shows it. That alone is no identity. Three logs of one unit with a date and no
time of day are three runs, and what they measured may be the same. So a stored run is
taken only if none of our other runs has it, and if something proves that it is ours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from uuid import UUID

import attrs
from msgspec import UnsetType

from rigbridge.client.listing import ReceivedRun
from rigbridge.client.memory.contents import agreement
from rigbridge.convert.times import from_iso, to_millis
from rigbridge.destinations import Claims, SentRun
from rigbridge.errors import AmbiguousRunError, ModelError
from rigbridge.machine.close_names import folded
from rigbridge.wire import CreateRun, encode

__all__ = ["Search", "named_by"]

# The clocks of a server's parts differ a little, and Date has no fractions.
_SLACK = 2.0


def named_by(body: CreateRun) -> SentRun:
    """Give what a create names."""
    serial_number = body.unit_under_test.serial_number
    procedure_id, procedure_name = _text(body.procedure_id), _text(body.procedure_name)
    parts = [
        # Stores compare serial numbers by what people take for the same.
        folded(serial_number),
        procedure_name or procedure_id,
        _millis(body.started_at),
        str(body.outcome),
    ]
    return SentRun(
        key=hashlib.sha256(encode(parts)).hexdigest()[:32],
        serial_number=serial_number,
        procedure_id=procedure_id,
        procedure_name=procedure_name,
    )


@attrs.frozen(kw_only=True)
class Search:
    """
    The search for a run in the list of its unit.

    Attributes:
        was_sent: whether a create was sent whose fate is not known; if not, somebody
            else may have stored it.
        is_there: whether the store itself says that it has it.
    """

    body: CreateRun
    sent: SentRun
    run_id: UUID
    was_sent: bool
    is_there: bool = False

    def candidates(self, runs: Iterable[ReceivedRun]) -> list[ReceivedRun]:
        """
        Give the runs that may be this one, by all that the store shows of them.

        Where the store itself has the run, a release or a rule that is another since
        may have made its content another too; so it need not agree.
        """
        alike = [
            run
            for run in runs
            # A person may have edited it in the store since, so it need not look alike.
            if run.id == str(self.run_id) or self._looks_alike(run)
        ]
        equal = [
            run
            for run in alike
            # None means that the list does not show enough, which is no contradiction.
            if run.id == str(self.run_id) or agreement(self.body, run) is not False
        ]
        return alike if self.is_there and not equal else equal

    def choose(
        self, candidates: Sequence[ReceivedRun], claims: Claims
    ) -> ReceivedRun | None:
        """
        Choose the run that is this one; None if none of them is.

        Raises:
            AmbiguousRunError: one of them may be, and nothing proves it.
        """
        left: list[ReceivedRun] = []
        for run in candidates:
            owner = claims.owners.get(run.id)
            # Our own store stores a run under the id that it has here.
            if owner == self.run_id or run.id == str(self.run_id):
                return run
            if owner is None and self._may_be_new(run):
                left.append(run)
        if not left:
            return None
        # True for every one: a list that shows no phases gives None and does not count.
        if all(agreement(self.body, run) for run in left):
            # Equal in all that was measured: whichever it is, nothing is lost.
            return left[0]
        if not self.was_sent:
            # Without a start nothing tells a run from its repetition.
            if _millis(self.body.started_at) is None:
                return None
            raise self._ambiguous(left)
        # A rival is another run of ours with the same key and an unknown fate: the one
        # that is found may be its.
        if len(left) > 1 or claims.rivals or not self._is_proven(left[0]):
            raise self._ambiguous(left)
        return left[0]

    def _looks_alike(self, run: ReceivedRun) -> bool:
        started = _millis(self.body.started_at)
        return (
            # To the millisecond, since the contract has no more.
            (started is None or _millis(run.started_at) == started)
            and _same_outcome(self.body, run)
            and _same_procedure(self.sent, run)
            and _same_unit(self.sent, run)
        )

    def _may_be_new(self, run: ReceivedRun) -> bool:
        """Whether it may have come into being by our create."""
        if not self.was_sent:
            return True
        # It was in the list before our create was sent.
        if self.sent.seen is not None and run.id in self.sent.seen:
            return False
        created, began = _millis(run.created_at), self.sent.began
        return created is None or began is None or created >= 1000 * (began - _SLACK)

    def _is_proven(self, run: ReceivedRun) -> bool:
        """Whether it certainly came into being after our create began."""
        if self.is_there or self.sent.seen is not None:
            return True
        return self.sent.began is not None and _millis(run.created_at) is not None

    def _ambiguous(self, runs: Sequence[ReceivedRun]) -> AmbiguousRunError:
        ids = ", ".join(run.id for run in runs)
        error = AmbiguousRunError(
            f"the store has runs of unit {self.sent.serial_number!r} with the same "
            f"procedure, start and outcome ({ids}), and does not show what was "
            f"measured: whether one of them is run {self.run_id} nobody can tell",
            remedy="compare them in the store; then 'rigbridge outbox retry RUN "
            "--stored-as ID' takes that one, and 'rigbridge outbox retry RUN' stores "
            "it as another",
        )
        error.candidates = tuple(run.id for run in runs)
        return error


def _text(value: str | UnsetType | None) -> str | None:
    return value if isinstance(value, str) else None


def _millis(text: object) -> int | None:
    if not isinstance(text, str):
        return None
    try:
        return to_millis(from_iso(text))
    except ModelError:
        return None


def _same_outcome(body: CreateRun, run: ReceivedRun) -> bool:
    if run.outcome is not None:
        return run.outcome == body.outcome
    # The older shapes have only the older verdict.
    passed = run.unread.get("runPassed", run.unread.get("run_passed"))
    return passed is None or passed == body.run_passed


def _same_unit(sent: SentRun, run: ReceivedRun) -> bool:
    # A server that does not know the filter lists the runs of every unit.
    number = None if run.unit is None else run.unit.serial_number
    return number is None or folded(number) == folded(sent.serial_number)


def _same_procedure(sent: SentRun, run: ReceivedRun) -> bool:
    if run.procedure is None:
        return True
    if sent.procedure_id is not None and sent.procedure_id == run.procedure.id:
        return True
    if sent.procedure_name is not None and run.procedure.name is not None:
        return sent.procedure_name == run.procedure.name
    # Lists give the UUID: a human identifier (FVT1) cannot be compared with it.
    return not (sent.procedure_id is not None and _is_uuid(sent.procedure_id))


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True

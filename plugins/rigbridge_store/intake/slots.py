"""Executions of several runs at once: one run for each slot of a fixture."""

from __future__ import annotations

import attrs
import sqlalchemy as sa

from rigbridge_store.refusals import FieldIssue, conflict
from rigbridge_store.tables.schema import run_slots

__all__ = ["RunSlot", "take_slot"]


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


def take_slot(connection: sa.Connection, run: int, slot: RunSlot) -> None:
    """
    Put a new run into its slot.

    Raises:
        ConflictError: another run of the execution has it.
    """
    taken = sa.select(run_slots.c.run_key).where(
        run_slots.c.execution_id == slot.execution_id,
        run_slots.c.slot_key == slot.slot_key,
    )
    if slot.slot_key is not None and connection.execute(taken).first() is not None:
        raise conflict(
            f"Slot {slot.slot_key} of execution {slot.execution_id} has a run already.",
            FieldIssue("slot_key", "has a run already in this execution"),
        )
    connection.execute(run_slots.insert(), {"run_key": run, **attrs.asdict(slot)})

"""
Whose a run of the store is, where stores know no idempotency keys.

Such a store gives a run an id of its own, and the run has to be found again after an
answer was lost. So that no two runs of ours take one stored run for theirs, each stored
run is claimed once, for ever.
"""

from __future__ import annotations

import sqlite3
from uuid import UUID

from rigbridge.destinations import Progress
from rigbridge.errors import UnexpectedAnswerError

__all__ = ["claim_stored_run", "unsettled_key"]


def claim_stored_run(
    connection: sqlite3.Connection,
    name: str | None,
    run_id: UUID,
    progress: Progress,
) -> None:
    """
    Note that a stored run is this one of ours; it stays so for ever.

    Only of stores without idempotency keys, where runs have to be found again.

    Args:
        connection: the database, in a transaction.

    Raises:
        UnexpectedAnswerError: it is another run of ours: the answer that named it was
            not the one to our create.
    """
    if progress.stored_id is None or progress.searched is None:
        return
    connection.execute(
        "INSERT OR IGNORE INTO claim (destination, stored_id, run_id) VALUES (?, ?, ?)",
        (name or "", progress.stored_id, str(run_id)),
    )
    row = connection.execute(
        "SELECT run_id FROM claim WHERE destination = ? AND stored_id = ?",
        (name or "", progress.stored_id),
    ).fetchone()
    if row["run_id"] != str(run_id):
        raise UnexpectedAnswerError(
            f"run {progress.stored_id} of the store is run {row['run_id']} of ours"
        )


def unsettled_key(progress: Progress) -> str | None:
    """Give the key of a run that was sent, while nobody knows whether it arrived."""
    if not progress.sent or progress.stored_id is not None:
        return None
    return None if progress.searched is None else progress.searched.key

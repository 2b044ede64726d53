"""
Runs whose entries are gone: delivered and forgotten, or dropped by a person.

Without this a run that was delivered, forgotten and handed over again, as an import of
an old folder does, would be stored twice by a store that knows no idempotency keys.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from uuid import UUID

import attrs

from rigbridge.destinations import Progress
from rigbridge.wire import decode, encode

__all__ = [
    "is_delivered",
    "note_delivered",
    "note_dropped",
    "resume_dropped",
    "without_refusals",
]


def is_delivered(connection: sqlite3.Connection, run_id: UUID) -> bool:
    """Whether a run was delivered and its entry forgotten."""
    row = connection.execute(
        "SELECT 1 FROM past_run WHERE run_id = ? AND progress IS NULL", (run_id.bytes,)
    ).fetchone()
    return row is not None


def note_delivered(connection: sqlite3.Connection, run_ids: Iterable[UUID]) -> None:
    """Note that runs were delivered."""
    connection.executemany(
        "INSERT OR REPLACE INTO past_run (run_id) VALUES (?)",
        # 16 bytes instead of 36 characters: these rows stay for ever.
        [(run_id.bytes,) for run_id in run_ids],
    )


def note_dropped(
    connection: sqlite3.Connection, run_id: UUID, progress: Progress
) -> None:
    """
    Note how far a run came that is dropped, where the store may know it.

    Should it be handed over again, it goes on from there instead of being stored twice.
    """
    # Of a run that was never sent the store knows nothing.
    if progress.sent or progress.stored_id is not None:
        connection.execute(
            "INSERT OR REPLACE INTO past_run (run_id, progress) VALUES (?, ?)",
            (run_id.bytes, encode(without_refusals(progress))),
        )


def resume_dropped(connection: sqlite3.Connection, run_id: UUID) -> Progress:
    """Give the progress that a new entry begins with; that of a run dropped before."""
    row = connection.execute(
        "SELECT progress FROM past_run WHERE run_id = ?", (run_id.bytes,)
    ).fetchone()
    if row is None:
        return Progress()
    # The entry holds the progress from here on; two places could disagree.
    connection.execute("DELETE FROM past_run WHERE run_id = ?", (run_id.bytes,))
    return decode(row["progress"], Progress)


def without_refusals(progress: Progress) -> Progress:
    """Forget that files were refused."""
    return attrs.evolve(
        progress,
        files=tuple(attrs.evolve(file, refusal=None) for file in progress.files),
    )

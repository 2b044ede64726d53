"""What the outbox removes by itself: old delivered entries, and unused attachments."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable
from uuid import UUID

import attrs

from rigbridge.outbox.queue.database import OutboxDatabase
from rigbridge.outbox.queue.past_runs import note_delivered

__all__ = ["Housekeeping", "Retention"]

_DAY = 24 * 3600.0
_MEGABYTE = 1 << 20
_ROW = 300
"""About the bytes of a delivered entry without its report and progress."""


def _above_zero(_: object, field: attrs.Attribute[float], value: object) -> None:
    # In Python a bool is an int; NaN fails the comparison.
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ValueError(f"{field.name} must be a number above 0")


@attrs.frozen(kw_only=True)
class Retention:
    """
    How long an outbox remembers what it delivered.

    The id of a forgotten run stays, in some 30 bytes: if the run is handed over again,
    it is not sent again.

    Attributes:
        keep_days: days after which a delivered run is forgotten.
        keep_megabytes: the size of delivered entries, in units of 2**20 bytes, beyond
            which the oldest are forgotten.
    """

    keep_days: float = attrs.field(default=90.0, validator=_above_zero)
    keep_megabytes: float = attrs.field(default=256.0, validator=_above_zero)


class Housekeeping:
    """
    Forgets delivered entries, and removes the contents that nobody refers to.

    Args:
        clock: gives the Unix time.
    """

    def __init__(
        self, database: OutboxDatabase, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._clock = clock

    def prune(self, retention: Retention, patience: float | None = None) -> int:
        """
        Forget delivered entries that are too old, or more than there is room for.

        Their ids go to the table ``past_run``.

        Args:
            patience: seconds to wait for others; as long as usual by default.

        Returns:
            How many.

        Raises:
            OutboxBusyError: the patience was not enough.
        """
        with self._database.writing(patience) as connection:
            gone = _forget(
                connection,
                "finished_at < ?",
                self._clock() - retention.keep_days * _DAY,
            )
            # The sizes are summed up from the newest entry down. Where the sum exceeds
            # the limit, that entry and all older ones go.
            gone += _forget(
                connection,
                "sequence <= ("
                " SELECT max(sequence) FROM ("
                "  SELECT sequence, sum("
                "   ? + length(progress) + coalesce(length(report), 0)"
                "  ) OVER (ORDER BY sequence DESC) AS size"
                "  FROM entry WHERE state = 'done') WHERE size > ?)",
                _ROW,
                retention.keep_megabytes * _MEGABYTE,
            )
            if gone:
                connection.execute(
                    "UPDATE tally SET forgotten = forgotten + ?", (gone,)
                )
        return gone

    def discard(self, contents: Iterable[str], remove: Callable[[str], None]) -> None:
        """
        Remove those contents that no entry refers to, while nobody can add one.

        Args:
            contents: their digests.
        """
        with self._database.writing() as connection:
            for sha256 in contents:
                # A run that was handed over meanwhile may share the file.
                if not connection.execute(
                    "SELECT 1 FROM content WHERE sha256 = ?", (sha256,)
                ).fetchone():
                    remove(sha256)

    def sweep(
        self,
        remove_others: Callable[[frozenset[str]], None],
        patience: float | None = None,
    ) -> None:
        """
        Remove all contents that no entry refers to, while nobody can add one.

        Args:
            remove_others: is given the digests that entries refer to.
            patience: seconds to wait for others; as long as usual by default.

        Raises:
            OutboxBusyError: the patience was not enough.
        """
        with self._database.writing(patience) as connection:
            rows = connection.execute("SELECT DISTINCT sha256 FROM content").fetchall()
            remove_others(frozenset(row["sha256"] for row in rows))


def _forget(connection: sqlite3.Connection, which: str, *values: object) -> int:
    """Keep nothing but the ids of some delivered entries; say of how many."""
    rows = connection.execute(
        f"SELECT sequence, run_id FROM entry WHERE state = 'done' AND {which}",  # noqa: S608 - constants of this module
        values,
    ).fetchall()
    note_delivered(connection, [UUID(row["run_id"]) for row in rows])
    connection.executemany(
        "DELETE FROM entry WHERE sequence = ?", [(row["sequence"],) for row in rows]
    )
    return len(rows)

"""The tallies of the store, compared with its runs."""

from __future__ import annotations

import sqlalchemy as sa

from rigbridge.model import RunOutcome
from rigbridge_store.reading.conditions import DAY, NEWEST_FIRST, OLDEST_FIRST
from rigbridge_store.tables.schema import run_moment, runs, tallies

__all__ = ["wrong_tallies"]


def wrong_tallies(connection: sa.Connection) -> int:
    """Count the days whose tallies are not what their runs tell."""
    place = (runs.c.procedure_key, runs.c.unit_key)
    rank = sa.func.row_number()
    # The remainder twice: that of a moment before the epoch is negative.
    within = (run_moment % DAY + DAY) % DAY
    ranked = (
        sa.select(
            runs.c.procedure_key,
            ((run_moment - within) // DAY).cast(sa.Integer).label("day"),
            sa.func.coalesce(runs.c.station_name_key, 0).label("station"),
            sa.func.coalesce(runs.c.revision_key, 0).label("revision"),
            sa.case((runs.c.outcome == RunOutcome.PASS.value, 1), else_=0).label("ok"),
            rank.over(partition_by=place, order_by=OLDEST_FIRST).label("first"),
            rank.over(partition_by=place, order_by=NEWEST_FIRST).label("last"),
        )
        # A run that still goes on is in no tally.
        .where(runs.c.outcome != RunOutcome.RUNNING.value)
        .subquery()
    )
    cell = (
        ranked.c.procedure_key,
        ranked.c.day,
        ranked.c.station,
        ranked.c.revision,
    )
    first = sa.case((ranked.c.first == 1, 1), else_=0)
    last = sa.case((ranked.c.last == 1, 1), else_=0)
    counted = sa.select(
        *cell,
        sa.func.count(),
        sa.func.sum(ranked.c.ok),
        sa.func.sum(first),
        sa.func.sum(first * ranked.c.ok),
        sa.func.sum(last),
        sa.func.sum(last * ranked.c.ok),
    ).group_by(*cell)
    # Zeros stay behind when runs are deleted.
    kept = sa.select(tallies).where(tallies.c.runs != 0)
    # A set of what either has and the other lacks, counted by day.
    told = {tuple(row) for row in connection.execute(counted)}
    found = {tuple(row) for row in connection.execute(kept)}
    return len({row[:4] for row in told ^ found})

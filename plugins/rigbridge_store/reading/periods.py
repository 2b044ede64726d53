"""What the read models have in common: when a run was, and periods of time."""

from __future__ import annotations

import attrs
import sqlalchemy as sa

from rigbridge_store.tables.schema import run_moment

__all__ = ["DAY", "Period", "run_moment"]

DAY = 86_400_000_000
"""A day in microseconds."""


@attrs.frozen(kw_only=True)
class Period:
    """
    A span of time; None leaves a side open.

    Attributes:
        since: the first moment within, in microseconds since the epoch.
        until: the first moment after it.
    """

    since: int | None = None
    until: int | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """Give what a run within the period fulfils."""
        found: list[sa.ColumnElement[bool]] = []
        if self.since is not None:
            found.append(run_moment >= self.since)
        if self.until is not None:
            found.append(run_moment < self.until)
        return found

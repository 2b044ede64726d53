"""
What measurements have in common: their test points and their specifications.

Each is found by the digest of its columns and written once. Since they repeat from run
to run their keys are remembered, those that a transaction added once that is committed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from rigbridge_store.tables.rows import RowWriter
from rigbridge_store.tables.schema import specifications, test_points

__all__ = ["DefinitionSession", "Definitions", "definition_digest"]

_MAX_REMEMBERED = 100_000
_AT_ONCE = 500

Definition = tuple[str | None, ...]

_POINTS = sa.select(test_points.c.digest, test_points.c.key).where(
    test_points.c.procedure_key == sa.bindparam("procedure"),
    test_points.c.digest.in_(sa.bindparam("digests", expanding=True)),
)
_SPECIFICATIONS = sa.select(specifications.c.digest, specifications.c.key).where(
    specifications.c.digest.in_(sa.bindparam("digests", expanding=True))
)
_NEW_POINTS = RowWriter(test_points, ("procedure_key", "digest", "phase", "name"))
_NEW_SPECIFICATIONS = RowWriter(
    specifications,
    ("digest", "units", "lower_limit", "upper_limit", "validators", "docstring"),
)

_encode = msgspec.json.Encoder().encode


def definition_digest(columns: Definition) -> str:
    """Digest the columns of a test point or a specification."""
    return hashlib.sha256(_encode(columns)).hexdigest()


class Definitions:
    """The definitions that are known to exist; shared by all threads."""

    def __init__(self) -> None:
        self._points: dict[int, dict[Definition, int]] = {}
        self._specifications: dict[Definition, int] = {}

    def session(self, connection: sa.Connection) -> DefinitionSession:
        """Look definitions up within a transaction."""
        return DefinitionSession(connection, self._points, self._specifications)

    def remember(self, session: DefinitionSession) -> None:
        """Learn what a session found or added, once that is committed."""
        if not session.has_learnt:
            return
        count = len(self._specifications) + sum(map(len, self._points.values()))
        if count > _MAX_REMEMBERED:
            self.forget()
        # Replaced, not changed: other threads are reading.
        points = dict(self._points)
        for procedure, learnt in session.learnt_points.items():
            points[procedure] = {**points.get(procedure, {}), **learnt}
        self._points = points
        self._specifications = {
            **self._specifications,
            **session.learnt_specifications,
        }

    def forget(self) -> None:
        """Trust nothing: look everything up anew."""
        self._points = {}
        self._specifications = {}


class DefinitionSession:
    """
    The definitions as one transaction sees them.

    Args:
        connection: the transaction.
        points: keys of committed test points, by procedure.
        specifications: keys of committed specifications.
    """

    def __init__(
        self,
        connection: sa.Connection,
        points: Mapping[int, Mapping[Definition, int]],
        specifications: Mapping[Definition, int],
    ) -> None:
        self._connection = connection
        self._points = points
        self._specifications = specifications
        self.learnt_points: dict[int, dict[Definition, int]] = {}
        self.learnt_specifications: dict[Definition, int] = {}

    @property
    def has_learnt(self) -> bool:
        """Whether the session came to know anything new."""
        return bool(self.learnt_points or self.learnt_specifications)

    def points(
        self, procedure: int, wanted: Iterable[Definition]
    ) -> Mapping[Definition, int]:
        """
        Find test points of a procedure, or create them.

        Args:
            procedure: the procedure's row.
            wanted: phase and name of each.

        Returns:
            Their keys, and those of others.
        """
        known = self._points.get(procedure, {})
        missing = [point for point in wanted if point not in known]
        if not missing:
            return known
        learnt = self.learnt_points.setdefault(procedure, {})
        missing = [point for point in missing if point not in learnt]

        def insert(rows: Sequence[tuple[Any, ...]]) -> None:
            _NEW_POINTS.write(self._connection, [(procedure, *row) for row in rows])

        if missing:
            learnt |= self._resolved(_POINTS, {"procedure": procedure}, missing, insert)
        return {**known, **learnt}

    def specifications(self, wanted: Iterable[Definition]) -> Mapping[Definition, int]:
        """
        Find specifications, or create them.

        Args:
            wanted: unit, limits, validators and docstring of each, as stored.

        Returns:
            Their keys, and those of others.
        """
        known, learnt = self._specifications, self.learnt_specifications
        missing = [item for item in wanted if item not in known and item not in learnt]

        def insert(rows: Sequence[tuple[Any, ...]]) -> None:
            _NEW_SPECIFICATIONS.write(self._connection, rows)

        if missing:
            learnt |= self._resolved(_SPECIFICATIONS, {}, missing, insert)
        return {**known, **learnt} if learnt else known

    def _resolved(
        self,
        select: sa.Executable,
        values: Mapping[str, Any],
        missing: Iterable[Definition],
        insert: Any,
    ) -> dict[Definition, int]:
        digests = {definition_digest(item): item for item in missing}
        keys = self._found(select, values, list(digests))
        new = [digest for digest in digests if digest not in keys]
        if new:
            insert([(digest, *digests[digest]) for digest in new])
            keys |= self._found(select, values, new)
        return {item: keys[digest] for digest, item in digests.items()}

    def _found(
        self, select: sa.Executable, values: Mapping[str, Any], digests: Sequence[str]
    ) -> dict[str, int]:
        found: dict[str, int] = {}
        for start in range(0, len(digests), _AT_ONCE):
            some = digests[start : start + _AT_ONCE]
            rows = self._connection.execute(select, {**values, "digests": some})
            found.update((digest, key) for digest, key in rows)
        return found

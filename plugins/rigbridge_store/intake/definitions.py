"""
What measurements have in common: their test points and their specifications.

Each is found by the digest of its columns and written once. Since they repeat from run
to run their keys are remembered, those that a transaction added once that is committed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import sqlalchemy as sa

from rigbridge_store.intake.measurements import Definition
from rigbridge_store.tables.backends import lock_catalog
from rigbridge_store.tables.rows import RowWriter, reserved_keys
from rigbridge_store.tables.schema import specifications, test_points
from rigbridge_store.tables.values import Row

__all__ = ["DefinitionSession", "Definitions", "definition_digest"]

_MAX_REMEMBERED = 100_000
# Well below the 999 parameters that older builds of SQLite take.
_AT_ONCE = 500
_IN_A_BLOCK = 5000
_DIGEST = 16

_POINTS = sa.select(test_points.c.digest, test_points.c.key).where(
    test_points.c.procedure_key == sa.bindparam("procedure"),
    test_points.c.digest.in_(sa.bindparam("digests", expanding=True)),
)
_SPECIFICATIONS = sa.select(specifications.c.digest, specifications.c.key).where(
    specifications.c.digest.in_(sa.bindparam("digests", expanding=True))
)
_NEW_POINTS = RowWriter(
    test_points, ("key", "procedure_key", "digest", "phase", "name")
)
_NEW_SPECIFICATIONS = RowWriter(
    specifications,
    ("key", "digest", "units", "lower_limit", "upper_limit", "validators", "docstring"),
)

_encode = msgspec.json.Encoder().encode


def definition_digest(columns: Definition) -> bytes:
    """Digest the columns of a test point or a specification."""
    # A digest, since an index holds no text of any length. A short one: the index of a
    # run that brings 100,000 points must fit into the memory of the database.
    return hashlib.blake2b(_encode(columns), digest_size=_DIGEST).digest()


class Definitions:
    """The definitions that are known to exist; shared by all threads."""

    def __init__(self) -> None:
        self._points: dict[int, dict[Definition, int]] = {}
        self._specifications: dict[Definition, int] = {}

    def session(self, connection: sa.Connection) -> DefinitionSession:
        """Look definitions up within a transaction."""
        return DefinitionSession(connection, self._points, self._specifications)

    def remember(self, session: DefinitionSession) -> None:
        """Keep what a session found or added, once that is committed."""
        if not (session.new_points or session.new_specifications):
            return
        # The memory of a store that runs for months stays bounded.
        count = len(self._specifications) + sum(map(len, self._points.values()))
        if count > _MAX_REMEMBERED:
            self.forget()
        # Replaced, not changed: other threads read them without a lock.
        points = dict(self._points)
        for procedure, new in session.new_points.items():
            points[procedure] = {**points.get(procedure, {}), **new}
        self._points = points
        self._specifications = {
            **self._specifications,
            **session.new_specifications,
        }

    def forget(self) -> None:
        """Look everything up anew."""
        self._points = {}
        self._specifications = {}


class DefinitionSession:
    """
    The definitions as one transaction sees them.

    Args:
        connection: the transaction.
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
        self.new_points: dict[int, dict[Definition, int]] = {}
        self.new_specifications: dict[Definition, int] = {}

    def mark(self) -> tuple[dict[int, dict[Definition, int]], dict[Definition, int]]:
        """Give a mark of what was found so far."""
        # Copies: the groups that follow add to the same tables.
        points = {key: dict(found) for key, found in self.new_points.items()}
        return points, dict(self.new_specifications)

    def forget_since(
        self, mark: tuple[dict[int, dict[Definition, int]], dict[Definition, int]]
    ) -> None:
        """Forget what was found since, as of a work that was taken back."""
        self.new_points, self.new_specifications = mark

    def points(
        self, procedure: int, wanted: Iterable[Definition]
    ) -> Mapping[Definition, int]:
        """
        Find test points of a procedure, or create them.

        Returns:
            Their keys, and those of others.
        """
        known = self._points.get(procedure, {})
        missing = [point for point in wanted if point not in known]
        if not missing:
            # The common case builds no new table: after some runs of a procedure
            # everything is known.
            return known
        new = self.new_points.setdefault(procedure, {})
        missing = [point for point in missing if point not in new]

        new |= self._resolved(
            _POINTS, {"procedure": procedure}, missing, _NEW_POINTS, (procedure,)
        )
        return {**known, **new} if known else new

    def specifications(self, wanted: Iterable[Definition]) -> Mapping[Definition, int]:
        """
        Find specifications, or create them.

        Args:
            wanted: unit, limits, validators and docstring of each, as stored.

        Returns:
            Their keys, and those of others.
        """
        known, new = self._specifications, self.new_specifications
        missing = [item for item in wanted if item not in known and item not in new]

        new |= self._resolved(_SPECIFICATIONS, {}, missing, _NEW_SPECIFICATIONS)
        return {**known, **new} if new else known

    def _resolved(
        self,
        select: sa.Executable,
        values: Mapping[str, int],
        missing: Sequence[Definition],
        writer: RowWriter,
        before: Row = (),
    ) -> dict[Definition, int]:
        found: dict[Definition, int] = {}
        # In blocks: a run may bring a hundred thousand that no other has had.
        for start in range(0, len(missing), _IN_A_BLOCK):
            some = missing[start : start + _IN_A_BLOCK]
            digests = {definition_digest(item): item for item in some}
            keys = self._found(select, values, list(digests))
            absent = [digest for digest in digests if digest not in keys]
            if absent and lock_catalog(self._connection):
                # Another process may have added some in the meantime.
                keys |= self._found(select, values, absent)
                absent = [digest for digest in digests if digest not in keys]
            # Rows of a batch come back in no certain order, hence keys come first.
            new = reserved_keys(self._connection, writer.table, len(absent))
            writer.write(
                self._connection,
                [
                    (key, *before, digest, *digests[digest])
                    for key, digest in zip(new, absent, strict=True)
                ],
            )
            keys |= zip(absent, new, strict=True)
            found |= {item: keys[digest] for digest, item in digests.items()}
        return found

    def _found(
        self, select: sa.Executable, values: Mapping[str, int], digests: Sequence[bytes]
    ) -> dict[bytes, int]:
        found: dict[bytes, int] = {}
        # In parts: a database limits the parameters of one statement.
        for start in range(0, len(digests), _AT_ONCE):
            some = digests[start : start + _AT_ONCE]
            rows = self._connection.execute(select, {**values, "digests": some})
            found.update((digest, key) for digest, key in rows)
        return found

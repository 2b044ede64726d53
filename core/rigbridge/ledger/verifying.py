"""Compares the ledger with the store: which runs are in one and not in the other."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from itertools import chain

import attrs

from rigbridge.destinations import CountingDestination, Destination
from rigbridge.errors import ConfigurationError
from rigbridge.ledger.ledger import Ledger
from rigbridge.ledger.paths import shown_path

__all__ = ["StoreComparison", "compare_with_store"]

# Enough to act on; the rest is counted.
_MOST = 1000
_TABLES = """
CREATE TABLE noted (
    id TEXT PRIMARY KEY, measurements INTEGER, attachments INTEGER, path BLOB
);
CREATE TABLE held (
    id TEXT PRIMARY KEY, measurements INTEGER, attachments INTEGER
);
"""
_MISSING = """
SELECT id, path FROM noted WHERE id NOT IN (SELECT id FROM held) ORDER BY path
"""
_UNEQUAL = """
SELECT n.id, n.path, n.measurements, n.attachments, h.measurements, h.attachments
FROM noted n JOIN held h ON h.id = n.id
WHERE n.measurements != h.measurements OR n.attachments > h.attachments
ORDER BY n.path
"""


@attrs.frozen(kw_only=True)
class StoreComparison:
    """
    How a store differs from what the ledger says of it, and from what was written.

    Attributes:
        runs: how many different runs the ledger says are stored.
        others: how many runs the store holds that the ledger does not have. Other ways
            lead into a store, so that they are no difference.
        differences: each in a sentence, the first thousand of them; also what the
            store itself finds to be changed.
        unlisted: how many more there are.
    """

    runs: int
    others: int
    differences: tuple[str, ...] = ()
    unlisted: int = 0

    @property
    def is_equal(self) -> bool:
        """Whether the store holds all that the ledger says, as it says."""
        return not self.differences

    def as_document(self) -> dict[str, object]:
        """Give it as JSON values."""
        return {"is_equal": self.is_equal, **attrs.asdict(self)}


def compare_with_store(
    ledger: Ledger, name: str, destination: Destination
) -> StoreComparison:
    """
    Compare the ids of runs and how much each holds, and have the store look at itself.

    A run may have more files in the store than its report had: somebody added them.

    Raises:
        ConfigurationError: it cannot say which runs it holds.
        ServerUnavailableError: it cannot be read for now.
    """
    if not isinstance(destination, CountingDestination):
        raise ConfigurationError(
            "cannot be asked which runs it holds",
            source=name,
            remedy="verify on the machine of the store, with --to local",
        )
    # Both sides by the file, since neither fits into memory; removed when closed.
    with closing(sqlite3.connect("", isolation_level=None)) as scratch:
        scratch.executescript(f"BEGIN; {_TABLES}")
        scratch.executemany(
            # REPLACE: several sources may hold one run.
            "INSERT OR REPLACE INTO noted VALUES (?, ?, ?, ?)",
            (
                (
                    run.stored_id or str(run.id),
                    run.measurements,
                    run.attachments,
                    entry.path,
                )
                for entry in ledger.entries(name)
                for run in entry.runs
                if run.status.is_stored
            ),
        )
        scratch.executemany(
            "INSERT OR REPLACE INTO held VALUES (?, ?, ?)", destination.run_sizes()
        )
        noted = _count(scratch, "SELECT count(*) FROM noted")
        held = _count(scratch, "SELECT count(*) FROM held")
        missing = scratch.execute(_MISSING)
        unequal = scratch.execute(_UNEQUAL)
        differences: list[str] = []
        unlisted = gone = 0
        for words in chain(_worded(missing, unequal), destination.damage()):
            gone += words.endswith(_NOT_THERE)
            if len(differences) < _MOST:
                differences.append(words)
            else:
                unlisted += 1
        return StoreComparison(
            runs=noted,
            others=held - (noted - gone),
            differences=tuple(differences),
            unlisted=unlisted,
        )


_NOT_THERE = "is not in the store"


def _worded(
    missing: Iterable[tuple[str, bytes]],
    unequal: Iterable[tuple[str, bytes, int, int, int, int]],
) -> Iterable[str]:
    for run, path in missing:
        yield f"run {run} of {shown_path(path)} {_NOT_THERE}"
    for run, path, measurements, files, held_measurements, held_files in unequal:
        yield (
            f"run {run} of {shown_path(path)} has {measurements} measurements and "
            f"{files} attachments, in the store {held_measurements} and {held_files}"
        )


def _count(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])

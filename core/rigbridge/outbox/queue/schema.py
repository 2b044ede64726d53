"""The tables of an outbox, and the steps from one version of them to the next."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from rigbridge.errors import ConfigurationError

__all__ = ["STEPS", "migrate", "version_of"]

_FIRST = """
CREATE TABLE entry (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'done', 'parked')),
    -- The name of where it goes, NULL until somebody who has one sends it.
    destination TEXT,
    digest TEXT NOT NULL,
    document BLOB,
    report BLOB,
    progress BLOB NOT NULL,
    serial_number TEXT,
    serial_key TEXT,
    procedure TEXT,
    submitted_at REAL NOT NULL,
    finished_at REAL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL,
    not_before REAL NOT NULL DEFAULT 0,
    lease_owner TEXT,
    lease_until REAL,
    -- The boot by whose clock the lease counts.
    lease_boot TEXT,
    reason TEXT,
    missing INTEGER NOT NULL DEFAULT 0,
    waits_for_store INTEGER NOT NULL DEFAULT 0,
    failing_since REAL,
    -- Set while a create was sent and nobody knows what became of it.
    sent_key TEXT
);
-- Covers all that is asked of many entries at once: reading it from the table would
-- lead through their documents, which lie before these columns.
CREATE INDEX entry_turn ON entry (
    state, destination, due, sequence, not_before, lease_until, submitted_at
);
CREATE INDEX entry_unit ON entry (serial_key) WHERE state IN ('pending', 'sending');
CREATE INDEX entry_failing ON entry (failing_since) WHERE failing_since IS NOT NULL;
CREATE INDEX entry_sent ON entry (sent_key) WHERE sent_key IS NOT NULL;
-- Which run of ours a stored run is, by its id there. Stays when the entry goes.
CREATE TABLE claim (
    destination TEXT NOT NULL,
    stored_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    PRIMARY KEY (destination, stored_id)
) WITHOUT ROWID;
CREATE TABLE content (
    run_id TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (run_id, sha256)
);
CREATE INDEX content_digest ON content (sha256);
-- The serial numbers of the sub-units of a run, folded.
CREATE TABLE part (
    run_id TEXT NOT NULL,
    serial_key TEXT NOT NULL,
    PRIMARY KEY (run_id, serial_key)
);
-- What outlives its entry: progress is NULL for a delivered run, and says how far a
-- dropped one had come.
CREATE TABLE past_run (
    run_id BLOB PRIMARY KEY,
    progress BLOB
) WITHOUT ROWID;
-- How far Unix time was ahead of the time since a boot when this was first asked.
CREATE TABLE clock (
    boot TEXT PRIMARY KEY,
    ahead REAL NOT NULL
);
CREATE TABLE tally (forgotten INTEGER NOT NULL, last_delivery REAL);
INSERT INTO tally (forgotten) VALUES (0);
-- One row a destination. The empty text is that of an outbox without a name.
CREATE TABLE circuit (
    destination TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    failures INTEGER NOT NULL,
    until REAL NOT NULL,
    not_before REAL NOT NULL,
    runs TEXT NOT NULL DEFAULT ''
);
"""

STEPS: tuple[str, ...] = (_FIRST,)
"""The SQL from each version to the next, the first from nothing."""


def version_of(connection: sqlite3.Connection) -> int:
    """Tell the version of the tables; 0 where there are none yet."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """
    Bring the tables to the newest version.

    Args:
        connection: a connection outside of a transaction.

    Raises:
        ConfigurationError: a newer version of rigbridge made them.
    """
    if version_of(connection) == len(STEPS):
        return
    # The write lock: processes that open a new outbox at once migrate it once.
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Asked again under the lock: another process may have just done it.
        version = version_of(connection)
        _refuse_newer(version, path)
        for step in STEPS[version:]:
            # Not executescript, which would commit the transaction first.
            for statement in step.split(";"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(STEPS)}")
        connection.execute("COMMIT")
    except BaseException:
        # A disk that failed may have rolled back already; its error is the one to tell.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _refuse_newer(version: int, path: Path) -> None:
    if version > len(STEPS):
        raise ConfigurationError(
            f"was made by a newer version of rigbridge ({version})",
            source=str(path),
            remedy="update rigbridge",
        )

"""The tables of the ledger."""

from __future__ import annotations

__all__ = ["TABLES", "VERSION"]

VERSION = 1
"""The version of the tables; a ledger of another one is set aside."""

TABLES = """
CREATE TABLE destination (
    key INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- How the file of the store was left, see trusting.py.
    store_file TEXT
);
-- Paths of one folder share it: a million of them would fill the disk by repeating it.
CREATE TABLE folder (key INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE);
CREATE TABLE adapter (
    key INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    UNIQUE (name, version)
);
CREATE TABLE settings (key INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE);
CREATE TABLE reason (
    key INTEGER PRIMARY KEY,
    disposition TEXT NOT NULL,
    item TEXT NOT NULL,
    rule TEXT NOT NULL,
    UNIQUE (disposition, item, rule)
);
CREATE TABLE source (
    key INTEGER PRIMARY KEY,
    destination INTEGER NOT NULL REFERENCES destination (key),
    folder INTEGER NOT NULL REFERENCES folder (key),
    name BLOB NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    seen_ns INTEGER NOT NULL,
    digest BLOB,
    adapter INTEGER REFERENCES adapter (key),
    settings INTEGER NOT NULL REFERENCES settings (key),
    verdict TEXT NOT NULL,
    -- Pairs of a key of reason and a count, four bytes each and the lower one first. A
    -- row for each would take most of the time that an entry takes.
    amounts BLOB NOT NULL,
    same_as BLOB,
    -- NULL for what a file held before it was changed, whose runs are still stored.
    is_current INTEGER
);
CREATE UNIQUE INDEX source_path ON source (folder, name, destination)
    WHERE is_current IS NOT NULL;
-- The beginning tells contents apart as well as the whole, in a quarter of the room.
CREATE INDEX source_digest ON source (substr(digest, 1, 8), destination)
    WHERE digest IS NOT NULL;
CREATE TABLE run (
    source INTEGER NOT NULL REFERENCES source (key),
    position INTEGER NOT NULL,
    id BLOB NOT NULL,
    status TEXT NOT NULL,
    measurements INTEGER NOT NULL,
    attachments INTEGER NOT NULL,
    stored_id TEXT,
    PRIMARY KEY (source, position)
) WITHOUT ROWID;
CREATE TABLE problem (
    source INTEGER NOT NULL REFERENCES source (key),
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    message TEXT NOT NULL,
    place TEXT,
    remedy TEXT,
    PRIMARY KEY (source, position)
) WITHOUT ROWID;
"""
"""The statements that make the tables."""

"""The tables of files: those of runs and units, and those that are on their way."""

from __future__ import annotations

import sqlalchemy as sa

from rigbridge_store.tables.columns import (
    id_column,
    index_if_known,
    key_column,
    metadata,
    refers,
)

__all__ = ["attachments", "uploads"]

attachments = sa.Table(
    "attachments",
    metadata,
    key_column(),
    id_column(),
    # Of a run, or of a unit.
    refers("run_key", "runs", cascade=True, index=True),
    refers("unit_key", "units", cascade=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("mime_type", sa.Text),
    sa.Column("size", sa.BigInteger),
    sa.Column("sha256", sa.String(64), index=True),
    # False for a reference: the source names the file but does not hold its bytes.
    sa.Column("stored", sa.Boolean, nullable=False),
    # Of a file of a unit: the station that sent it.
    refers("creator_station_key", "stations"),
    # The seal of what the row says of the file.
    sa.Column("seal", sa.LargeBinary, nullable=False),
)

uploads = sa.Table(
    "uploads",
    metadata,
    key_column(),
    id_column(),
    sa.Column("token_hash", sa.String(64), nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("mime_type", sa.Text),
    sa.Column("declared_size", sa.BigInteger),
    # NULL until the bytes have come.
    sa.Column("size", sa.BigInteger),
    sa.Column("sha256", sa.String(64), index=True),
    # What the file is for, where that was said before its bytes came.
    refers("run_key", "runs", cascade=True),
    refers("unit_key", "units", cascade=True),
    # NULL until it is linked.
    refers("attachment_key", "attachments", cascade=True, index=True),
    # The station that asked for it, or NULL for a user.
    refers("creator_station_key", "stations"),
)

# Most files are of runs, and told so afterwards.
for _column in (attachments.c.unit_key, uploads.c.run_key, uploads.c.unit_key):
    index_if_known(_column)

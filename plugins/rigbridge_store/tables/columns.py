"""The columns that several tables of the store have, and the names of indexes."""

from __future__ import annotations

import sqlalchemy as sa

__all__ = [
    "FOLDED",
    "creation",
    "id_column",
    "index_if_known",
    "key_column",
    "metadata",
    "metadata_of",
    "of_run",
    "position",
    "refers",
    "shown_id",
]

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Every table of the store, with how its indexes and constraints are named."""

_ID = sa.String(36)
FOLDED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Sorted by code points everywhere, so that an index finds what a text begins with."""


def key_column() -> sa.Column[int]:
    """Make the column by which other tables refer to a row."""
    return sa.Column("key", sa.Integer, primary_key=True)


def id_column() -> sa.Column[str]:
    """Make the column of the UUID that the API shows and finds a row by."""
    return sa.Column("id", _ID, nullable=False, unique=True)


def shown_id() -> sa.Column[str]:
    """Make the same of a table whose rows are found by something else."""
    # Nothing is looked up by it, and an index of random values costs each insert.
    return sa.Column("id", _ID, nullable=False)


def refers(
    name: str,
    target: str,
    *,
    required: bool = False,
    index: bool = False,
    cascade: bool = False,
    primary_key: bool = False,
) -> sa.Column[int]:
    """Make a column that names a row; with ``cascade`` this one is deleted with it."""
    return sa.Column(
        name,
        sa.Integer,
        sa.ForeignKey(f"{target}.key", ondelete="CASCADE" if cascade else None),
        nullable=not (required or primary_key),
        index=index,
        primary_key=primary_key,
    )


def of_run() -> sa.Column[int]:
    """Make the column of the run that a row is a part of."""
    return refers("run_key", "runs", cascade=True, primary_key=True)


def position(name: str = "position") -> sa.Column[int]:
    """Make a number that is a part of a key."""
    return sa.Column(name, sa.Integer, primary_key=True, autoincrement=False)


def creation() -> tuple[sa.Column[int], ...]:
    """Make the columns of when a row was made, and by whom."""
    return (
        sa.Column("created_at", sa.BigInteger),
        refers("creator_user_key", "users"),
        refers("creator_station_key", "stations"),
    )


def metadata_of(owner: str, targets: str) -> sa.Table:
    """Make the table of the custom metadata of a kind of row."""
    return sa.Table(
        f"{owner}_metadata",
        metadata,
        refers(f"{owner}_key", targets, cascade=True, primary_key=True),
        sa.Column("name", sa.String(255), primary_key=True),
        # Exact JSON; the others are for queries, by the kind of value.
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("text", sa.Text),
        sa.Column("number", sa.Double),
        sa.Column("flag", sa.Boolean),
        sqlite_with_rowid=False,
    )


def index_if_known(column: sa.Column[int] | sa.Column[str]) -> None:
    """Index a column that most rows leave open, by the others alone."""
    sa.Index(
        f"ix_{column.table.name}_{column.name}",
        column,
        sqlite_where=column.is_not(None),
        postgresql_where=column.is_not(None),
    )

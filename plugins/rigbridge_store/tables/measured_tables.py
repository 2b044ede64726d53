"""
The tables of what runs measured and logged, phase by phase.

Measured values are apart from what they have in common: a test point names a
measurement of a procedure, a specification its unit, limits and validators. Each is one
row, however many runs refer to it. The primary key of ``measurements`` finds the values
of a point in a run at once; an index of points alone would scatter the rows of every
commit over the file.
"""

from __future__ import annotations

import sqlalchemy as sa

from rigbridge_store.tables.columns import (
    key_column,
    metadata,
    of_run,
    position,
    refers,
)

__all__ = [
    "large_values",
    "logs",
    "measurements",
    "phases",
    "specifications",
    "test_points",
]

phases = sa.Table(
    "phases",
    metadata,
    of_run(),
    position(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("start_time_millis", sa.Double, nullable=False),
    sa.Column("end_time_millis", sa.Double, nullable=False),
    sa.Column("docstring", sa.Text),
    sqlite_with_rowid=False,
)

test_points = sa.Table(
    "test_points",
    metadata,
    key_column(),
    refers("procedure_key", "procedures", required=True, cascade=True),
    # Of the columns below; what they are found by, since a name may have any length.
    sa.Column("digest", sa.LargeBinary, nullable=False),
    # The phase's name, with those of its ancestors.
    sa.Column("phase", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.UniqueConstraint("procedure_key", "digest"),
    sqlite_autoincrement=True,
)

specifications = sa.Table(
    "specifications",
    metadata,
    key_column(),
    # Likewise.
    sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
    # Exact JSON, NULL where there is none.
    sa.Column("units", sa.Text),
    sa.Column("lower_limit", sa.Text),
    sa.Column("upper_limit", sa.Text),
    sa.Column("validators", sa.Text),
    sa.Column("docstring", sa.Text),
    sqlite_autoincrement=True,
)

measurements = sa.Table(
    "measurements",
    metadata,
    of_run(),
    refers("point_key", "test_points", primary_key=True),
    position("phase_position"),
    position(),
    # NULL where none of its columns has a value.
    refers("specification_key", "specifications"),
    sa.Column("outcome", sa.String(16), nullable=False),
    # The value where it is a number; if it is a double, this is all of it.
    sa.Column("number", sa.Double),
    # Exact JSON of any other value, and of numbers that no double holds as such; of one
    # in large_values its beginning and an ellipsis, which no JSON ends with.
    sa.Column("value", sa.Text),
    sqlite_with_rowid=False,
)

# Apart from the measurements, and with rows of their own: SQLite compares the keys of a
# table without them by reading rows as a whole, however long the next one is.
large_values = sa.Table(
    "large_values",
    metadata,
    of_run(),
    position("phase_position"),
    position(),
    # Packed JSON.
    sa.Column("value", sa.LargeBinary, nullable=False),
)

logs = sa.Table(
    "logs",
    metadata,
    of_run(),
    position(),
    sa.Column("level", sa.String(16), nullable=False),
    sa.Column("timestamp", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("source_file", sa.Text, nullable=False),
    sa.Column("line_number", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

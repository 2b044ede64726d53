"""
The tables of the store.

Every table that a client can name a row of has ``key``, a compact integer that other
tables refer to, and ``id``, the UUID that the API shows. A text that is found without
regard to case is kept as given, with a folded copy in ``..._key``. Times are
microseconds since the epoch in UTC, so that they sort and lose nothing; spans are
microseconds. Documents are JSON as text, since their numbers must come back exactly.

SQLite and PostgreSQL hold the same tables; options named ``sqlite_...`` and
``postgresql_...`` are hints on how to store them.
"""

from __future__ import annotations

import sqlalchemy as sa

from rigbridge_store.tables.columns import (
    FOLDED,
    creation,
    id_column,
    index_if_known,
    key_column,
    metadata,
    metadata_of,
    of_run,
    position,
    refers,
    shown_id,
)
from rigbridge_store.tables.file_tables import attachments, uploads
from rigbridge_store.tables.measured_tables import (
    large_values,
    logs,
    measurements,
    phases,
    specifications,
    test_points,
)
from rigbridge_store.tables.tallying import keep_tallies

__all__ = [
    "SCHEMA_VERSION",
    "api_keys",
    "attachments",
    "batches",
    "idempotency_keys",
    "instruments",
    "large_values",
    "logs",
    "measurements",
    "metadata",
    "part_metadata",
    "parts",
    "phases",
    "procedure_versions",
    "procedures",
    "revision_metadata",
    "revisions",
    "run_documents",
    "run_instruments",
    "run_metadata",
    "run_moment",
    "run_slots",
    "runs",
    "schema_versions",
    "secrets",
    "serial_fragments",
    "specifications",
    "station_metadata",
    "station_names",
    "station_procedures",
    "stations",
    "tallies",
    "test_points",
    "unit_metadata",
    "unit_sub_units",
    "units",
    "uploads",
    "users",
]

SCHEMA_VERSION = 1
"""
The version of these tables; a store of a higher one is refused.

A change of the tables needs a higher version, and a migration of that number in
:mod:`rigbridge_store.tables.migrations`.
"""

schema_versions = sa.Table(
    "schema_versions",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

# Made with the tables, so that every server of one store has the same ones.
secrets = sa.Table(
    "secrets",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
)

users = sa.Table(
    "users",
    metadata,
    key_column(),
    id_column(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_key", FOLDED, nullable=False, index=True),
    sa.Column("email", sa.Text),
    sa.Column("email_key", FOLDED, unique=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

stations = sa.Table(
    "stations",
    metadata,
    key_column(),
    id_column(),
    sa.Column("name", sa.Text, nullable=False),
    # Not unique: the contract knows stations by their ids.
    sa.Column("name_key", FOLDED, nullable=False, index=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    # When it was taken out of use; what it made still names it.
    sa.Column("removed_at", sa.BigInteger),
)

procedures = sa.Table(
    "procedures",
    metadata,
    key_column(),
    id_column(),
    sa.Column("identifier", sa.Text),
    sa.Column("identifier_key", FOLDED, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    # Not unique: the contract allows several procedures of one name.
    sa.Column("name_key", FOLDED, nullable=False, index=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    refers("creator_user_key", "users"),
    # Writers remember keys: that of a deleted row must never name another one.
    sqlite_autoincrement=True,
)

station_procedures = sa.Table(
    "station_procedures",
    metadata,
    refers("station_key", "stations", cascade=True, primary_key=True),
    refers("procedure_key", "procedures", cascade=True, primary_key=True),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    key_column(),
    id_column(),
    # The public part of a key, by which its row is found.
    sa.Column("prefix", sa.String(32), nullable=False, unique=True),
    # The SHA-256 digest of the secret part.
    sa.Column("hash", sa.LargeBinary, nullable=False),
    refers("user_key", "users"),
    refers("station_key", "stations"),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    # Written now and then, not at each use.
    sa.Column("last_used_at", sa.BigInteger),
    # A revoked key is refused; its row stays, to tell since when.
    sa.Column("revoked_at", sa.BigInteger),
)

# What reports call the stations; one without a key is known by its name alone.
station_names = sa.Table(
    "station_names",
    metadata,
    key_column(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_key", FOLDED, nullable=False, unique=True),
    sqlite_autoincrement=True,
)

# What runs were measured with, by name and serial number.
instruments = sa.Table(
    "instruments",
    metadata,
    key_column(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_key", FOLDED, nullable=False),
    sa.Column("serial_number", sa.Text),
    # Blank where unknown: two NULL are not the same for a unique constraint.
    sa.Column("serial_key", FOLDED, nullable=False, index=True),
    sa.UniqueConstraint("name_key", "serial_key"),
    sqlite_autoincrement=True,
)

procedure_versions = sa.Table(
    "procedure_versions",
    metadata,
    key_column(),
    id_column(),
    refers("procedure_key", "procedures", required=True),
    sa.Column("tag", sa.Text, nullable=False),
    sa.Column("tag_key", FOLDED, nullable=False),
    *creation(),
    sa.UniqueConstraint("procedure_key", "tag_key"),
    sqlite_autoincrement=True,
)

parts = sa.Table(
    "parts",
    metadata,
    key_column(),
    id_column(),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("number_key", FOLDED, nullable=False, unique=True),
    sa.Column("name", sa.Text),
    *creation(),
    sqlite_autoincrement=True,
)

revisions = sa.Table(
    "revisions",
    metadata,
    key_column(),
    id_column(),
    refers("part_key", "parts", required=True),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("number_key", FOLDED, nullable=False),
    *creation(),
    sa.UniqueConstraint("part_key", "number_key"),
    sqlite_autoincrement=True,
)

batches = sa.Table(
    "batches",
    metadata,
    key_column(),
    id_column(),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("number_key", FOLDED, nullable=False, unique=True),
    *creation(),
    sqlite_autoincrement=True,
)

units = sa.Table(
    "units",
    metadata,
    key_column(),
    shown_id(),
    sa.Column("serial_number", sa.Text, nullable=False),
    sa.Column("serial_key", FOLDED, nullable=False, unique=True),
    refers("part_key", "parts"),
    refers("revision_key", "revisions"),
    refers("batch_key", "batches"),
    # When the runs were that told each of these: an older one tells nothing new.
    sa.Column("part_told_at", sa.BigInteger),
    sa.Column("revision_told_at", sa.BigInteger),
    sa.Column("batch_told_at", sa.BigInteger),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    refers("creator_user_key", "users"),
    refers("creator_station_key", "stations"),
    # A reference sample (golden, failing, ignored), or NULL for a product.
    sa.Column("sample", sa.String(16)),
    # Whether a run brought it along, or somebody created it for itself.
    sa.Column("by_run", sa.Boolean),
    # The order of the list of units: its first page must not sort them all.
    sa.Index("ix_units_created", "created_at", "key"),
)

# What serial numbers hold, by blocks of units, see rigbridge_store.tables.fragments.
serial_fragments = sa.Table(
    "serial_fragments",
    metadata,
    position("block"),
    sa.Column("fragment", FOLDED, primary_key=True),
    # Two bytes for each unit: its key less that of the first one of the block.
    sa.Column("places", sa.LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

unit_sub_units = sa.Table(
    "unit_sub_units",
    metadata,
    refers("parent_key", "units", cascade=True, primary_key=True),
    refers("child_key", "units", cascade=True, primary_key=True, index=True),
    # From when on it is in there: what an older report says does not take it out.
    sa.Column("told_at", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

runs = sa.Table(
    "runs",
    metadata,
    key_column(),
    id_column(),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("started_at", sa.BigInteger),
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("duration", sa.BigInteger),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("docstring", sa.Text),
    refers("procedure_key", "procedures", required=True),
    refers("version_key", "procedure_versions"),
    refers("unit_key", "units", required=True),
    # The unit as it was when tested; a later run may tell otherwise.
    refers("part_key", "parts"),
    refers("revision_key", "revisions"),
    refers("batch_key", "batches"),
    refers("operator_key", "users"),
    # A declared name, of an operator who is no user.
    sa.Column("operator_name", sa.Text),
    # The station as the report names it, or else the one whose key sent the run.
    refers("station_name_key", "station_names"),
    refers("creator_user_key", "users"),
    refers("creator_station_key", "stations"),
    # When the run was. A column and no expression, so that an index can hold all that
    # a count needs: SQLite reads the row for an expression.
    sa.Column(
        "moment",
        sa.BigInteger,
        sa.Computed("coalesce(started_at, created_at)", persisted=True),
    ),
    # The body as it was sent, without what has tables of its own.
    sa.Column("head", sa.Text, nullable=False),
    # The digest of the body under an idempotency key that is a UUID, and the id.
    sa.Column("digest", sa.String(64)),
    # The seal of this row, of those of its phases, measurements and log lines, and of
    # its documents and large values.
    sa.Column("seal", sa.LargeBinary, nullable=False),
)

run_moment: sa.ColumnElement[int] = runs.c.moment
"""
When a run was: its start or, where that is unknown, when it was stored.

In microseconds; a report that was imported late is no newer for that.
"""

sa.Index("ix_runs_moment", run_moment)
for _name in (
    "procedure_key",
    "unit_key",
    "part_key",
    "station_name_key",
    "outcome",
):
    # Lists of runs are narrowed by one of these, and always in the order of time.
    sa.Index(f"ix_runs_{_name}_moment", runs.c[_name], run_moment)

# Lists are in the order of time or of this.
sa.Index("ix_runs_duration", runs.c.duration)

# Finds the neighbours of a run among those of its unit and procedure.
sa.Index("ix_runs_history", runs.c.unit_key, runs.c.procedure_key, run_moment)

# How many runs there were: a page of yields adds some of these up, however many runs
# the store holds. Kept by triggers, see rigbridge_store.tables.tallying.
tallies = sa.Table(
    "tallies",
    metadata,
    refers("procedure_key", "procedures", cascade=True, primary_key=True),
    # Days from the epoch, in UTC.
    position("day"),
    # 0 where unknown: a column of a primary key cannot be NULL.
    position("station_name_key"),
    position("part_key"),
    position("revision_key"),
    # Finished runs, and those of them that passed.
    sa.Column("runs", sa.Integer, nullable=False),
    sa.Column("passed", sa.Integer, nullable=False),
    # Those that are the first run of their unit with the procedure; likewise the last.
    sa.Column("first", sa.Integer, nullable=False),
    sa.Column("first_passed", sa.Integer, nullable=False),
    sa.Column("last", sa.Integer, nullable=False),
    sa.Column("last_passed", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)

run_instruments = sa.Table(
    "run_instruments",
    metadata,
    of_run(),
    refers("instrument_key", "instruments", primary_key=True),
    # The last day of its calibration, in days from the epoch; NULL if unknown.
    sa.Column("calibration_due", sa.Integer),
    # Whether the run was after that day.
    sa.Column("overdue", sa.Boolean, nullable=False),
    sa.Index("ix_run_instruments_instrument_key", "instrument_key", "overdue"),
    sqlite_with_rowid=False,
)

# Only runs of an execution with several slots.
run_slots = sa.Table(
    "run_slots",
    metadata,
    of_run(),
    sa.Column("execution_id", sa.Text, nullable=False),
    sa.Column("slot_key", sa.Text),
    sa.Column("slot_name", sa.Text),
    sa.UniqueConstraint("execution_id", "slot_key"),
    sqlite_with_rowid=False,
)

run_metadata = metadata_of("run", "runs")
unit_metadata = metadata_of("unit", "units")
part_metadata = metadata_of("part", "parts")
revision_metadata = metadata_of("revision", "revisions")
station_metadata = metadata_of("station", "stations")

run_documents = sa.Table(
    "run_documents",
    metadata,
    of_run(),
    # Packed texts, each with a checksum: three quarters of a run, were they plain.
    sa.Column("sidecar", sa.LargeBinary),
    sa.Column("report", sa.LargeBinary),
)

# Only keys that are no UUID; a UUID is the id of its run.
idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("idempotency_key", sa.String(255), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
    refers("run_key", "runs", required=True, cascade=True, index=True),
    sqlite_with_rowid=False,
)

# Most runs are of no batch, and many name no revision and no operator.
for _name in ("batch_key", "revision_key", "operator_key", "operator_name"):
    index_if_known(runs.c[_name])
# The list of batches counts the units of each.
index_if_known(units.c.batch_key)

keep_tallies(metadata)

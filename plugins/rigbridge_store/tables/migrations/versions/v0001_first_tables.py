"""
The tables of the first stores.

Stores of this version exist in SQLite only, without Alembic's own table.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_ID = sa.String(36)
_FOLDED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _key() -> sa.Column[int]:
    return sa.Column("key", sa.Integer, primary_key=True)


def _id() -> sa.Column[str]:
    return sa.Column("id", _ID, nullable=False, unique=True)


def _shown_id() -> sa.Column[str]:
    return sa.Column("id", _ID, nullable=False)


def _refers(
    name: str, target: str, *, required: bool = False, index: bool = False
) -> sa.Column[int]:
    return sa.Column(
        name, sa.ForeignKey(f"{target}.key"), nullable=not required, index=index
    )


def _of_run() -> sa.Column[int]:
    return sa.Column(
        "run_key", sa.ForeignKey("runs.key", ondelete="CASCADE"), primary_key=True
    )


def _position(name: str = "position") -> sa.Column[int]:
    return sa.Column(name, sa.Integer, primary_key=True, autoincrement=False)


sa.Table(
    "schema_versions",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

sa.Table(
    "users",
    metadata,
    _key(),
    _id(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_key", _FOLDED, nullable=False, index=True),
    sa.Column("email", sa.Text),
    sa.Column("email_key", _FOLDED, unique=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

sa.Table(
    "stations",
    metadata,
    _key(),
    _id(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_key", _FOLDED, nullable=False, unique=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

sa.Table(
    "procedures",
    metadata,
    _key(),
    _id(),
    sa.Column("identifier", sa.Text),
    sa.Column("identifier_key", _FOLDED, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_key", _FOLDED, nullable=False, index=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

sa.Table(
    "station_procedures",
    metadata,
    sa.Column(
        "station_key",
        sa.ForeignKey("stations.key", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column(
        "procedure_key",
        sa.ForeignKey("procedures.key", ondelete="CASCADE"),
        primary_key=True,
    ),
)

sa.Table(
    "api_keys",
    metadata,
    _key(),
    _id(),
    sa.Column("prefix", sa.String(32), nullable=False, unique=True),
    sa.Column("salt", sa.LargeBinary, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    _refers("user_key", "users"),
    _refers("station_key", "stations"),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

sa.Table(
    "procedure_versions",
    metadata,
    _key(),
    _id(),
    _refers("procedure_key", "procedures", required=True),
    sa.Column("tag", sa.Text, nullable=False),
    sa.Column("tag_key", _FOLDED, nullable=False),
    sa.UniqueConstraint("procedure_key", "tag_key"),
)

sa.Table(
    "parts",
    metadata,
    _key(),
    _id(),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("number_key", _FOLDED, nullable=False, unique=True),
    sa.Column("name", sa.Text),
)

sa.Table(
    "revisions",
    metadata,
    _key(),
    _id(),
    _refers("part_key", "parts", required=True),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("number_key", _FOLDED, nullable=False),
    sa.UniqueConstraint("part_key", "number_key"),
)

sa.Table(
    "batches",
    metadata,
    _key(),
    _id(),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("number_key", _FOLDED, nullable=False, unique=True),
)

sa.Table(
    "units",
    metadata,
    _key(),
    _shown_id(),
    sa.Column("serial_number", sa.Text, nullable=False),
    sa.Column("serial_key", _FOLDED, nullable=False, unique=True),
    _refers("part_key", "parts"),
    _refers("revision_key", "revisions"),
    _refers("batch_key", "batches"),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

sa.Table(
    "unit_sub_units",
    metadata,
    sa.Column(
        "parent_key", sa.ForeignKey("units.key", ondelete="CASCADE"), primary_key=True
    ),
    sa.Column(
        "child_key",
        sa.ForeignKey("units.key", ondelete="CASCADE"),
        primary_key=True,
        index=True,
    ),
    sqlite_with_rowid=False,
)

sa.Table(
    "runs",
    metadata,
    _key(),
    _id(),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("started_at", sa.BigInteger),
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("duration", sa.BigInteger),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("docstring", sa.Text),
    _refers("procedure_key", "procedures", required=True, index=True),
    _refers("version_key", "procedure_versions"),
    _refers("unit_key", "units", required=True, index=True),
    _refers("part_key", "parts"),
    _refers("revision_key", "revisions"),
    _refers("batch_key", "batches"),
    _refers("operator_key", "users"),
    _refers("creator_user_key", "users"),
    _refers("creator_station_key", "stations"),
    sa.Column("head", sa.Text, nullable=False),
    sa.Column("digest", sa.String(64)),
)

sa.Table(
    "run_documents",
    metadata,
    _of_run(),
    sa.Column("sidecar", sa.Text),
    sa.Column("report", sa.Text),
)

sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("idempotency_key", sa.String(255), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column(
        "run_key",
        sa.ForeignKey("runs.key", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    sqlite_with_rowid=False,
)

sa.Table(
    "phases",
    metadata,
    _of_run(),
    _position(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("start_time_millis", sa.Double, nullable=False),
    sa.Column("end_time_millis", sa.Double, nullable=False),
    sa.Column("docstring", sa.Text),
    sqlite_with_rowid=False,
)

sa.Table(
    "measurements",
    metadata,
    _of_run(),
    _position("phase_position"),
    _position(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("value", sa.Text),
    sa.Column("value_number", sa.Double),
    sa.Column("units", sa.Text),
    sa.Column("lower_limit", sa.Text),
    sa.Column("upper_limit", sa.Text),
    sa.Column("validators", sa.Text),
    sa.Column("docstring", sa.Text),
    sqlite_with_rowid=False,
)

sa.Table(
    "logs",
    metadata,
    _of_run(),
    _position(),
    sa.Column("level", sa.String(16), nullable=False),
    sa.Column("timestamp", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("source_file", sa.Text, nullable=False),
    sa.Column("line_number", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

sa.Table(
    "attachments",
    metadata,
    _key(),
    _id(),
    sa.Column(
        "run_key",
        sa.ForeignKey("runs.key", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("mime_type", sa.Text),
    sa.Column("size", sa.BigInteger),
    sa.Column("sha256", sa.String(64), index=True),
    sa.Column("stored", sa.Boolean, nullable=False),
)

sa.Table(
    "uploads",
    metadata,
    _key(),
    _id(),
    sa.Column("token_hash", sa.String(64), nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("mime_type", sa.Text),
    sa.Column("declared_size", sa.BigInteger),
    sa.Column("size", sa.BigInteger),
    sa.Column("sha256", sa.String(64), index=True),
    sa.Column(
        "attachment_key",
        sa.ForeignKey("attachments.key", ondelete="CASCADE"),
        index=True,
    ),
)


def upgrade() -> None:
    """Make the tables."""
    metadata.create_all(op.get_bind(), checkfirst=False)

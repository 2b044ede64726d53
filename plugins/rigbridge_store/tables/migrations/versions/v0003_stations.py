"""
Stations are named freely, and one that was removed is told from the others.

The contract knows stations by their ids: several may have one name, as when a rig is
replaced by another.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables of version 0002 to version 0003."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    # SQLite can only write a table anew.
    rebuilt: dict[str, Any] = {"recreate": "always" if sqlite else "never"}
    with op.batch_alter_table("stations", **rebuilt) as table:
        table.drop_constraint("uq_stations_name_key", type_="unique")
        table.add_column(sa.Column("removed_at", sa.BigInteger))
    op.create_index("ix_stations_name_key", "stations", ["name_key"])

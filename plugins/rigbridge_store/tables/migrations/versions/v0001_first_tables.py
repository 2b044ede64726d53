"""
The tables of the first version.

Nothing was released yet, so they are those of :mod:`rigbridge_store.tables.schema`.
The change that brings version 2 copies the schema as it was before into this module.
"""

from alembic import op

from rigbridge_store.tables.schema import metadata

__all__: list[str] = []

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    metadata.create_all(op.get_bind(), checkfirst=False)

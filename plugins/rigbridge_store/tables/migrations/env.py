"""Alembic's entry: migrates over the connection that it was handed."""

import sqlalchemy as sa
from alembic import context

__all__: list[str] = []

# The names that migrations give to constraints which they leave unnamed.
_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

# The transaction belongs to whoever opened it: all of an upgrade or nothing.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=sa.MetaData(naming_convention=_NAMES),
)
context.run_migrations()

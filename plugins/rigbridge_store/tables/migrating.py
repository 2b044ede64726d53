"""
The version of a store's tables, and their upgrade to the current one.

A new store gets the present tables at once; an older one is migrated by Alembic. Which
version it has stands in ``schema_versions``, where every version of rigbridge looks,
the first one included, and in Alembic's own table.
"""

from __future__ import annotations

from secrets import token_bytes

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from rigbridge_store.tables.schema import (
    SCHEMA_VERSION,
    metadata,
    schema_versions,
    secrets,
)
from rigbridge_store.tables.values import now_micros

__all__ = ["LINKS", "bring_up_to_date", "revision_of", "stored_version"]

LINKS = "links"
"""The name of the secret that signs the URLs of files."""

_SCRIPTS = "rigbridge_store:tables/migrations"

# As Alembic makes it.
_ALEMBIC = sa.Table(
    "alembic_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def revision_of(version: int) -> str:
    """Give the name under which Alembic knows a version."""
    return f"{version:04d}"


def stored_version(connection: sa.Connection) -> int | None:
    """Tell the version of the tables, or None where there are none."""
    if not sa.inspect(connection).has_table(schema_versions.name):
        return None
    found: int | None = connection.execute(
        sa.select(sa.func.max(schema_versions.c.version))
    ).scalar()
    return found


def bring_up_to_date(connection: sa.Connection) -> None:
    """
    Make the tables, or migrate them; leaves present and newer ones alone.

    Args:
        connection: a transaction that no other writer runs beside, in which SQLite
            does not enforce foreign keys.
    """
    found = stored_version(connection)
    if found is None:
        metadata.create_all(connection)
        links = {"name": LINKS, "value": token_bytes(32)}
        connection.execute(secrets.insert(), links)
    elif found < SCHEMA_VERSION:
        _migrate(connection, found)
    else:
        return
    _stamp(connection, SCHEMA_VERSION)
    connection.execute(
        schema_versions.insert(),
        {"version": SCHEMA_VERSION, "created_at": now_micros()},
    )


def _stamp(connection: sa.Connection, version: int) -> None:
    """Tell Alembic the version of the tables."""
    _ALEMBIC.create(connection, checkfirst=True)
    connection.execute(_ALEMBIC.delete())
    connection.execute(_ALEMBIC.insert(), {"version_num": revision_of(version)})


def _migrate(connection: sa.Connection, found: int) -> None:
    # Imported where it is needed: most stores that are opened are of today.
    from alembic import command
    from alembic.config import Config

    _stamp(connection, found)
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", _SCRIPTS)
    config.set_main_option("path_separator", "os")
    command.upgrade(config, revision_of(SCHEMA_VERSION))
    if connection.dialect.name == "sqlite":
        _check_references(connection)


def _check_references(connection: sa.Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise IntegrityError(
            "PRAGMA foreign_key_check",
            None,
            ValueError(f"row {broken[1]} of {broken[0]} lacks its {broken[2]}"),
        )

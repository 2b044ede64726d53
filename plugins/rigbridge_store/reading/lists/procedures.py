"""Procedures: found, created, renamed and deleted."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from rigbridge_store.intake.catalog import CatalogSession
from rigbridge_store.reading.conditions import Condition, moment_between, text_contained
from rigbridge_store.reading.listing import creators
from rigbridge_store.reading.lists.paging import Page, Paging, paged
from rigbridge_store.refusals import conflict, not_found
from rigbridge_store.tables.rows import insert_row
from rigbridge_store.tables.schema import (
    procedure_versions,
    procedures,
    runs,
    station_procedures,
    stations,
    units,
)
from rigbridge_store.tables.values import canonical_uuid, folded, new_id

__all__ = [
    "create_procedure",
    "delete_version",
    "find_procedures",
    "find_version",
    "newest_runs",
    "rename_procedure",
    "require_procedure",
    "run_count",
    "stations_of",
]

_SELECT: sa.Select[*tuple[Any, ...]] = sa.select(
    procedures.c.key,
    procedures.c.id,
    procedures.c.name,
    procedures.c.created_at,
    creators.c.id.label("creator_id"),
    creators.c.name.label("creator_name"),
    creators.c.email.label("creator_email"),
).select_from(
    procedures.outerjoin(creators, procedures.c.creator_user_key == creators.c.key)
)


def _seen(allowed: Collection[int] | None) -> list[Condition]:
    return [] if allowed is None else [procedures.c.key.in_(list(allowed))]


def find_procedures(
    connection: sa.Connection,
    paging: Paging,
    *,
    allowed: Collection[int] | None,
    text: str | None,
    after: datetime | None,
    before: datetime | None,
) -> Page:
    """List procedures, the newest first."""
    statement = _SELECT.where(
        *_seen(allowed),
        *text_contained(text, procedures.c.name_key, procedures.c.identifier_key),
        *moment_between(procedures.c.created_at, after, before),
    ).order_by(procedures.c.created_at.desc(), procedures.c.key.desc())
    return paged(connection, statement, paging)


def require_procedure(connection: sa.Connection, reference: str) -> Any:
    """
    Find a procedure by its id or identifier.

    Raises:
        NotFoundError: there is none.
    """
    row = connection.execute(
        _SELECT.where(
            sa.or_(
                procedures.c.id == (canonical_uuid(reference) or reference),
                procedures.c.identifier_key == folded(reference),
            )
        )
    ).first()
    if row is None:
        raise not_found(f"Procedure with ID {reference} does not exist.")
    return row


def create_procedure(
    connection: sa.Connection, catalog: CatalogSession, name: str
) -> str:
    """
    Create a procedure; others may have the same name.

    Returns:
        Its id.
    """
    public = new_id()
    insert_row(
        connection,
        procedures,
        {
            "id": public,
            "name": name,
            "name_key": folded(name),
            **catalog.origin(procedures),
        },
    )
    return public


def rename_procedure(connection: sa.Connection, key: int, name: str) -> None:
    """Give a procedure another name."""
    connection.execute(
        procedures.update()
        .where(procedures.c.key == key)
        .values(name=name, name_key=folded(name))
    )


def run_count(connection: sa.Connection, procedure: int) -> int:
    """Count the runs of a procedure."""
    statement = sa.select(sa.func.count()).where(runs.c.procedure_key == procedure)
    return int(connection.execute(statement).scalar_one())


def newest_runs(connection: sa.Connection, procedure: int, limit: int) -> Sequence[Any]:
    """List the runs of a procedure that were stored last."""
    return connection.execute(
        sa.select(
            runs.c.id,
            runs.c.started_at,
            runs.c.created_at,
            runs.c.outcome,
            units.c.serial_number,
        )
        .select_from(runs.join(units, runs.c.unit_key == units.c.key))
        .where(runs.c.procedure_key == procedure, runs.c.outcome != "RUNNING")
        .order_by(runs.c.key.desc())
        .limit(limit)
    ).all()


def stations_of(connection: sa.Connection, procedure: int) -> Sequence[Any]:
    """List the stations that are linked to a procedure."""
    return connection.execute(
        sa.select(stations.c.id, stations.c.name)
        .select_from(
            station_procedures.join(
                stations, station_procedures.c.station_key == stations.c.key
            )
        )
        .where(station_procedures.c.procedure_key == procedure)
        .order_by(stations.c.name_key)
    ).all()


def find_version(connection: sa.Connection, procedure: int, tag: str) -> Any:
    """
    Find a version of a procedure.

    Raises:
        NotFoundError: there is none of that tag.
    """
    row = connection.execute(
        sa.select(procedure_versions).where(
            procedure_versions.c.procedure_key == procedure,
            procedure_versions.c.tag_key == folded(tag),
        )
    ).first()
    if row is None:
        raise not_found(f"Version {tag} of the procedure not found.")
    return row


def delete_version(connection: sa.Connection, version: int) -> None:
    """
    Delete a version that no run names.

    Raises:
        ConflictError: a run names it.
    """
    used = sa.select(runs.c.key).where(runs.c.version_key == version).limit(1)
    if connection.execute(used).first() is not None:
        raise conflict("The version has runs. Delete them first.")
    connection.execute(
        procedure_versions.delete().where(procedure_versions.c.key == version)
    )

"""Administration of the stations and procedures of a store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import sqlalchemy as sa

from rigbridge.destinations.administration import (
    DeletionPlan,
    ProcedureRecord,
    StationLink,
    StationRecord,
)
from rigbridge.errors import NotFoundError
from rigbridge.machine.close_names import close_names, did_you_mean, folded
from rigbridge_store.access.permissions import (
    find_station,
    link_station_to,
    unlink_station_from,
)
from rigbridge_store.access.principals import Principal
from rigbridge_store.files.stored_files import files_of, require_run
from rigbridge_store.intake import changes
from rigbridge_store.intake.catalog import find_procedure
from rigbridge_store.intake.transactions import IntakeTransactions
from rigbridge_store.reading.lists.procedures import (
    procedure_rows,
    require_procedure,
    runs_of,
)
from rigbridge_store.refusals import conflict, not_found
from rigbridge_store.tables.database import StoreDatabase
from rigbridge_store.tables.schema import (
    attachments,
    measurements,
    phases,
    procedures,
    runs,
    station_procedures,
    stations,
)
from rigbridge_store.tables.values import canonical_uuid

__all__ = ["Administration"]

_MOST_NAMES = 10_000
"""How many names are compared with a misspelled one."""


class Administration:
    """
    Looks after the stations, the procedures and the runs of one store.

    Errors of its methods stand with
    :class:`rigbridge.destinations.administration.AdministeredDestination`.

    Args:
        intake: the transactions that change what runs refer to.
    """

    def __init__(
        self,
        database: StoreDatabase,
        intake: IntakeTransactions,
        delete_run: Callable[[str], int],
    ) -> None:
        self._database = database
        self._intake = intake
        self._delete_run = delete_run

    def plan_deletion(self, run_id: str) -> DeletionPlan:
        """Tell what deleting a run would take, and which contents other runs keep."""
        with self._database.reading() as connection:
            key = require_run(connection, run_id)
            files = [file for file in files_of(connection, key) if file.stored]
            shared = _shared(connection, key, [file.sha256 or "" for file in files])
            counts = [
                connection.execute(
                    sa.select(sa.func.count())
                    .select_from(table)
                    .where(table.c.run_key == key)
                ).scalar_one()
                for table in (phases, measurements)
            ]
        return DeletionPlan(
            phases=counts[0],
            measurements=counts[1],
            deleted=tuple(file.name for file in files if file.sha256 not in shared),
            kept=tuple(file.name for file in files if file.sha256 in shared),
        )

    def list_stations(self) -> list[StationRecord]:
        """List the stations in use, by name."""
        count = (
            sa.select(sa.func.count())
            .where(runs.c.creator_station_key == stations.c.key)
            .correlate(stations)
            .scalar_subquery()
        )
        with self._database.reading() as connection:
            rows = connection.execute(
                sa.select(stations.c.key, stations.c.id, stations.c.name, count)
                .where(stations.c.removed_at.is_(None))
                .order_by(stations.c.name_key, stations.c.key)
            ).all()
            linked = _links(connection, station_procedures.c.station_key, procedures)
        return [
            StationRecord(
                id=public, name=name, runs=number, procedures=tuple(linked[key])
            )
            for key, public, name, number in rows
        ]

    def list_procedures(
        self, principal: Principal | None = None
    ) -> list[ProcedureRecord]:
        """List the procedures that somebody may see, by name."""
        with self._database.reading() as connection:
            rows = procedure_rows(connection, principal)
            linked = _links(connection, station_procedures.c.procedure_key, stations)
        # A station is not told of others.
        told = principal is None or not principal.is_station
        return [
            ProcedureRecord(
                id=row.id,
                name=row.name,
                identifier=row.identifier,
                runs=row.run_count,
                stations=tuple(linked[row.key]) if told else (),
            )
            for row in rows
        ]

    def link_station(
        self, station: str, procedure: str, *, create: bool = True
    ) -> StationLink:
        """Let a station use a procedure, each by name or id."""
        with self._intake.changing(None) as (connection, session):
            owner = _require_station(connection, station)
            found = find_procedure(connection, procedure)
            if found is None:
                # Of several with one name the oldest is meant, as it is of a run.
                found = next(iter(_named(connection, procedure)), None)
            created = False
            similar: Sequence[str] = ()
            if found is None:
                names = _names(connection, procedures)
                if not create or canonical_uuid(procedure) is not None:
                    raise _unknown("Procedure", procedure, names)
                # A station that may use nothing yet could not create it itself.
                found = session.procedure_named(procedure.strip())
                created, similar = True, close_names(procedure, names)
            link_station_to(connection, owner, found)
            return StationLink(
                station=_name(connection, stations, owner),
                procedure=_name(connection, procedures, found),
                created=created,
                similar=tuple(similar),
            )

    def unlink_station(self, station: str, procedure: str) -> StationLink:
        """Take a procedure from a station, each by name or id."""
        with self._intake.changing(None) as (connection, _):
            owner = _require_station(connection, station)
            found = _require_procedure(connection, procedure)
            link = StationLink(
                station=_name(connection, stations, owner),
                procedure=_name(connection, procedures, found),
            )
            if not unlink_station_from(connection, owner, found):
                raise not_found(
                    f"Station {link.station} is not linked to the procedure "
                    f"{link.procedure}."
                )
        return link

    def delete_procedure(self, procedure: str) -> ProcedureRecord:
        """Delete a procedure, by name or id, with all of its runs, for good."""
        with self._database.reading() as connection:
            key = _require_procedure(connection, procedure)
            row = require_procedure(connection, _id(connection, key))
            waiting = runs_of(connection, key)
            linked = _links(connection, station_procedures.c.procedure_key, stations)
        # Each run in a transaction of its own, so that others can write in between, or
        # delete the same.
        for run_id in waiting:
            with suppress(NotFoundError):
                self._delete_run(run_id)
        # A run that came in between stops this.
        with self._intake.changing(None) as (connection, _):
            changes.delete_procedure(connection, require_procedure(connection, row.id))
        return ProcedureRecord(
            id=row.id,
            name=row.name,
            identifier=row.identifier,
            runs=len(waiting),
            stations=tuple(linked[key]),
        )


def _shared(connection: sa.Connection, run: int, digests: Sequence[str]) -> set[str]:
    """Tell which contents another run or unit has as well."""
    found: set[str] = set()
    # One by one: the index has each, and a run has few files.
    for digest in digests:
        other = sa.select(attachments.c.key).where(
            attachments.c.sha256 == digest,
            sa.or_(attachments.c.run_key.is_(None), attachments.c.run_key != run),
        )
        if connection.execute(other.limit(1)).first() is not None:
            found.add(digest)
    return found


def _links(
    connection: sa.Connection, owner: sa.Column[Any], others: sa.Table
) -> dict[int, list[str]]:
    """Give the names of what is linked, by the keys of those whose column it is."""
    links = station_procedures.c
    column = links.station_key if others is stations else links.procedure_key
    found: dict[int, list[str]] = defaultdict(list)
    statement = (
        sa.select(owner, others.c.name)
        .join(others, column == others.c.key)
        .order_by(others.c.name_key, others.c.key)
    )
    for key, name in connection.execute(statement):
        found[key].append(name)
    return found


def _require_station(connection: sa.Connection, reference: str) -> int:
    found = find_station(connection, reference)
    if found is None:
        used = stations.c.removed_at.is_(None)
        raise _unknown(
            "Station",
            reference,
            _names(connection, stations, used),
            "Create a key for it first: rigbridge keys create station",
        )
    return found


def _require_procedure(connection: sa.Connection, reference: str) -> int:
    found = find_procedure(connection, reference)
    if found is not None:
        return found
    keys = _named(connection, reference)
    if len(keys) > 1:
        ids = ", ".join(_id(connection, key) for key in keys)
        raise conflict(
            f"Several procedures are named {reference}. Name one by its ID: {ids}."
        )
    if not keys:
        raise _unknown("Procedure", reference, _names(connection, procedures))
    return keys[0]


def _named(connection: sa.Connection, name: str) -> Sequence[int]:
    statement = (
        sa.select(procedures.c.key)
        .where(procedures.c.name_key == folded(name.strip()))
        .order_by(procedures.c.key)
    )
    return connection.execute(statement).scalars().all()


def _names(
    connection: sa.Connection, table: sa.Table, *conditions: sa.ColumnElement[bool]
) -> Sequence[str]:
    statement = sa.select(table.c.name).where(*conditions).limit(_MOST_NAMES)
    return connection.execute(statement).scalars().all()


def _name(connection: sa.Connection, table: sa.Table, key: int) -> str:
    statement = sa.select(table.c.name).where(table.c.key == key)
    return str(connection.execute(statement).scalar_one())


def _id(connection: sa.Connection, key: int) -> str:
    statement = sa.select(procedures.c.id).where(procedures.c.key == key)
    return str(connection.execute(statement).scalar_one())


def _unknown(
    kind: str, reference: str, known: Sequence[str], otherwise: str = ""
) -> NotFoundError:
    meant = did_you_mean(reference, known)
    hint = f"{meant[0].upper()}{meant[1:]}" if meant else otherwise
    return not_found(f"{kind} {reference} does not exist. {hint}".strip())

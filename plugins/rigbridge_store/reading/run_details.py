"""One run with everything that is known of it, for a reader."""

from __future__ import annotations

from typing import Any

import attrs
import sqlalchemy as sa

from rigbridge.errors import RunProblemsError
from rigbridge.model import Run
from rigbridge.wire import ListedAttachment
from rigbridge_store.files.contents import ContentStore
from rigbridge_store.reading.run_contents import read_attachments
from rigbridge_store.reading.whole_run import read_sidecar, restore
from rigbridge_store.refusals import not_found
from rigbridge_store.tables.schema import (
    procedures,
    run_moment,
    runs,
    stations,
    unit_sub_units,
    units,
    users,
)

__all__ = ["RunDetails", "read_run"]

_HEAD = (
    sa.select(
        runs.c.key,
        runs.c.id,
        runs.c.unit_key,
        runs.c.created_at,
        runs.c.started_at,
        runs.c.duration,
        run_moment.label("moment"),
        procedures.c.key.label("procedure_key"),
        procedures.c.id.label("procedure_id"),
        procedures.c.name.label("procedure"),
        units.c.serial_number.label("serial"),
        stations.c.name.label("station"),
        users.c.name.label("user"),
    )
    .select_from(
        runs.join(procedures, runs.c.procedure_key == procedures.c.key)
        .join(units, runs.c.unit_key == units.c.key)
        .outerjoin(stations, runs.c.creator_station_key == stations.c.key)
        .outerjoin(users, runs.c.creator_user_key == users.c.key)
    )
    .where(runs.c.id == sa.bindparam("id"))
)


@attrs.frozen(kw_only=True)
class RunDetails:
    """
    A run, and where it stands among others.

    Attributes:
        id: its public id.
        run: the run itself, whole.
        files: its attachments, with the ids that they are fetched by.
        procedure_id, procedure: the procedure as the store knows it.
        serial: the unit's serial number as the store knows it.
        created_at: when it was stored, in microseconds.
        duration: in microseconds, or None.
        station, user: whose key sent it; both None if it came in process.
        report: the document of its conversion report, or None.
        parents: serial numbers of the units that its unit is built into.
        newer, older: the ids of the unit's next and previous runs, or None.
        problem: why what came beside the v1 fields could not be read, or None.
    """

    id: str
    run: Run
    files: tuple[ListedAttachment, ...]
    procedure_id: str
    procedure: str
    serial: str
    created_at: int
    duration: int | None
    station: str | None
    user: str | None
    report: dict[str, Any] | None
    parents: tuple[str, ...]
    newer: str | None
    older: str | None
    problem: str | None = None


def read_run(
    connection: sa.Connection, contents: ContentStore, run_id: str
) -> RunDetails:
    """
    Read one run.

    Raises:
        NotFoundError: there is none of that id.
    """
    row = connection.execute(_HEAD, {"id": run_id.lower()}).first()
    if row is None:
        raise not_found(f"Run with ID {run_id} does not exist.")
    problem = None
    try:
        run = restore(connection, contents, row.id)
    except RunProblemsError as error:
        # A foreign client sent something under our own field.
        problem = str(error)
        run = restore(connection, contents, row.id, plain=True)
    sidecar = read_sidecar(connection, row.key) or {}
    return RunDetails(
        id=row.id,
        run=run,
        files=tuple(read_attachments(connection, [row.key]).get(row.key, ())),
        procedure_id=row.procedure_id,
        procedure=row.procedure,
        serial=row.serial,
        created_at=row.created_at,
        duration=row.duration,
        station=row.station,
        user=row.user,
        report=_report(sidecar),
        parents=_parents(connection, row.unit_key),
        newer=_neighbour(connection, row, newer=True),
        older=_neighbour(connection, row, newer=False),
        problem=problem,
    )


def _report(sidecar: dict[str, Any]) -> dict[str, Any] | None:
    report = sidecar.get("report")
    return report if isinstance(report, dict) else None


def _parents(connection: sa.Connection, unit: int) -> tuple[str, ...]:
    statement = (
        sa.select(units.c.serial_number)
        .join(unit_sub_units, unit_sub_units.c.parent_key == units.c.key)
        .where(unit_sub_units.c.child_key == unit)
        .order_by(units.c.serial_key)
    )
    return tuple(connection.execute(statement).scalars())


def _neighbour(connection: sa.Connection, row: Any, *, newer: bool) -> str | None:
    statement = sa.select(runs.c.id).where(runs.c.unit_key == row.unit_key)
    if newer:
        later = sa.or_(run_moment > row.moment, runs.c.key > row.key)
        statement = statement.where(run_moment >= row.moment, later)
        statement = statement.order_by(run_moment, runs.c.key)
    else:
        earlier = sa.or_(run_moment < row.moment, runs.c.key < row.key)
        statement = statement.where(run_moment <= row.moment, earlier)
        statement = statement.order_by(run_moment.desc(), runs.c.key.desc())
    return connection.execute(statement.limit(1)).scalar()

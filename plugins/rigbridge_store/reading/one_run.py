"""One stored run as the whole model again, alone or among the runs around it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import UUID

import attrs
import msgspec
import sqlalchemy as sa

from rigbridge.convert import load
from rigbridge.errors import NotFoundError, RunProblemsError
from rigbridge.model import Attachment, JSONObject, JSONValue, Run
from rigbridge.wire import CreateRun, ListedAttachment
from rigbridge_store.files.contents import ContentStore
from rigbridge_store.reading.conditions import (
    NEWEST_FIRST,
    OLDEST_FIRST,
    newer_than,
    older_than,
)
from rigbridge_store.reading.details import (
    Row,
    read_attachments,
    read_logs,
    read_phases,
)
from rigbridge_store.refusals import not_found
from rigbridge_store.tables.database import StoreDatabase
from rigbridge_store.tables.packing import DamagedTextError, unpack
from rigbridge_store.tables.schema import (
    procedures,
    run_documents,
    run_moment,
    runs,
    stations,
    unit_sub_units,
    units,
    users,
)

__all__ = [
    "FoundRun",
    "RestoredRun",
    "RunInContext",
    "find_whole",
    "read_in_context",
    "read_run",
    "read_sidecar",
    "whole_runs",
]

_RUN = (
    sa.select(
        runs.c.key,
        runs.c.id,
        runs.c.head,
        run_documents.c.sidecar,
        run_documents.c.report,
    )
    .select_from(runs)
    .outerjoin(run_documents, run_documents.c.run_key == runs.c.key)
    .where(runs.c.id == sa.bindparam("id"))
)
_RUN_IN_CONTEXT = (
    _RUN.add_columns(
        runs.c.unit_key,
        runs.c.created_at,
        runs.c.duration,
        run_moment.label("moment"),
        procedures.c.id.label("procedure_id"),
        procedures.c.name.label("procedure"),
        units.c.serial_number.label("serial"),
        stations.c.name.label("station"),
        users.c.name.label("user"),
    )
    .join(procedures, runs.c.procedure_key == procedures.c.key)
    .join(units, runs.c.unit_key == units.c.key)
    .outerjoin(stations, runs.c.creator_station_key == stations.c.key)
    .outerjoin(users, runs.c.creator_user_key == users.c.key)
)
_PARENTS = (
    sa.select(units.c.serial_number)
    .join(unit_sub_units, unit_sub_units.c.parent_key == units.c.key)
    .where(unit_sub_units.c.child_key == sa.bindparam("unit"))
    .order_by(units.c.serial_key)
)


@attrs.frozen(kw_only=True)
class RestoredRun:
    """
    A run with what the store keeps beside it.

    Attributes:
        run: the run itself, whole, with files that can be opened.
        files: its attachments in the order stored, with the ids to fetch them by.
        report: the document of its conversion report, or None.
        problem: why the run lacks what was sent beside the v1 fields, or None.
    """

    run: Run
    files: Sequence[ListedAttachment]
    report: JSONObject | None
    problem: str | None = None


@attrs.frozen(kw_only=True)
class RunInContext:
    """
    A run among others, as its page shows it.

    Attributes:
        procedure_id, procedure: the procedure as the store knows it.
        serial: the unit's serial number as the store knows it.
        created_at: when it was stored, in microseconds.
        duration: in microseconds, or None.
        station, user: whose key sent it; both None if it came in process.
        parents: serial numbers of the units that its unit is built into.
        newer, older: the ids of the unit's next and previous runs, or None.
    """

    id: str
    stored: RestoredRun
    procedure_id: str
    procedure: str
    serial: str
    created_at: int
    duration: int | None
    station: str | None
    user: str | None
    parents: Sequence[str]
    newer: str | None
    older: str | None


@attrs.frozen(kw_only=True)
class FoundRun:
    """
    One of many runs, read whole.

    Attributes:
        stored: the run and its files, or None.
        problem: why it makes no run, or None.
    """

    key: int
    id: str
    stored: RestoredRun | None = None
    problem: RunProblemsError | None = None


def find_whole(
    connection: sa.Connection, contents: ContentStore, key: int, run_id: str
) -> FoundRun | None:
    """Read one of many runs; one that is gone meanwhile is None."""
    try:
        stored = read_run(connection, contents, run_id)
    except NotFoundError:
        return None
    except RunProblemsError as error:
        # Sent by a client whose payload makes no run; its neighbours are well.
        return FoundRun(key=key, id=run_id, problem=error)
    return FoundRun(key=key, id=run_id, stored=stored)


def whole_runs(
    database: StoreDatabase, contents: ContentStore, wanted: Iterable[tuple[int, str]]
) -> Iterator[FoundRun]:
    """Read many runs whole, by their keys and ids, each in a transaction of its own."""
    for key, run_id in wanted:
        # A transaction for each: an export of years must not hold one for hours.
        with database.reading() as connection:
            found = find_whole(connection, contents, key, run_id)
        if found is not None:
            yield found


def read_run(
    connection: sa.Connection, contents: ContentStore, run_id: str
) -> RestoredRun:
    """
    Read a whole run, equal to the one that was stored.

    What came beside the v1 fields may be of a newer rigbridge, or of a client that is
    not ours. Where it makes no run it is left out, and the answer says so: one run
    never keeps a list or an export from the others.

    Raises:
        NotFoundError: there is none of that id.
        RunProblemsError: the v1 fields make no run either.
    """
    return _restored(connection, contents, _found(connection, _RUN, run_id))


def read_in_context(
    connection: sa.Connection, contents: ContentStore, run_id: str
) -> RunInContext:
    """
    Read a run as :func:`read_run` does, and what is around it.

    Raises:
        NotFoundError: there is none of that id.
        RunProblemsError: the v1 fields make no run either.
    """
    row = _found(connection, _RUN_IN_CONTEXT, run_id)
    return RunInContext(
        id=row.id,
        stored=_restored(connection, contents, row),
        procedure_id=row.procedure_id,
        procedure=row.procedure,
        serial=row.serial,
        created_at=row.created_at,
        duration=row.duration,
        station=row.station,
        user=row.user,
        parents=connection.execute(_PARENTS, {"unit": row.unit_key}).scalars().all(),
        newer=_neighbour(connection, row, newer=True),
        older=_neighbour(connection, row, newer=False),
    )


def _found(
    connection: sa.Connection, statement: sa.Select[*tuple[object, ...]], run_id: str
) -> Row:
    row = connection.execute(statement, {"id": run_id.lower()}).first()
    if row is None:
        raise not_found(f"Run with ID {run_id} does not exist.")
    return row


def _restored(
    connection: sa.Connection, contents: ContentStore, row: Row
) -> RestoredRun:
    key: int = row.key
    # The head is the body that was sent, without what has tables of its own.
    body = attrs.evolve(
        msgspec.json.decode(row.head, type=CreateRun),
        phases=read_phases(connection, [key]).get(key, []),
        logs=read_logs(connection, [key]).get(key, []),
    )
    problem = None
    try:
        sidecar = _sidecar(row)
    except DamagedTextError as error:
        sidecar, problem = None, str(error)
    files = read_attachments(connection, [key]).get(key, [])

    def restore(beside: JSONObject | None) -> Run:
        run = load(
            body,
            run_id=UUID(row.id),
            sidecar=beside,
            attachments=[
                _attachment(file, contents) for file in _ordered(files, beside)
            ],
        )
        # What was sent may claim the id of another run.
        return attrs.evolve(run, id=UUID(row.id))

    try:
        run = restore(sidecar)
    except (RunProblemsError, RecursionError) as error:
        # A foreign client, or a newer rigbridge, sent something under our own field.
        problem = str(error)
        run = restore(None)
    report = None if sidecar is None else sidecar.get("report")
    return RestoredRun(
        run=run,
        files=files,
        report=report if isinstance(report, dict) else None,
        problem=problem,
    )


def read_sidecar(connection: sa.Connection, run: int) -> dict[str, JSONValue] | None:
    """
    Give what came beside the v1 fields of a run, its report included, or None.

    Raises:
        DamagedTextError: it has been damaged in the store.
    """
    row = connection.execute(
        sa.select(run_documents.c.sidecar, run_documents.c.report).where(
            run_documents.c.run_key == run
        )
    ).first()
    return None if row is None else _sidecar(row)


def _sidecar(row: Row) -> dict[str, JSONValue] | None:
    if row.sidecar is None:
        return None
    try:
        sidecar = msgspec.json.decode(unpack(row.sidecar), type=dict[str, JSONValue])
        # In a column of its own: lists look into sidecars, and reports may be long.
        if row.report is not None:
            sidecar["report"] = msgspec.json.decode(unpack(row.report))
    except msgspec.DecodeError as error:
        # Whole, to go by its checksum, and yet none of ours.
        raise DamagedTextError(
            f"a stored document is no JSON object: {error}"
        ) from error
    return sidecar


def _attachment(file: ListedAttachment, contents: ContentStore) -> Attachment:
    # A file that the run only refers to has no address to download it from.
    is_stored = file.download_url is not None
    return Attachment(
        name=file.name or "",
        media_type=file.mime_type,
        size=file.size,
        sha256=file.sha256,
        opener=contents.opener(file.sha256) if is_stored and file.sha256 else None,
    )


def _ordered(
    files: Sequence[ListedAttachment], sidecar: JSONObject | None
) -> Sequence[ListedAttachment]:
    """Put files that came one by one into the order that the run had them in."""
    described = None if sidecar is None else sidecar.get("attachments")
    if not isinstance(described, list):
        return files
    places: dict[tuple[object, object], list[int]] = defaultdict(list)
    for place, item in enumerate(described):
        if isinstance(item, Mapping):
            places[item.get("name"), item.get("sha256")].append(place)

    def place_of(file: ListedAttachment) -> int:
        # Files that are equal in all respects have a place each.
        free = places.get((file.name, file.sha256))
        return free.pop(0) if free else len(described)

    # sorted() is stable: files without a place keep the order of their rows.
    return sorted(files, key=place_of)


def _neighbour(connection: sa.Connection, row: Row, *, newer: bool) -> str | None:
    # In the order of time; runs of one moment follow in that of their keys.
    beyond = newer_than if newer else older_than
    statement = (
        sa.select(runs.c.id)
        .where(runs.c.unit_key == row.unit_key, beyond(row.moment, row.key))
        .order_by(*(OLDEST_FIRST if newer else NEWEST_FIRST))
    )
    return connection.execute(statement.limit(1)).scalar()

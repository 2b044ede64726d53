"""A run that comes again: the stored one of its key, and in what the two differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias, cast

import msgspec
import sqlalchemy as sa

from rigbridge.convert import overlay
from rigbridge.model import JSONObject
from rigbridge_store.intake.creation import Creation
from rigbridge_store.intake.preparation import PreparedRun
from rigbridge_store.tables.packing import DamagedTextError, unpack
from rigbridge_store.tables.rows import RowFinder
from rigbridge_store.tables.schema import (
    idempotency_keys,
    large_values,
    logs,
    measurements,
    phases,
    run_documents,
    runs,
    specifications,
    test_points,
    units,
)

__all__ = ["RUNS_AND_UNITS", "FirstRun", "first_runs", "run_differences"]

_AT_ONCE = 500
RUNS_AND_UNITS = runs.join(units, runs.c.unit_key == units.c.key)
"""Runs with what names their units."""

_FIRST = (
    runs.c.id,
    runs.c.procedure_key,
    runs.c.creator_station_key,
    units.c.serial_key,
)
_BY_ID = sa.select(runs.c.digest, *_FIRST).select_from(RUNS_AND_UNITS)
_BY_IDS = _BY_ID.where(runs.c.id.in_(sa.bindparam("ids", expanding=True)))
# One run by one statement that is prepared: this is what a station waits for.
_BY_ONE_ID = RowFinder(_BY_ID.where(runs.c.id == sa.bindparam("text")), ("text",))
_BY_KEY = RowFinder(
    sa.select(idempotency_keys.c.digest, *_FIRST)
    .select_from(
        RUNS_AND_UNITS.join(idempotency_keys, idempotency_keys.c.run_key == runs.c.key)
    )
    .where(idempotency_keys.c.idempotency_key == sa.bindparam("text")),
    ("text",),
)

FirstRun: TypeAlias = tuple[str | None, str, int, int | None, str]
"""Of a run that is there: digest, id, procedure, creating station, folded serial."""

_RUN = (
    sa.select(runs.c.key, runs.c.head, run_documents.c.sidecar, run_documents.c.report)
    .select_from(runs.outerjoin(run_documents, run_documents.c.run_key == runs.c.key))
    .where(runs.c.id == sa.bindparam("id"))
)
_PHASES = sa.select(
    phases.c.position,
    phases.c.name,
    phases.c.outcome,
    phases.c.start_time_millis,
    phases.c.end_time_millis,
    phases.c.docstring,
).where(phases.c.run_key == sa.bindparam("run"))
_MEASUREMENTS = (
    sa.select(
        measurements.c.phase_position,
        measurements.c.position,
        test_points.c.phase,
        test_points.c.name,
        measurements.c.outcome,
        measurements.c.number,
        measurements.c.value,
        specifications.c.units,
        specifications.c.lower_limit,
        specifications.c.upper_limit,
        specifications.c.validators,
        specifications.c.docstring,
    )
    .select_from(
        measurements.join(
            test_points, measurements.c.point_key == test_points.c.key
        ).outerjoin(
            specifications, measurements.c.specification_key == specifications.c.key
        )
    )
    .where(measurements.c.run_key == sa.bindparam("run"))
)
_LARGE = sa.select(
    large_values.c.phase_position, large_values.c.position, large_values.c.value
).where(large_values.c.run_key == sa.bindparam("run"))
_LOGS = sa.select(
    logs.c.position,
    logs.c.level,
    logs.c.timestamp,
    logs.c.message,
    logs.c.source_file,
    logs.c.line_number,
).where(logs.c.run_key == sa.bindparam("run"))
_UNSPECIFIED = (None,) * 5
# Who sent a run is no part of what it says.
_SENDER = frozenset({"client", "client_version"})


def first_runs(
    connection: sa.Connection, creations: Sequence[Creation]
) -> dict[str, FirstRun]:
    """Find the runs that are there already, by the text of the key."""
    firsts: dict[str, FirstRun] = {}
    ids: list[str] = []
    for creation in creations:
        key = creation.key
        if key is None:
            continue
        if key.is_id and len(creations) > 1:
            ids.append(key.text)
            continue
        finder = _BY_ONE_ID if key.is_id else _BY_KEY
        # Without a group around it a run takes the prepared statement.
        if (row := finder.first(connection, key.text)) is not None:
            digest, public, procedure, station, serial = row
            firsts[key.text] = (digest, public, procedure, station, serial)
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        for digest, public, procedure, station, serial in connection.execute(
            _BY_IDS, {"ids": some}
        ):
            firsts[public] = (digest, public, procedure, station, serial)
    return firsts


def run_differences(
    connection: sa.Connection, run_id: str, prepared: PreparedRun
) -> tuple[str, ...]:
    """
    Name what is different in a run, compared with the stored one of its id.

    Args:
        connection: the transaction.

    Returns:
        Names of fields (``started_at``), and counts (``2 measurements``): of those that
        are other ones, that are missing or that were added.
    """
    row = connection.execute(_RUN, {"id": run_id}).first()
    if row is None:
        return ()
    # The head is compared field by field. Rows are only counted: naming each of
    # thousands tells a person nothing.
    names = [*_changed(_decoded(row.head), _decoded(prepared.head))]
    counts = {
        "phase": _count(connection, _PHASES, row.key, _by_place(prepared.phases, 1)),
        "measurement": _measured(connection, row.key, prepared),
        "log line": _count(connection, _LOGS, row.key, _by_place(prepared.logs, 1)),
    }
    counted = [
        f"{count} {what}{'' if count == 1 else 's'}"
        for what, count in counts.items()
        if count
    ]
    beside = dict.fromkeys(_differing_extras(row.sidecar, prepared.sidecar))
    if counted:
        # The same change, seen from beside the fields of v1.
        beside.pop("phases", None)
    names += [name for name in beside if name not in names]
    # Any other difference changes the report as well; only alone is it worth a word.
    if not (names or counted) and _document(row.report) != _document(prepared.report):
        names.append("conversion report")
    return (*names, *counted)


def _changed(old: JSONObject, new: JSONObject, path: str = "") -> Iterator[str]:
    for name in dict.fromkeys((*old, *new)):
        before, after = old.get(name), new.get(name)
        if before == after or name in _SENDER:
            continue
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _changed(before, after, f"{path}{name}.")
        else:
            yield f"{path}{name}"


def _by_place(rows: list[Any], width: int) -> dict[Any, Any]:
    return {tuple(row[:width]): tuple(row[width:]) for row in rows}


def _count(
    connection: sa.Connection,
    statement: sa.Select[*tuple[Any, ...]],
    run: int,
    new: Mapping[Any, Any],
) -> int:
    found = connection.execute(statement, {"run": run}).all()
    return len(_different(_by_place(list(found), 1), new))


def _different(old: Mapping[Any, Any], new: Mapping[Any, Any]) -> set[Any]:
    """Give the places at which there is something else, or something and nothing."""
    return {
        place for place in {*old, *new} if old.get(place, ...) != new.get(place, ...)
    }


def _measured(connection: sa.Connection, run: int, prepared: PreparedRun) -> int:
    old = {
        (row[0], row[1]): (
            (row[2], row[3]),
            None if tuple(row[7:]) == _UNSPECIFIED else tuple(row[7:]),
            *row[4:7],
        )
        for row in connection.execute(_MEASUREMENTS, {"run": run})
    }
    places = _different(old, _by_place(prepared.measurements, 2))
    # Of a large value the row holds only the beginning.
    large = {
        (phase, position): bytes(value)
        for phase, position, value in connection.execute(_LARGE, {"run": run})
    }
    # Compared by their packed bytes: equal values are packed equally.
    return len(places | _different(large, {(r[0], r[1]): r[2] for r in prepared.large}))


def _decoded(text: str) -> JSONObject:
    return cast("JSONObject", msgspec.json.decode(text))


def _document(packed: bytes | None) -> JSONObject:
    try:
        return {} if packed is None else _decoded(unpack(packed))
    except DamagedTextError:
        # The report is additional; a damaged one must not keep a run from being
        # compared.
        return {}


def _differing_extras(old: bytes | None, new: bytes | None) -> Iterator[str]:
    """Name what differs of what no field of v1 has."""
    before, after = _document(old), _document(new)
    if (before.get("attachments") or []) != (after.get("attachments") or []):
        yield "attachments"
    yield from _changed(_nodes(before), _nodes(after))


def _nodes(sidecar: JSONObject) -> JSONObject:
    """Give the overlay of a sidecar by the fields of the run, none looked into."""
    node = sidecar.get("overlay")
    within = node.get(overlay.WITHIN) if isinstance(node, Mapping) else None
    if not isinstance(within, Mapping):
        return {}
    return {name: [value] for name, value in within.items()}

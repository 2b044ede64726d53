"""Every row of a store compared with the seals and digests that were taken of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from rigbridge.machine.close_names import folded
from rigbridge_store.intake.definitions import definition_digest
from rigbridge_store.reading.details import Row
from rigbridge_store.reading.yields import wrong_tallies
from rigbridge_store.tables.schema import (
    attachments,
    batches,
    large_values,
    logs,
    measurements,
    part_metadata,
    parts,
    phases,
    procedure_versions,
    procedures,
    revision_metadata,
    revisions,
    run_documents,
    run_metadata,
    runs,
    specifications,
    station_metadata,
    station_names,
    stations,
    test_points,
    unit_metadata,
    units,
    users,
)
from rigbridge_store.tables.seals import (
    RUN_COLUMNS,
    file_seal,
    run_seal,
    text_seal,
    with_texts,
)

__all__ = ["damaged_rows"]

# The rows of one batch are in memory together.
_RUNS_AT_ONCE = 100
_RESTORE = "restore a backup, or delete the run and import it again"

_Statement: TypeAlias = sa.Select[*tuple[Any, ...]]

_RUNS: _Statement = sa.select(
    runs.c.key, runs.c.seal, *(runs.c[name] for name in RUN_COLUMNS)
).order_by(runs.c.key)
_PHASES: _Statement = sa.select(
    phases.c.run_key,
    phases.c.position,
    phases.c.name,
    phases.c.outcome,
    phases.c.start_time_millis,
    phases.c.end_time_millis,
    phases.c.docstring,
).order_by(phases.c.run_key, phases.c.position)
_MEASUREMENTS: _Statement = sa.select(
    measurements.c.run_key,
    measurements.c.point_key,
    measurements.c.phase_position,
    measurements.c.position,
    measurements.c.specification_key,
    measurements.c.outcome,
    measurements.c.number,
    measurements.c.value,
).order_by(
    measurements.c.run_key, measurements.c.phase_position, measurements.c.position
)
_LOGS: _Statement = sa.select(
    logs.c.run_key,
    logs.c.position,
    logs.c.level,
    logs.c.timestamp,
    logs.c.message,
    logs.c.source_file,
    logs.c.line_number,
).order_by(logs.c.run_key, logs.c.position)

_DOCUMENTS: _Statement = sa.select(
    run_documents.c.run_key, run_documents.c.sidecar, run_documents.c.report
)
_VALUES: _Statement = sa.select(
    large_values.c.run_key,
    large_values.c.phase_position,
    large_values.c.position,
    large_values.c.value,
)

_FILES: _Statement = sa.select(
    attachments.c.id,
    attachments.c.name,
    attachments.c.mime_type,
    attachments.c.size,
    attachments.c.sha256,
    attachments.c.stored,
    attachments.c.seal,
)
_POINTS: _Statement = sa.select(
    test_points.c.digest, test_points.c.phase, test_points.c.name
)
_SPECIFICATIONS: _Statement = sa.select(
    specifications.c.digest,
    specifications.c.units,
    specifications.c.lower_limit,
    specifications.c.upper_limit,
    specifications.c.validators,
    specifications.c.docstring,
)
# Each text stands twice, as it was given and folded.
_FOLDED = (
    (users, "name"),
    (users, "email"),
    (stations, "name"),
    (station_names, "name"),
    (procedures, "name"),
    (procedures, "identifier"),
    (procedure_versions, "tag"),
    (parts, "number"),
    (revisions, "number"),
    (batches, "number"),
    (units, "serial_number"),
)
_METADATA = (
    run_metadata,
    unit_metadata,
    part_metadata,
    revision_metadata,
    station_metadata,
)


def damaged_rows(connection: sa.Connection) -> Iterator[str]:
    """Go through all rows; each that is not as it was written is a sentence."""
    yield from _damaged_runs(connection)
    for table, rows, is_sound in (
        ("attachments", _FILES, _is_sound_file),
        ("test_points", _POINTS, _is_sound_definition),
        ("specifications", _SPECIFICATIONS, _is_sound_definition),
    ):
        yield from _compared(connection, table, rows, is_sound)
    for owner, name in _FOLDED:
        folded_name = "serial_key" if name == "serial_number" else f"{name}_key"
        both = sa.select(owner.c[name], owner.c[folded_name])
        yield from _compared(connection, owner.name, both, _is_folded)
    if wrong := wrong_tallies(connection):
        yield f"table tallies: {wrong} days are counted wrong (restore a backup)"
    for described in _METADATA:
        values = sa.select(
            described.c.value, described.c.text, described.c.number, described.c.flag
        )
        yield from _compared(connection, described.name, values, _is_value)


def _damaged_runs(connection: sa.Connection) -> Iterator[str]:
    last = 0
    while True:
        some = _RUNS.where(runs.c.key > last).limit(_RUNS_AT_ONCE)
        # The keys alone first: they can be read even where a text of the run cannot.
        keys = list(connection.execute(some.with_only_columns(runs.c.key)).scalars())
        if not keys:
            return
        try:
            yield from _broken_seals(connection, keys)
        except (DBAPIError, UnicodeError):
            # A text that is none any more fails a whole batch: each run for itself.
            for key in keys:
                try:
                    yield from _broken_seals(connection, [key])
                except (DBAPIError, UnicodeError) as error:
                    yield f"run number {key} cannot be read: {error} ({_RESTORE})"
        last = keys[-1]


def _broken_seals(connection: sa.Connection, keys: Sequence[int]) -> Iterator[str]:
    parts_of_runs = [
        _by_run(connection, statement.where(statement.selected_columns[0].in_(keys)))
        for statement in (_PHASES, _MEASUREMENTS, _LOGS)
    ]
    texts = _text_seals(connection, keys)
    for row in connection.execute(_RUNS.where(runs.c.key.in_(keys))):
        key, seal, *values = row
        found = run_seal(tuple(values), *(rows[key] for rows in parts_of_runs))
        if with_texts(found, texts[key]) != seal:
            yield f"run {row.id}: its rows have changed ({_RESTORE})"


def _by_run(
    connection: sa.Connection, statement: _Statement
) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for run, *values in connection.execute(statement):
        found[run].append(tuple(values))
    return found


def _text_seals(connection: sa.Connection, keys: Sequence[int]) -> dict[int, list[int]]:
    """Take the seals of the texts of some runs that are kept apart from them."""
    found: dict[int, list[int]] = defaultdict(list)
    # Only seals are kept: a text may be as large as a request was.
    for run, sidecar, report in _streamed(
        connection, _DOCUMENTS.where(run_documents.c.run_key.in_(keys))
    ):
        found[run] += text_seal(sidecar, "sidecar"), text_seal(report, "report")
    for run, phase, position, value in _streamed(
        connection, _VALUES.where(large_values.c.run_key.in_(keys))
    ):
        found[run].append(text_seal(value, "value", phase, position))
    return found


def _streamed(connection: sa.Connection, statement: _Statement) -> Iterable[Row]:
    # In portions: the driver would otherwise hold all rows of a table.
    return connection.execution_options(yield_per=_RUNS_AT_ONCE).execute(statement)


def _compared(
    connection: sa.Connection,
    table: str,
    statement: _Statement,
    is_sound: Callable[[Row], bool],
) -> Iterator[str]:
    damaged = 0
    try:
        for row in _streamed(connection, statement):
            damaged += not is_sound(row)
    except (DBAPIError, UnicodeError) as error:
        yield f"table {table}: a row cannot be read: {error} (restore a backup)"
    if damaged:
        yield f"table {table}: {damaged} rows have changed (restore a backup)"


def _is_sound_file(row: Row) -> bool:
    public, name, mime_type, size, sha256, stored, seal = row
    said = (public, name, mime_type, size, sha256)
    return bool(file_seal(*said, stored=stored) == seal)


def _is_sound_definition(row: Row) -> bool:
    digest, *columns = row
    return bool(definition_digest(tuple(columns)) == digest)


def _is_folded(row: Row) -> bool:
    text, key = row
    return bool((None if text is None else folded(text)) == key)


def _is_value(row: Row) -> bool:
    text, *kinds = row
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return False
    kind = 2 if isinstance(value, bool) else 0 if isinstance(value, str) else 1
    # A whole number that no double holds has none.
    return bool(kinds[kind] == value or (kind == 1 and kinds[1] is None))

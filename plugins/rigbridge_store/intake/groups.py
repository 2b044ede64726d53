"""
Writes runs into the tables, in groups; a single run is a group of one.

What a group needs to know is asked for all of its runs together, and the rows of each
table are written together. So a run costs few statements of its own, and none that
waits for a database server to answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import attrs
import sqlalchemy as sa

from rigbridge.machine.close_names import folded
from rigbridge_store.access.permissions import require_entry, sees_procedure
from rigbridge_store.fields import known, text_or_none
from rigbridge_store.files.stored_files import file_rows, write_files
from rigbridge_store.intake.catalog import CatalogSession
from rigbridge_store.intake.creation import Creation, IdempotencyKey, RunSlot
from rigbridge_store.intake.definitions import DefinitionSession
from rigbridge_store.intake.differences import (
    RUNS_AND_UNITS,
    FirstRun,
    first_runs,
    run_differences,
)
from rigbridge_store.intake.measurements import Definition
from rigbridge_store.intake.metadata import (
    merge_metadata,
    metadata_rows,
    write_metadata_rows,
)
from rigbridge_store.intake.placing import UnitPlaces
from rigbridge_store.intake.policies import Repetition
from rigbridge_store.intake.preparation import PreparedRun
from rigbridge_store.intake.units import FoundUnit, add_sub_units
from rigbridge_store.refusals import FieldIssue, conflict
from rigbridge_store.results import CreationResult
from rigbridge_store.tables.rows import RowWriter, reserved_keys
from rigbridge_store.tables.schema import (
    idempotency_keys,
    large_values,
    logs,
    measurements,
    phases,
    run_documents,
    run_instruments,
    run_slots,
    runs,
    units,
)
from rigbridge_store.tables.seals import (
    RUN_COLUMNS,
    run_seal,
    text_seal,
    with_texts,
)
from rigbridge_store.tables.values import ColumnValue, Row, new_id, now_micros

__all__ = ["write_group"]

_MOMENT = (
    sa.select(runs.c.started_at, runs.c.created_at, units.c.serial_key)
    .select_from(RUNS_AND_UNITS)
    .where(runs.c.id == sa.bindparam("id"))
)
_RUNS = RowWriter(runs, ("key", *RUN_COLUMNS, "batch_key", "seal"))
_PHASES = RowWriter(
    phases,
    (
        "run_key",
        "position",
        "name",
        "outcome",
        "start_time_millis",
        "end_time_millis",
        "docstring",
    ),
)
_MEASUREMENTS = RowWriter(
    measurements,
    (
        "run_key",
        "point_key",
        "phase_position",
        "position",
        "specification_key",
        "outcome",
        "number",
        "value",
    ),
)
_LARGE = RowWriter(large_values, ("run_key", "phase_position", "position", "value"))
_LOGS = RowWriter(
    logs,
    (
        "run_key",
        "position",
        "level",
        "timestamp",
        "message",
        "source_file",
        "line_number",
    ),
)
_INSTRUMENTS = RowWriter(
    run_instruments, ("run_key", "instrument_key", "calibration_due", "overdue")
)
_KEYS = RowWriter(idempotency_keys, ("idempotency_key", "digest", "run_key"))
_DOCUMENTS = RowWriter(run_documents, ("run_key", "sidecar", "report"))


def write_group(
    connection: sa.Connection,
    catalog: CatalogSession,
    definitions: DefinitionSession,
    creations: Sequence[Creation],
) -> list[CreationResult]:
    """
    Create runs within a transaction, all of them or none.

    Args:
        connection: the transaction.
        catalog: finds what they refer to, on behalf of who sends them all.

    Returns:
        What became of each, in their order.

    Raises:
        BadRequestError, ForbiddenError, NotFoundError, ConflictError: what one of them
            refers to does not allow it.
    """
    group = _RunGroup(connection, catalog, definitions)
    return group.write(creations)


@attrs.frozen(kw_only=True)
class _NewRun:
    """A run of the group that is not there yet."""

    creation: Creation
    id: str
    procedure: int
    unit: FoundUnit
    created_at: int


class _RunGroup:
    """The runs of one transaction."""

    def __init__(
        self,
        connection: sa.Connection,
        catalog: CatalogSession,
        definitions: DefinitionSession,
    ) -> None:
        self._connection = connection
        self._catalog = catalog
        self._definitions = definitions

    def write(self, creations: Sequence[Creation]) -> list[CreationResult]:
        connection = self._connection
        # Locked first and in one order, then what they refer to: two writers of one
        # database server do not wait for each other.
        places = UnitPlaces(
            connection,
            self._catalog,
            (creation.body.unit_under_test.serial_number for creation in creations),
        )
        results, new = self._placed(creations, places)
        references = [self._references(run) for run in new]
        instruments = [self._instruments(run) for run in new]
        points, specifications = self._defined(new)
        # The units before the rows that refer to them.
        places.write()
        self._assemble(new)
        # Reserved together, so that the rows of all tables can be made before any of
        # them is written.
        keys = reserved_keys(connection, runs, len(new))
        run_rows: list[Row] = []
        measured_rows: list[Row] = []
        for key, run, referred in zip(keys, new, references, strict=True):
            measured = _measured(key, run, points[run.procedure], specifications)
            run_rows.append(_run_row(key, run, referred, measured))
            measured_rows += measured
        _RUNS.write(connection, run_rows)
        _MEASUREMENTS.write(connection, measured_rows)
        self._write_details(list(zip(keys, new, strict=True)))
        _INSTRUMENTS.write(
            connection,
            [
                (key, *row)
                for key, rows in zip(keys, instruments, strict=True)
                for row in rows
            ],
        )
        return results

    def _placed(
        self, creations: Sequence[Creation], places: UnitPlaces
    ) -> tuple[list[CreationResult], list[_NewRun]]:
        """Find out which runs are new, and place their units."""
        firsts = first_runs(self._connection, creations)
        results: list[CreationResult] = []
        new: list[_NewRun] = []
        for creation in creations:
            procedure = self._catalog.procedure(creation.body, creation.policy)
            # Before the key is looked up: a station is not told of runs of others.
            require_entry(
                self._connection, creation.principal, procedure, creation.procedure
            )
            first = None if creation.key is None else firsts.get(creation.key.text)
            repeated: CreationResult | None = None
            if creation.key is not None and first is not None:
                repeated = self._repeated(creation, creation.key, first)
                if not repeated.replaced:
                    results.append(repeated)
                    continue
                # The old run is deleted first, since the new one takes its id.
                self._make_way(repeated.id, places)
            body, moment = creation.body.unit_under_test, creation.prepared.started_at
            created_at = now_micros()
            run = _NewRun(
                creation=creation,
                id=new_id() if creation.key is None else creation.key.run_id,
                procedure=procedure,
                unit=places.place(
                    body,
                    creation.policy,
                    # Without a start, what a run tells holds from when it came.
                    created_at if moment is None else moment,
                ),
                created_at=created_at,
            )
            new.append(run)
            results.append(repeated or CreationResult(id=run.id, created=True))
            if creation.key is not None:
                # The same run may come twice in one group.
                firsts[creation.key.text] = (
                    creation.key.digest,
                    run.id,
                    procedure,
                    creation.station,
                    folded(body.serial_number),
                )
        return results, new

    def _assemble(self, new: Sequence[_NewRun]) -> None:
        """Say of the units what needs their rows."""
        for run in new:
            creation = run.creation
            merge_metadata(
                self._connection, "unit", run.unit.key, creation.unit_metadata
            )
            members = known(creation.body.sub_units)
            if members:
                moment = creation.prepared.started_at
                add_sub_units(
                    self._connection,
                    self._catalog,
                    run.unit,
                    members,
                    creation.policy,
                    told_at=run.created_at if moment is None else moment,
                )

    def _repeated(
        self, creation: Creation, key: IdempotencyKey, first: FirstRun
    ) -> CreationResult:
        digest, public, procedure, station, serial = first
        taken = conflict(
            f"Idempotency key {key.text} was used before with another body."
        )
        # The body may name another procedure than the run that it repeats, of which
        # nothing more is told than that the key is taken.
        if not sees_procedure(self._connection, creation.principal, procedure):
            raise taken
        # Equal content: the sender repeats itself, and gets the answer that it missed.
        if digest == key.digest:
            return CreationResult(id=public, created=False)
        differences = run_differences(self._connection, public, creation.prepared)
        if key.repetition is Repetition.REPLACED and key.is_id:
            return CreationResult(
                id=public,
                created=False,
                differs=True,
                differences=differences,
                replaced=True,
            )
        same_test = (
            serial == folded(creation.body.unit_under_test.serial_number)
            and station == creation.station
        )
        if key.repetition is Repetition.WARNED or (
            key.repetition is Repetition.OF_ONE_TEST and same_test
        ):
            warning = "the store holds this run already with other content, kept as is"
            return CreationResult(
                id=public,
                created=False,
                warnings=(warning,),
                differs=True,
                differences=differences,
            )
        raise taken

    def _make_way(self, public: str, places: UnitPlaces) -> None:
        # Read before the run is deleted.
        """Delete a run whose successor is written by the same transaction."""
        started, created, serial = self._connection.execute(
            _MOMENT, {"id": public}
        ).one()
        self._connection.execute(runs.delete().where(runs.c.id == public))
        places.untell(serial, created if started is None else started)

    def _defined(
        self, new: Sequence[_NewRun]
    ) -> tuple[Mapping[int, Mapping[Definition, int]], Mapping[Definition, int]]:
        """Find the test points of each procedure, and the specifications."""
        # In the order of the runs, as sets are not: the rows of a run lie side by side
        # then, in whichever order they are written and read.
        wanted: dict[int, dict[Definition, None]] = {}
        specified: dict[Definition, None] = {}
        for run in new:
            points = wanted.setdefault(run.procedure, {})
            for row in run.creation.prepared.measurements:
                points[row[2]] = None
                if row[3] is not None:
                    specified[row[3]] = None
        found = {
            procedure: self._definitions.points(procedure, points)
            for procedure, points in wanted.items()
        }
        return found, self._definitions.specifications(specified)

    def _references(self, run: _NewRun) -> dict[str, ColumnValue]:
        """Find what a run refers to, beside its procedure and its unit."""
        creation, catalog = run.creation, self._catalog
        version = text_or_none(creation.body.procedure_version)
        operator, operator_key = text_or_none(creation.body.operated_by), None
        if operator is not None:
            operator_key = catalog.operator(operator, creation.policy)
        station = creation.station_name
        return {
            "version_key": (
                None if version is None else catalog.version(run.procedure, version)
            ),
            "operator_key": operator_key,
            "operator_name": None if operator_key is not None else operator,
            "station_name_key": (
                None if station is None else catalog.station_name(station)
            ),
        }

    def _instruments(self, run: _NewRun) -> Iterable[Row]:
        """Find the instruments of a run; one that it names twice counts once."""
        found: dict[int, Row] = {}
        for item in run.creation.prepared.instruments:
            key = self._catalog.instrument(item.name, item.serial_number)
            found[key] = (key, item.calibration_due, item.overdue)
        return found.values()

    def _write_details(self, new: Sequence[tuple[int, _NewRun]]) -> None:
        connection = self._connection
        phase_rows: list[Row] = []
        large_rows: list[Row] = []
        log_rows: list[Row] = []
        documents: list[Row] = []
        files: list[Row] = []
        metadata: list[Row] = []
        keys: list[Row] = []
        for run, item in new:
            creation, prepared = item.creation, item.creation.prepared
            phase_rows += [(run, *row) for row in prepared.phases]
            large_rows += [(run, *row) for row in prepared.large]
            log_rows += [(run, *row) for row in prepared.logs]
            if prepared.sidecar is not None or prepared.report is not None:
                documents.append((run, prepared.sidecar, prepared.report))
            # A foreign client uploads files; its sidecar names those without bytes.
            files += file_rows(run, creation.files or prepared.references)
            metadata += metadata_rows(run, creation.metadata)
            # A key that is a UUID is the id of its run, and needs no row.
            if creation.key is not None and not creation.key.is_id:
                keys.append((creation.key.text, creation.key.digest, run))
        _PHASES.write(connection, phase_rows)
        _LARGE.write(connection, large_rows)
        _LOGS.write(connection, log_rows)
        _DOCUMENTS.write(connection, documents)
        write_files(connection, files)
        write_metadata_rows(connection, "run", metadata)
        _KEYS.write(connection, keys)
        for run, item in new:
            if item.creation.slot is not None:
                _assign_slot(connection, run, item.creation.slot)


def _run_row(
    key: int,
    run: _NewRun,
    references: Mapping[str, ColumnValue],
    measured: Sequence[Row],
) -> Row:
    creation, unit, prepared = run.creation, run.unit, run.creation.prepared
    values: dict[str, ColumnValue] = {
        **references,
        "id": run.id,
        "created_at": run.created_at,
        "started_at": prepared.started_at,
        "ended_at": prepared.ended_at,
        "duration": prepared.duration,
        "outcome": prepared.outcome.value,
        "docstring": prepared.docstring,
        "procedure_key": run.procedure,
        "unit_key": unit.key,
        # As they are now: a later run may change the unit, but not this run.
        "part_key": unit.part_key,
        "revision_key": unit.revision_key,
        "creator_user_key": creation.user,
        "creator_station_key": creation.station,
        "head": prepared.head,
        "digest": None if creation.key is None else creation.key.digest,
    }
    # Exactly these columns in this order: whoever checks the seal computes it again
    # from the rows.
    sealed = tuple(values[name] for name in RUN_COLUMNS)
    rows = (row[1:] for row in measured)
    seal = run_seal(sealed, prepared.phases, rows, prepared.logs)
    return (key, *sealed, unit.batch_key, with_texts(seal, _text_seals(prepared)))


def _text_seals(prepared: PreparedRun) -> Iterable[int]:
    yield text_seal(prepared.sidecar, "sidecar")
    yield text_seal(prepared.report, "report")
    for phase, position, value in prepared.large:
        yield text_seal(
            cast("bytes", value), "value", cast("int", phase), cast("int", position)
        )


def _measured(
    key: int,
    run: _NewRun,
    points: Mapping[Definition, int],
    specifications: Mapping[Definition, int],
) -> list[Row]:
    """Make the rows of the measurements of a run."""
    return [
        (
            key,
            points[point],
            phase,
            position,
            None if specified is None else specifications[specified],
            outcome,
            number,
            value,
        )
        for phase, position, point, specified, outcome, number, value in (
            run.creation.prepared.measurements
        )
    ]


def _assign_slot(connection: sa.Connection, run: int, slot: RunSlot) -> None:
    """
    Put a new run into its slot.

    Raises:
        ConflictError: another run of the execution has it.
    """
    taken = sa.select(run_slots.c.run_key).where(
        run_slots.c.execution_id == slot.execution_id,
        # A slot without a key takes any number of runs.
        run_slots.c.slot_key == slot.slot_key,
    )
    if slot.slot_key is not None and connection.execute(taken).first() is not None:
        raise conflict(
            f"Slot {slot.slot_key} of execution {slot.execution_id} has a run already.",
            FieldIssue("slot_key", "has a run already in this execution"),
        )
    connection.execute(run_slots.insert(), {"run_key": run, **attrs.asdict(slot)})

"""The creation of a run: one transaction, all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import sqlalchemy as sa

from rigbridge.model import JSONScalar
from rigbridge.wire import CreateRun
from rigbridge_store.access.permissions import (
    link_station_to,
    require_link,
    sees_procedure,
)
from rigbridge_store.access.principals import Principal
from rigbridge_store.fields import MAX_TEXT, known, text_or_none
from rigbridge_store.files.stored_files import write_files
from rigbridge_store.intake.catalog import CatalogSession
from rigbridge_store.intake.definitions import DefinitionSession
from rigbridge_store.intake.metadata import merge_metadata, write_metadata
from rigbridge_store.intake.policies import CreationPolicy, Repetition
from rigbridge_store.intake.preparation import PreparedRun
from rigbridge_store.intake.units import FoundUnit, add_sub_units, place_unit
from rigbridge_store.refusals import FieldIssue, bad_request, conflict
from rigbridge_store.results import CreationResult, StoredFile
from rigbridge_store.tables.rows import (
    ColumnValue,
    Row,
    RowFinder,
    RowWriter,
    insert_row,
)
from rigbridge_store.tables.schema import (
    idempotency_keys,
    large_values,
    logs,
    measurements,
    phases,
    run_documents,
    run_slots,
    runs,
    units,
)
from rigbridge_store.tables.seals import RUN_COLUMNS, run_seal
from rigbridge_store.tables.values import canonical_uuid, folded, new_id, now_micros

__all__ = ["Creation", "IdempotencyKey", "RunSlot"]

_RUNS_AND_UNITS = runs.join(units, runs.c.unit_key == units.c.key)
_FIRST = (
    runs.c.id,
    runs.c.procedure_key,
    runs.c.creator_station_key,
    units.c.serial_key,
)
_REPEATED_ID = RowFinder(
    sa.select(runs.c.digest, *_FIRST)
    .select_from(_RUNS_AND_UNITS)
    .where(runs.c.id == sa.bindparam("text")),
    ("text",),
)
_REPEATED = RowFinder(
    sa.select(idempotency_keys.c.digest, *_FIRST)
    .select_from(
        _RUNS_AND_UNITS.join(idempotency_keys, idempotency_keys.c.run_key == runs.c.key)
    )
    .where(idempotency_keys.c.idempotency_key == sa.bindparam("text")),
    ("text",),
)
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
_KEYS = RowWriter(idempotency_keys, ("idempotency_key", "digest", "run_key"))
_DOCUMENTS = RowWriter(run_documents, ("run_key", "sidecar", "report"))


@attrs.frozen(kw_only=True)
class RunSlot:
    """
    The place of a run in an execution.

    Attributes:
        execution_id: the execution, named by the client.
        slot_key: the slot of the fixture, or None.
        slot_name: its name as declared then, or None.
    """

    execution_id: str
    slot_key: str | None = None
    slot_name: str | None = None


@attrs.frozen(kw_only=True)
class IdempotencyKey:
    """
    The name that a sender gave to a creation.

    Attributes:
        text: the key; a UUID in its usual spelling.
        run_id: the id that the run gets: the key itself where it is a UUID, so that
            a run has one id at every door.
        digest: of the body that came with it.
        repetition: what becomes of another body under the same key.
    """

    text: str
    run_id: str
    digest: str
    repetition: Repetition

    @property
    def is_id(self) -> bool:
        """Whether the key is the id of the run."""
        return self.text == self.run_id

    @classmethod
    def of(
        cls, text: str, digest: str, *, repetition: Repetition = Repetition.REFUSED
    ) -> IdempotencyKey:
        """
        Read a key.

        Raises:
            BadRequestError: it is blank or too long.
        """
        if not text.strip() or len(text) > MAX_TEXT:
            raise bad_request(
                f"The idempotency key must have 1 to {MAX_TEXT} characters."
            )
        uuid = canonical_uuid(text)
        return cls(
            text=uuid or text,
            run_id=uuid or new_id(),
            digest=digest,
            repetition=repetition,
        )


@attrs.frozen(kw_only=True)
class Creation:
    """
    Everything that one creation needs.

    Attributes:
        body: what was sent.
        prepared: its rows.
        principal: who sent it, or None in process.
        policy: how strict to be.
        key: under which name it was sent, or None.
        files: the run's files, in order.
        metadata: single values that can be searched by.
        unit_metadata: likewise of the unit.
        slot: its place in an execution of several runs, or None.
    """

    body: CreateRun
    prepared: PreparedRun
    principal: Principal | None
    policy: CreationPolicy
    key: IdempotencyKey | None
    files: Sequence[StoredFile]
    metadata: Mapping[str, JSONScalar] = attrs.field(factory=dict[str, JSONScalar])
    unit_metadata: Mapping[str, JSONScalar] = attrs.field(factory=dict[str, JSONScalar])
    slot: RunSlot | None = None

    def write(
        self,
        connection: sa.Connection,
        catalog: CatalogSession,
        definitions: DefinitionSession,
    ) -> CreationResult:
        """
        Create the run within a transaction.

        Raises:
            BadRequestError, ForbiddenError, NotFoundError, ConflictError: what the
                run refers to does not allow it.
        """
        procedure = catalog.procedure(self.body, self.policy)
        # Before the key is looked up: a station is not told of runs of others.
        self._enter(connection, procedure)
        if self.key is not None and (first := self._repeated(connection, self.key)):
            return first
        # From here on rows change, which a repeated call must not.
        unit = place_unit(connection, catalog, self.body.unit_under_test, self.policy)
        merge_metadata(connection, "unit", unit.key, self.unit_metadata)
        members = known(self.body.sub_units)
        if members:
            add_sub_units(connection, catalog, unit, members, self.policy)
        public = new_id() if self.key is None else self.key.run_id
        measured = self._measurements(procedure, definitions)
        run = self._insert(
            connection, catalog, procedure, unit, public=public, measured=measured
        )
        self._details(connection, run, measured)
        return CreationResult(id=public, created=True)

    def _enter(self, connection: sa.Connection, procedure: int) -> None:
        principal = self.principal
        if principal is not None and principal.is_station and principal.unrestricted:
            link_station_to(connection, principal.key, procedure)
        named = text_or_none(self.body.procedure_id) or self.body.procedure_name
        require_link(connection, principal, procedure, text_or_none(named) or "")

    @property
    def _creating_station(self) -> int | None:
        principal = self.principal
        if principal is None or not principal.is_station:
            return None
        return principal.key

    def _repeated(
        self, connection: sa.Connection, key: IdempotencyKey
    ) -> CreationResult | None:
        finder = _REPEATED_ID if key.is_id else _REPEATED
        first = finder.first(connection, key.text)
        if first is None:
            return None
        digest, public, procedure, station, serial = first
        taken = conflict(
            f"Idempotency key {key.text} was used before with another body."
        )
        # The body may name another procedure than the run that it repeats, of which
        # nothing more is told than that the key is taken.
        if not sees_procedure(connection, self.principal, procedure):
            raise taken
        if digest == key.digest:
            return CreationResult(id=public, created=False)
        same_test = (
            serial == folded(self.body.unit_under_test.serial_number)
            and station == self._creating_station
        )
        if key.repetition is Repetition.WARNED or (
            key.repetition is Repetition.OF_ONE_TEST and same_test
        ):
            warning = "the store holds this run already with other content, kept as is"
            return CreationResult(
                id=public, created=False, warnings=(warning,), differs=True
            )
        raise taken

    def _insert(
        self,
        connection: sa.Connection,
        catalog: CatalogSession,
        procedure: int,
        unit: FoundUnit,
        *,
        public: str,
        measured: Sequence[Row],
    ) -> int:
        prepared, principal = self.prepared, self.principal
        version = text_or_none(self.body.procedure_version)
        operator, operator_key = text_or_none(self.body.operated_by), None
        if operator is not None:
            operator_key = catalog.operator(operator, self.policy)
        station = self._creating_station
        # What the report says counts: one key may serve a line of several stations.
        named = prepared.station
        if named is None and principal is not None and station is not None:
            named = principal.name
        values: dict[str, ColumnValue] = {
            "id": public,
            "created_at": now_micros(),
            "started_at": prepared.started_at,
            "ended_at": prepared.ended_at,
            "duration": prepared.duration,
            "outcome": prepared.outcome.value,
            "docstring": prepared.docstring,
            "procedure_key": procedure,
            "version_key": (
                None if version is None else catalog.version(procedure, version)
            ),
            "unit_key": unit.key,
            # As they are now: a later run may change the unit, but not this run.
            "part_key": unit.part_key,
            "revision_key": unit.revision_key,
            "batch_key": unit.batch_key,
            "operator_key": operator_key,
            "operator_name": None if operator_key is not None else operator,
            "station_name_key": None if named is None else catalog.station_name(named),
            "creator_user_key": (
                principal.key
                if principal is not None and not principal.is_station
                else None
            ),
            "creator_station_key": station,
            "head": prepared.head,
            "digest": None if self.key is None else self.key.digest,
        }
        seal = run_seal(
            tuple(values[name] for name in RUN_COLUMNS),
            prepared.phases,
            measured,
            prepared.logs,
        )
        return insert_row(connection, runs, {**values, "seal": seal})

    def _details(
        self, connection: sa.Connection, run: int, measured: Sequence[Row]
    ) -> None:
        prepared = self.prepared

        def of_run(rows: Sequence[Row]) -> list[Row]:
            return [(run, *row) for row in rows]

        _PHASES.write(connection, of_run(prepared.phases))
        _MEASUREMENTS.write(connection, of_run(measured))
        _LARGE.write(connection, of_run(prepared.large))
        _LOGS.write(connection, of_run(prepared.logs))
        if prepared.sidecar is not None or prepared.report is not None:
            _DOCUMENTS.write(connection, [(run, prepared.sidecar, prepared.report)])
        # A foreign client uploads files; its sidecar names those without bytes.
        write_files(connection, run, self.files or prepared.references)
        if self.metadata:
            write_metadata(connection, "run", run, self.metadata)
        if self.slot is not None:
            _assign_slot(connection, run, self.slot)
        # A key that is a UUID is the id of its run, and needs no row.
        if self.key is not None and not self.key.is_id:
            _KEYS.write(connection, [(self.key.text, self.key.digest, run)])

    def _measurements(
        self, procedure: int, definitions: DefinitionSession
    ) -> list[Row]:
        """Make the rows of the measurements, without the run's key."""
        rows = self.prepared.measurements
        # Sets: a run of many loops repeats its points and specifications.
        points = definitions.points(procedure, {row[2] for row in rows})
        specifications = definitions.specifications(
            {row[3] for row in rows if row[3] is not None}
        )
        return [
            (
                points[point],
                phase,
                position,
                None if specified is None else specifications[specified],
                outcome,
                number,
                value,
            )
            for phase, position, point, specified, outcome, number, value in rows
        ]


def _assign_slot(connection: sa.Connection, run: int, slot: RunSlot) -> None:
    """
    Put a new run into its slot.

    Raises:
        ConflictError: another run of the execution has it.
    """
    taken = sa.select(run_slots.c.run_key).where(
        run_slots.c.execution_id == slot.execution_id,
        run_slots.c.slot_key == slot.slot_key,
    )
    if slot.slot_key is not None and connection.execute(taken).first() is not None:
        raise conflict(
            f"Slot {slot.slot_key} of execution {slot.execution_id} has a run already.",
            FieldIssue("slot_key", "has a run already in this execution"),
        )
    connection.execute(run_slots.insert(), {"run_key": run, **attrs.asdict(slot)})

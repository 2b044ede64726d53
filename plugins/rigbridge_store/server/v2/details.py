"""The v2 calls about phases, measurements and log lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar.di import NamedDependency
from litestar.params import FromPath

from rigbridge.convert.plain import read_value
from rigbridge.model import (
    JSONValue,
    Limit,
    Measurement,
    MeasurementOutcome,
    MeasurementValue,
    Run,
    Series,
)
from rigbridge_store.reading.details import Row
from rigbridge_store.reading.lists import details as lists
from rigbridge_store.reading.lists.attributes import SidecarReader
from rigbridge_store.reading.lists.query import MeasurementKind
from rigbridge_store.reading.lists.runs import require_visible_run
from rigbridge_store.reading.one_run import read_run
from rigbridge_store.refusals import not_found
from rigbridge_store.server.calls import ApiCall, FromCall, get
from rigbridge_store.server.v2.bodies import shown_runs as bodies
from rigbridge_store.server.v2.bodies.shared import (
    LinkedRun,
    LinkedUnit,
    Named,
    Page,
    Person,
)
from rigbridge_store.server.v2.showing import (
    from_row,
    made_by,
    page_of,
    show_log,
    show_measurement,
    show_phase,
    start_of,
)
from rigbridge_store.server.v2.validators import show_validators, validators_of
from rigbridge_store.tables.values import iso_from_micros

__all__: list[str] = []


@get("/phases", query=lists.PhaseQuery)
def list_phases(
    wanted: NamedDependency[lists.PhaseQuery], call: FromCall
) -> Page[bodies.ListedPhase]:
    """List the phases of a procedure's runs, by filters."""
    with call.store.reading() as connection:
        page = lists.find_phases(connection, wanted, call.principal)
        sidecars = SidecarReader(connection, {row.run_key for row in page.rows})
    return page_of(page, lambda row: _listed_phase(row, sidecars))


def _listed_phase(row: Row, sidecars: SidecarReader) -> bodies.ListedPhase:
    attributes = sidecars.of_phase(row.run_key, row.position)
    sequence = attributes.get("sequence_path")
    sequence = sequence if isinstance(sequence, str) else None
    own = sidecars.phase_name(row.run_key, row.position)
    return from_row(
        bodies.ListedPhase,
        row,
        id=f"{row.run_id}.p{row.position}",
        name=row.name if sequence is None or own is None else own,
        started_at=iso_from_micros(lists.micros_of_millis(row.start_time_millis)),
        ended_at=iso_from_micros(lists.micros_of_millis(row.end_time_millis)),
        # A clock that was set back during a phase makes no negative duration.
        duration_ms=round(max(row.end_time_millis - row.start_time_millis, 0.0)),
        retry_count=_retries(row, attributes),
        sequence_path=sequence,
        is_final_attempt=not row.later,
    )


def _retries(row: Row, attributes: Mapping[str, JSONValue]) -> int:
    told = attributes.get("retry_count")
    # What the sender said counts; else the earlier phases of the same name are its
    # tries.
    return told if isinstance(told, int) else int(row.earlier)


@get("/phases/{phase_id:str}")
def get_phase(phase_id: FromPath[str], call: FromCall) -> bodies.PhaseDetails:
    """Give one phase with its measurements."""
    row, run, place = _found(call, phase_id, "Phase")
    at = place.phase
    if at is None or place.measurement is not None or at >= len(run.phases):
        raise _missing("Phase", phase_id)
    shown = show_phase(run.phases[at], at, row.id, run)
    return bodies.PhaseDetails(
        **msgspec.structs.asdict(shown),
        run=bodies.PhaseRun(id=row.id, serial_number=row.unit_serial_number),
        procedure=from_row(Named, row, "procedure_"),
    )


def _missing(kind: str, public: str) -> Exception:
    return not_found(f"{kind} with ID {public} does not exist.")


def _found(call: ApiCall, public: str, kind: str) -> tuple[Row, Run, lists.DetailPlace]:
    """Find the run that an id is in."""
    place = lists.place_of(public)
    if place is None:
        raise _missing(kind, public)
    with call.store.reading() as connection:
        missing = f"{kind} with ID {public}"
        row = require_visible_run(connection, place.run_id, call.principal, missing)
        stored = read_run(connection, call.store.contents, row.id)
    return row, stored.run, place


@get("/measurements", query=lists.MeasurementQuery)
def list_measurements(
    wanted: NamedDependency[lists.MeasurementQuery], call: FromCall
) -> Page[bodies.ListedMeasurement]:
    """List the measurements of a procedure's runs, by filters."""
    with call.store.reading() as connection:
        page = lists.find_measurements(connection, wanted, call.principal)
        sidecars = SidecarReader(connection, {row.run_key for row in page.rows})
        values = iter(lists.values_of(connection, page.rows))
    # In the order of the rows.
    return page_of(page, lambda row: _listed_measurement(row, next(values), sidecars))


def _json(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)


def _listed_measurement(
    row: Row, text: str | None, sidecars: SidecarReader
) -> bodies.ListedMeasurement:
    run, phase = row.run_key, row.phase_position
    # A number that a double holds is in a column of its own.
    value = row.number if row.value is None else _json(text)
    units = _json(row.units)
    # JSON texts, so that numbers stay as they were sent.
    lower, upper = _json(row.lower_limit), _json(row.upper_limit)
    measurement = Measurement(
        name=row.name,
        outcome=MeasurementOutcome(row.outcome),
        value=read_value(value, units),
        limits=(
            None if lower is None and upper is None else Limit(lower=lower, upper=upper)
        ),
        validators=tuple(_json(row.validators) or ()),
        attributes=sidecars.of_measurement(run, phase, row.position),
    )
    kind = lists.kind_of_shortened(row.value) or _kind(measurement.value)
    return from_row(
        bodies.ListedMeasurement,
        row,
        id=f"{row.run_id}.p{row.phase_position}.m{row.position}",
        measurement_name=row.name,
        started_at=iso_from_micros(lists.micros_of_millis(row.start_time_millis)),
        value=value if kind == "numeric" and not isinstance(value, str) else None,
        bool_value=value if isinstance(value, bool) else None,
        string_value=value if isinstance(value, str) else None,
        units=units if isinstance(units, str) else None,
        measurement_outcome=row.outcome,
        measurement_type=kind,
        retry_count=_retries(row, sidecars.of_phase(run, phase)),
        is_final_attempt=not row.later,
        validators=show_validators(validators_of(measurement), value),
    )


def _kind(value: MeasurementValue) -> MeasurementKind:
    # In this order, since a boolean is an int as well.
    kinds: tuple[tuple[type, MeasurementKind], ...] = (
        (bool, "boolean"),
        (int, "numeric"),
        (float, "numeric"),
        (str, "string"),
        (Series, "multidimensional"),
        (type(None), "empty"),
    )
    for type_, kind in kinds:
        if isinstance(value, type_):
            return kind
    return "json"


@get("/measurements/{measurement_id:str}")
def get_measurement(
    measurement_id: FromPath[str], call: FromCall
) -> bodies.MeasurementDetails:
    """Give one measurement with what it belongs to."""
    row, run, place = _found(call, measurement_id, "Measurement")
    at, number = place.phase, place.measurement
    if at is None or number is None or at >= len(run.phases):
        raise _missing("Measurement", measurement_id)
    phase, phase_id = run.phases[at], f"{row.id}.p{at}"
    if number >= len(phase.measurements):
        raise _missing("Measurement", measurement_id)
    shown = show_measurement(phase.measurements[number], f"{phase_id}.m{number}")
    return bodies.MeasurementDetails(
        **msgspec.structs.asdict(shown),
        phase=Named(id=phase_id, name=phase.name),
        run=from_row(bodies.MeasurementRun, row, serial_number=row.unit_serial_number),
        procedure=from_row(Named, row, "procedure_"),
    )


@get("/logs", query=lists.LogQuery)
def list_logs(
    wanted: NamedDependency[lists.LogQuery], call: FromCall
) -> Page[bodies.ListedLog]:
    """List log lines of runs, by filters."""
    with call.store.reading() as connection:
        page = lists.find_logs(connection, wanted, call.principal)
    return page_of(
        page,
        lambda row: _listed_log(
            row,
            id=f"{row.id}.l{row.position}",
            created_at=row.timestamp,
            source_file=row.source_file or None,
        ),
    )


def _listed_log(row: Row, **line: object) -> bodies.ListedLog:
    return from_row(
        bodies.ListedLog,
        row,
        run=from_row(LinkedRun, row, started_at=iso_from_micros(start_of(row))),
        unit=LinkedUnit(id=row.unit_id, serial_number=row.unit_serial_number),
        procedure=from_row(Named, row, "procedure_"),
        **made_by(row, Person),
        **line,
    )


@get("/logs/{log_id:str}")
def get_log(log_id: FromPath[str], call: FromCall) -> bodies.ListedLog:
    """Give one log line with what it belongs to."""
    row, run, place = _found(call, log_id, "Log")
    if place.log is None or place.log >= len(run.logs):
        raise _missing("Log", log_id)
    shown = show_log(run.logs[place.log], place.log, row.id, run)
    line = msgspec.structs.asdict(shown)
    return _listed_log(row, created_at=line.pop("timestamp"), **line)

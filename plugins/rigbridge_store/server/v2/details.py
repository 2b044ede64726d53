"""The v2 calls about phases, measurements and log lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import msgspec
from litestar import Request, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from rigbridge.convert.plain import read_value
from rigbridge.model import (
    Limit,
    Measurement,
    MeasurementOutcome,
    Run,
    Series,
)
from rigbridge_store.access.permissions import require_access, visible_procedures
from rigbridge_store.reading.lists.details import (
    DetailPlace,
    find_logs,
    find_measurements,
    find_phases,
    micros_of_millis,
    place_of,
)
from rigbridge_store.reading.lists.paging import Page
from rigbridge_store.reading.lists.runs import find_run
from rigbridge_store.reading.one_run import read_run
from rigbridge_store.refusals import not_found
from rigbridge_store.server.bodies import PROBLEMS
from rigbridge_store.server.door import Door
from rigbridge_store.server.queries import query
from rigbridge_store.server.v2.beside import BesideRuns
from rigbridge_store.server.v2.detail_bodies import (
    ListedLog,
    ListedMeasurement,
    ListedPhase,
    LogList,
    LogRun,
    MeasuredPhase,
    MeasurementDetails,
    MeasurementKind,
    MeasurementList,
    MeasurementRun,
    PhaseDetails,
    PhaseList,
    PhaseRun,
)
from rigbridge_store.server.v2.detail_queries import (
    LogQuery,
    MeasurementQuery,
    PhaseQuery,
)
from rigbridge_store.server.v2.judging import show_validators, validators_of
from rigbridge_store.server.v2.procedure_bodies import ProcedureReference
from rigbridge_store.server.v2.run_answers import Meta
from rigbridge_store.server.v2.showing import (
    person,
    show_log,
    show_measurement,
    show_phase,
    station,
)
from rigbridge_store.server.v2.unit_bodies import LinkedUnit
from rigbridge_store.tables.values import iso_from_micros

__all__ = ["HANDLERS"]


def _meta(page: Page) -> Meta:
    return Meta(has_more=page.next_cursor is not None, next_cursor=page.next_cursor)


_NOTHING = Page(rows=(), next_cursor=None)


@get(
    "/phases",
    dependencies={"wanted": query(PhaseQuery)},
    sync_to_thread=True,
    responses=PROBLEMS,
)
def list_phases(
    wanted: NamedDependency[PhaseQuery], request: Request[Any, Any, Any]
) -> PhaseList:
    """List the phases of a procedure's runs, by filters."""
    door = Door.of(request)
    principal = door.caller(request)
    page = _NOTHING
    with door.store.reading() as connection:
        if not wanted.is_of_deployments:
            page = find_phases(
                connection,
                wanted.filter,
                wanted.conditions,
                wanted.paging,
                allowed=visible_procedures(connection, principal),
                by=wanted.sort_by,
                order=wanted.sort_order,
            )
        beside = BesideRuns(connection, [row.run_key for row in page.rows])
    return PhaseList(
        data=[_listed_phase(row, beside) for row in page.rows], meta=_meta(page)
    )


def _listed_phase(row: Any, beside: BesideRuns) -> ListedPhase:
    attributes = beside.of_phase(row.run_key, row.position)
    sequence = attributes.get("sequence_path")
    sequence = sequence if isinstance(sequence, str) else None
    own = beside.phase_name(row.run_key, row.position)
    return ListedPhase(
        id=f"{row.run_id}.p{row.position}",
        name=row.name if sequence is None or own is None else own,
        outcome=row.outcome,
        started_at=iso_from_micros(micros_of_millis(row.start_time_millis)),
        ended_at=iso_from_micros(micros_of_millis(row.end_time_millis)),
        duration_ms=round(max(row.end_time_millis - row.start_time_millis, 0.0)),
        retry_count=_retries(row, attributes),
        sequence_path=sequence,
        is_final_attempt=not row.later,
        run_id=row.run_id,
        run_outcome=row.run_outcome,
        serial_number=row.serial_number,
        sample=row.sample,
    )


def _retries(row: Any, attributes: Mapping[str, Any]) -> int:
    told = attributes.get("retry_count")
    return told if isinstance(told, int) else int(row.earlier)


@get("/phases/{phase_id:str}", sync_to_thread=True, responses=PROBLEMS)
def get_phase(phase_id: FromPath[str], request: Request[Any, Any, Any]) -> PhaseDetails:
    """Give one phase with its measurements."""
    row, run, place = _found(request, phase_id, "Phase")
    if place.phase is None or place.measurement is not None:
        raise _missing("Phase", phase_id)
    if place.phase >= len(run.phases):
        raise _missing("Phase", phase_id)
    shown = show_phase(run.phases[place.phase], place.phase, row.id, run)
    return PhaseDetails(
        **attrs.asdict(shown, recurse=False),
        run=PhaseRun(id=row.id, serial_number=row.unit_serial_number),
        procedure=_procedure(row),
    )


def _missing(kind: str, public: str) -> Exception:
    return not_found(f"{kind} with ID {public} does not exist.")


def _procedure(row: Any) -> ProcedureReference:
    return ProcedureReference(id=row.procedure_id, name=row.procedure_name)


def _found(
    request: Request[Any, Any, Any], public: str, kind: str
) -> tuple[Any, Run, DetailPlace]:
    """Find the run that an id stands in."""
    door = Door.of(request)
    principal = door.caller(request)
    place = place_of(public)
    if place is None:
        raise _missing(kind, public)
    with door.store.reading() as connection:
        row = find_run(connection, place.run_id)
        if row is None:
            raise _missing(kind, public)
        require_access(connection, principal, row.procedure_key)
        return row, read_run(connection, door.store.contents, row.id).run, place


@get(
    "/measurements",
    dependencies={"wanted": query(MeasurementQuery)},
    sync_to_thread=True,
    responses=PROBLEMS,
)
def list_measurements(
    wanted: NamedDependency[MeasurementQuery], request: Request[Any, Any, Any]
) -> MeasurementList:
    """List the measurements of a procedure's runs, by filters."""
    door = Door.of(request)
    principal = door.caller(request)
    page = _NOTHING
    with door.store.reading() as connection:
        if not wanted.is_of_deployments:
            page = find_measurements(
                connection,
                wanted.filter,
                wanted.conditions,
                wanted.paging,
                allowed=visible_procedures(connection, principal),
                by=wanted.sort_by,
                order=wanted.sort_order,
            )
        beside = BesideRuns(connection, [row.run_key for row in page.rows])
    return MeasurementList(
        data=[_listed(row, beside) for row in page.rows], meta=_meta(page)
    )


def _json(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)


def _listed(row: Any, beside: BesideRuns) -> ListedMeasurement:
    run, phase = row.run_key, row.phase_position
    # A number that a double holds stands in a column of its own.
    value = row.number if row.value is None else _json(row.value)
    units = _json(row.units)
    lower, upper = _json(row.lower_limit), _json(row.upper_limit)
    measurement = Measurement(
        name=row.name,
        outcome=MeasurementOutcome(row.outcome),
        value=read_value(value, units),
        limits=(
            None if lower is None and upper is None else Limit(lower=lower, upper=upper)
        ),
        validators=tuple(_json(row.validators) or ()),
        attributes=beside.of_measurement(run, phase, row.position),
    )
    kind = _kind(measurement.value)
    return ListedMeasurement(
        id=f"{row.run_id}.p{row.phase_position}.m{row.position}",
        phase_name=row.phase_name,
        measurement_name=row.name,
        started_at=iso_from_micros(micros_of_millis(row.start_time_millis)),
        value=value if kind == "numeric" and not isinstance(value, str) else None,
        bool_value=value if isinstance(value, bool) else None,
        string_value=value if isinstance(value, str) else None,
        units=units if isinstance(units, str) else None,
        measurement_outcome=row.outcome,
        run_id=row.run_id,
        serial_number=row.serial_number,
        sample=row.sample,
        measurement_type=kind,
        retry_count=_retries(row, beside.of_phase(run, phase)),
        is_final_attempt=not row.later,
        validators=show_validators(validators_of(measurement), value),
    )


def _kind(value: Any) -> MeasurementKind:
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


@get("/measurements/{measurement_id:str}", sync_to_thread=True, responses=PROBLEMS)
def get_measurement(
    measurement_id: FromPath[str], request: Request[Any, Any, Any]
) -> MeasurementDetails:
    """Give one measurement with what it belongs to."""
    row, run, place = _found(request, measurement_id, "Measurement")
    if place.phase is None or place.measurement is None:
        raise _missing("Measurement", measurement_id)
    if place.phase >= len(run.phases):
        raise _missing("Measurement", measurement_id)
    phase = run.phases[place.phase]
    if place.measurement >= len(phase.measurements):
        raise _missing("Measurement", measurement_id)
    shown = show_measurement(
        phase.measurements[place.measurement],
        f"{row.id}.p{place.phase}.m{place.measurement}",
    )
    return MeasurementDetails(
        **attrs.asdict(shown, recurse=False),
        phase=MeasuredPhase(id=f"{row.id}.p{place.phase}", name=phase.name),
        run=MeasurementRun(
            id=row.id, outcome=row.outcome, serial_number=row.unit_serial_number
        ),
        procedure=_procedure(row),
    )


@get(
    "/logs",
    dependencies={"wanted": query(LogQuery)},
    sync_to_thread=True,
    responses=PROBLEMS,
)
def list_logs(
    wanted: NamedDependency[LogQuery], request: Request[Any, Any, Any]
) -> LogList:
    """List log lines of runs, by filters."""
    door = Door.of(request)
    principal = door.caller(request)
    page = _NOTHING
    if not wanted.is_of_deployments:
        with door.store.reading() as connection:
            page = find_logs(
                connection,
                wanted.filter,
                wanted.conditions,
                wanted.paging,
                allowed=visible_procedures(connection, principal),
                by=wanted.sort_by,
                order=wanted.sort_order,
            )
    return LogList(
        data=[
            _log(
                row,
                id=f"{row.id}.l{row.position}",
                level=row.level,
                message=row.message,
                created_at=row.timestamp,
                source_file=row.source_file or None,
                line_number=row.line_number,
            )
            for row in page.rows
        ],
        meta=_meta(page),
    )


def _log(row: Any, **line: Any) -> ListedLog:
    started = row.started_at if row.started_at is not None else row.created_at
    return ListedLog(
        run=LogRun(
            id=row.id,
            outcome=row.outcome,
            started_at=iso_from_micros(started) or "",
        ),
        unit=LinkedUnit(id=row.unit_id, serial_number=row.unit_serial_number),
        procedure=_procedure(row),
        created_by_user=person(row, "creator"),
        created_by_station=station(row),
        **line,
    )


@get("/logs/{log_id:str}", sync_to_thread=True, responses=PROBLEMS)
def get_log(log_id: FromPath[str], request: Request[Any, Any, Any]) -> ListedLog:
    """Give one log line with what it belongs to."""
    row, run, place = _found(request, log_id, "Log")
    if place.log is None or place.log >= len(run.logs):
        raise _missing("Log", log_id)
    shown = show_log(run.logs[place.log], place.log, row.id, run)
    return _log(
        row,
        id=shown.id,
        level=shown.level,
        message=shown.message,
        created_at=shown.timestamp,
        source_file=shown.source_file,
        line_number=shown.line_number,
    )


HANDLERS: tuple[HTTPRouteHandler, ...] = (
    list_phases,
    get_phase,
    list_measurements,
    get_measurement,
    list_logs,
    get_log,
)
"""The handlers, relative to ``/api/v2``."""

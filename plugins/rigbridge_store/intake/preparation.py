"""
A body to the rows of its run: everything that needs no database.

All problems of a body are found together, each with its path.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import attrs
import msgspec
from msgspec import UNSET

from rigbridge.convert import overlay
from rigbridge.model import JSONObject, JSONScalar, JSONValue, RunOutcome
from rigbridge.wire import CreateRun, WireMeasurement, WirePhase
from rigbridge_store.fields import MAX_TEXT, FieldChecks, known, text_or_none
from rigbridge_store.intake.instruments import UsedInstrument, used_instruments
from rigbridge_store.intake.measurements import (
    MeasurementColumns,
    NotWritableError,
    measurement_columns,
)
from rigbridge_store.intake.steps import phase_of_step
from rigbridge_store.refusals import (
    FieldIssue,
    half_a_character,
    invalid,
    unprocessable,
)
from rigbridge_store.results import StoredFile
from rigbridge_store.tables.packing import LARGE, pack, shortened
from rigbridge_store.tables.values import Row, span_to_micros, to_micros

__all__ = [
    "MAX_NAME",
    "PreparedRun",
    "digest",
    "prepare",
    "searchable",
    "sidecar_metadata",
    "without_rows",
]

MAX_NAME = 255
"""How many characters a name of custom metadata may have."""

_SINGLE = (str, int, float, bool)

_PreparedMeasurement = tuple[int, int, *MeasurementColumns]

_TOLERANCE = timedelta(milliseconds=1)
"""By how much an end and a duration may differ: senders round to milliseconds."""

_encode = msgspec.json.Encoder().encode
# Sorted keys: another client may write the same body in another order.
_OF_THE_READING = frozenset({"uri", "adapter_version"})
_OF_THE_FILE = _OF_THE_READING | {"digest", "index"}
_PLACE = frozenset({"line", "path"})
_encode_ordered = msgspec.json.Encoder(order="deterministic").encode


@attrs.frozen(kw_only=True)
class PreparedRun:
    """
    The rows of a run, apart from what refers to other rows.

    Attributes:
        head: the body without phases, logs, steps and sidecar, as JSON.
        started_at, ended_at, duration: in microseconds.
        phases, logs: rows without the run's key.
        measurements: rows of positions (phase, measurement), test point (phase,
            name), specification or None (unit, limits, validators, docstring),
            outcome, number and value.
        large: positions (phase, measurement) and packed JSON of values that are too
            large for their row.
        references: the files that the sidecar names and nobody has.
        station: the station that the sidecar names, or None.
        instruments: the instruments that the sidecar names.
    """

    head: str
    outcome: RunOutcome
    docstring: str | None
    started_at: int | None
    ended_at: int | None
    duration: int | None
    phases: list[Row]
    measurements: list[_PreparedMeasurement]
    logs: list[Row]
    large: list[Row]
    sidecar: bytes | None
    report: bytes | None
    references: tuple[StoredFile, ...]
    station: str | None
    instruments: tuple[UsedInstrument, ...]


def digest(body: CreateRun) -> str:
    """
    Digest a body: the same for the same content, whoever sends it from wherever.

    Raises:
        BadRequestError: it holds half of a surrogate pair.
    """
    # Who sends a run again may have been updated since.
    rest = attrs.evolve(
        body, client=UNSET, client_version=UNSET, phases=UNSET, steps=UNSET
    )
    if (sidecar := known(body.rigbridge)) is not None:
        rest = attrs.evolve(rest, rigbridge=_placeless(sidecar))
    try:
        # Of the body and not of the request: spaces and the order of keys do not make
        # another run.
        found = hashlib.sha256(_encode_ordered(rest))
        lists: tuple[Sequence[object], ...] = (
            known(body.phases) or (),
            known(body.steps) or (),
        )
        for items in lists:
            found.update(b"\n")
            # One by one: the text of them all may be longer than all else of the run.
            for item in items:
                found.update(_encode_ordered(item))
    except UnicodeEncodeError as error:
        raise half_a_character(error) from error
    return found.hexdigest()


def prepare(body: CreateRun, *, report: JSONObject | None = None) -> PreparedRun:
    """
    Check a body and make its rows.

    Args:
        report: the conversion report's document, where it comes beside the body.

    Raises:
        BadRequestError: fields that are malformed or missing, all of them.
        UnprocessableError: times that contradict each other.
    """
    try:
        return _Preparation(body).prepared(report)
    except UnicodeEncodeError as error:
        # A lone surrogate is valid JSON, and no text that a database takes.
        raise half_a_character(error) from error


class _Preparation:
    """Prepares one body."""

    def __init__(self, body: CreateRun) -> None:
        self.body = body
        self.checks = FieldChecks()
        self.large: list[Row] = []

    def prepared(self, report: JSONObject | None) -> PreparedRun:
        body = self.body
        self._references()
        started, ended, span = self._times()
        phases, measurements = self._phases(started)
        logs = self._logs()
        if self.checks.issues:
            # All problems so far together, before anything is computed from wrong
            # values.
            raise invalid(self.checks.issues)
        # Only times that can be read can contradict each other.
        _agree(started, ended, span)
        # Whichever of the three is missing follows from the other two.
        if span is None and started is not None and ended is not None:
            span = ended - started
        elif ended is None and started is not None and span is not None:
            ended = _later(started, span)
        sidecar, carried = _split(known(body.rigbridge))
        return PreparedRun(
            head=_encode(without_rows(body)).decode(),
            outcome=_outcome(body),
            docstring=text_or_none(body.docstring),
            started_at=None if started is None else to_micros(started),
            ended_at=None if ended is None else to_micros(ended),
            duration=None if span is None else span_to_micros(span),
            phases=phases,
            measurements=measurements,
            logs=logs,
            large=self.large,
            sidecar=_document(sidecar),
            report=_document(carried if report is None else report),
            references=_referenced(sidecar),
            station=_station(sidecar),
            instruments=used_instruments(sidecar, started or ended),
        )

    def _references(self) -> None:
        body, checks = self.body, self.checks
        unit = body.unit_under_test
        path = "unit_under_test"
        checks.filled(unit.serial_number, f"{path}.serial_number")
        checks.bounded(unit.serial_number, f"{path}.serial_number")
        identifier = text_or_none(body.procedure_id)
        checks.bounded(identifier, "procedure_id")
        if identifier is None and text_or_none(body.procedure_name) is None:
            checks.report("procedure_id", "one of it and procedure_name is required")
        # Of any characters: only v2 demands more.
        checks.bounded(text_or_none(body.procedure_version), "procedure_version")
        for index, sub_unit in enumerate(known(body.sub_units) or ()):
            place = f"sub_units[{index}].serial_number"
            checks.filled(sub_unit.serial_number, place)
            checks.bounded(sub_unit.serial_number, place)

    def _times(self) -> tuple[datetime | None, datetime | None, timedelta | None]:
        body, checks = self.body, self.checks
        started = checks.moment(text_or_none(body.started_at), "started_at")
        return (
            started,
            checks.moment(text_or_none(body.ended_at), "ended_at"),
            checks.span(text_or_none(body.duration), "duration", start=started),
        )

    def _phases(
        self, started: datetime | None
    ) -> tuple[list[Row], list[_PreparedMeasurement]]:
        given: list[tuple[WirePhase, str]] = [
            (phase, f"phases[{index}]")
            for index, phase in enumerate(known(self.body.phases) or ())
        ]
        # The oldest shape of the contract; its steps are phases to everything that
        # follows.
        for index, step in enumerate(known(self.body.steps) or ()):
            path = f"steps[{index}]"
            given.append((phase_of_step(step, path, self.checks, started), path))
        phases: list[Row] = []
        measurements: list[_PreparedMeasurement] = []
        for position, (phase, path) in enumerate(given):
            phases.append((position, *self._phase(phase, path)))
            name = phase.name
            for index, measurement in enumerate(known(phase.measurements) or ()):
                try:
                    columns = measurement_columns(measurement, name)
                except NotWritableError:
                    # The quick way tells nothing of what is wrong. Only a bad
                    # measurement is looked at closely.
                    self._complain(measurement, f"{path}.measurements[{index}]")
                else:
                    point, definition, outcome, number, text = columns
                    # Short values stay in the row, where lists and trends read them
                    # without unpacking.
                    if text is not None and len(text) >= LARGE:
                        self.large.append((position, index, pack(text.encode())))
                        text = shortened(text)
                    measurements.append(
                        (position, index, point, definition, outcome, number, text)
                    )
        return phases, measurements

    def _phase(self, phase: WirePhase, path: str) -> Row:
        checks = self.checks
        checks.filled(phase.name, f"{path}.name")
        checks.millis(phase.start_time_millis, f"{path}.start_time_millis")
        checks.millis(phase.end_time_millis, f"{path}.end_time_millis")
        return (
            phase.name,
            # ``value`` is a slower property; a run has hundreds of phases.
            phase.outcome._value_,
            phase.start_time_millis,
            phase.end_time_millis,
            known(phase.docstring),
        )

    def _complain(self, measurement: WireMeasurement, path: str) -> None:
        checks = self.checks
        checks.filled(measurement.name, f"{path}.name")
        checks.finite(measurement.measured_value, f"{path}.measured_value")
        checks.shallow(measurement.measured_value, f"{path}.measured_value")
        checks.finite(measurement.lower_limit, f"{path}.lower_limit")
        checks.finite(measurement.upper_limit, f"{path}.upper_limit")

    def _logs(self) -> list[Row]:
        rows: list[Row] = []
        for index, log in enumerate(known(self.body.logs) or ()):
            # Kept as it was spelled, hence only checked.
            self.checks.moment(log.timestamp, f"logs[{index}].timestamp")
            self.checks.integer(log.line_number, f"logs[{index}].line_number")
            rows.append(
                (
                    index,
                    log.level._value_,
                    log.timestamp,
                    log.message,
                    log.source_file,
                    log.line_number,
                )
            )
        return rows


def _agree(
    started: datetime | None, ended: datetime | None, span: timedelta | None
) -> None:
    if started is None or ended is None:
        return
    if ended < started:
        text = "ended_at is before started_at"
        raise unprocessable(text, FieldIssue("ended_at", "is before started_at"))
    if span is not None and abs(ended - started - span) > _TOLERANCE:
        text = "ended_at and duration contradict each other"
        issue = f"started_at and ended_at are {ended - started} apart, not {span}"
        raise unprocessable(text, FieldIssue("duration", issue))


def _later(started: datetime, span: timedelta) -> datetime:
    try:
        return started + span
    except OverflowError as error:
        text = "the run ends after the year 9999"
        raise unprocessable(text, FieldIssue("duration", "is too long")) from error


def _outcome(body: CreateRun) -> RunOutcome:
    outcome = known(body.outcome)
    if outcome is not None:
        # The oldest clients send only passed or not.
        return outcome
    return RunOutcome.PASS if body.run_passed else RunOutcome.FAIL


def without_rows(body: CreateRun) -> CreateRun:
    """Leave out of a body what has rows of its own."""
    return attrs.evolve(body, phases=UNSET, logs=UNSET, steps=UNSET, rigbridge=UNSET)


def searchable(metadata: Mapping[str, JSONValue]) -> dict[str, JSONScalar]:
    """Give the single values among those of a run; it keeps the others as well."""
    return {
        name: value
        for name, value in metadata.items()
        # Longer names are kept with the run, but no index takes them.
        if isinstance(value, _SINGLE) and len(name) <= MAX_NAME
    }


def sidecar_metadata(sidecar: JSONObject | None) -> dict[str, JSONScalar]:
    """Give the single values that a sidecar has for the metadata of its run."""
    try:
        found = overlay.added_at((sidecar or {}).get("overlay"), "metadata")
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        # The sidecar is stored as it came all the same.
        return {}
    return searchable(found) if isinstance(found, Mapping) else {}


def _split(
    sidecar: JSONObject | None,
) -> tuple[JSONObject | None, JSONObject | None]:
    """Part the sidecar from the conversion report that it carries."""
    report = None if sidecar is None else sidecar.get("report")
    if sidecar is None or not isinstance(report, Mapping):
        return sidecar, None
    return {name: sidecar[name] for name in sidecar if name != "report"}, report


def _document(document: JSONObject | None) -> bytes | None:
    # Packed here, outside of the transaction, in which others would wait for it.
    return None if document is None else pack(_encode(document))


def _referenced(sidecar: JSONObject | None) -> tuple[StoredFile, ...]:
    described = None if sidecar is None else sidecar.get("attachments")
    if not isinstance(described, list):
        return ()
    return tuple(
        StoredFile(name=name, mime_type=_text(item.get("media_type")))
        for item in described
        if isinstance(item, Mapping)
        and isinstance(name := item.get("name"), str)
        # Those with a digest come as files of their own.
        and item.get("sha256") is None
    )


def _station(sidecar: JSONObject | None) -> str | None:
    try:
        named = overlay.added_at((sidecar or {}).get("overlay"), "station")
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        # The sidecar is stored as it came all the same.
        return None
    # Cut as every name that is looked up: an index holds no text of any length.
    return text_or_none(named[:MAX_TEXT]) if isinstance(named, str) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _placeless(sidecar: dict[str, JSONValue]) -> dict[str, JSONValue]:
    """
    Leave out where a report lay and which version read it: a copy is the same.

    Of a run whose id follows from its own bytes all else of its source is left out as
    well: the file grows.
    """
    node = sidecar.get("overlay")
    try:
        source = overlay.added_at(node, "source")
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        # The sidecar is compared as it came.
        return sidecar
    if not isinstance(node, Mapping) or not isinstance(source, Mapping) or not source:
        return sidecar
    grows = source.get("content") is not None
    left_out = _OF_THE_FILE if grows else _OF_THE_READING
    kept = {name: source[name] for name in source if name not in left_out}
    put: JSONValue = {overlay.PUT: kept}
    nodes: dict[str, JSONValue] = {**overlay.nodes_within(node), "source": put}
    found = {**sidecar, "overlay": {**node, overlay.WITHIN: nodes}}
    if grows:
        found["attachments"] = _others(sidecar.get("attachments"), source["digest"])
        found["report"] = _unplaced(sidecar.get("report"))
    return found


def _others(described: JSONValue, digest: JSONValue) -> JSONValue:
    """Leave out the file itself, which may be an attachment of each of its runs."""
    if not isinstance(described, list):
        return described
    return [
        item
        for item in described
        if not isinstance(item, Mapping) or item.get("sha256") != digest
    ]


def _unplaced(report: JSONValue) -> JSONValue:
    """Leave out where the entries of a report stand; what is before them may change."""
    entries = report.get("entries") if isinstance(report, Mapping) else None
    if not isinstance(report, Mapping) or not isinstance(entries, list):
        return report
    bare: list[JSONValue] = [
        {name: item[name] for name in item if name not in _PLACE}
        if isinstance(item, Mapping)
        else item
        for item in entries
    ]
    return {**report, "entries": bare}

"""
A raw record to a run: the whole translation, shared by live records and JSON.

The verdict is the record's own. Fields that the run model has go there; everything else
is kept in the metadata of the run and the attributes of its parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast
from uuid import UUID

import attrs

from rigbridge.model import (
    JSONValue,
    LogEntry,
    LogLevel,
    Phase,
    Provenance,
    Run,
    RunOutcome,
)
from rigbridge_openhtf.config_secrets import mask_secrets
from rigbridge_openhtf.raw_record import RawRecord
from rigbridge_openhtf.scope import Scope
from rigbridge_openhtf.translation.attachments import (
    NamedFile,
    PhaseFiles,
    name_attachments,
    read_attachments,
)
from rigbridge_openhtf.translation.identity import read_identity
from rigbridge_openhtf.translation.logs import read_logs
from rigbridge_openhtf.translation.numbers import read_time
from rigbridge_openhtf.translation.outcomes import PhaseContext, run_outcome
from rigbridge_openhtf.translation.phases import (
    is_idle_trigger,
    phase_name,
    read_code,
    read_phase,
)
from rigbridge_openhtf.translation.values import free_form, text_of

__all__ = ["translate"]

_STOPPED_EARLY = (RunOutcome.ERROR, RunOutcome.TIMEOUT, RunOutcome.ABORTED)


def translate(
    record: RawRecord, scope: Scope, *, run_id: UUID, source: Provenance
) -> Run:
    """Translate a record."""
    outcome = run_outcome(record.outcome, scope.at(".outcome"))
    identity = read_identity(record, scope)
    ended_at = read_time(record.end_millis, scope.at(".end_time_millis"), "time")
    phases, files = _phases(record, outcome, scope)
    logs, loggers = read_logs(record.logs, scope.at(".log_records"))
    details = _outcome_details(record, scope.at(".outcome_details"))
    if outcome in _STOPPED_EARLY:
        # The log of the test itself does not say why it ended.
        logs.extend(_error_entry(detail, ended_at) for detail in details)
    scope.mapped("run")
    for path, reason in record.unread:
        place = scope.at(path.removeprefix(scope.path))
        place.dropped("field", "its object could not be read", reason)
    metadata = _metadata(record, identity.used, details, loggers, scope)
    return Run(
        id=run_id,
        outcome=outcome,
        procedure=identity.procedure,
        unit=identity.unit,
        sub_units=identity.sub_units,
        started_at=read_time(
            record.start_millis, scope.at(".start_time_millis"), "time"
        ),
        ended_at=ended_at,
        operator=identity.operator,
        station=_station(record, scope.at(".station_id")),
        docstring=identity.docstring,
        phases=tuple(phases),
        logs=tuple(logs),
        # Last: threads of the spool read the files until here.
        attachments=tuple(read_attachments(files)),
        metadata=metadata,
        source=source,
    )


def _station(record: RawRecord, scope: Scope) -> str | None:
    station = text_of(record.station_id, scope, "station")
    scope.mapped("station", 0 if station is None else 1)
    return station


def _phases(
    record: RawRecord, outcome: RunOutcome, scope: Scope
) -> tuple[list[Phase], list[NamedFile]]:
    kept: list[tuple[int, str, Scope]] = []
    for index, raw in enumerate(record.phases):
        place = scope.at(f".phases[{index}]")
        if is_idle_trigger(raw) and not scope.settings.framework_phases:
            place.omitted("phase", "the framework's own wait for the unit", raw.name)
            continue
        kept.append((index, phase_name(raw, index + 1, place), place))
    # All files are named before the first phase is read: a name that occurs again
    # later changes the first one too.
    named, notes = name_attachments(
        [
            PhaseFiles(
                phase=name, scope=place, attachments=record.phases[index].attachments
            )
            for index, name, place in kept
        ]
    )
    context = PhaseContext(run=outcome, unset_fails=_unset_fails(record))
    phases = [
        read_phase(record.phases[index], name, context, noted, place)
        for (index, name, place), noted in zip(kept, notes, strict=True)
    ]
    return phases, named


def _unset_fails(record: RawRecord) -> bool | None:
    """Whether unset measurements fail their phase, by the configuration recorded."""
    config = record.metadata.get("config")
    if not isinstance(config, Mapping):
        return None
    allowed = cast("Mapping[object, object]", config).get("allow_unset_measurements")
    return None if not isinstance(allowed, bool) else not allowed


@attrs.frozen
class _OutcomeDetail:
    """Why a test ended as it did."""

    code: JSONValue
    description: JSONValue

    @property
    def text(self) -> str:
        parts = [str(p) for p in (self.code, self.description) if p not in (None, "")]
        return ": ".join(parts)


def _outcome_details(record: RawRecord, scope: Scope) -> list[_OutcomeDetail]:
    details: list[_OutcomeDetail] = []
    for index, given in enumerate(record.outcome_details):
        place = scope.at(f"[{index}]")
        plain = free_form(given, place, "outcome detail")
        if isinstance(plain, dict):
            detail = _OutcomeDetail(plain.get("code"), plain.get("description"))
        else:
            place.coerced("outcome detail", "without a code taken as a description")
            detail = _OutcomeDetail(None, plain)
        place.mapped("outcome detail")
        details.append(detail)
    return details


def _error_entry(detail: _OutcomeDetail, time: datetime | None) -> LogEntry:
    return LogEntry(level=LogLevel.ERROR, message=detail.text, time=time)


def _metadata(
    record: RawRecord,
    used: frozenset[str],
    details: list[_OutcomeDetail],
    loggers: Mapping[str, JSONValue],
    scope: Scope,
) -> dict[str, JSONValue]:
    """Gather the author's metadata and all that the model has no field for."""
    place = scope.at(".metadata")
    given = {key: value for key, value in record.metadata.items() if key not in used}
    config = given.get("config")
    if isinstance(config, Mapping):
        fields = cast("Mapping[object, object]", config)
        given["config"] = mask_secrets(fields, place.at(".config"))
    metadata = cast("dict[str, JSONValue]", free_form(given, place, "metadata"))
    scope.mapped("metadata", len(metadata))
    rest: dict[str, JSONValue] = {
        "outcome_details": [attrs.asdict(detail) for detail in details],
        "code_info": read_code(record.code, scope.at(".code_info")),
        "loggers": loggers,
    }
    for key, value in record.rest.items():
        rest[key] = free_form(value, scope.at(f".{key}"), "metadata")
    for key, value in rest.items():
        if value is None or value in ([], {}, ""):
            continue
        name = key
        # The author's own key keeps its name, whatever the record calls its fields.
        while name in metadata:
            name = f"record.{name}"
        if name != key:
            rule = "kept beside the author's metadata of the same name"
            scope.at(f".{key}").coerced("metadata", rule, name)
        metadata[name] = value
        scope.mapped("metadata")
    return metadata

"""A stored run as v2 shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

import msgspec
from msgspec import UNSET

from rigbridge.convert.numbers import spell
from rigbridge.convert.times import to_iso_duration, to_iso_utc
from rigbridge.model import Axis, LogEntry, Measurement, Phase, Run, Series
from rigbridge.wire import ListedAttachment
from rigbridge_store.fields import known, text_or_none
from rigbridge_store.server.v2.creating import RESERVED
from rigbridge_store.server.v2.judging import (
    show_aggregations,
    show_validators,
    validators_of,
)
from rigbridge_store.server.v2.run_answers import (
    Operator,
    Person,
    RunSummary,
    ShownAttachment,
    ShownAxis,
    ShownBatch,
    ShownLog,
    ShownMeasurement,
    ShownPart,
    ShownPhase,
    ShownProcedure,
    ShownRevision,
    ShownSequence,
    ShownUnit,
    ShownVersion,
    Station,
)
from rigbridge_store.server.v2.run_bodies import Aggregation, DataAxis
from rigbridge_store.server.v2.run_bodies import Sequence as Call
from rigbridge_store.tables.values import iso_from_micros, iso_from_span

__all__ = [
    "NOTHING",
    "person",
    "show_attachments",
    "show_log",
    "show_measurement",
    "show_part",
    "show_phase",
    "show_sequences",
    "station",
    "summary",
]

NOTHING = "00000000-0000-0000-0000-000000000000"
"""The id of what a unit lacks and v2 demands: a part, a revision, a creator."""


def person(row: Any, prefix: str) -> Person | None:
    """Give the user of some columns of a row, or None."""
    public = getattr(row, f"{prefix}_id")
    if public is None:
        return None
    return Person(
        id=public,
        name=getattr(row, f"{prefix}_name"),
        email=getattr(row, f"{prefix}_email"),
    )


def station(row: Any) -> Station | None:
    """Give the station of a row, or None."""
    if row.station_id is None:
        return None
    return Station(id=row.station_id, name=row.station_name)


def show_part(row: Any) -> ShownPart:
    """Give the part and revision of a row; v2 knows no unit without them."""
    return ShownPart(
        id=row.part_id or NOTHING,
        number=row.part_number or "",
        name=row.part_name or row.part_number or "",
        revision=ShownRevision(
            id=row.revision_id or NOTHING, number=row.revision_number or ""
        ),
    )


def _operator(row: Any) -> Operator | None:
    if row.operator_id is not None:
        return Operator(
            id=row.operator_id, name=row.operator_name, email=row.operator_email
        )
    if row.declared_operator is None:
        return None
    return Operator(id=None, name=row.declared_operator, email=None)


def summary(row: Any, **more: Any) -> RunSummary:
    """
    Show a run as lists do.

    A run whose times are unknown is shown with those known: v2 has none without.

    Args:
        row: the run's row.
        more: further fields.
    """
    started = row.started_at
    if started is None:
        started = row.created_at if row.ended_at is None else row.ended_at
    ended = row.ended_at if row.ended_at is not None else started
    batch = row.batch_id
    version = row.version_id
    kind: Callable[..., RunSummary] = more.pop("kind", RunSummary)
    return kind(
        id=row.id,
        created_at=iso_from_micros(row.created_at) or "",
        started_at=iso_from_micros(started) or "",
        ended_at=iso_from_micros(ended) or "",
        duration=iso_from_span(row.duration or 0),
        outcome=row.outcome,
        execution_id=row.execution_id,
        slot_key=row.slot_key,
        slot_name=row.slot_name,
        procedure=ShownProcedure(
            id=row.procedure_id,
            name=row.procedure_name,
            version=(
                None
                if version is None
                else ShownVersion(id=version, tag=row.version_tag)
            ),
        ),
        unit=ShownUnit(
            id=row.unit_id,
            serial_number=row.unit_serial_number,
            sample=row.unit_sample,
            part=show_part(row),
            batch=(
                None if batch is None else ShownBatch(id=batch, number=row.batch_number)
            ),
        ),
        docstring=row.docstring,
        created_by_user=person(row, "creator"),
        created_by_station=station(row),
        operated_by=_operator(row),
        **more,
    )


def _iso(time: datetime | None) -> str | None:
    return None if time is None else to_iso_utc(time)


def _duration(start: datetime | None, end: datetime | None) -> str | None:
    if start is None or end is None:
        return None
    return to_iso_duration(max(end - start, end - end))


def show_phase(phase: Phase, index: int, run_id: str, run: Run) -> ShownPhase:
    """Show a phase; its id is that of the run with its place."""
    place = f"{run_id}.p{index}"
    start = phase.started_at or run.started_at or phase.ended_at
    end = phase.ended_at or start
    retries = phase.attributes.get("retry_count")
    sequence = phase.attributes.get("sequence_path")
    nested = isinstance(sequence, str)
    name = phase.name if nested else " / ".join((*phase.path, phase.name))
    return ShownPhase(
        id=place,
        name=name,
        outcome=phase.outcome.value,
        started_at=_iso(start) or "1970-01-01T00:00:00Z",
        ended_at=_iso(end) or "1970-01-01T00:00:00Z",
        duration=_duration(start, end) or "PT0S",
        retry_count=retries if isinstance(retries, int) else 0,
        sequence_path=sequence if isinstance(sequence, str) else None,
        measurements=[
            show_measurement(measurement, f"{place}.m{number}")
            for number, measurement in enumerate(phase.measurements)
        ],
        docstring=phase.docstring,
    )


def show_measurement(measurement: Measurement, place: str) -> ShownMeasurement:
    """Show a measurement; its id is its place."""
    value = measurement.value
    axes = measurement.attributes.get("axes")
    loose = None if isinstance(value, Series) or axes is None else _loose(value)
    numeric = isinstance(value, Series) and all(
        isinstance(point, (int, float)) and not isinstance(point, bool)
        for point in chain.from_iterable(axis.values for axis in value.axes)
    )
    # Axes that were sent as such are shown as such, all else as it was sent as well.
    shown = not ((numeric and isinstance(axes, list)) or loose)
    series: Any = UNSET
    if loose is not None:
        series = _series(loose, axes, place)
    elif numeric and isinstance(value, Series):
        series = _series(value.axes, axes, place)
    return ShownMeasurement(
        id=place,
        name=measurement.name,
        outcome=measurement.outcome.value,
        validators=show_validators(
            validators_of(measurement), None if isinstance(value, Series) else value
        ),
        units=measurement.unit,
        aggregations=show_aggregations(
            _read(measurement.attributes.get("aggregations"), list[Aggregation]), place
        ),
        docstring=measurement.docstring,
        measured_value=_value(value, shown=shown),
        data_series=series,
    )


def _value(value: Any, *, shown: bool) -> Any:
    if value is None or not shown:
        return UNSET
    if isinstance(value, Series):
        return [[spell(cell) for cell in row] for row in value.rows()]
    return spell(value)


def _loose(value: Any) -> list[Axis] | None:
    """Read axes of unequal lengths, which are no series; None for another value."""
    axes = _read(value, list[DataAxis])
    if not axes:
        return None
    return [
        Axis(name=known(axis.name), unit=known(axis.units), values=axis.data)
        for axis in axes
    ]


def _series(axes: Sequence[Axis], described: Any, place: str) -> list[ShownAxis]:
    shown: list[ShownAxis] = []
    for index, axis in enumerate(axes):
        extra = _read({"data": [], **_member(described, index)}, DataAxis) or DataAxis(
            data=[]
        )
        shown.append(
            ShownAxis(
                data=[spell(point) for point in axis.values],
                units=axis.unit,
                name=axis.name,
                description=known(extra.description),
                validators=show_validators(known(extra.validators)),
                aggregations=show_aggregations(
                    known(extra.aggregations), f"{place}.d{index}"
                ),
            )
        )
    return shown


def _member(items: Any, index: int) -> Mapping[str, Any]:
    fits = isinstance(items, list) and index < len(items)
    return items[index] if fits and isinstance(items[index], Mapping) else {}


def _read(value: Any, kind: Any) -> Any:
    """Read what a v2 client sent; an attribute of another source is none."""
    if value is None:
        return None
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return None


def show_sequences(
    metadata: Mapping[str, Any], run_id: str, *, nested: bool
) -> list[ShownSequence]:
    """
    Show the sequence calls of a run, in the order that they were sent in.

    Args:
        metadata: what the run keeps beside v1.
        run_id: the run.
        nested: also those within others.
    """
    extra = metadata.get(RESERVED)
    stored = extra.get("sequences") if isinstance(extra, Mapping) else None
    calls: Sequence[Call] = _read(stored, list[Call]) or []
    shown: list[ShownSequence] = []
    for index, call in enumerate(calls):
        parent, _, key = call.path.rpartition("/")
        start, end = known(call.started_at), known(call.ended_at)
        if parent and not nested:
            continue
        shown.append(
            ShownSequence(
                id=f"{run_id}.s{index}",
                path=call.path,
                key=key,
                parent_path=parent or None,
                name=call.name,
                source=text_or_none(call.source),
                outcome=call.outcome,
                started_at=_iso(start),
                ended_at=_iso(end),
                duration=_duration(start, end),
            )
        )
    return shown


def show_attachments(
    files: Sequence[ListedAttachment], link: Callable[[str], str]
) -> list[ShownAttachment]:
    """Show the files of a run; ``link`` gives the URL of one that has bytes."""
    return [
        ShownAttachment(
            id=file.id,
            name=file.name or "",
            size=file.size,
            content_type=file.mime_type,
            is_report=False,
            download_url=None if file.download_url is None else link(file.id),
        )
        for file in files
    ]


def show_log(entry: LogEntry, index: int, run_id: str, run: Run) -> ShownLog:
    """Show a line of the log; its id is that of the run with its place."""
    time = entry.time or run.started_at
    return ShownLog(
        id=f"{run_id}.l{index}",
        level=entry.level.value,
        timestamp=_iso(time) or "1970-01-01T00:00:00Z",
        message=entry.message,
        source_file=entry.source_file or "unknown",
        line_number=entry.line or 0,
    )

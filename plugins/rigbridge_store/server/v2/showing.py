"""Rows of the store, and stored runs, as v2 shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from rigbridge.convert.numbers import spell
from rigbridge.convert.times import to_iso_duration, to_iso_utc
from rigbridge.model import Axis, JSONValue, LogEntry, Measurement, Phase, Run, Series
from rigbridge.wire import ListedAttachment
from rigbridge_store.fields import known, text_or_none
from rigbridge_store.reading.details import Row
from rigbridge_store.reading.lists.query import RowPage
from rigbridge_store.server.v2.bodies import shown_runs
from rigbridge_store.server.v2.bodies.sent_runs import (
    Aggregation,
    DataAxis,
    SequenceCall,
)
from rigbridge_store.server.v2.bodies.shared import (
    LinkedStation,
    Maker,
    Meta,
    Numbered,
    Page,
    Person,
    ShownPart,
)
from rigbridge_store.server.v2.checks import RESERVED
from rigbridge_store.server.v2.validators import (
    read_sent,
    show_aggregations,
    show_validators,
    validators_of,
)
from rigbridge_store.tables.values import (
    EPOCH,
    iso_from_micros,
    iso_from_span,
    iso_or_epoch,
)

__all__ = [
    "NOTHING",
    "from_row",
    "from_row_or_none",
    "made_by",
    "page_of",
    "show_attachments",
    "show_log",
    "show_measurement",
    "show_part",
    "show_phase",
    "show_run",
    "show_sequences",
    "show_used_values",
    "start_of",
]

_T = TypeVar("_T", bound=msgspec.Struct)
_R = TypeVar("_R", bound=shown_runs.RunSummary)

NOTHING = "00000000-0000-0000-0000-000000000000"
"""The id of what a unit lacks and v2 demands: a part, a revision, a creator."""


def from_row(kind: type[_T], row: Row, prefix: str = "", /, **given: object) -> _T:
    """
    Make an answer of a row.

    A field that is not given is the column of its name, behind the prefix. Columns
    named ``..._at`` are moments, which v2 shows as text, and cannot lack where the
    field demands one.
    """
    values = dict(given)
    for name in kind.__struct_fields__:
        column = prefix + name
        if name in given or not hasattr(row, column):
            continue
        value = getattr(row, column)
        if name.endswith("_at"):
            # Where the field demands a moment, the epoch stands for an unknown one.
            demanded = name in _demanded_texts(kind)
            value = (iso_or_epoch if demanded else iso_from_micros)(value)
        values[name] = value
    return kind(**values)


@cache
def _demanded_texts(kind: type[msgspec.Struct]) -> frozenset[str]:
    # Kept, since the annotations of a class are resolved anew at each question.
    fields = msgspec.structs.fields(kind)
    return frozenset(field.name for field in fields if field.type is str)


def from_row_or_none(
    kind: type[_T], row: Row, prefix: str, /, **given: object
) -> _T | None:
    """Make an answer of columns of a row, or None where it refers to nothing."""
    if getattr(row, f"{prefix}id") is None:
        return None
    return from_row(kind, row, prefix, **given)


def made_by(row: Row, kind: type[Maker | Person] = Maker) -> dict[str, object]:
    """Give the fields that say which user or station, one at most, made something."""
    return {
        "created_by_user": from_row_or_none(kind, row, "creator_"),
        "created_by_station": from_row_or_none(LinkedStation, row, "station_"),
    }


def page_of(page: RowPage, show: Callable[[Row], _T]) -> Page[_T]:
    """Show the rows of a page, and tell where the list goes on."""
    after = page.next_cursor
    meta = Meta(has_more=after is not None, next_cursor=after)
    return Page(data=[show(row) for row in page.rows], meta=meta)


def show_part(row: Row) -> ShownPart:
    """Give the part and revision of a row; v2 knows no unit without them."""
    return ShownPart(
        id=row.part_id or NOTHING,
        number=row.part_number or "",
        name=row.part_name or row.part_number or "",
        revision=Numbered(
            id=row.revision_id or NOTHING, number=row.revision_number or ""
        ),
    )


def _operator(row: Row) -> shown_runs.Operator | None:
    # A declared operator has a name and no account.
    if row.operator_id is None and row.declared_operator is not None:
        return shown_runs.Operator(id=None, name=row.declared_operator, email=None)
    return from_row_or_none(shown_runs.Operator, row, "operator_")


def start_of(row: Row) -> int:
    """Give the moment that a run started at, or else that it is known by."""
    started: int = row.created_at if row.started_at is None else row.started_at
    return started


def show_run(kind: type[_R], row: Row, **more: object) -> _R:
    """
    Show a run, as lists do or with further fields.

    A run whose times are unknown is shown with those known: v2 has none without.
    """
    started = start_of(row)
    if row.started_at is None and row.ended_at is not None:
        started = row.ended_at
    ended = started if row.ended_at is None else row.ended_at
    return from_row(
        kind,
        row,
        started_at=iso_from_micros(started),
        ended_at=iso_from_micros(ended),
        duration=iso_from_span(row.duration or 0),
        procedure=from_row(
            shown_runs.ShownProcedure,
            row,
            "procedure_",
            version=from_row_or_none(shown_runs.ShownVersion, row, "version_"),
        ),
        unit=from_row(
            shown_runs.ShownUnit,
            row,
            "unit_",
            part=show_part(row),
            batch=from_row_or_none(Numbered, row, "batch_"),
        ),
        operated_by=_operator(row),
        **made_by(row, Person),
        **more,
    )


def _duration(start: datetime | None, end: datetime | None) -> str | None:
    if start is None or end is None:
        return None
    # A clock that was set back makes no negative duration.
    return to_iso_duration(max(end - start, end - end))


def show_phase(
    phase: Phase, index: int, run_id: str, run: Run
) -> shown_runs.ShownPhase:
    """Show a phase; its id is that of the run with its place."""
    # Phases have no id in v1; their place never changes, since runs do not.
    place = f"{run_id}.p{index}"
    start = phase.started_at or run.started_at or phase.ended_at
    end = phase.ended_at or start
    retries = phase.attributes.get("retry_count")
    sequence = phase.attributes.get("sequence_path")
    nested = isinstance(sequence, str)
    return shown_runs.ShownPhase(
        id=place,
        # Phases of a v2 client have their path apart, in the sequence.
        name=phase.name if nested else " / ".join((*phase.path, phase.name)),
        outcome=phase.outcome.value,
        started_at=to_iso_utc(start or EPOCH),
        ended_at=to_iso_utc(end or EPOCH),
        duration=_duration(start, end) or "PT0S",
        retry_count=retries if isinstance(retries, int) else 0,
        sequence_path=sequence if isinstance(sequence, str) else None,
        measurements=[
            show_measurement(measurement, f"{place}.m{number}")
            for number, measurement in enumerate(phase.measurements)
        ],
        docstring=phase.docstring,
    )


def show_measurement(
    measurement: Measurement, place: str
) -> shown_runs.ShownMeasurement:
    """Show a measurement; its id is its place."""
    value = measurement.value
    axes = measurement.attributes.get("axes")
    aggregations = measurement.attributes.get("aggregations")
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
    return shown_runs.ShownMeasurement(
        id=place,
        name=measurement.name,
        outcome=measurement.outcome.value,
        validators=show_validators(
            validators_of(measurement), None if isinstance(value, Series) else value
        ),
        units=measurement.unit,
        aggregations=show_aggregations(
            read_sent(aggregations, list[Aggregation]), place
        ),
        docstring=measurement.docstring,
        measured_value=_value(value, shown=shown),
        data_series=series,
    )


def _value(value: object, *, shown: bool) -> object:
    if value is None or not shown:
        return UNSET
    if isinstance(value, Series):
        return [[spell(cell) for cell in row] for row in value.rows()]
    return spell(value)


def _loose(value: object) -> list[Axis] | None:
    """Read axes of unequal lengths, which are no series; None for another value."""
    axes = read_sent(value, list[DataAxis])
    if not axes:
        return None
    return [
        Axis(name=known(axis.name), unit=known(axis.units), values=axis.data)
        for axis in axes
    ]


def _series(
    axes: Sequence[Axis], described: JSONValue, place: str
) -> list[shown_runs.ShownAxis]:
    shown: list[shown_runs.ShownAxis] = []
    for index, axis in enumerate(axes):
        # Stored without its points, which a sent axis must have.
        extra = read_sent({"data": [], **_member(described, index)}, DataAxis)
        extra = extra or DataAxis(data=[])
        shown.append(
            shown_runs.ShownAxis(
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


def _member(items: JSONValue, index: int) -> Mapping[str, Any]:
    # Stored as it was sent, so it may be of any shape, and shorter than the axes.
    if not isinstance(items, list) or index >= len(items):
        return {}
    item = items[index]
    return item if isinstance(item, Mapping) else {}


def _kept(metadata: Mapping[str, Any], name: str) -> JSONValue:
    """Give what a v2 client sent and v1 has no field for, None where it did not."""
    extra: JSONValue = metadata.get(RESERVED)
    return extra.get(name) if isinstance(extra, Mapping) else None


def show_used_values(metadata: Mapping[str, Any]) -> dict[str, object]:
    """Show the configured values and the secrets that a run used, without these."""
    return {
        "config": read_sent(_kept(metadata, "config"), list[shown_runs.ShownConfig])
        or [],
        "secrets": read_sent(_kept(metadata, "secrets"), list[shown_runs.ShownSecret])
        or [],
    }


def show_sequences(
    metadata: Mapping[str, Any], run_id: str, *, nested: bool
) -> list[shown_runs.ShownSequence]:
    """Show the sequence calls of a run, in the order that they were sent in."""
    # Anybody may have written metadata of this name: what it is must be read first.
    stored = _kept(metadata, "sequences")
    shown: list[shown_runs.ShownSequence] = []
    for index, call in enumerate(read_sent(stored, list[SequenceCall]) or ()):
        parent, _, key = call.path.rpartition("/")
        start, end = known(call.started_at), known(call.ended_at)
        # A list shows the outermost calls only.
        if parent and not nested:
            continue
        shown.append(
            shown_runs.ShownSequence(
                id=f"{run_id}.s{index}",
                path=call.path,
                key=key,
                parent_path=parent or None,
                name=call.name,
                source=text_or_none(call.source),
                outcome=call.outcome,
                started_at=None if start is None else to_iso_utc(start),
                ended_at=None if end is None else to_iso_utc(end),
                duration=_duration(start, end),
            )
        )
    return shown


def show_attachments(
    files: Sequence[ListedAttachment], link: Callable[[str], str]
) -> list[shown_runs.ShownAttachment]:
    """Show the files of a run; ``link`` gives the URL of one that has bytes."""
    return [
        shown_runs.ShownAttachment(
            id=file.id,
            name=file.name or "",
            size=file.size,
            content_type=file.mime_type,
            # The store does not know which of the files a report is.
            is_report=False,
            download_url=None if file.download_url is None else link(file.id),
        )
        for file in files
    ]


def show_log(entry: LogEntry, index: int, run_id: str, run: Run) -> shown_runs.ShownLog:
    """Show a line of the log; its id is that of the run with its place."""
    return shown_runs.ShownLog(
        id=f"{run_id}.l{index}",
        level=entry.level.value,
        timestamp=to_iso_utc(entry.time or run.started_at or EPOCH),
        message=entry.message,
        # v2 demands both, other sources may have neither.
        source_file=entry.source_file or "unknown",
        line_number=entry.line or 0,
    )

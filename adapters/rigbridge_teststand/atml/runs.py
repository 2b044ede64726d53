"""One ``TestResults`` element to one run."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import PureWindowsPath
from typing import Any

from rigbridge.adapters import ReadContext
from rigbridge.model import ProcedureRef, Provenance, Run, RunOutcome
from rigbridge_teststand.atml.events import read_events
from rigbridge_teststand.atml.header import Header, read_header
from rigbridge_teststand.atml.names import attribute, child, children
from rigbridge_teststand.atml.statuses import Status, read_status
from rigbridge_teststand.atml.steps import StepReader, read_properties, steps_of
from rigbridge_teststand.atml.times import Clock
from rigbridge_teststand.atml.values import flatten
from rigbridge_teststand.documents import place_of
from rigbridge_teststand.element import Element
from rigbridge_teststand.settings import TestStandSettings
from rigbridge_teststand.statuses import RUN_OUTCOMES

__all__ = ["read_run"]

_SEQUENCE_FILE = re.compile(r"\.seq$", re.IGNORECASE)
_UNFINISHED = frozenset({"running", "looping"})
_OF_SET = frozenset(
    {"Outcome", "ActionOutcome", "Events", "Event", "Extension"}
    | {"Test", "SessionAction", "TestGroup"}
)
_OLDEST = "2.02"


def read_run(
    results: Element,
    source: Provenance,
    settings: TestStandSettings,
    context: ReadContext,
    *,
    truncated: bool = False,
) -> Run:
    """
    Read a ``TestResults`` element.

    Args:
        results: the element.
        source: where it stands; the run's id follows from it.
        settings: the site's settings for TestStand.
        context: the surroundings of the reading.
        truncated: whether the file ends within this run.
    """
    report = context.report
    header = read_header(results, report)
    clock = Clock(context, header.station)
    reader = StepReader(clock, settings.phase_outcomes(), report)
    metadata = dict(header.metadata)
    result_set = child(results, "ResultSet")
    root = _root(result_set, source.format_version)
    started = clock.read(result_set, "startDateTime") or clock.read(
        root, "startDateTime"
    )
    phases = [] if root is None else reader.phases(root)
    for element in _distinct(result_set, root):
        _keep_set(element, started, reader, metadata, context)
    status = _status(result_set, root)
    outcome = _outcome(results, status, settings, context, truncated=truncated)
    if truncated or header.interrupted or _is_unfinished(status):
        metadata["partial"] = True
    if status is not None:
        metadata["raw_status"] = status.raw
        if status.qualifier is not None:
            metadata["outcome_value"] = status.value
    report.mapped("run")
    return Run(
        id=source.run_id,
        outcome=outcome,
        procedure=_procedure(result_set, root, header, settings, metadata),
        unit=header.unit,
        started_at=started,
        ended_at=_ended(result_set, started, metadata, clock, context),
        operator=header.operator,
        station=header.station,
        phases=tuple(phases),
        logs=tuple(reader.logs),
        attachments=tuple(reader.attachments),
        metadata=metadata,
        source=source,
    )


def _root(result_set: Element | None, version: str | None) -> Element | None:
    """Find what holds the steps: in 2.02 a single group stands for the run."""
    if result_set is None or version != _OLDEST:
        return result_set
    steps = steps_of(result_set)
    if len(steps) == 1 and steps[0][0] == "TestGroup":
        return steps[0][1]
    return result_set


def _distinct(*elements: Element | None) -> list[Element]:
    found: list[Element] = []
    for element in elements:
        if element is not None and element not in found:
            found.append(element)
    return found


def _keep_set(
    element: Element,
    started: datetime | None,
    reader: StepReader,
    metadata: dict[str, Any],
    context: ReadContext,
) -> None:
    """Keep what the result set itself says: properties, errors, further elements."""
    report = context.report
    for key, value in read_properties(element, report).items():
        metadata.setdefault(f"main_sequence.{key}", value)
    ended = None if attribute(element, "endDateTime") is None else started
    errors = read_events(element, ended, report)
    reader.logs.extend(errors.logs)
    if errors.code:
        metadata["error_code"] = errors.code
    if (given := attribute(element, "ID")) is not None:
        metadata.setdefault("main_sequence.result_id", given)
    for name, below in children(element):
        if name not in _OF_SET and not reader.take_text(name, below, started):
            flatten(below, f"main_sequence.{name}", metadata, report)


def _status(result_set: Element | None, root: Element | None) -> Status | None:
    for element in (result_set, root):
        if element is not None and (found := read_status(element)) is not None:
            return found
    return None


def _is_unfinished(status: Status | None) -> bool:
    return status is not None and status.raw.lower() in _UNFINISHED


def _outcome(
    results: Element,
    status: Status | None,
    settings: TestStandSettings,
    context: ReadContext,
    *,
    truncated: bool,
) -> RunOutcome:
    report = context.report
    if truncated:
        report.coerced(
            "run",
            "cut off or damaged within it, what is complete is kept",
            place=place_of(results),
        )
    if status is None or not status.raw:
        report.coerced(
            "status",
            "no verdict in the report",
            place=place_of(results),
        )
        return RunOutcome.ABORTED if truncated else RunOutcome.ERROR
    known = status.mapped(settings.run_outcomes(), RUN_OUTCOMES)
    if known is None:
        report.coerced(
            "status",
            "unknown, read as error",
            place=place_of(results),
            detail=status.raw,
        )
        return RunOutcome.ERROR
    if status.raw == "Skipped":
        report.coerced(
            "status", "a run that never started, aborted", place=place_of(results)
        )
    return known


def _procedure(
    result_set: Element | None,
    root: Element | None,
    header: Header,
    settings: TestStandSettings,
    metadata: dict[str, Any],
) -> ProcedureRef:
    given = [attribute(element, "name") for element in (result_set, root)]
    named = next((name for name in given if name and "#" in name), given[0] or given[1])
    file, _, sequence = (named or "").partition("#")
    if sequence:
        metadata["sequence"] = sequence
    if file:
        metadata["sequence_file"] = file
    # Paths in reports are of Windows, whatever machine reads them.
    base = PureWindowsPath(file).name if file else ""
    stem = _SEQUENCE_FILE.sub("", base).strip()
    return ProcedureRef(
        name=stem or sequence or settings.procedure, version=header.program_version
    )


def _ended(
    result_set: Element | None,
    started: datetime | None,
    metadata: dict[str, Any],
    clock: Clock,
    context: ReadContext,
) -> datetime | None:
    ended = clock.read(result_set, "endDateTime")
    total = metadata.get("main_sequence.total_time")
    if ended is None and started is not None and isinstance(total, (int, float)):
        try:
            ended = started + timedelta(seconds=total)
        except (OverflowError, ValueError):
            return None
    if ended is not None and started is not None and ended < started:
        context.report.coerced(
            "time",
            "end before start, taken as unknown",
            detail=attribute(result_set, "endDateTime"),
        )
        return None
    return ended

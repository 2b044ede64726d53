"""One report of a unit to one run."""

from __future__ import annotations

from datetime import timedelta
from pathlib import PureWindowsPath
from typing import Any

from rigbridge.adapters import ConversionReport, ReadContext
from rigbridge.model import (
    LogEntry,
    LogLevel,
    ProcedureRef,
    Provenance,
    Run,
    RunOutcome,
)
from rigbridge_teststand.documents import place_of
from rigbridge_teststand.element import Element
from rigbridge_teststand.header import Header, keep_rest, read_header
from rigbridge_teststand.numbers import read_count, read_number
from rigbridge_teststand.options import KEPT_OPTIONS, NOT_KEPT
from rigbridge_teststand.properties import below, members, text_at
from rigbridge_teststand.scalars import read_scalar
from rigbridge_teststand.settings import TestStandSettings
from rigbridge_teststand.statuses import RUN_OUTCOMES, severity
from rigbridge_teststand.steps import CUT_OFF, StepReader, StepTimes
from rigbridge_teststand.texts import clean_text

__all__ = ["read_report"]

_HEADER = frozenset(
    {"UUT", "StartTime", "StartDate", "StationInfo", "MainSequenceResults"}
)
_DISPLAY = "ReportOptions"
_STEP = "TEResult"
_CALLED = frozenset({"sequence_file", "sequence"})
_LONGEST = 1e9
_UNFINISHED = frozenset({"running", "looping", ""})
_NEVER_STARTED = frozenset({"skipped", "notstarted"})


def read_report(
    element: Element,
    source: Provenance,
    settings: TestStandSettings,
    context: ReadContext,
    *,
    truncated: bool = False,
) -> Run:
    """
    Read a ``Report`` or ``TSReport`` element.

    Args:
        element: the element.
        source: where it stands; the run's id follows from it.
        settings: the site's settings for TestStand.
        context: the surroundings of the reading.
        truncated: the file ends within it.
    """
    account = context.report
    header = read_header(element, context)
    root = _root(element)
    engine = below(root, "TS")
    started = header.started_at
    times = StepTimes(start=started, engine_start=_number(engine, "StartTime"))
    if header.engine_started_at is not None:
        times = StepTimes(start=header.engine_started_at, engine_start=0.0)
    if started is not None and not times.is_known:
        account.coerced(
            "phase time",
            "the engine's time at the start is missing, all taken as unknown",
            place=place_of(element),
        )
    reader = StepReader(times, settings.phase_outcomes(), account)
    metadata = dict(header.metadata)
    phases = [] if root is None else reader.phases(root)
    if root is not None:
        reader.read_texts(members(root), started, metadata.__setitem__)
    total = _number(engine, "TotalTime")
    ended = None
    if started is not None and total is not None and total >= 0:
        ended = started + timedelta(seconds=total)
    facts = reader.attributes(members(engine))
    file, sequence = _told(facts, "sequence_file"), _told(facts, "sequence")
    version = _told(facts, "sequence_file_version")
    facts.pop("sequence_file_version", None)
    for key, value in facts.items():
        if value != "":
            is_called = key in _CALLED
            metadata[key if is_called else f"main_sequence.{key}"] = value
    _keep_report_level(element, metadata, context)
    logs = _report_logs(element, header, account) + reader.logs
    if _false(text_at(below(element, "TSRData"), "TSRFileClosed")):
        metadata["partial"] = True
        account.coerced(
            "run", "the recording of results did not end", place=place_of(element)
        )
    if truncated:
        metadata["partial"] = True
        account.coerced(
            "run",
            "cut off or damaged within it, what is complete is kept",
            place=place_of(element),
        )
    _compare_count(element, len(phases), context)
    _drop_comments(element, root, account)
    account.mapped("run")
    return Run(
        id=source.run_id,
        outcome=_outcome(element, root, settings, metadata, context),
        procedure=ProcedureRef(
            name=_stem(file) or sequence or settings.procedure,
            version=version or text_at(root, "SeqFileVersion"),
        ),
        unit=header.unit,
        sub_units=header.sub_units,
        started_at=started,
        ended_at=ended,
        operator=header.operator,
        station=header.station,
        phases=tuple(phases),
        logs=tuple(logs),
        attachments=tuple(reader.attachments),
        metadata=metadata,
        source=source,
    )


def _root(element: Element) -> Element | None:
    for child in element.iterchildren("Prop"):
        if child.get("Type") == "TEResult":
            return child
        if child.get("Name") == "MainSequenceResults":
            return child.find("Value/Prop[@Type='TEResult']")
    return None


def _number(engine: Element | None, name: str) -> float | None:
    content = text_at(engine, name)
    number = None if content is None else read_number(content)
    # Neither is NaN within, nor is what no run could have taken.
    return number if number is not None and abs(number) <= _LONGEST else None


def _told(facts: dict[str, Any], key: str) -> str | None:
    return str(facts.get(key) or "").strip() or None


def _false(content: str | None) -> bool:
    return content is not None and content.lower() == "false"


def _stem(file: str | None) -> str | None:
    if not file:
        return None
    # Paths in reports are of Windows, whatever machine reads them.
    stem: str = PureWindowsPath(file).stem.strip()
    return stem or None


def _keep_report_level(
    element: Element, metadata: dict[str, Any], context: ReadContext
) -> None:
    for child in element:
        # The tag of a comment is no text, whatever the type hints say.
        tag: Any = child.tag
        if not isinstance(tag, str) or child.get("Type") == "TEResult":
            continue
        name = child.get("Name") or tag
        if name == _DISPLAY:
            _keep_options(child, metadata, context.report)
        elif tag == "Prop" and name not in _HEADER:
            keep_rest(child, name, frozenset(), metadata, context.report)


def _keep_options(
    options: Element, metadata: dict[str, Any], account: ConversionReport
) -> None:
    account.coerced("report options", NOT_KEPT, place=place_of(options))
    for name, prop in members(options).items():
        value = read_scalar(prop, account) if name in KEPT_OPTIONS else None
        if value is not None and value != "":
            account.mapped("property")
            metadata[f"report_options.{name}"] = value


def _report_logs(
    element: Element, header: Header, account: ConversionReport
) -> list[LogEntry]:
    """Give what the operator noted of the unit, and what went wrong with the report."""
    errors = [
        (LogLevel.ERROR, (child.text or "").strip())
        for child in element.iterchildren("ErrorText")
    ]
    found = [(LogLevel.INFO, header.comment or ""), *errors]
    logs: list[LogEntry] = []
    for level, message in found:
        if message:
            account.mapped("log")
            logs.append(LogEntry(level=level, message=clean_text(message)))
    return logs


def _drop_comments(
    element: Element, root: Element | None, account: ConversionReport
) -> None:
    """Record the comments of single properties; those of steps are kept."""
    for comment in element.iter("Comment"):
        owner = comment.getparent()
        is_kept = owner is not None and owner is not root and owner.get("Type") == _STEP
        is_template = next(comment.iterancestors("ArrayElementPrototype"), None)
        if (comment.text or "").strip() and not is_kept and is_template is None:
            account.dropped(
                "comment",
                "describes a property of the sequence, not a result",
                place=place_of(comment),
                detail=comment.text,
            )


def _compare_count(element: Element, found: int, context: ReadContext) -> None:
    stated = read_count(element.get("StepCount"))
    if stated is not None and stated != found:
        context.report.coerced(
            "step count",
            "differs from the results in the file, these are kept",
            place=place_of(element),
            detail=f"{stated} stated, {found} found",
        )


def _outcome(
    element: Element,
    root: Element | None,
    settings: TestStandSettings,
    metadata: dict[str, Any],
    context: ReadContext,
) -> RunOutcome:
    # A result that is cut off may have stated what came out differently in the end.
    is_whole = root is None or root.get(CUT_OFF) is None
    stated = [element.get("UUTResult"), text_at(root, "Status") if is_whole else None]
    known = [status.strip() for status in stated if status is not None]
    if not known:
        metadata["partial"] = True
        context.report.coerced(
            "status", "no verdict in the report, aborted", place=place_of(element)
        )
        return RunOutcome.ABORTED
    metadata["raw_status"] = known[0]
    if any(status.lower() in _UNFINISHED for status in known):
        metadata["partial"] = True
    if any(status.lower() in _NEVER_STARTED for status in known):
        context.report.coerced(
            "status", "a run that never started, aborted", place=place_of(element)
        )
    outcomes = [_one(status, element, settings, context) for status in known]
    if len(set(outcomes)) > 1:
        context.report.coerced(
            "status",
            "two verdicts differ, the worse taken",
            place=place_of(element),
            detail=" and ".join(known),
        )
    return max(outcomes, key=severity)


def _one(
    status: str,
    element: Element,
    settings: TestStandSettings,
    context: ReadContext,
) -> RunOutcome:
    lower = status.lower()
    known = settings.run_outcomes().get(lower) or RUN_OUTCOMES.get(lower)
    if known is not None:
        return known
    context.report.coerced(
        "status", "unknown, read as error", place=place_of(element), detail=status
    )
    return RunOutcome.ERROR

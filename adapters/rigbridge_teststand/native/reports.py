"""One report of a unit to one run."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from pathlib import PureWindowsPath
from typing import Any

from rigbridge.adapters import ConversionReport, ReadContext
from rigbridge.errors import ModelError
from rigbridge.model import (
    Attachment,
    JSONValue,
    LogEntry,
    LogLevel,
    Phase,
    ProcedureRef,
    Provenance,
    Run,
    RunOutcome,
)
from rigbridge_teststand.native.execution_data import (
    COMMON_PROPERTIES,
    keep_unplaced,
    read_execution_data,
    read_seconds,
)
from rigbridge_teststand.native.header import NativeHeader, read_header
from rigbridge_teststand.native.kept_properties import keep_property
from rigbridge_teststand.native.partial_results import CUT_OFF
from rigbridge_teststand.native.phases import PhaseBuilder, StepTimes
from rigbridge_teststand.native.properties import (
    NAME,
    Properties,
    child_named,
    children_of,
    read_scalar,
    subproperties,
    text_of,
)
from rigbridge_teststand.native.report_text import read_report_texts
from rigbridge_teststand.native.step_results import RootResult, StepResultReader
from rigbridge_teststand.native.strays import (
    UNKNOWN,
    StrayParts,
    record_comment,
    record_stray_attributes,
    record_stray_parts,
    record_stray_text,
)
from rigbridge_teststand.numbers import read_count
from rigbridge_teststand.settings import TestStandSettings
from rigbridge_teststand.vocabulary import (
    KEPT_REPORT_OPTIONS,
    REPORT_OPTIONS_RULE,
    RUN_OUTCOMES,
    UNKNOWN_STATUS,
    clean_text,
    severity,
)
from rigbridge_teststand.xml.elements import (
    Element,
    record_coerced,
    record_dropped,
    record_omission,
)

__all__ = ["read_report", "result_of"]

_HEADER = frozenset({"UUT", "StartTime", "StartDate", "StationInfo"})
_DISPLAY = "ReportOptions"
_REPORT_PARTS = frozenset({"ErrorText", "ReportInfo", "Comment"})
_VERSION = "SeqFileVersion"
_RESULTS = "MainSequenceResults"
_OF_ROOT = COMMON_PROPERTIES | {_VERSION}
_CALLBACK = "MainSequence Callback"
_CALLED = frozenset({"sequence_file", "sequence"})
_UNFINISHED = frozenset({"running", "looping", ""})
_NEVER_STARTED = frozenset({"skipped", "notstarted"})


def read_report(
    element: Element,
    source: Provenance,
    settings: TestStandSettings,
    context: ReadContext,
    steps: StepResultReader,
    *,
    truncated: bool = False,
) -> Run:
    """
    Read a ``Report`` or ``TSReport`` element.

    Args:
        source: where it stands; the run's id follows from it.
        steps: reads its steps; it may have read a part of them already.

    Raises:
        ModelError: it holds elements, and no property, so it is of another program.
    """
    account = context.report
    _require_properties(element)
    header = read_header(element, context)
    root = result_of(element)
    result, parts = _read_root(element, root, steps, account)
    data, engine = result.data, result.engine
    started = header.started_at
    times = StepTimes(start=started, engine_start=read_seconds(engine, "StartTime"))
    if header.engine_started_at is not None:
        times = StepTimes(start=header.engine_started_at, engine_start=0.0)
    if started is not None and not times.is_known:
        record_coerced(
            account,
            element,
            "phase time",
            "the engine's time at the start is missing, all taken as unknown",
        )
    metadata = dict(header.metadata)
    logs = _report_logs(element, header, account)
    phases: list[Phase] = []
    attachments: list[Attachment] = []
    if root is not None:
        sequences = PhaseBuilder(root, times, account)
        sequences.add(result.lists)
        phases, attachments = sequences.phases, sequences.attachments
        texts = read_report_texts(data, result.error, metadata, account)
        logs += sequences.logs
        logs += [
            LogEntry(level=level, message=message, time=started)
            for level, message in texts
        ]
    total = read_seconds(engine, "TotalTime")
    ended = None
    if started is not None and total is not None and total >= 0:
        ended = started + timedelta(seconds=total)
    facts = _root_facts(result, account)
    file, sequence = _fact(facts, "sequence_file"), _fact(facts, "sequence")
    version = _fact(facts, "sequence_file_version")
    facts.pop("sequence_file_version", None)
    for key, value in facts.items():
        if value != "":
            is_called = key in _CALLED
            metadata[key if is_called else f"main_sequence.{key}"] = value
    _keep_report_level(element, root, data, metadata, account)
    recorded = subproperties(child_named(element, "TSRData"))
    if (text_of(recorded, "TSRFileClosed") or "").lower() == "false":
        metadata["partial"] = True
        record_coerced(account, element, "run", "the recording of results did not end")
    if truncated:
        metadata["partial"] = True
        record_coerced(
            account,
            element,
            "run",
            "cut off or damaged; the complete part is kept",
        )
    _compare_count(element, len(phases), context)
    looked_at = dict(header.parts)
    if root is not None and parts is not None:
        looked_at[root] = parts
    _record_strays(element, looked_at, account)
    account.mapped("run")
    # A result that is cut off may have stated what came out differently in the end.
    final = data if root is None or root.get(CUT_OFF) is None else Properties()
    return Run(
        id=source.run_id,
        outcome=_outcome(element, final, settings, metadata, context),
        procedure=ProcedureRef(
            name=_stem(file) or sequence or settings.procedure,
            version=version or _text_named(data, _VERSION),
        ),
        unit=header.unit,
        sub_units=header.sub_units,
        started_at=started,
        ended_at=ended,
        operator=header.operator,
        station=header.station,
        phases=tuple(phases),
        logs=tuple(logs),
        attachments=tuple(attachments),
        metadata=metadata,
        source=source,
    )


def _require_properties(element: Element) -> None:
    if element.find("Prop") is not None:
        return
    # The tag of a comment is no text, whatever the type hints say.
    tags: list[Any] = [child.tag for child in element]
    others = [tag for tag in tags if isinstance(tag, str) and tag not in _REPORT_PARTS]
    if others:
        problem = f"holds {others[0]} and no property (Prop) of TestStand"
        raise ModelError(problem, path="$")


def result_of(element: Element) -> Element | None:
    """Find the root result of a report."""
    for child in element.iterchildren("Prop"):
        if child.get("Type") == "TEResult":
            return child
        if child.get("Name") == "MainSequenceResults":
            return child.find("Value/Prop[@Type='TEResult']")
    return None


def _read_root(
    element: Element,
    root: Element | None,
    steps: StepResultReader,
    account: ConversionReport,
) -> tuple[RootResult, StrayParts | None]:
    """Read the root result, if there is one, and give what else it may hold."""
    if root is None:
        return RootResult(), None
    # Within a property of its own it is looked at with that.
    is_own = root.getparent() is element
    parts = StrayParts(root, account if is_own else ConversionReport())
    result = steps.read_root(root, parts)
    if steps.report is not account:
        account.merge(steps.report)
    return result, parts


def _root_facts(result: RootResult, account: ConversionReport) -> dict[str, JSONValue]:
    """Read the execution data of the call of the main sequence."""
    engine = result.engine
    facts = read_execution_data(engine, result.calls, account)
    keep_unplaced(engine, facts, account)
    name = _text_named(engine, "StepName")
    # The process model names the call so, whatever the sequence.
    return facts if name in (None, _CALLBACK) else {**facts, "step_name": name}


def _text_named(props: Properties, name: str) -> str | None:
    """Give the value of a property; None where it is missing or blank."""
    return props.texts.get(name, "").strip() or None


def _fact(facts: dict[str, JSONValue], key: str) -> str | None:
    return str(facts.get(key) or "").strip() or None


# One procedure makes thousands of reports.
@lru_cache(maxsize=256)
def _stem(file: str | None) -> str | None:
    if not file:
        return None
    # Paths in reports are of Windows, whatever machine reads them.
    stem: str = PureWindowsPath(file).stem.strip()
    return stem or None


def _keep_report_level(
    element: Element,
    root: Element | None,
    data: Properties,
    metadata: dict[str, JSONValue],
    account: ConversionReport,
) -> None:
    # The call of the main sequence may have recorded whatever a step may.
    for name, prop in data.elements.items():
        if name not in _OF_ROOT or (name == _VERSION and name not in data.texts):
            keep_property(f"main_sequence.{name}", prop, metadata, account)
    for name, child in subproperties(element).items():
        if child.get("Type") == "TEResult" or name == _RESULTS:
            _record_other_results(child, root, account)
        elif name == _DISPLAY:
            _keep_options(child, metadata, account)
        elif name not in _HEADER:
            # Right below a report a single value needs the word before its name.
            has_parts = child.find("Prop") is not None
            key = name if has_parts else f"report.{name}"
            keep_property(key, child, metadata, account)


def _record_other_results(
    child: Element, root: Element | None, account: ConversionReport
) -> None:
    """Record results beside the root result, which is the only one that is read."""
    members = list(child.iterchildren("Value")) if child.get("Type") == "Array" else []
    for found in members or [child]:
        is_read = root is not None and (found is root or root.getparent() is found)
        if not is_read:
            record_dropped(account, found, "step", "another root result")


def _record_strays(
    element: Element,
    parts: dict[Element, StrayParts],
    account: ConversionReport,
) -> None:
    """Record what of a report is no part of the grammar."""
    record_stray_text(element, element.text or " ", account)
    for child in element:
        # The tag of a comment is no text, whatever the type hints say.
        tag: Any = child.tag
        if tag == "Prop":
            # The display options are left out as a whole.
            if child in parts:
                parts[child].record()
            elif child.get("Name") != _DISPLAY:
                record_stray_parts(child, account)
        elif tag in _REPORT_PARTS:
            _record_strays_of_part(tag, child, account)
        elif isinstance(tag, str):
            record_dropped(account, child, "property", "no part of a report", tag)
        record_stray_text(child, child.tail or " ", account)


def _record_strays_of_part(tag: str, part: Element, account: ConversionReport) -> None:
    if tag == "Comment":
        record_comment(part, account)
    elif tag == "ErrorText":
        record_stray_attributes(part, frozenset(), account)
    else:
        record_stray_text(part, part.text or " ", account)
    for below in part:
        record_dropped(account, below, "element", UNKNOWN)


def _keep_options(
    options: Element, metadata: dict[str, JSONValue], account: ConversionReport
) -> None:
    record_omission(account, options, "report options", REPORT_OPTIONS_RULE)
    # Of several of one name the first one counts.
    named: dict[Any, Element] = {
        prop.get(NAME): prop for prop in children_of(options)[::-1]
    }
    for name in sorted(KEPT_REPORT_OPTIONS & named.keys()):
        prop = named[name]
        value = read_scalar(prop, account)
        if value is not None and value != "":
            account.mapped("property")
            metadata[f"report_options.{name}"] = value


def _report_logs(
    element: Element, header: NativeHeader, account: ConversionReport
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


def _compare_count(element: Element, found: int, context: ReadContext) -> None:
    stated = read_count(element.get("StepCount"))
    if stated is not None and stated != found:
        record_coerced(
            context.report,
            element,
            "step count",
            "differs from the results in the file, these are kept",
            f"{stated} stated, {found} found",
        )


def _outcome(
    element: Element,
    data: Properties,
    settings: TestStandSettings,
    metadata: dict[str, JSONValue],
    context: ReadContext,
) -> RunOutcome:
    stated = [element.get("UUTResult"), _text_named(data, "Status")]
    known = [status.strip() for status in stated if status is not None]
    if not known:
        metadata["partial"] = True
        record_coerced(
            context.report, element, "status", "no verdict in the report, aborted"
        )
        return RunOutcome.ABORTED
    metadata["raw_status"] = known[0]
    if any(status.lower() in _UNFINISHED for status in known):
        metadata["partial"] = True
    if any(status.lower() in _NEVER_STARTED for status in known):
        record_coerced(
            context.report, element, "status", "a run that never started, aborted"
        )
    outcomes = [_run_outcome(status, element, settings, context) for status in known]
    if len(set(outcomes)) > 1:
        record_coerced(
            context.report,
            element,
            "status",
            "two verdicts differ, the worse taken",
            " and ".join(known),
        )
    return max(outcomes, key=severity)


def _run_outcome(
    status: str,
    element: Element,
    settings: TestStandSettings,
    context: ReadContext,
) -> RunOutcome:
    lower = status.lower()
    known = settings.run_outcomes().get(lower) or RUN_OUTCOMES.get(lower)
    if known is not None:
        return known
    record_coerced(context.report, element, "status", UNKNOWN_STATUS, status)
    return RunOutcome.ERROR

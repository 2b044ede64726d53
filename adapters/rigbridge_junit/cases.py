"""A test case to a phase, with what it printed and what it recorded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

import attrs

from rigbridge.adapters import ConversionReport, Place, ReadContext
from rigbridge.adapters.text.masking import (
    MASK,
    fits_pattern,
    mask_addresses,
    names_secret,
)
from rigbridge.model import (
    Attachment,
    JSONValue,
    LogEntry,
    LogLevel,
    Measurement,
    Phase,
    PhaseOutcome,
)
from rigbridge_junit.document import Element, local_name
from rigbridge_junit.values import as_number, clean, duration_of, moment_of

__all__ = ["Case", "Printed", "place_of", "properties_of", "read_case"]

_VERDICTS = {
    "error": PhaseOutcome.ERROR,
    "failure": PhaseOutcome.FAIL,
    "skipped": PhaseOutcome.SKIP,
    "disabled": PhaseOutcome.SKIP,
}
_WORST_FIRST = (PhaseOutcome.ERROR, PhaseOutcome.FAIL, PhaseOutcome.SKIP)
# A run of the test that did not count: it was repeated.
_REPEATED = frozenset({"rerunFailure", "rerunError", "flakyFailure", "flakyError"})
_LEVELS = {
    "skipped": LogLevel.INFO,
    "disabled": LogLevel.INFO,
    "warning": LogLevel.WARNING,
}
_OUTPUT = {"system-out": LogLevel.INFO, "system-err": LogLevel.WARNING}
# What some runners say in an attribute, and not in an element.
_STATUSES = {
    **dict.fromkeys(
        ("notrun", "disabled", "suppressed", "skipped", "ignored"), PhaseOutcome.SKIP
    ),
    **dict.fromkeys(("fail", "failed", "failure"), PhaseOutcome.FAIL),
    "error": PhaseOutcome.ERROR,
}
_READ = frozenset({"name", "time", "timestamp"})
_ATTACHED = re.compile(r"\[\[ATTACHMENT\|([^\]\r\n]+)\]\]")
_NAMELESS = "test case"


@attrs.define
class Printed:
    """
    What was printed while a suite or a test case ran.

    Attributes:
        logs: the lines, an entry for each output.
        attachments: files that the output refers to.
    """

    logs: list[LogEntry] = attrs.field(factory=list[LogEntry])
    attachments: list[Attachment] = attrs.field(factory=list[Attachment])

    def add(
        self,
        text: str | None,
        level: LogLevel,
        report: ConversionReport,
        place: Place,
        time: datetime | None = None,
    ) -> None:
        """Add an output, if it is not blank."""
        if text is None or not text.strip():
            return
        self.logs.append(LogEntry(level=level, message=text.strip("\r\n"), time=time))
        report.mapped("log")
        for found in _ATTACHED.findall(text):
            name = found.replace("\\", "/").rpartition("/")[2].strip()
            if name:
                self.attachments.append(Attachment(name=name))
                report.coerced(
                    "attachment",
                    "is named, not embedded",
                    place=place,
                    detail=found[:200],
                )


@attrs.frozen(kw_only=True)
class Case:
    """
    A test case that was read.

    Attributes:
        properties: those that it recorded, with their texts.
    """

    phase: Phase
    printed: Printed
    properties: dict[str, list[str]]


def place_of(element: Element) -> Place:
    """Give the line of an element and its name."""
    return Place(line=element.sourceline, path=local_name(element))


def properties_of(
    element: Element, report: ConversionReport, shown: Sequence[str]
) -> dict[str, list[str]]:
    """
    Read an element ``properties``: each name with its values, in order.

    Args:
        report: where it is recorded that a secret was masked.
        shown: patterns of names that look secret and are not.
    """
    found: dict[str, list[str]] = {}
    for child in element:
        name = clean(child.get("name"))
        if local_name(child) != "property" or name is None:
            report.dropped("property", "has no name", place=place_of(child))
            continue
        value = child.get("value")
        # JUnit 5 and some others write a text of several lines as such.
        text = "".join(child.itertext()) if value is None else value
        masked = mask_addresses(text)
        if text and names_secret(name) and not fits_pattern(name, shown):
            masked = MASK
        if masked != text:
            report.coerced(
                "property", "looks secret, masked", place=place_of(child), detail=name
            )
        found.setdefault(name, []).append(masked)
    return found


def read_case(
    element: Element,
    path: tuple[str, ...],
    context: ReadContext,
    *,
    station: str | None,
    is_identity: Callable[[str], bool],
    shown: Sequence[str] = (),
) -> Case:
    """
    Read a test case.

    Args:
        station: the host that ran it, if known.
        shown: patterns of properties that look secret and are not.
    """
    report, place = context.report, place_of(element)
    started = moment_of(element.get("timestamp"), context, place, station)
    duration = duration_of(element.get("time"), report, place)
    attributes = _attributes(element, duration)
    printed = Printed()
    verdicts: set[PhaseOutcome] = set()
    problems: list[JSONValue] = []
    properties: dict[str, list[str]] = {}
    for child in element:
        kind = local_name(child)
        if kind in _VERDICTS or kind in _REPEATED or kind == "warning":
            problems.append(_problem(child, kind, printed, report))
            if kind in _VERDICTS:
                verdicts.add(_VERDICTS[kind])
        elif kind in _OUTPUT:
            printed.add(
                "".join(child.itertext()), _OUTPUT[kind], report, place, started
            )
        elif kind == "properties":
            for name, texts in properties_of(child, report, shown).items():
                properties.setdefault(name, []).extend(texts)
        elif kind:
            report.dropped("element", "is unknown", place=place_of(child), detail=kind)
    if not verdicts:
        verdicts |= _stated(element)
    if problems:
        attributes["problems"] = problems
    measurements = _measurements(properties, is_identity, attributes, report)
    report.mapped("phase")
    report.mapped("measurement", len(measurements))
    phase = Phase(
        name=clean(element.get("name")) or clean(element.get("classname")) or _NAMELESS,
        path=path,
        outcome=next((v for v in _WORST_FIRST if v in verdicts), PhaseOutcome.PASS),
        started_at=started,
        ended_at=_ended(started, duration),
        measurements=tuple(measurements),
        attributes=attributes,
    )
    return Case(phase=phase, printed=printed, properties=properties)


def _attributes(element: Element, duration: float | None) -> dict[str, JSONValue]:
    attributes: dict[str, JSONValue] = {
        str(name): str(value)
        for name, value in element.attrib.items()
        if name not in _READ and value
    }
    if duration is not None:
        attributes["time"] = duration
    return attributes


def _ended(started: datetime | None, duration: float | None) -> datetime | None:
    if started is None or duration is None:
        return None
    try:
        return started + timedelta(seconds=duration)
    except OverflowError:
        return None


def _stated(element: Element) -> set[PhaseOutcome]:
    words = (element.get("status"), element.get("result"))
    stated = {_STATUSES.get((word or "").strip().lower()) for word in words}
    return {verdict for verdict in stated if verdict is not None}


def _problem(
    element: Element, kind: str, printed: Printed, report: ConversionReport
) -> JSONValue:
    """Read a failure or a like; its long text is a line of the log."""
    message = clean(element.get("message"))
    texts = [element.text or ""]
    place = place_of(element)
    for child in element:
        inner = "".join(child.itertext())
        if local_name(child) in _OUTPUT:
            printed.add(inner, _OUTPUT[local_name(child)], report, place)
        else:
            texts.append(inner)
        texts.append(child.tail or "")
    text = "".join(texts).strip()
    level = _LEVELS.get(kind, LogLevel.ERROR)
    parts: Iterable[str] = filter(None, (message, text))
    if text and message and text.startswith(message):
        parts = (text,)
    if not (kind == "skipped" and not text):
        printed.add("\n".join(parts), level, report, place)
    found: dict[str, JSONValue] = {"kind": kind}
    for name, value in element.attrib.items():
        if clean(value) is not None:
            found[str(name)] = str(value)
    return found


def _measurements(
    properties: dict[str, list[str]],
    is_identity: Callable[[str], bool],
    attributes: dict[str, JSONValue],
    report: ConversionReport,
) -> list[Measurement]:
    """Give numbers as measurements; the rest becomes an attribute."""
    found: list[Measurement] = []
    for name, texts in properties.items():
        if is_identity(name):
            continue
        numbers = [as_number(text) for text in texts]
        if all(number is not None for number in numbers):
            found += [Measurement(name=name, value=number) for number in numbers]
        else:
            attributes[f"property.{name}"] = texts[0] if len(texts) == 1 else texts
            report.mapped("property")
    return found

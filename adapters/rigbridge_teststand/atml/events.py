"""Events and report texts to log entries."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

from rigbridge.model import LogEntry, LogLevel
from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.atml.data.values import DATA, read_datum
from rigbridge_teststand.atml.local_names import (
    all_text,
    attribute,
    child,
    children,
    local_name,
    read_text,
)
from rigbridge_teststand.numbers import read_count
from rigbridge_teststand.vocabulary import clean_text
from rigbridge_teststand.xml.elements import Element

__all__ = ["EVENTS", "NO_EVENTS", "EventLog", "read_events", "report_text"]

EVENTS = frozenset({"Event", "Events"})
"""The local names of events and of their container."""

_MESSAGE = "Error Message"
_CODE = "Error Code"


@attrs.frozen(kw_only=True)
class EventLog:
    """
    The log entries and the error code of a step's events.

    Attributes:
        logs: an entry for the error, and one for each other event.
        code: the error's code, or None.
    """

    logs: tuple[LogEntry, ...] = ()
    code: int | None = None


NO_EVENTS = EventLog()
"""The events of a step without any."""


def report_text(message: str, time: datetime | None) -> LogEntry | None:
    """Make the log entry of a report text; None where it is blank."""
    message = clean_text(message)
    if not message.strip():
        return None
    return LogEntry(level=LogLevel.INFO, message=message, time=time)


def read_events(
    containers: Iterable[Element], time: datetime | None, account: RunAccount
) -> EventLog:
    """
    Read the events of a step or a result set.

    2.02 names them by ``Data/@name``, later versions by ``Event/@ID``.

    Args:
        containers: its ``Events`` and single ``Event`` elements.
        time: the time of the step, or None.
        account: takes an entry for each.
    """
    messages: list[str] = []
    meaning: str | None = None
    code: int | None = None
    others: list[LogEntry] = []
    for event in _events(containers):
        kind = attribute(event, "ID") or attribute(child(event, "Data"), "name") or ""
        text = _data(event, account)
        message = read_text(child(event, "Message"))
        # TestStand writes an error as two events, its code and its message.
        if kind == _CODE:
            code, meaning = read_count(text), message
        elif kind == _MESSAGE:
            messages.append(text or message or "")
        else:
            account.mapped["log"] += 1
            shown = ": ".join(part for part in (kind, message, text) if part)
            others.append(LogEntry(level=LogLevel.INFO, message=shown, time=time))
            continue
        account.mapped["event"] += 1
    if not messages and not code:
        return EventLog(logs=tuple(others))
    shown = "\n".join(clean_text(message) for message in messages if message)
    if code:
        named = f"code {code}" if meaning is None else f"code {code}: {meaning}"
        shown = f"{shown} ({named})" if shown else named
    account.mapped["log"] += 1
    entry = LogEntry(level=LogLevel.ERROR, message=shown, time=time)
    return EventLog(logs=(entry, *others), code=code)


def _events(containers: Iterable[Element]) -> list[Element]:
    found: list[Element] = []
    for container in containers:
        if local_name(container) == "Event":
            found.append(container)
        else:
            found.extend(
                below for kind, below in children(container) if kind == "Event"
            )
    return found


def _data(event: Element, account: RunAccount) -> str | None:
    parts: list[str] = []
    for name, container in children(event):
        if name != "Data":
            continue
        for kind, element in children(container):
            if kind in DATA:
                value: object = (
                    read_datum(element, account)[0]
                    if kind == "Datum"
                    else " ".join(all_text(element).split())
                )
                if value is not None:
                    parts.append(str(value))
    return "\n".join(parts) or None

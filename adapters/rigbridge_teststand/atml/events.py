"""Events and report texts to log entries."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

from rigbridge.model import JSONValue, LogEntry, LogLevel
from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.atml.data.values import (
    DATA,
    flatten,
    keep_rest,
    put,
    put_datum,
)
from rigbridge_teststand.atml.local_names import (
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
# What TestStand writes with every error says nothing of this one.
_ALWAYS = {
    ("severity", "4"),
    ("severity", "0"),
    ("source", "Error.Msg"),
    ("source", "Error.Code"),
}


@attrs.frozen(kw_only=True)
class EventLog:
    """
    The log entries and the error code of a step's events.

    Attributes:
        logs: an entry for the error, and one for each other event.
        code: the error's code, or None.
        attributes: what else the events say, as strict JSON.
    """

    logs: tuple[LogEntry, ...] = ()
    code: int | None = None
    attributes: dict[str, JSONValue] = attrs.field(factory=dict[str, JSONValue])


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
    """
    messages: list[str] = []
    meaning: str | None = None
    code: int | None = None
    others: list[LogEntry] = []
    more: dict[str, JSONValue] = {}
    for event in _events(containers, more, account):
        # 2.02 has the kind in Data/@name, 5.00 and later in Event/@ID.
        kind = attribute(event, "ID") or attribute(child(event, "Data"), "name") or ""
        first = child(event, "Message")
        text = _data(event, kind, more, account)
        message = read_text(first)
        # TestStand writes an error as two events, its code and its message.
        is_code = kind == _CODE and code is None and read_count(text) is not None
        _keep_rest(event, kind, first, more, account)
        if is_code:
            code, meaning = read_count(text), message
        elif kind == _MESSAGE:
            messages.append(text or message or "")
            if text:
                put(more, f"event.{kind}.Message", message, account)
        else:
            account.mapped["log"] += 1
            shown = ": ".join(part for part in (kind, message, text) if part)
            others.append(LogEntry(level=LogLevel.INFO, message=shown, time=time))
            continue
        account.mapped["event"] += 1
    # Code 0 means no error, so it makes no log entry; it is kept as it was written.
    if code == 0:
        more[f"event.{_CODE}"] = code
        put(more, f"event.{_CODE}.Message", meaning, account)
    if not messages and not code:
        return EventLog(logs=tuple(others), attributes=more)
    shown = "\n".join(clean_text(message) for message in messages if message)
    if code:
        named = f"code {code}" if meaning is None else f"code {code}: {meaning}"
        shown = f"{shown} ({named})" if shown else named
    account.mapped["log"] += 1
    entry = LogEntry(level=LogLevel.ERROR, message=shown, time=time)
    return EventLog(logs=(entry, *others), code=code, attributes=more)


def _events(
    containers: Iterable[Element], more: dict[str, JSONValue], account: RunAccount
) -> list[Element]:
    """Find the single events, and keep what stands between them."""
    found: list[Element] = []
    for container in containers:
        if local_name(container) == "Event":
            found.append(container)
        else:
            inner = [below for kind, below in children(container) if kind == "Event"]
            keep_rest(container, "events", more, account, inner)
            found.extend(inner)
    return found


def _keep_rest(
    event: Element,
    kind: str,
    first: Element | None,
    more: dict[str, JSONValue],
    account: RunAccount,
) -> None:
    """Keep what an event says beside its message: severity, source, time stamp."""
    constant = [str(key) for key, value in event.items() if (key, value) in _ALWAYS]
    read: list[str | Element] = ["ID", *(constant if kind in (_MESSAGE, _CODE) else ())]
    read += [below for name, below in children(event) if name == "Data"]
    prefix = f"event.{kind}" if kind else "event"
    if first is not None:
        read.append(first)
        keep_rest(first, f"{prefix}.Message", more, account, ("",))
    keep_rest(event, prefix, more, account, read)


def _data(
    event: Element, kind: str, more: dict[str, JSONValue], account: RunAccount
) -> str | None:
    """Give the text of the data of an event, and keep what else is in them."""
    parts: list[str] = []
    for name, container in children(event):
        if name != "Data":
            continue
        given = attribute(container, "name") or ""
        key = f"event.{given or kind}"
        read: list[str | Element] = [] if given != kind else ["name"]
        for shape, element in children(container):
            if shape not in DATA:
                continue
            read.append(element)
            found: dict[str, JSONValue] = {}
            # A single value is the text of the event; all else is kept beside it.
            if shape == "Datum":
                put_datum(found, key, element, account)
                if (value := found.pop(key, None)) is not None:
                    parts.append(str(value))
            else:
                flatten(element, key, found, account)
                parts += [f"{label}: {value}" for label, value in found.items()]
            more.update(found)
        keep_rest(container, key, more, account, read)
    return "\n".join(parts) or None

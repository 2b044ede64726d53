"""A record is written down as it is: all that happens before a test goes on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

import attrs

from rigbridge.outbox.incoming import IncomingFolder, ItemContent, ItemDraft
from rigbridge_openhtf.guarded import Guard, ask, told_error
from rigbridge_openhtf.live.fixed_settings import ADAPTER, FixedSettings
from rigbridge_openhtf.live.records import (
    CLOSED,
    attachment_file,
    encode_record,
    is_closed,
    openhtf_version,
    read_bytes,
)
from rigbridge_openhtf.settings import OpenHTFSettings

if TYPE_CHECKING:
    from rigbridge_openhtf.live.openhtf_types import LiveAttachment

__all__ = ["RecordSummary", "load_writer", "write_record"]

_LOGGER = logging.getLogger("rigbridge.openhtf")
# The phase that OpenHTF itself puts first, to wait for the serial number.
_TRIGGER = "trigger_phase"


@attrs.frozen(kw_only=True)
class RecordSummary:
    """
    What is said of a record before it is translated.

    Attributes:
        serial_number: of the unit under test, or None.
        outcome: the verdict, or None.
        procedure: the name of the test, or None.
        never_began: whether the test was canceled while it waited for the unit:
            nothing was tested.
    """

    serial_number: str | None = None
    outcome: str | None = None
    procedure: str | None = None
    never_began: bool = False

    @classmethod
    def of(cls, record: Any, settings: OpenHTFSettings) -> Self:
        """Sum a record up; what cannot be read is left out."""
        guard = Guard()  # what fails here is noted when the record is written
        unknown = {name.casefold() for name in settings.unknown_serial_numbers}
        serial = guard.part("", lambda: str(record.dut_id or "").strip(), "")
        if serial.casefold() in unknown:
            serial = ""
        name = guard.part("", lambda: _spelled_outcome(record), None)
        procedure = guard.part("", lambda: record.metadata.get("test_name"), None)
        return cls(
            serial_number=serial or None,
            outcome=name,
            procedure=guard.part("", lambda: str(procedure or ""), "") or None,
            never_began=name == "ABORTED"
            and not serial
            and guard.part("", lambda: _is_idle(record), otherwise=False),
        )


def _spelled_outcome(record: Any) -> str | None:
    outcome = record.outcome
    name = outcome.name if isinstance(outcome, Enum) else outcome
    return None if name is None else str(name)


def _is_idle(record: Any) -> bool:
    # A phase that cannot be read may have tested something: then this fails.
    return all(
        phase.name == _TRIGGER and not (phase.measurements or phase.attachments)
        for phase in record.phases
    )


def load_writer() -> None:
    """Do what the first record would have to wait for."""
    openhtf_version()


def write_record(
    folder: IncomingFolder,
    record: object,
    run_id: UUID,
    summary: RecordSummary,
    fixed: FixedSettings,
) -> Path:
    """
    Hand a record over: it survives a power cut once this returns.

    Args:
        record: the ``openhtf.core.test_record.TestRecord``; it is not changed.
        summary: what is said of it until it is translated.

    Returns:
        The folder of the item.

    Raises:
        OSError: it can be written nowhere.
        Exception: it is no record at all.
    """

    def fill(draft: ItemDraft) -> ItemContent:
        return ItemContent(
            kind=ADAPTER,
            content=_content(record, draft, fixed.own),
            destination=fixed.destination,
            serial_number=summary.serial_number,
            procedure=summary.procedure,
            identity=fixed.identity,
        )

    return folder.write(run_id, fill)


def _content(record: object, draft: ItemDraft, own: OpenHTFSettings | None) -> bytes:
    files = _Files(draft)
    return encode_record(
        record, files.keep, settings=own, begun=draft.let_begin, finish=files.finish
    )


def _content_of(attachment: LiveAttachment) -> list[memoryview]:
    return [memoryview(chunk) for chunk in read_bytes(attachment)]


class _Files:
    """The files of one record, on their way into the folder of the item."""

    def __init__(self, draft: ItemDraft) -> None:
        self._draft = draft
        self._begun: list[tuple[str, dict[str, str]]] = []

    def keep(self, attachment: LiveAttachment) -> Mapping[str, str]:
        """Begin to keep the bytes of an attachment."""
        try:
            if ask(is_closed, attachment):
                return {"problem": CLOSED}
            file = ask(attachment_file, attachment)
            content = [] if file else ask(_content_of, attachment)
        except Exception as error:  # noqa: BLE001 - a class of the test's own
            return {"problem": f"its bytes cannot be read: {told_error(error)}"}
        if file is None:
            return {"file": self._draft.add_bytes(content)}
        # Only OpenHTF's own class is known to write its file once, and never again.
        own = type(attachment).__module__.startswith("openhtf.")
        add = self._draft.add_settled if own else self._draft.add_file
        given = {"file": add(file)}
        self._begun.append((given["file"], given))
        return given

    def finish(self) -> None:
        """Say of each file what was wrong with it."""
        for name, given in self._begun:
            problem = self._draft.problem(name)
            if problem is not None:
                given.clear()
                given["problem"] = f"OpenHTF's own file cannot be read: {problem}"

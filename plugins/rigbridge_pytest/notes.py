"""What one test measured, logged and attached, in the process that runs it."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import attrs

from rigbridge.convert import from_document, to_document
from rigbridge.errors import FileUnreadableError
from rigbridge.machine.folders import make_folder, path_text
from rigbridge.model import (
    Attachment,
    FileOpener,
    JSONValue,
    Limit,
    LogEntry,
    LogLevel,
    Measurement,
    MeasurementOutcome,
    Phase,
    PhaseOutcome,
    ProcedureRef,
    Run,
    RunOutcome,
    Unit,
)
from rigbridge.session.judging import judged, printable

__all__ = ["LogCollector", "MeasureFixture", "PhaseNotes", "read_notes"]


_NOTE_PAUSE = 1.0
"""Seconds between two lines of the journal while a test measures."""


class LogCollector(logging.Handler):
    """
    Collects the log records of a test.

    Args:
        entries: takes them.
    """

    def __init__(self, entries: list[LogEntry]) -> None:
        super().__init__()
        self._entries = entries

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record; one that cannot be formatted is logging's own matter."""
        try:
            message = self.format(record)
        except Exception:  # noqa: BLE001 - as every handler of logging does
            self.handleError(record)
            return
        self._entries.append(
            LogEntry(
                level=_level(record.levelno),
                message=printable(message),
                time=datetime.fromtimestamp(record.created, UTC),
                source_file=printable(record.pathname),
                line=record.lineno,
            )
        )


def _level(number: int) -> LogLevel:
    for level in reversed(LogLevel):
        if number >= getattr(logging, level):
            return level
    return LogLevel.DEBUG


class PhaseNotes:
    """
    What one test brings along for its phase.

    Args:
        folder: takes copies of its files; None where nothing is recorded.
        tell: is called now and then while the test measures, or None.
    """

    def __init__(
        self,
        folder: Path | None,
        tell: Callable[[PhaseNotes], None] | None = None,
    ) -> None:
        self._tell = tell
        self._next_telling = time.monotonic() + _NOTE_PAUSE
        self.unit: Unit | None = None
        self.docstring: str | None = None
        self.verdict: PhaseOutcome | None = None
        self.attributes: dict[str, JSONValue] = {}
        self.measurements: list[Measurement] = []
        self.logs: list[LogEntry] = []
        self._attachments: list[Attachment] = []
        self._folder = folder

    @property
    def failing(self) -> list[Measurement]:
        """The measurements that fail."""
        return [
            measurement
            for measurement in self.measurements
            if measurement.outcome is MeasurementOutcome.FAIL
        ]

    def add(self, measurement: Measurement) -> None:
        """Take a measurement, and tell of it where it is time."""
        self.measurements.append(measurement)
        began = time.monotonic()
        if self._tell is None or began < self._next_telling:
            return
        self._tell(self)
        ended = time.monotonic()
        # All of the test is written each time: a large one less often.
        self._next_telling = ended + max(_NOTE_PAUSE, 20 * (ended - began))

    def attach(self, path: Path, name: str | None, media_type: str | None) -> None:
        """
        Take a copy of a file as it is now.

        Raises:
            FileUnreadableError: it cannot be read.
            OSError: the data folder cannot be written.
        """
        described = Attachment.from_file(path, name=name, media_type=media_type)
        if self._folder is None or described.sha256 is None:
            return
        make_folder(self._folder)
        # By its digest: the same file of several tests lies there once.
        target = self._folder / described.sha256
        shutil.copyfile(path, target)
        with target.open("rb") as stream:
            # It may have been written to between reading and copying.
            if hashlib.file_digest(stream, "sha256").hexdigest() != described.sha256:
                raise FileUnreadableError(
                    "changes while it is attached",
                    source=path_text(path),
                    remedy="attach it once it is complete",
                )
        self._attachments.append(attrs.evolve(described, opener=FileOpener(target)))

    def encoded(self) -> str:
        """Write the notes as text, which reports carry from process to process."""
        run = Run(
            outcome=RunOutcome.PASS,
            procedure=ProcedureRef(),
            unit=self.unit or Unit(),
            phases=[
                Phase(
                    name="test",
                    outcome=self.verdict or PhaseOutcome.PASS,
                    docstring=self.docstring,
                    measurements=self.measurements,
                    attributes=self.attributes,
                )
            ],
            logs=self.logs,
            attachments=self._attachments,
        )
        return json.dumps(
            {"run": to_document(run), "folder": os.fspath(self._folder or "")}
        )


def read_notes(text: str) -> Run:
    """Read notes, as a run of one phase whose files can be opened."""
    document = json.loads(text)
    run = from_document(document["run"])
    folder = Path(document["folder"])
    attachments = [
        attrs.evolve(each, opener=FileOpener(folder / (each.sha256 or "")))
        for each in run.attachments
    ]
    return attrs.evolve(run, attachments=tuple(attachments))


class MeasureFixture:
    """
    The fixture ``measure``: records measurements of the test that asks for it.

    A measurement outside its limits fails the test when the test has ended, so that
    the measurements after it are made as well.

    Args:
        notes: takes them.
    """

    def __init__(self, notes: PhaseNotes) -> None:
        self._notes = notes

    def __call__(
        self,
        name: str,
        value: object,
        *,
        unit: str | None = None,
        low: float | None = None,
        high: float | None = None,
        equal: str | float | bool | None = None,
        limits: Limit | None = None,
        outcome: MeasurementOutcome | str | None = None,
        docstring: str | None = None,
        instrument: str | None = None,
    ) -> bool:
        """
        Record a value and judge it, as :meth:`rigbridge.session.PhaseRecorder.measure`.

        Returns:
            Whether it did not fail.

        Raises:
            ModelError: a value or limit that cannot be.
        """
        measurement = judged(
            name,
            value,
            unit=unit,
            low=low,
            high=high,
            limits=limits,
            equal=equal,
            outcome=outcome,
            docstring=docstring,
            instrument=instrument,
        )
        self._notes.add(measurement)
        return measurement.outcome is not MeasurementOutcome.FAIL

    def attach(
        self,
        path: str | os.PathLike[str],
        *,
        name: str | None = None,
        media_type: str | None = None,
    ) -> None:
        """
        Attach a file as it is now.

        Raises:
            FileUnreadableError: it cannot be read.
        """
        self._notes.attach(Path(path), name, media_type)

    def set_unit(self, unit: Unit | str) -> None:
        """Say which unit this test is of, where only the test itself finds out."""
        if isinstance(unit, str):
            unit = Unit(serial_number=printable(unit))
        self._notes.unit = unit

    def attribute(self, name: str, value: JSONValue) -> None:
        """Add an attribute to the phase: any JSON value."""
        self._notes.attributes[name] = value

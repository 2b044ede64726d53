"""Reads the logs of the example burn-in bench.

A log begins with ``BURNIN 2;STATION``. Then a unit follows the other, a line each for
the unit, its steps, their measurements, notes, and its end with the verdict::

    UNIT;serial number;part number;start
    STEP;name;verdict
    MEAS;name;value;unit;lower limit;upper limit;verdict
    NOTE;text
    END;verdict;end

A verdict is ``OK``, ``BAD``, or ``-`` for none. Times are wall times of the bench.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import ClassVar, TypeVar

import attrs
from rigbridge.adapters import Match, Place, ReadContext, Source
from rigbridge.errors import MalformedSourceError, ModelError, SourceError
from rigbridge.model import (
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

__all__ = ["ExampleRigAdapter", "ExampleRigSettings"]

_Lines = list[tuple[int, bytes]]
_Outcome = TypeVar("_Outcome")

_MARK = b"BURNIN 2;"
_RUN = {"OK": RunOutcome.PASS, "BAD": RunOutcome.FAIL}
_PHASE = {"OK": PhaseOutcome.PASS, "BAD": PhaseOutcome.FAIL, "-": PhaseOutcome.SKIP}
_MEASUREMENT = {
    "OK": MeasurementOutcome.PASS,
    "BAD": MeasurementOutcome.FAIL,
    "-": MeasurementOutcome.UNSET,
}


@attrs.frozen(kw_only=True)
class ExampleRigSettings:
    """The settings, in the configuration under ``[adapters.example-rig]``.

    Attributes:
        procedure: the name of the procedure, which the log does not tell.
    """

    procedure: str = "Burn-in"


class ExampleRigAdapter:
    """The adapter ``example-rig``.

    Args:
        settings: what the site chose; the defaults by default.
    """

    name: ClassVar[str] = "example-rig"
    settings_type: ClassVar[type[ExampleRigSettings]] = ExampleRigSettings

    def __init__(self, settings: ExampleRigSettings | None = None) -> None:
        """Take the settings, or the defaults."""
        self.settings = ExampleRigSettings() if settings is None else settings

    def detect(self, head: bytes, name: str) -> Match | None:
        """Look for the bench's own first words."""
        return Match(0.95, "begins with BURNIN 2") if head.startswith(_MARK) else None

    def read(self, source: Source, context: ReadContext) -> Iterator[Run]:
        """Read the runs of a log, one after the other.

        Raises:
            MalformedSourceError: it does not begin as a log of the bench does.
        """
        with source.open() as stream:
            first = stream.readline()
            if not first.startswith(_MARK):
                raise MalformedSourceError(
                    "does not begin with BURNIN 2", source=source.uri, place="line 1"
                )
            station = first.removeprefix(_MARK).decode(errors="replace").strip()
            for index, lines in enumerate(_units(stream)):
                unit = _UnitReader(self.settings, source, context, station or None)
                run: Run | None = None
                # What is recorded of a unit that fails is not the next one's.
                with context.run():
                    try:
                        run = unit.read(index, lines)
                    except SourceError as error:
                        # The other units of the log are not at fault.
                        context.failed(error)
                    except ModelError as error:
                        # A value that no run can hold, such as NaN for a limit.
                        context.failed(unit.malformed(str(error), lines[0][0]))
                if run is not None:
                    yield run


def _units(stream: Iterable[bytes]) -> Iterator[_Lines]:
    """Divide the lines, with their numbers, into those of one unit each."""
    lines: _Lines = []
    for number, line in enumerate(stream, start=2):
        if line.startswith(b"UNIT;") and lines:
            yield lines
            lines = []
        if line.strip():
            lines.append((number, line))
    if lines:
        yield lines


class _UnitReader:
    """Reads the lines of one unit."""

    def __init__(
        self,
        settings: ExampleRigSettings,
        source: Source,
        context: ReadContext,
        station: str | None,
    ) -> None:
        self.settings = settings
        self.source = source
        self.context = context
        self.station = station
        self.phases: list[Phase] = []
        self.notes: list[LogEntry] = []

    def read(self, index: int, lines: _Lines) -> Run:
        (first, head), *rest = lines
        last, tail = rest.pop() if rest else (first, b"")
        serial_number, part_number, start = self.fields(first, head, "UNIT", 3)
        verdict, end = self.fields(last, tail, "END", 2)
        for number, line in rest:
            self.line(number, line)
        provenance = self.context.provenance(
            self.source, index, format="Example burn-in bench", format_version="2"
        )
        return Run(
            id=provenance.run_id,
            outcome=self.verdict(verdict, last, _RUN),
            procedure=ProcedureRef(name=self.settings.procedure),
            # Unknown is None, never an empty text.
            unit=Unit(
                serial_number=serial_number or None, part_number=part_number or None
            ),
            started_at=self.time(start, first),
            ended_at=self.time(end, last),
            station=self.station,
            phases=self.phases,
            logs=self.notes,
            source=provenance,
        )

    def line(self, number: int, line: bytes) -> None:
        report = self.context.report
        kind = line.partition(b";")[0]
        if kind == b"STEP":
            name, verdict = self.fields(number, line, "STEP", 2)
            outcome = self.verdict(verdict, number, _PHASE)
            self.phases.append(Phase(name=name, outcome=outcome))
            report.mapped("phase")
        elif kind == b"MEAS" and self.phases:
            phase = self.phases.pop()
            measurements = (*phase.measurements, self.measurement(number, line))
            self.phases.append(attrs.evolve(phase, measurements=measurements))
            report.mapped("measurement")
        elif kind == b"NOTE":
            (text,) = self.fields(number, line, "NOTE", 1)
            self.notes.append(LogEntry(level=LogLevel.INFO, message=text))
            report.mapped("log")
        else:
            # Nothing is left out without a word: who reads the report finds it.
            report.dropped(
                "line",
                "not a line of a step",
                place=Place(line=number),
                detail=line.decode(errors="replace").strip(),
            )

    def measurement(self, number: int, line: bytes) -> Measurement:
        name, value, unit, lower, upper, verdict = self.fields(number, line, "MEAS", 6)
        low, high = self.number(lower, number), self.number(upper, number)
        return Measurement(
            name=name,
            # The bench's own verdict; never computed from the numbers beside it.
            outcome=self.verdict(verdict, number, _MEASUREMENT),
            value=self.number(value, number),
            unit=unit or None,
            limits=None
            if low is None and high is None
            else Limit(lower=low, upper=high),
        )

    def fields(self, number: int, line: bytes, kind: str, count: int) -> list[str]:
        try:
            mark, *fields = line.decode().strip().split(";")
        except UnicodeDecodeError as error:
            raise self.malformed("is not UTF-8", number) from error
        if mark != kind or len(fields) != count:
            raise self.malformed(f"is no {kind} line of {count} fields", number)
        return [field.strip() for field in fields]

    def verdict(
        self, word: str, number: int, words: Mapping[str, _Outcome]
    ) -> _Outcome:
        if word not in words:
            raise self.malformed(f"{word!r} is no verdict", number)
        return words[word]

    def number(self, text: str, number: int) -> float | None:
        try:
            return float(text) if text else None
        except ValueError as error:
            raise self.malformed(f"{text!r} is no number", number) from error

    def time(self, text: str, number: int) -> datetime:
        try:
            # The log tells no zone: which one is meant is the site's setting.
            return self.context.time_zone.localize(
                datetime.fromisoformat(text),
                report=self.context.report,
                place=Place(line=number),
                station=self.station,
            )
        except (ValueError, OverflowError) as error:
            raise self.malformed(f"{text!r} is no time", number) from error

    def malformed(self, message: str, number: int) -> MalformedSourceError:
        return MalformedSourceError(
            message,
            source=self.source.uri,
            place=f"line {number}",
            remedy="copy the log from the bench again",
        )

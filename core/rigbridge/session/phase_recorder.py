"""Recording one phase of a run."""

from __future__ import annotations

import os
import time
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

import attrs

from rigbridge.errors import ModelError
from rigbridge.model import (
    JSONValue,
    Limit,
    LogLevel,
    Measurement,
    MeasurementOutcome,
    Phase,
    PhaseOutcome,
)
from rigbridge.session.judging import judged, printable

__all__ = ["PhaseRecorder", "RunJournal"]

_NOTE_PAUSE = 1.0
"""Seconds of measuring that a kill costs at most, as a rule."""


class RunJournal(Protocol):
    """What a phase needs of the run around it; :class:`RunRecorder` is it."""

    def now(self) -> datetime:
        """Give the time by the clock of the run."""
        ...

    def add_phase(
        self,
        outer: PhaseRecorder | None,
        name: str,
        path: tuple[str, ...],
        docstring: str | None,
    ) -> PhaseRecorder:
        """Begin a phase within another one."""
        ...

    def inside(self, outer: PhaseRecorder | None) -> list[PhaseRecorder]:
        """List the phases directly in a phase."""
        ...

    def note_phase(self, phase: PhaseRecorder) -> None:
        """Note a phase as it is: it begins, goes on or ends."""
        ...

    def log(self, message: str, level: LogLevel | str = LogLevel.INFO) -> None:
        """Record a line of the log."""
        ...

    def attach(
        self,
        path: str | os.PathLike[str],
        *,
        name: str | None = None,
        media_type: str | None = None,
    ) -> None:
        """Attach a file."""
        ...

    def note_exception(self, error: BaseException, phase: str | None) -> None:
        """Log an exception, once."""
        ...


class PhaseRecorder:
    """
    A phase that is going on; a context manager, made by ``RunRecorder.phase``.

    Its verdict is ERROR where an exception leaves it, FAIL where a measurement, an
    ``assert`` or a phase in it fails, else PASS. The exception goes on to the caller.

    Args:
        run: the run that it belongs to.
        name: its name.
        path: the names of the phases around it.
        docstring: an explanation.
    """

    def __init__(
        self, run: RunJournal, name: str, path: tuple[str, ...], docstring: str | None
    ) -> None:
        self.name = printable(name)
        self.attributes: dict[str, JSONValue] = {}
        self._run = run
        self._path = path
        self._docstring = None if docstring is None else printable(docstring)
        self._measurements: list[Measurement] = []
        self._started_at: datetime | None = None
        self._ended_at: datetime | None = None
        self._outcome: PhaseOutcome | None = None
        self._failed = False
        self._next_note = 0.0

    def __enter__(self) -> Self:
        self._started_at = self._run.now()
        self._note()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended_at = self._run.now()
        if error is not None:
            # An assertion of the test is a verdict on the unit; anything else is not.
            failed = isinstance(error, AssertionError)
            self._outcome = PhaseOutcome.FAIL if failed else PhaseOutcome.ERROR
            self._run.note_exception(error, self.name)
        self._note()

    def _note(self) -> None:
        began = time.monotonic()
        self._run.note_phase(self)
        ended = time.monotonic()
        # The whole phase is written each time: a large one less often.
        self._next_note = ended + max(_NOTE_PAUSE, 20 * (ended - began))

    def measure(
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
        Record a measured value, and judge it by its limits.

        Args:
            name: what was measured.
            value: a number, text, bool, None (which fails where there are limits), a
                :class:`rigbridge.Series`, a list or an array of points, or a dict.
            unit: its unit.
            low: the lowest value that passes, in the unit.
            high: the highest value that passes.
            equal: the value that passes.
            limits: a range with other bounds than inclusive ones, instead of low and
                high.
            outcome: PASS, FAIL or UNSET where the program judged by itself.
            docstring: an explanation.
            instrument: the name of what it was measured with, as a rule one of the
                run's instruments.

        Returns:
            Whether it did not fail.

        Raises:
            ModelError: a value or limit that cannot be; nothing is recorded.
        """
        self._require_open(f"measure {name!r}")
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
        self._measurements.append(measurement)
        if time.monotonic() >= self._next_note:
            self._note()
        return measurement.outcome is not MeasurementOutcome.FAIL

    def phase(self, name: str, *, docstring: str | None = None) -> PhaseRecorder:
        """Begin a phase within this one; a context manager."""
        self._require_open(f"begin phase {name!r}")
        return self._run.add_phase(self, name, (*self._path, self.name), docstring)

    def log(self, message: str, level: LogLevel | str = LogLevel.INFO) -> None:
        """Record a line of the log; takes and raises what the run's does."""
        self._run.log(message, level)

    def attach(
        self,
        path: str | os.PathLike[str],
        *,
        name: str | None = None,
        media_type: str | None = None,
    ) -> None:
        """Attach a file to the run; takes and raises what the run's does."""
        self._run.attach(path, name=name, media_type=media_type)

    def fail(self, reason: str) -> None:
        """Give the verdict FAIL, with a reason for the log."""
        self._judge(PhaseOutcome.FAIL, reason)

    def skip(self, reason: str) -> None:
        """Give the verdict SKIP, with a reason for the log."""
        self._judge(PhaseOutcome.SKIP, reason)

    def error(self, reason: str) -> None:
        """Give the verdict ERROR, with a reason for the log."""
        self._judge(PhaseOutcome.ERROR, reason)

    def _judge(self, outcome: PhaseOutcome, reason: str) -> None:
        self._require_open(f"give the verdict {outcome}")
        self._outcome = outcome
        level = LogLevel.INFO if outcome is PhaseOutcome.SKIP else LogLevel.ERROR
        self._run.log(f"{self.name}: {reason}", level)

    def _require_open(self, what: str) -> None:
        if self._ended_at is not None:
            raise ModelError(
                f"cannot {what}: it has ended",
                path=f"phase {self.name!r}",
                remedy="measure inside its with block",
            )

    def outcome(self, inner: list[PhaseRecorder]) -> PhaseOutcome:
        """
        Give the verdict as things are.

        Args:
            inner: the phases directly in this one.
        """
        if self._outcome is not None:
            return self._outcome
        failing = any(
            measurement.outcome is MeasurementOutcome.FAIL
            for measurement in self._measurements
        )
        verdicts = {phase.outcome(self._run.inside(phase)) for phase in inner}
        if PhaseOutcome.ERROR in verdicts:
            return PhaseOutcome.ERROR
        if failing or PhaseOutcome.FAIL in verdicts:
            return PhaseOutcome.FAIL
        return PhaseOutcome.PASS

    def finished(self) -> Phase:
        """Make the phase of the model; one that still goes on ends now."""
        return Phase(
            name=self.name,
            outcome=self.outcome(self._run.inside(self)),
            started_at=self._started_at,
            ended_at=self._ended_at or self._run.now(),
            path=self._path,
            measurements=self._measurements,
            docstring=self._docstring,
            attributes=self.attributes,
        )

    def so_far(self) -> Phase:
        """Make what there is of it, should the process be gone: ERROR if it goes on."""
        phase = self.finished()
        if self._ended_at is None:
            phase = attrs.evolve(phase, outcome=PhaseOutcome.ERROR)
        return phase

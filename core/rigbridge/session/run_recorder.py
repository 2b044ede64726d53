"""Recording one run of a unit under test."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID, uuid4

import attrs

from rigbridge.adapters import Spool
from rigbridge.errors import FileUnreadableError, ModelError
from rigbridge.machine.folders import file_chunks, path_text
from rigbridge.model import (
    Attachment,
    FileOpener,
    Instrument,
    JSONValue,
    LogEntry,
    LogLevel,
    Phase,
    PhaseOutcome,
    ProcedureRef,
    Run,
    RunOutcome,
    SubUnit,
    Unit,
)
from rigbridge.session.judging import printable
from rigbridge.session.phase_recorder import PhaseRecorder

__all__ = ["RunRecorder"]


class _RunClock:
    """
    Tells the time of day at the start, and from there on by the monotonic clock.

    A station often sets its clock by the network shortly after it has started. Times
    of one run would then end before they begin, and every store refuses that.
    """

    def __init__(self) -> None:
        self.started_at = datetime.now(UTC)
        self._begun = time.monotonic()

    def now(self) -> datetime:
        """Give the time, aware, in UTC."""
        return self.started_at + timedelta(seconds=time.monotonic() - self._begun)


class RunRecorder:
    """
    A run that is going on; a context manager, made by :meth:`Session.run`.

    When its block ends, also by an exception, the run is handed over. Its verdict is
    ERROR where an exception leaves the block, ABORTED on Ctrl-C and ``sys.exit``, else
    the worst of its phases. The exception goes on to the caller.

    Args:
        unit: the unit under test.
        procedure: what it is tested by.
        hand_over: takes the run at its end, and deletes nothing before it returns.
        spool: takes copies of its files.
        run_id: its id; a new one by default.
        note: takes what is new of the run: when a phase begins or ends, and now and
            then while it measures.
        operator: who runs it.
        station: where it runs.
        instruments: what it is measured with.
        docstring: an explanation.

    Raises:
        ModelError: two instruments of one name, or what is no instrument.
    """

    def __init__(
        self,
        unit: Unit | str,
        procedure: ProcedureRef | str,
        *,
        hand_over: Callable[[Run], None],
        spool: Spool,
        run_id: UUID | None = None,
        note: Callable[[Run], None] | None = None,
        operator: str | None = None,
        station: str | None = None,
        instruments: Iterable[Instrument] = (),
        docstring: str | None = None,
    ) -> None:
        self.id: UUID = run_id or uuid4()
        self._note = note
        self._clock = _RunClock()
        self.metadata: dict[str, JSONValue] = {}
        self._unit = _as_unit(unit)
        self._procedure = (
            procedure
            if isinstance(procedure, ProcedureRef)
            else ProcedureRef(name=printable(procedure))
        )
        self._hand_over = hand_over
        self._spool = spool
        self._second_spool = Spool()
        self._operator = operator
        self._station = station
        self._docstring = None if docstring is None else printable(docstring)
        self._instruments: dict[str, Instrument] = {}
        # By the order in which they began, each with the phase around it.
        self._phases: list[tuple[PhaseRecorder, PhaseRecorder | None]] = []
        self._sub_units: list[SubUnit] = []
        self._logs: list[LogEntry] = []
        self._attachments: list[Attachment] = []
        # How many lines of the log and files were noted.
        self._noted_logs = 0
        self._noted_attachments = 0
        self._outcome: RunOutcome | None = None
        self._noted: BaseException | None = None
        self._finished = False
        for instrument in instruments:
            self.add_instrument(instrument)

    @property
    def unit(self) -> Unit:
        """The unit under test; may be set while the run goes on, also as a text."""
        return self._unit

    @unit.setter
    def unit(self, unit: Unit | str) -> None:
        """Take another unit for the one under test."""
        self._unit = _as_unit(unit)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            self.note_exception(error, None)
            self._outcome = _outcome_of(error)
        self.finish()

    def finish(self) -> None:
        """
        End the run and hand it over; the end of the ``with`` block does it.

        For programs whose run begins and ends in two functions. Only the first call
        does anything.
        """
        if self._finished:
            return
        self._finished = True
        self._hand_over(self._run())
        # Only now: the bytes must be there until they are linked or copied.
        self._spool.close()
        self._second_spool.close()

    def phase(self, name: str, *, docstring: str | None = None) -> PhaseRecorder:
        """
        Begin a phase; a context manager.

        Args:
            name: its name.
            docstring: an explanation.
        """
        return self.add_phase(None, name, (), docstring)

    def add_phase(
        self,
        outer: PhaseRecorder | None,
        name: str,
        path: tuple[str, ...],
        docstring: str | None,
    ) -> PhaseRecorder:
        """Begin a phase within another one, for that one's use."""
        phase = PhaseRecorder(self, name, path, docstring)
        self._phases.append((phase, outer))
        return phase

    def now(self) -> datetime:
        """Give the time by the clock of the run, aware, in UTC."""
        return self._clock.now()

    def inside(self, outer: PhaseRecorder | None) -> list[PhaseRecorder]:
        """List the phases directly in a phase; those of the run itself for None."""
        return [phase for phase, around in self._phases if around is outer]

    def log(self, message: str, level: LogLevel | str = LogLevel.INFO) -> None:
        """
        Record a line of the log, with the time.

        Args:
            message: its text.
            level: DEBUG, INFO, WARNING, ERROR or CRITICAL.

        Raises:
            ModelError: another level.
        """
        entry = LogEntry(
            level=level,
            message=printable(message),
            time=self._clock.now(),
        )
        self._logs.append(entry)

    def attach(
        self,
        path: str | os.PathLike[str],
        *,
        name: str | None = None,
        media_type: str | None = None,
    ) -> None:
        """
        Attach a file as it is now: the next measurement may overwrite it.

        Where neither the data folder nor the temporary folder takes it, the run does
        without, and its log says so.

        Args:
            path: the file.
            name: the name to show; the file's own by default.
            media_type: its media type; guessed from the name by default.

        Raises:
            FileUnreadableError: it cannot be read; it is an ``OSError``, too.
        """
        path = Path(path)
        shown = name or path_text(Path(path.name))
        self._keep(lambda: _chunks_of(path), shown, media_type)

    def attach_bytes(
        self, content: bytes, *, name: str, media_type: str | None = None
    ) -> None:
        """
        Attach bytes under a name.

        Where neither the data folder nor the temporary folder takes them, the run does
        without, and its log says so.
        """
        self._keep(lambda: [content], name, media_type)

    def _keep(
        self,
        read: Callable[[], Iterable[bytes]],
        name: str,
        media_type: str | None,
    ) -> None:
        problem: OSError | None = None
        # A folder of ours that is full or refuses costs no test its verdict.
        for spool in (self._spool, self._second_spool):
            try:
                attachment = spool.add(read(), name=name, media_type=media_type)
            except FileUnreadableError:
                raise
            except OSError as error:
                problem = error
            else:
                self._attachments.append(attachment)
                return
        self.log(f"attachment {name!r} could not be kept: {problem}", LogLevel.ERROR)

    def add_sub_unit(self, serial_number: str) -> None:
        """Record a unit that is built into this one."""
        self._sub_units.append(SubUnit(serial_number=printable(serial_number)))

    def add_instrument(self, instrument: Instrument) -> None:
        """
        Record an instrument; measurements name it by ``instrument=``.

        Raises:
            ModelError: it is none, or another one has its name.
        """
        name, serial = instrument.name, instrument.serial_number
        described = attrs.evolve(
            instrument,
            name=printable(name),
            serial_number=None if serial is None else printable(serial),
        )
        if self._instruments.setdefault(described.name, described) != described:
            raise ModelError(
                f"another instrument is called {name!r}",
                path="instruments",
                remedy="give each a name of its own",
            )

    def fail(self, reason: str) -> None:
        """Give the verdict FAIL, whatever the phases say, with a reason for the log."""
        self._judge(RunOutcome.FAIL, reason)

    def error(self, reason: str) -> None:
        """Give the verdict ERROR, with a reason for the log."""
        self._judge(RunOutcome.ERROR, reason)

    def abort(self, reason: str) -> None:
        """Give the verdict ABORTED, with a reason for the log."""
        self._judge(RunOutcome.ABORTED, reason)

    def _judge(self, outcome: RunOutcome, reason: str) -> None:
        self._outcome = outcome
        self.log(reason, LogLevel.ERROR)

    def note_exception(self, error: BaseException, phase: str | None) -> None:
        """Log an exception with its traceback, once on its way through the blocks."""
        if error is self._noted:
            return
        self._noted = error
        lines = "".join(traceback.format_exception(error)).rstrip()
        where = "" if phase is None else f"{phase}: "
        self.log(f"{where}{lines}", LogLevel.ERROR)

    def note_phase(self, phase: PhaseRecorder) -> None:
        """Note a phase as it is, should the process be killed later."""
        if self._note is None or self._finished:
            return
        logs = self._logs[self._noted_logs :]
        attachments = self._attachments[self._noted_attachments :]
        try:
            self._note(self._made(RunOutcome.ABORTED, [phase.so_far()], [], []))
            if logs or attachments:
                self._note(self._made(RunOutcome.ABORTED, [], logs, attachments))
        except ModelError:
            return  # an attribute that is no JSON, say: the end of the run says so
        self._noted_logs += len(logs)
        self._noted_attachments += len(attachments)

    def _warn_of_unlisted(self, phases: Iterable[Phase]) -> None:
        # Kept as it is: a wrong name must not cost a measured value.
        if not self._instruments:
            return
        named = {item.instrument for phase in phases for item in phase.measurements}
        for name in sorted(named - {None} - self._instruments.keys(), key=str):
            self.log(
                f"measurements name the instrument {name!r}, which the run does not "
                "list",
                LogLevel.WARNING,
            )

    def _run(self) -> Run:
        outcome = self._outcome
        if outcome is None:
            verdicts = {
                phase.outcome(self.inside(phase)) for phase in self.inside(None)
            }
            outcome = RunOutcome.PASS
            if PhaseOutcome.ERROR in verdicts:
                outcome = RunOutcome.ERROR
            elif PhaseOutcome.FAIL in verdicts:
                outcome = RunOutcome.FAIL
        phases = [phase.finished() for phase, _ in self._phases]
        self._warn_of_unlisted(phases)
        return self._made(outcome, phases, self._logs, self._attachments)

    def _made(
        self,
        outcome: RunOutcome,
        phases: list[Phase],
        logs: list[LogEntry],
        attachments: list[Attachment],
    ) -> Run:
        return Run(
            id=self.id,
            outcome=outcome,
            procedure=self._procedure,
            unit=self._unit,
            sub_units=self._sub_units,
            started_at=self._clock.started_at,
            ended_at=self._clock.now(),
            operator=self._operator,
            station=self._station,
            instruments=tuple(self._instruments.values()),
            docstring=self._docstring,
            phases=phases,
            logs=logs,
            attachments=attachments,
            metadata=self.metadata,
        )


def _chunks_of(path: Path) -> Iterator[bytes]:
    """Read a file; what is wrong with it is told apart from our own folder's errors."""
    try:
        with FileOpener(path)() as stream:
            yield from file_chunks(stream)
    except OSError as error:
        raise FileUnreadableError(
            f"cannot be attached: {error.strerror or error}",
            source=path_text(path),
            remedy="check the path and its permissions",
        ) from error


def _outcome_of(error: BaseException) -> RunOutcome:
    if isinstance(error, AssertionError):
        return RunOutcome.FAIL
    if isinstance(error, Exception):
        return RunOutcome.ERROR
    # Ctrl-C and sys.exit: somebody wanted it to end.
    return RunOutcome.ABORTED


def _as_unit(unit: Unit | str | Mapping[str, str]) -> Unit:
    if isinstance(unit, Unit):
        return unit
    if isinstance(unit, Mapping):
        return Unit(**unit)
    return Unit(serial_number=printable(unit))

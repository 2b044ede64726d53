"""
A run to the body of ``POST /v1/runs``: all the rules in one place.

What v1 has no field for goes into the sidecar, so that together they hold the whole
run. Every change that a reader of the plain payload would see is recorded as coerced.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

import attrs
from msgspec import UNSET, UnsetType

from rigbridge.convert.numbers import (
    describe_exclusive,
    describe_range,
    is_long,
    is_non_finite,
    spell,
)
from rigbridge.convert.sidecar import make_sidecar
from rigbridge.convert.times import UNKNOWN_TIME, to_iso_duration, to_iso_utc, to_millis
from rigbridge.errors import ModelError, RunProblemsError
from rigbridge.model import (
    LogEntry,
    Measurement,
    Phase,
    Run,
    RunOutcome,
    Series,
    Unit,
)
from rigbridge.model.report import ConversionReport, Place
from rigbridge.wire import (
    CreateRun,
    WireLog,
    WireMeasurement,
    WirePhase,
    WireSubUnit,
    WireUnit,
)

__all__ = ["MAX_NAME", "PATH_SEPARATOR", "Payload", "dump"]

MAX_NAME = 255
"""How many characters v1 takes for names, serial numbers and procedure ids."""

PATH_SEPARATOR = " / "
"""What stands between the names of nested phases in a flat one."""

_MAX_VERSION = 255
_NON_FINITE_RULE = "non-finite number spelled as text"
_LONG_RULE = "integer beyond 64 bits written as its digits"
# v1 names an operator by an e-mail address; any other name would be refused.
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
# The kinds of value that JSON holds without a look at them.
_AS_IT_IS = frozenset({str, int, bool})


@attrs.frozen(kw_only=True)
class Payload:
    """
    A run as it travels.

    Attributes:
        body: the body of the create call, all of it plain v1.
        report: what was recorded while the run was read and written.
    """

    body: CreateRun
    run: Run = attrs.field(repr=False)
    report: ConversionReport = attrs.field(repr=False, eq=False)

    # Made on demand: whoever only checks a run needs none.
    @cached_property
    def sidecar(self) -> dict[str, Any] | None:
        """
        What v1 has no field for, as strict JSON; None when nothing is lost without it.

        It is made when it is first asked for, with what the report says by then.
        """
        return make_sidecar(self.run, self.body, self.report)

    def dense_sidecar(self) -> dict[str, Any] | None:
        """
        Make the sidecar for whoever only encodes it.

        What it says of phases and log lines is JSON already, which takes a tenth of the
        memory: a large run has a hundred thousand of them.

        Raises:
            UnicodeEncodeError: a text that is no Unicode (a lone surrogate).
        """
        return make_sidecar(self.run, self.body, self.report, dense=True)


def dump(run: Run, report: ConversionReport | None = None) -> Payload:
    """
    Convert a run to a payload.

    Args:
        report: where the changes are recorded; it also travels in the sidecar.

    Raises:
        RunProblemsError: all that keeps a store from taking the run (no serial
            number, no procedure, a serial number that is too long), with paths.
    """
    report = ConversionReport() if report is None else report
    # All problems are told together, before anything is converted.
    _refuse(run)
    writer = _PayloadWriter(run, report)
    body = writer.body()
    return Payload(body=body, run=run, report=report)


def _refuse(run: Run) -> None:
    problems: list[ModelError] = []

    def bounded(value: str | None, path: str) -> None:
        if value is not None and len(value) > MAX_NAME:
            problems.append(
                ModelError(
                    f"has {len(value)} characters, a store takes {MAX_NAME}", path=path
                )
            )

    if run.unit.serial_number is None:
        problems.append(
            ModelError(
                "the run has no serial number",
                path="$.unit.serial_number",
                remedy="let a rule under [identity] in rigbridge.toml supply one, "
                "or give it as Unit(serial_number=...)",
            )
        )
    if run.procedure.id is None and run.procedure.name is None:
        remedy = "give it as ProcedureRef(name=...)"
        if run.source is not None:
            table = run.source.adapter
            remedy = (
                f"name one in the report, or by a setting (procedure_id or procedure)"
                f" under [adapters.{table}] in rigbridge.toml"
            )
        problems.append(
            ModelError(
                "the run names no procedure",
                path="$.procedure",
                remedy=remedy,
            )
        )
    bounded(run.unit.serial_number, "$.unit.serial_number")
    bounded(run.procedure.id, "$.procedure.id")
    for index, sub_unit in enumerate(run.sub_units):
        bounded(sub_unit.serial_number, f"$.sub_units[{index}].serial_number")
    if problems:
        source = None if run.source is None else run.source.uri
        raise RunProblemsError("cannot be stored", problems, source=source)


def _or_unset(value: str | None) -> str | UnsetType:
    return UNSET if value is None else value


class _PayloadWriter:
    """Writes one run; holds what every rule needs."""

    def __init__(self, run: Run, report: ConversionReport) -> None:
        self.run = run
        self.report = report
        self._fallback: datetime | None = None

    def coerced(self, item: str, rule: str, path: str, detail: str | None) -> None:
        self.report.coerced(item, rule, place=Place(path=path), detail=detail)

    def body(self) -> CreateRun:
        run = self.run
        started, ended, duration = self._times()
        return CreateRun(
            # The older field: servers that know no outcome read the verdict from it.
            unit_under_test=_unit(run.unit),
            run_passed=run.outcome is RunOutcome.PASS,
            outcome=run.outcome,
            procedure_id=_or_unset(run.procedure.id),
            procedure_name=_or_unset(run.procedure.name),
            procedure_version=self._version(),
            started_at=started,
            ended_at=ended,
            duration=duration,
            operated_by=self._operator(),
            docstring=_or_unset(run.docstring),
            sub_units=[
                WireSubUnit(serial_number=item.serial_number) for item in run.sub_units
            ]
            or UNSET,
            phases=[self._phase(index, phase) for index, phase in enumerate(run.phases)]
            or UNSET,
            logs=[self._log(index, entry) for index, entry in enumerate(run.logs)]
            or UNSET,
        )

    def _version(self) -> str | UnsetType:
        version = self.run.procedure.version
        if version is None:
            return UNSET
        fitting = version[:_MAX_VERSION]
        if fitting != version:
            self.coerced(
                "procedure version",
                "cut to 255 characters",
                "$.procedure.version",
                version,
            )
        return fitting

    def _operator(self) -> str | UnsetType:
        operator = self.run.operator
        if operator is None:
            return UNSET
        if _EMAIL.fullmatch(operator):
            return operator
        self.coerced(
            "operator", "no e-mail address, kept beside v1", "$.operator", operator
        )
        return UNSET

    def _times(
        self,
    ) -> tuple[str | UnsetType, str | UnsetType, str | UnsetType]:
        started, ended = self.run.started_at, self.run.ended_at
        begin = UNSET if started is None else to_iso_utc(started)
        if ended is None:
            return begin, UNSET, UNSET
        if started is None:
            return UNSET, to_iso_utc(ended), UNSET
        if ended < started:
            self.coerced(
                "time",
                "end before start, kept beside v1",
                # A store refuses a run that ends before it begins.
                "$.ended_at",
                to_iso_utc(ended),
            )
            return begin, UNSET, UNSET
        return begin, to_iso_utc(ended), to_iso_duration(ended - started)

    def _known_time(self, path: str, item: str) -> datetime:
        """Stand in for an unknown time: the run's start, else its earliest time."""
        if self.run.started_at is not None:
            self.coerced(item, "unknown time filled from the run's start", path, None)
            return self.run.started_at
        if self._fallback is None:
            # Computed once, since every phase without a time asks for it.
            known = [
                moment
                for moment in (
                    self.run.ended_at,
                    *(phase.started_at for phase in self.run.phases),
                    *(phase.ended_at for phase in self.run.phases),
                    *(entry.time for entry in self.run.logs),
                )
                if moment is not None
            ]
            self._fallback = min(known) if known else None
        if self._fallback is None:
            self.coerced(item, "no time known in the run, 0 written", path, None)
            return UNKNOWN_TIME
        self.coerced(
            item, "unknown time filled from the run's earliest time", path, None
        )
        return self._fallback

    # Paths are spelled only where something is recorded: most of a run is not.

    def _phase(self, index: int, phase: Phase) -> WirePhase:
        name = phase.name
        if phase.path:
            name = PATH_SEPARATOR.join((*phase.path, name))
        docstring = _or_unset(phase.docstring)
        if len(name) > MAX_NAME:
            path = f"$.phases[{index}]"
            name, docstring = self._cut(name, phase.docstring, path, "phase")
        started, ended = phase.started_at, phase.ended_at
        if started is None or ended is None:
            begin, end = self._millis(index, started, ended)
        else:
            begin, end = to_millis(started), to_millis(ended)
        return WirePhase(
            name=name,
            outcome=phase.outcome,
            start_time_millis=begin,
            end_time_millis=end,
            measurements=[
                self._measurement(index, place, item)
                for place, item in enumerate(phase.measurements)
            ]
            or UNSET,
            docstring=docstring,
        )

    def _millis(
        self, index: int, started: datetime | None, ended: datetime | None
    ) -> tuple[int, int]:
        """Write the times of a phase of which one is unknown."""
        path = f"$.phases[{index}]"
        if started is None:
            started = self._known_time(f"{path}.started_at", "phase time")
            if ended is not None:
                # A phase never begins after its own end.
                started = min(started, ended)
        begin = to_millis(started)
        if ended is not None:
            return begin, to_millis(ended)
        self.coerced(
            "phase time", "unknown end filled from its start", f"{path}.ended_at", None
        )
        return begin, begin

    def _cut(
        self, name: str, docstring: str | None, path: str, item: str
    ) -> tuple[str, str]:
        self.coerced(
            f"{item} name",
            "cut to 255 characters, full text in the docstring",
            f"{path}.name",
            None,
        )
        # The whole name is kept where people read on; the sidecar restores it exactly.
        return name[:MAX_NAME], f"{name}\n\n{docstring}" if docstring else name

    def _measurement(
        self, phase: int, index: int, measurement: Measurement
    ) -> WireMeasurement:
        name = measurement.name
        docstring = _or_unset(measurement.docstring)
        if len(name) > MAX_NAME:
            path = f"$.phases[{phase}].measurements[{index}]"
            name, docstring = self._cut(
                name, measurement.docstring, path, "measurement"
            )
        value: Any = measurement.value
        units: str | list[str] | UnsetType = _or_unset(measurement.unit)
        if type(value) not in _AS_IT_IS or is_long(value):
            path = f"$.phases[{phase}].measurements[{index}].value"
            value, units = self._value(measurement, path)
        lower: float | UnsetType = UNSET
        upper: float | UnsetType = UNSET
        validators = list(measurement.validators)
        limits = measurement.limits
        if limits is not None:
            lower = UNSET if limits.lower is None else limits.lower
            upper = UNSET if limits.upper is None else limits.upper
            # JSON readers lose digits of such a bound, so it travels as text.
            if is_long(lower) or is_long(upper):
                path = f"$.phases[{phase}].measurements[{index}]"
                described = describe_range(limits)
                rule = "bound beyond 64 bits said as a validator"
                self.coerced("limit", rule, path, described)
                validators.append(described)
                lower = UNSET if is_long(lower) else lower
                upper = UNSET if is_long(upper) else upper
            elif (text := describe_exclusive(limits)) is not None:
                path = f"$.phases[{phase}].measurements[{index}]"
                rule = "exclusive bound also said as a validator"
                self.coerced("limit", rule, path, text)
                validators.append(text)
        return WireMeasurement(
            name=name,
            outcome=measurement.outcome,
            measured_value=value,
            units=units,
            lower_limit=lower,
            upper_limit=upper,
            validators=validators or UNSET,
            docstring=docstring,
        )

    def _value(
        self, measurement: Measurement, path: str
    ) -> tuple[Any, str | list[str] | UnsetType]:
        value = measurement.value
        unit = _or_unset(measurement.unit)
        if value is None:
            return UNSET, unit
        if isinstance(value, Series):
            return self._rows(value, path), _series_units(value, unit)
        if is_non_finite(value) or is_long(value):
            rule = _LONG_RULE if is_long(value) else _NON_FINITE_RULE
            self.coerced("value", rule, path, str(value))
            return spell(value), unit
        if isinstance(value, Mapping):
            return dict(value), unit
        return value, unit

    def _rows(self, series: Series, path: str) -> list[list[Any]]:
        rows = [list(row) for row in series.rows()]
        # Each rule once: a series may have a million such points.
        rules: set[str] = set()
        for row in rows:
            for column, cell in enumerate(row):
                if is_non_finite(cell) or is_long(cell):
                    row[column] = spell(cell)
                    rules.add(_LONG_RULE if is_long(cell) else _NON_FINITE_RULE)
        for rule in sorted(rules):
            self.coerced("value", rule, path, None)
        return rows

    def _log(self, index: int, entry: LogEntry) -> WireLog:
        path = f"$.logs[{index}]"
        time = entry.time
        if time is None:
            time = self._known_time(f"{path}.time", "log time")
        if entry.source_file is None or entry.line is None:
            self.coerced(
                "log", "unknown source written as blank, line as 0", path, None
            )
        return WireLog(
            level=entry.level,
            timestamp=to_iso_utc(time),
            message=entry.message,
            source_file=entry.source_file or "",
            line_number=entry.line or 0,
        )


def _unit(unit: Unit) -> WireUnit:
    return WireUnit(
        serial_number=unit.serial_number or "",
        part_number=_or_unset(unit.part_number),
        part_name=_or_unset(unit.part_name),
        revision=_or_unset(unit.revision),
        batch_number=_or_unset(unit.batch_number),
    )


def _series_units(series: Series, unit: str | UnsetType) -> str | list[str] | UnsetType:
    if all(axis.unit is None for axis in series.axes):
        return unit
    return [axis.unit or "" for axis in series.axes]

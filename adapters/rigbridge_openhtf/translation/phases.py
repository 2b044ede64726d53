"""Phases: verdict, times, place among the subtests, and what else a record says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from rigbridge.model import JSONValue, Measurement, Phase, Run, RunOutcome
from rigbridge_openhtf.packed_values import ReplacedObject
from rigbridge_openhtf.plain_objects import without_address
from rigbridge_openhtf.raw_record import ABSENT, RawCode, RawPhase
from rigbridge_openhtf.scope import Scope
from rigbridge_openhtf.translation.measurements import read_measurement
from rigbridge_openhtf.translation.numbers import read_time
from rigbridge_openhtf.translation.outcomes import (
    PhaseContext,
    phase_outcome,
    returned_result,
)
from rigbridge_openhtf.translation.values import free_form, text_of

__all__ = [
    "is_idle_trigger",
    "never_began",
    "phase_name",
    "read_code",
    "read_phase",
]

# The phase that OpenHTF itself puts first, to wait for the serial number.
_TRIGGER = "trigger_phase"
_NAME_CASE_KEPT = "KEEP"


def is_idle_trigger(raw: RawPhase) -> bool:
    """
    Whether a phase is the framework's own wait for the unit, and nothing happened.

    One that failed, was aborted or measured something is kept like any other.
    """
    result = returned_result(raw.result)
    verdicts = [v for v in (raw.outcome, result) if v is not None and v is not ABSENT]
    return (
        raw.name == _TRIGGER
        and not raw.measurements
        and not raw.attachments
        and all(str(v).rpartition(".")[2] in ("PASS", "CONTINUE") for v in verdicts)
        # Before 2017 there is no outcome; then the result has to say that all is well.
        and (raw.outcome is not None or result == "CONTINUE")
    )


def never_began(run: Run) -> bool:
    """Whether a test was canceled while it waited for the unit: nothing was tested."""
    return (
        run.outcome is RunOutcome.ABORTED
        and run.unit.serial_number is None
        and not run.attachments
        and all(p.name == _TRIGGER and not p.measurements for p in run.phases)
    )


def phase_name(raw: RawPhase, number: int, scope: Scope) -> str:
    """Give the name of a phase; its position, counted from 1, if it has none."""
    name = text_of(raw.name, scope, "phase name")
    if name is None:
        name = f"phase {number}"
        scope.coerced("phase name", "blank, named by its position", name)
    return name


def read_phase(
    raw: RawPhase,
    name: str,
    context: PhaseContext,
    files: Mapping[str, JSONValue],
    scope: Scope,
) -> Phase:
    """Translate a phase."""
    measurements = _measurements(raw, scope)
    outcome = phase_outcome(raw, measurements, context, scope)
    # A record may have a hundred thousand, which need not be there twice.
    raw.measurements.clear()
    code = read_code(raw.code, scope, known_name=name)
    docstring = code.pop("docstring", None)
    attributes = _attributes(raw, scope)
    if code:
        attributes["codeinfo"] = code
    if files:
        attributes["attachments"] = files
    scope.mapped("phase")
    return Phase(
        name=name,
        outcome=outcome,
        started_at=read_time(raw.start_millis, scope, "phase time"),
        ended_at=read_time(raw.end_millis, scope, "phase time"),
        path=_path(raw, scope),
        measurements=tuple(measurements),
        docstring=docstring,
        attributes=attributes,
    )


def _path(raw: RawPhase, scope: Scope) -> tuple[str, ...]:
    names = [text_of(name, scope, "group") for name in raw.around]
    path = tuple(name for name in names if name is not None)
    subtest = text_of(raw.subtest, scope, "subtest")
    # A live record gives the subtest twice: among its groups and by name.
    return path if subtest is None or subtest in path else (*path, subtest)


def read_code(
    code: RawCode, scope: Scope, *, known_name: str | None = None
) -> dict[str, str]:
    """
    Read what is said about a piece of code: name, docstring and, if asked for, source.

    Args:
        known_name: a name that is left out, because it is known.
    """
    found: dict[str, str] = {}
    name = text_of(code.name, scope, "code name")
    if name is not None and name != known_name:
        found["name"] = name
    docstring = text_of(code.docstring, scope, "docstring")
    if docstring is not None:
        scope.mapped("docstring")
        found["docstring"] = docstring
    source = text_of(code.source_code, scope, "source code")
    if source is not None:
        if scope.settings.source_code:
            scope.mapped("source code")
            found["sourcecode"] = source
        else:
            scope.omitted("source code", "left out unless source_code is set")
    return found


def _measurements(raw: RawPhase, scope: Scope) -> list[Measurement]:
    timed = sum(item.set_millis is not None for item in raw.measurements)
    if timed and not scope.settings.measurement_times:
        # One entry a phase: a live record has a time for every measurement.
        reason = "left out unless measurement_times is set"
        scope.omitted("measurement times", reason, f"{timed} of them")
    return [
        read_measurement(item, number, scope.at(f".measurements[{item.name!r}]"))
        for number, item in enumerate(raw.measurements, start=1)
    ]


def _attributes(raw: RawPhase, scope: Scope) -> dict[str, JSONValue]:
    attributes: dict[str, JSONValue] = {}
    result = raw.result
    if isinstance(result, Mapping):
        fields = dict(cast("Mapping[object, object]", result))
        if "phase_result" in fields:
            given = fields.pop("phase_result")
            attributes["phase_result"] = free_form(given, scope, "phase result")
        if fields:
            attributes["result"] = free_form(fields, scope, "phase result")
    elif result is not ABSENT and result is not None:
        attributes["phase_result"] = free_form(result, scope, "phase result")
    options = {
        key: _without_address(free_form(value, scope.at(f".options.{key}"), "option"))
        for key, value in raw.options.items()
        if not _is_default(value)
    }
    if options:
        attributes["options"] = options
    for key, value in raw.rest.items():
        if value is None or _is_empty(value):
            continue
        attributes[key] = free_form(value, scope.at(f".{key}"), "attribute")
        scope.mapped("attribute")
    return attributes


def _is_empty(value: object) -> bool:
    return isinstance(value, (list, tuple, dict)) and not value


def _is_default(value: object) -> bool:
    # An enumeration in a live record, its name in JSON.
    name = value.value if isinstance(value, ReplacedObject) else value
    return value is None or value is False or name == _NAME_CASE_KEPT


def _without_address(value: JSONValue) -> JSONValue:
    # The option run_if is a function, which JSON spells with its address.
    return without_address(value) if isinstance(value, str) else value

"""
Records of tests to measurements: parametric, of many results, and functional ones.

Parts go through the same tests, so that most records differ from an earlier one in
their result alone. What follows from the rest is kept by its bytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from rigbridge.adapters import ConversionReport
from rigbridge.model import (
    Axis,
    JSONValue,
    Limit,
    Measurement,
    MeasurementOutcome,
    MeasurementStamp,
    Series,
)
from rigbridge_stdf.parts.defaults import Notes, TestDefaults
from rigbridge_stdf.parts.texts import clean_text, json_number
from rigbridge_stdf.records.record import Fields, Record

__all__ = ["ResultReader", "is_definition"]

# TEST_FLG (V4): bit 1 the result is not valid, 4 not executed, 6 no verdict, 7 failed.
_NOT_VALID, _NOT_EXECUTED, _NO_VERDICT, _FAILED = 1 << 1, 1 << 4, 1 << 6, 1 << 7
# PARM_FLG (V4): bits 6 and 7 say that a value equal to the limit passes.
_LOW_PASSES, _HIGH_PASSES = 1 << 6, 1 << 7
_TEST_WORDS = (
    (1 << 0, "alarm"),
    (1 << 2, "unreliable"),
    (1 << 3, "timeout"),
    (1 << 4, "not executed"),
    (1 << 5, "aborted"),
)
_PARAMETRIC_WORDS = (
    (1 << 0, "scale error"),
    (1 << 1, "drift error"),
    (1 << 2, "oscillation"),
    (1 << 3, "above the high limit"),
    (1 << 4, "below the low limit"),
    (1 << 5, "passed alternate limits"),
)
# What a functional test says, with the bits that make it invalid.
_FUNCTIONAL: tuple[tuple[str, int], ...] = (
    ("CYCL_CNT", 1 << 0),
    ("REL_VADR", 1 << 1),
    ("REPT_CNT", 1 << 2),
    ("NUM_FAIL", 1 << 3),
    ("XFAIL_AD", 1 << 4),
    ("YFAIL_AD", 1 << 4),
    ("VECT_OFF", 1 << 5),
    ("RTN_INDX", 0),
    ("RTN_STAT", 0),
    ("PGM_INDX", 0),
    ("PGM_STAT", 0),
    ("PATG_NUM", 0),
)
_FUNCTIONAL_TEXTS = (
    "VECT_NAM",
    "TIME_SET",
    "OP_CODE",
    "ALARM_ID",
    "PROG_TXT",
    "RSLT_TXT",
)
# PATG_NUM 255 stands for no pattern generator (V4, FTR).
_NO_GENERATOR = 255
_RESULT_END = 12
"""The byte behind the result of a PTR."""
_FORMATS = ("C_RESFMT", "C_LLMFMT", "C_HLMFMT")
_SCALES = ("RES_SCAL", "LLM_SCAL", "HLM_SCAL")
_MOST_KEPT = 1 << 16
"""Records whose rest is kept: as many as the tests of some large programs."""


@attrs.frozen
class _Known:
    """What follows from a record apart from its result."""

    stamp: MeasurementStamp
    outcome: MeasurementOutcome
    is_valid: bool
    notes: Notes


class ResultReader:
    """
    Reads the tests of one lot.

    Args:
        pins: the names of pins by their index in PMR.
        read_float: reads a float of a binary record; None for text.
    """

    def __init__(
        self,
        defaults: TestDefaults,
        pins: Mapping[int, str],
        source: str,
        read_float: Callable[[bytes, int], float] | None,
    ) -> None:
        self._defaults = defaults
        self._pins = pins
        self._source = source
        self._read_float = read_float
        self._known: dict[bytes, _Known] = {}
        self._functional: dict[bytes, tuple[Measurement, Notes]] = {}

    def read(self, record: Record, report: ConversionReport) -> Measurement:
        """
        Read a PTR, an MPR or an FTR.

        Raises:
            MalformedSourceError: its fields do not fit its length.
        """
        if record.name == "PTR":
            return self._parametric(record, report)
        if record.name == "FTR":
            return self._cached_functional(record, report)
        return self._multiple(record, report)

    def define(self, record: Record) -> None:
        """Take the defaults of a record that stands for no execution of its test."""
        self._defaults.complete(record.name, record.fields(self._source), [])

    def _parametric(self, record: Record, report: ConversionReport) -> Measurement:
        content = record.content
        # All but the head, the site and the result.
        is_whole = len(content) >= _RESULT_END and not record.is_line
        key = content[:4] + content[6:8] + content[_RESULT_END:] if is_whole else b""
        known = self._known.get(key) if key else None
        fields: Mapping[str, Any] = {}
        if known is None:
            fields = record.fields(self._source)
            known = self._what_follows(record.name, fields)
            # Full is full: what is met later is read in the slow way, with the same
            # result.
            if key and len(self._known) < _MOST_KEPT:
                self._known[key] = known
        value: float | None = None
        if fields or self._read_float is None:
            # The fields were just decoded, or are in text form.
            value = fields.get("RESULT")
        else:
            value = self._read_float(content, 8)
        _note(known.notes, record, report)
        if not known.is_valid and value is not None:
            report.omitted(
                "value",
                "the record says that it is not valid",
                place=record.place,
                detail=str(value),
            )
            value = None
        return known.stamp.make(value, known.outcome)

    def _what_follows(self, kind: str, fields: Mapping[str, Any]) -> _Known:
        notes: Notes = []
        found = self._defaults.complete(kind, fields, notes)
        test, parametric = found.get("TEST_FLG", 0), found.get("PARM_FLG", 0)
        attributes = _attributes(found, test, parametric)
        template = Measurement(
            name=found["name"],
            unit=found.get("UNITS"),
            limits=_limits(found, parametric, notes),
            attributes=attributes,
        )
        return _Known(
            MeasurementStamp(template),
            _outcome(test),
            not test & (_NOT_VALID | _NOT_EXECUTED),
            notes,
        )

    def _multiple(self, record: Record, report: ConversionReport) -> Measurement:
        fields = record.fields(self._source)
        notes: Notes = []
        found = self._defaults.complete("MPR", fields, notes)
        test, parametric = found.get("TEST_FLG", 0), found.get("PARM_FLG", 0)
        attributes = _attributes(found, test, parametric)
        results: list[float] = found.get("RTN_RSLT", [])
        pins = [self._pin(index) for index in found.get("RTN_INDX", [])]
        states: list[int] = found.get("RTN_STAT", [])
        axes: list[Axis] = []
        if results and "START_IN" in found:
            start, step = found["START_IN"], found.get("INCR_IN", 0.0)
            # An input axis is a start and a step; the results are its points.
            inputs = [start + index * step for index in range(len(results))]
            axes.append(Axis(name="input", unit=found.get("UNITS_IN"), values=inputs))
        if results and len(pins) == len(results):
            axes.append(Axis(name="pin", values=pins))
        elif pins:
            # A pin for each result is an axis. Otherwise nothing says which result is
            # of which pin.
            attributes["pins"] = pins
        if states:
            attributes["RTN_STAT"] = states
        axes.append(Axis(name=found["name"], unit=found.get("UNITS"), values=results))
        _note(notes, record, report)
        return Measurement(
            name=found["name"],
            outcome=_outcome(test),
            value=Series(axes=tuple(axes)) if results else None,
            unit=None if results else found.get("UNITS"),
            limits=_limits(found, parametric, notes),
            attributes=attributes,
        )

    def _cached_functional(
        self, record: Record, report: ConversionReport
    ) -> Measurement:
        # All but the head and the site.
        key = b"" if record.is_line else record.content[:4] + record.content[6:]
        made = self._functional.get(key) if key else None
        if made is None:
            made = self._functional_test(record.fields(self._source))
            if key and len(self._functional) < _MOST_KEPT:
                self._functional[key] = made
        _note(made[1], record, report)
        return made[0]

    def _functional_test(self, fields: Mapping[str, Any]) -> tuple[Measurement, Notes]:
        notes: Notes = []
        found = self._defaults.complete("FTR", fields, notes)
        test, optional = found.get("TEST_FLG", 0), found.get("OPT_FLAG", 0)
        attributes: dict[str, JSONValue] = {"TEST_NUM": found["TEST_NUM"]}
        for name, invalid in _FUNCTIONAL:
            value = found.get(name)
            if value not in (None, []) and not optional & invalid:
                attributes[name] = value
        if attributes.get("PATG_NUM") == _NO_GENERATOR:
            del attributes["PATG_NUM"]
        for name in ("FAIL_PIN", "SPIN_MAP"):
            if found.get(name):
                attributes[name] = [self._pin(index) for index in found[name]]
        for name in _FUNCTIONAL_TEXTS:
            if text := clean_text(found.get(name)):
                attributes[name] = text
        if words := _words(test, _TEST_WORDS):
            attributes["flags"] = words
        outcome = _outcome(test)
        verdicts = {MeasurementOutcome.PASS: True, MeasurementOutcome.FAIL: False}
        measurement = Measurement(
            name=found["name"],
            outcome=outcome,
            # A functional test has no value; its verdict is what was measured.
            value=verdicts.get(outcome),
            attributes=attributes,
        )
        return measurement, notes

    def _pin(self, index: int) -> str:
        return self._pins.get(index) or f"pin {index}"


def is_definition(fields: Fields) -> bool:
    """Tell whether a test that stands in no part is there for its defaults alone."""
    return bool(fields.get("TEST_FLG", 0) & _NOT_EXECUTED)


def _note(notes: Notes, record: Record, report: ConversionReport) -> None:
    for item, rule, detail in notes:
        report.coerced(item, rule, place=record.place, detail=detail)


def _outcome(test: int) -> MeasurementOutcome:
    if test & (_NO_VERDICT | _NOT_EXECUTED):
        return MeasurementOutcome.UNSET
    return MeasurementOutcome.FAIL if test & _FAILED else MeasurementOutcome.PASS


def _words(flags: int, meanings: tuple[tuple[int, str], ...]) -> list[str]:
    return [word for bit, word in meanings if flags & bit]


def _attributes(
    found: Mapping[str, Any], test: int, parametric: int
) -> dict[str, JSONValue]:
    attributes: dict[str, JSONValue] = {"TEST_NUM": found["TEST_NUM"]}
    for name in _SCALES:
        if found.get(name):
            attributes[name] = found[name]
    for name in ("LO_SPEC", "HI_SPEC"):
        if name in found:
            attributes[name] = json_number(found[name])
    for name in (*_FORMATS, "ALARM_ID"):
        if text := clean_text(found.get(name)):
            attributes[name] = text
    words = _words(test, _TEST_WORDS) + _words(parametric, _PARAMETRIC_WORDS)
    if words:
        attributes["flags"] = words
    return attributes


def _limits(found: Mapping[str, Any], parametric: int, notes: Notes) -> Limit | None:
    lower, upper = _bound(found, "LO_LIMIT", notes), _bound(found, "HI_LIMIT", notes)
    if lower is None and upper is None:
        return None
    return Limit(
        # A limit is exclusive unless the flag says otherwise.
        lower=lower,
        upper=upper,
        lower_inclusive=bool(parametric & _LOW_PASSES),
        upper_inclusive=bool(parametric & _HIGH_PASSES),
    )


def _bound(found: Mapping[str, Any], name: str, notes: Notes) -> float | None:
    bound: float | None = found.get(name)
    if bound is None or math.isfinite(bound):
        return bound
    # Testers write the largest number or infinity where a test has one side only.
    notes.append(("limit", f"{name} is no finite number, so no limit", str(bound)))
    return None

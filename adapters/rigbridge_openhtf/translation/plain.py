"""
The short way for measurements with nothing to remark on, as nearly all are.

A plain number, text or verdict with at most one plain range and a unit of OpenHTF's own
needs no place to report from and none of the rules of
:mod:`rigbridge_openhtf.translation.measurements`. What comes out is what these would
give, values and account alike; the tests compare both ways.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from rigbridge.adapters import ConversionReport
from rigbridge.model import Measurement, MeasurementOutcome
from rigbridge_openhtf.translation.conditions import plain_limit
from rigbridge_openhtf.translation.raw import ABSENT, RawMeasurement

__all__ = ["read_plain"]

_OUTCOMES = dict(MeasurementOutcome.__members__)
_AS_THEY_ARE = frozenset({float, bool, type(None)})
_LOWEST, _HIGHEST = -(2**63), 2**64 - 1


def read_plain(
    raw: RawMeasurement, report: ConversionReport, *, timed: bool
) -> Measurement | None:
    """
    Translate a measurement, unless there is more to it.

    Args:
        raw: what the record says of it.
        report: where it is counted.
        timed: whether its time is wanted, where it has one.
    """
    if (
        raw.dimensions
        or raw.rest
        or len(raw.validators) > 1
        or (timed and raw.set_millis is not None)
        or not _is_text(raw.name)
        or not (raw.docstring is None or _is_text(raw.docstring))
    ):
        return None
    value = None if raw.value is ABSENT else raw.value
    outcome = _OUTCOMES.get(raw.outcome) if type(raw.outcome) is str else None
    limits = plain_limit(raw.validators[0]) if raw.validators else None
    unit, facts = None, None
    if raw.unit is not None:
        words = (raw.unit.name, raw.unit.code, raw.unit.suffix)
        # A foreign record may hold anything there, also what no table takes as a key.
        if all(map(_is_text, words)):
            unit, facts = _unit(*words)
    if (
        not _is_value(value)
        or outcome is None
        or (limits is None and raw.validators)
        or (unit is None and raw.unit is not None)
    ):
        return None
    report.mapped("measurement")
    if limits is not None:
        report.mapped("limit")
    if unit is not None:
        report.mapped("unit")
    return Measurement(
        name=raw.name,
        outcome=outcome,
        value=value,
        unit=unit,
        limits=limits,
        docstring=raw.docstring,
        attributes={} if facts is None else {"units": dict(facts)},
    )


def _is_value(value: Any) -> bool:
    kind = type(value)
    if kind is int:
        return bool(_LOWEST <= value <= _HIGHEST)
    return kind in _AS_THEY_ARE or (kind is str and value.isascii())


def _is_text(value: Any) -> bool:
    return type(value) is str and value.isascii() and bool(value.strip())


@lru_cache(maxsize=1024, typed=True)
def _unit(name: str, code: str, suffix: str) -> tuple[str | None, dict[str, str]]:
    """Give a unit's suffix, and what its attributes say; None if it is not plain."""
    if name == "None":
        return None, {}
    return suffix, {"name": name, "code": code}

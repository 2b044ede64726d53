"""What repeats from one measurement to the next: name, unit, limits, as one object."""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

from rigbridge.adapters.text.verdicts import LoggedVerdict
from rigbridge.model import Limit, MeasurementOutcome, MeasurementStamp, Scalar
from rigbridge.model.report import ConversionReport, Place

__all__ = ["MeasurementShape", "NameParts", "judged", "name_parts"]

_PARTS = ("unit", "lower", "upper", "equal", "comparator")


@attrs.frozen(kw_only=True)
class NameParts:
    """
    What a header name or a measurement's name says beside the name.

    Attributes:
        unit: the unit, or None.
        lower: the lower limit's text, or None.
        upper: the upper limit's text, or None.
        equal: the text that is wanted, or None.
        comparator: the comparison, or None.
    """

    name: str
    unit: str | None = None
    lower: str | None = None
    upper: str | None = None
    equal: str | None = None
    comparator: str | None = None
    attributes: Mapping[str, str] = attrs.field(factory=dict[str, str])


def name_parts(pattern: re.Pattern[str] | None, text: str) -> NameParts:
    """Take a name apart; a name that the pattern does not fit stays whole."""
    found = None if pattern is None else pattern.search(text)
    if found is None or not (found["name"] or "").strip():
        return NameParts(name=text)
    parts = {
        key: part.strip()
        for key, part in found.groupdict().items()
        if part is not None and part.strip()
    }
    name = parts.pop("name")
    known = {key: parts.pop(key) for key in _PARTS if key in parts}
    return NameParts(name=name, attributes=parts, **known)


@attrs.frozen(kw_only=True)
class MeasurementShape:
    """
    What a row says of its measurement beside the value.

    Attributes:
        name: its name as the row spells it.
        limits: its limits, or None.
        limited: whether the log writes any limits.
        rules: what was changed in the limits, for the report.
        both: the text of a cell that holds both limits, or None.
        comparator: a comparison that has nothing to compare with, or None.
        outcome: the verdict's word, or None.
        judgement: the same as a measurement has it, or None where none has such.
        plain: whether nothing of it is to be recorded or kept with each row.
        is_text: whether its values are texts, however they look.
    """

    name: str
    stamp: MeasurementStamp
    limits: Limit | None
    limited: bool
    rules: tuple[str, ...]
    both: str | None
    attributes: Mapping[str, str]
    comparator: str | None
    outcome: str | None
    verdict: LoggedVerdict
    judgement: MeasurementOutcome | None
    plain: bool
    is_text: bool


def judged(
    value: Scalar,
    limits: Limit | None,
    report: ConversionReport,
    line: int,
    name: str,
) -> LoggedVerdict:
    """
    Compare a value with its limits, where the profile asks for that.

    Args:
        limits: its limits, or None.
    """
    if limits is None or not isinstance(value, (int, float)):
        return LoggedVerdict.UNSET
    low, high = limits.lower, limits.upper
    above = low is None or (value >= low if limits.lower_inclusive else value > low)
    below = high is None or (value <= high if limits.upper_inclusive else value < high)
    verdict = LoggedVerdict.PASS if above and below else LoggedVerdict.FAIL
    report.coerced(
        "measurement outcome",
        "none written: compared with its limits, as the profile asks",
        place=Place(line=line, path=name),
        detail=verdict,
    )
    return verdict

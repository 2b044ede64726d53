"""What repeats from one measurement to the next: name, unit, limits, as one object."""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

from rigbridge.adapters.text.verdicts import LoggedVerdict
from rigbridge.model import Limit, Measurement, MeasurementStamp, Scalar
from rigbridge.model.report import ConversionReport, Place
from rigbridge_csv.limits import Condition

__all__ = ["MeasurementShape", "NameParts", "judged", "name_parts"]

_PARTS = ("unit", "lower", "upper", "equal", "comparator")


@attrs.frozen(kw_only=True)
class NameParts:
    """
    What a header name or a measurement's name says beside the name.

    Attributes:
        name: the name alone.
        unit: the unit, or None.
        lower: the lower limit's text, or None.
        upper: the upper limit's text, or None.
        equal: the text that is wanted, or None.
        comparator: the comparison, or None.
        attributes: further parts.
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
    A measurement without its value and verdict.

    Attributes:
        template: the measurement.
        stamp: makes others of it.
        limits: its limits, or None.
        limited: whether the log writes any limits.
        rules: what was changed in the limits, for the report.
        attributes: what its name says further.
    """

    template: Measurement
    stamp: MeasurementStamp
    limits: Limit | None
    limited: bool
    rules: tuple[str, ...]
    attributes: Mapping[str, str]

    @classmethod
    def of(
        cls,
        parts: NameParts,
        unit: str | None,
        condition: Condition,
        docstring: str | None,
        *,
        limited: bool,
    ) -> MeasurementShape:
        """
        Make the shape of a row's texts.

        Args:
            parts: the name and what it says beside.
            unit: the unit, or None for that of the name.
            condition: what the limits mean.
            docstring: the explanation, or None.
            limited: whether the row has limits.
        """
        template = Measurement(
            name=parts.name,
            unit=unit or parts.unit,
            limits=condition.limits,
            validators=condition.validators,
            docstring=docstring,
            attributes=dict(parts.attributes),
        )
        return cls(
            template=template,
            stamp=MeasurementStamp(template),
            limits=condition.limits,
            limited=limited,
            rules=condition.rules,
            attributes=parts.attributes,
        )


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
        value: the value.
        limits: its limits, or None.
        report: where the verdict is recorded as ours.
        line: its line.
        name: its name.
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

"""
Comparators of TestStand to limits and validators.

The one-sided comparators keep their limit in ``Low``, even an upper one. A comparison
that is no range (not equal, outside of a range, of texts) becomes a validator.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import attrs

from rigbridge.adapters import ConversionReport, Place
from rigbridge.model import Limit

__all__ = [
    "NO_COMPARISON",
    "Comparison",
    "compare_numbers",
    "compare_text",
    "compare_tolerance",
    "is_logged",
]

_Where: TypeAlias = Place | Callable[[], Place]

_BELOW = {"GT": False, "GE": True}
_ABOVE = {"LT": False, "LE": True}
# Outside of a range: the first sign belongs to Low, the second to High.
_OUTSIDE = {
    "LTGT": ("<", ">"),
    "LEGE": ("<=", ">="),
    "LEGT": ("<=", ">"),
    "LTGE": ("<", ">="),
}
# Of a regular expression: TestStand's spelling, and shorter ones.
_PATTERNS = ("REGULAREXP", "REGEX")
_LOG = {"", "LOG", "NO COMPARISON", "NOCOMPARISON"}


@attrs.frozen(kw_only=True)
class Comparison:
    """The limits and validators that a value was compared with."""

    limits: Limit | None = None
    validators: tuple[str, ...] = ()


NO_COMPARISON = Comparison()
"""The comparison of a value that was only logged."""


def is_logged(comparator: str) -> bool:
    """Tell whether a comparator says that a value was logged and not compared."""
    return comparator.strip().upper() in _LOG


def _is_unbounded(value: float) -> bool:
    # Any integer is finite, also one beyond every float.
    return type(value) is not int and not math.isfinite(value)


def _finite(value: float | None) -> float | None:
    return None if value is None or _is_unbounded(value) else value


def compare_numbers(
    comparator: str,
    low: float | None,
    high: float | None,
    *,
    report: ConversionReport,
    place: _Where,
) -> Comparison:
    """
    Turn a numeric comparator and its values into limits or a validator.

    Args:
        comparator: ``Comp`` as printed.
        low: ``Limits.Low``, or None.
        high: ``Limits.High``, or None.
        report: takes unknown comparators and bounds that are not finite.
        place: the place of the comparison, or a function that finds it.
    """
    spelled = comparator.strip()
    comp = spelled.upper()
    stated = (low, high)
    # The value was logged and not compared.
    if comp in _LOG or stated == (None, None):
        return NO_COMPARISON
    low, high = _bounds(comp, low, high, place, report)
    limit = _range(comp, spelled, low, high)
    if limit is not None:
        if comp == "EQT":
            _note("tolerance read from the printed limits", place, report)
        return Comparison(limits=limit)
    # The bound as printed: a validator may hold an infinity.
    if comp == "NE":
        return Comparison(validators=(f"x != {stated[0]}",))
    if comp in _OUTSIDE:
        sides = zip(_OUTSIDE[comp], stated, strict=True)
        known = (f"x {sign} {bound}" for sign, bound in sides if bound is not None)
        return Comparison(validators=(" or ".join(known),))
    report.coerced("comparator", "unknown, kept as text", place=place, detail=spelled)
    return Comparison(validators=(f"{spelled} {stated[0]} {stated[1]}",))


def _bounds(
    comp: str,
    low: float | None,
    high: float | None,
    place: _Where,
    report: ConversionReport,
) -> tuple[float | None, float | None]:
    """Give the bounds that a comparator means, and record odd ones."""
    stated = (low, high)
    low, high = _finite(low), _finite(high)
    for side, bound in zip(stated, (low, high), strict=True):
        if side is not bound:
            rule = "non-finite bound read as none"
            _note(rule, place, report, detail=str(side))
    # Some files have an upper bound in High.
    if comp in _ABOVE and stated[0] is None:
        _note("upper bound read from High", place, report)
        low = high
    # All two-sided comparators have four letters.
    elif len(comp) == len("GELE") and None in stated:
        _note("one of two bounds is missing, the other kept", place, report)
    # No value is between them, but the sequence has these limits.
    if low is not None and high is not None and low > high:
        _note("lower bound above the upper, kept as given", place, report)
    return low, high


def _note(
    rule: str, place: _Where, report: ConversionReport, detail: str | None = None
) -> None:
    report.coerced("limit", rule, place=place, detail=detail)


def _range(
    comp: str, spelled: str, low: float | None, high: float | None
) -> Limit | None:
    """Give the range that a comparator means; None for any other comparison."""
    if comp == "EQ":
        return _limit(low, low, spelled)
    if comp == "EQT":
        return _limit(low, high, spelled)
    if comp in _BELOW:
        return _limit(low, None, spelled, below=_BELOW[comp])
    if comp in _ABOVE:
        return _limit(None, low, spelled, above=_ABOVE[comp])
    if comp[:2] in _BELOW and comp[2:] in _ABOVE:
        below, above = _BELOW[comp[:2]], _ABOVE[comp[2:]]
        return _limit(low, high, spelled, below=below, above=above)
    return None


def _limit(
    low: float | None,
    high: float | None,
    comparator: str,
    *,
    below: bool = True,
    above: bool = True,
) -> Limit:
    return Limit(
        lower=low,
        upper=high,
        lower_inclusive=below,
        upper_inclusive=above,
        comparator=comparator,
    )


def compare_tolerance(
    threshold: str,
    nominal: float | None,
    low: float | None,
    high: float | None,
    *,
    report: ConversionReport,
    place: _Where,
) -> Comparison:
    """
    Compute the limits of ``EQT`` from a nominal value and its tolerances.

    By TestStand version, the printed limits are the tolerances or the computed bounds,
    so only the raw limits are used. A tolerance that is not finite sets no limit.

    Args:
        threshold: ``PERCENTAGE``, ``PPM`` or ``DELTA``, in any case.
        place: the place of the comparison, or a function that finds it.
    """
    scale = {"PERCENTAGE": 100.0, "PPM": 1e6}.get(threshold.upper())
    low, high, nominal = _finite(low), _finite(high), _finite(nominal)
    if nominal is None or (scale is None and threshold.upper() != "DELTA"):
        report.coerced(
            "comparator",
            "unknown tolerance, kept as text",
            place=place,
            detail=threshold,
        )
        return Comparison(validators=(f"EQT {threshold} {nominal} -{low} +{high}",))
    # PERCENTAGE and PPM are relative to the nominal value, DELTA is absolute.
    unit = 1.0 if scale is None else abs(nominal) / scale
    report.coerced("limit", "computed from nominal and tolerance", place=place)
    return Comparison(
        limits=_limit(
            None if low is None else nominal - low * unit,
            None if high is None else nominal + high * unit,
            "EQT",
        )
    )


def compare_text(
    comparator: str,
    expected: str | None,
    *,
    report: ConversionReport,
    place: _Where,
) -> Comparison:
    """Turn a comparator of texts into a readable validator."""
    comp = comparator.strip().upper()
    if comp in _LOG or expected is None:
        return NO_COMPARISON
    # TestStand writes CaseSensitive, WATS CASESENSIT, others EQ.
    if comp.startswith("CASESENSIT") or comp in ("EQ", "EQUAL"):
        return Comparison(validators=(f"x == {expected!r}",))
    if comp.startswith(("IGNORECASE", "CIEQ")):
        return Comparison(validators=(f"x == {expected!r}, ignoring case",))
    if comp == "NE":
        return Comparison(validators=(f"x != {expected!r}",))
    if comp.startswith(_PATTERNS):
        ignoring = ", ignoring case" if "IGNORE" in comp else ""
        return Comparison(validators=(f"x matches {expected!r}{ignoring}",))
    report.coerced(
        "comparator",
        "unknown, kept as text",
        place=place,
        detail=comparator,
    )
    return Comparison(validators=(f"{comparator} {expected!r}",))

"""How much of a run may be missing before it is refused."""

from __future__ import annotations

from typing import Literal, TypeAlias

from rigbridge.adapters import Disposition, Source
from rigbridge.errors import SourceError
from rigbridge.imports.reading import ReadRun

__all__ = ["Strictness", "strict_refusal"]

Strictness: TypeAlias = bool | Literal["all"]
"""
What of a run is refused: False for nothing, True for a run of which anything is lost,
``"all"`` also for one of which anything is left out by a stated rule.
"""

_WORDS = {Disposition.DROPPED: "lost", Disposition.OMITTED: "left out"}


def strict_refusal(
    item: ReadRun, source: Source, strict: Strictness, *, remedy: str
) -> SourceError | None:
    """
    Make the error of a run that is not complete, where that is not wanted.

    Returns:
        The error, which counts what is missing and names the first; None for a run that
        is accepted.
    """
    asked: tuple[Disposition, ...] = ()
    if strict:
        asked = (Disposition.DROPPED,)
    if strict == "all":
        asked = (Disposition.DROPPED, Disposition.OMITTED)
    report = item.report
    found = [kind for kind in asked if report.count(kind)]
    if not found:
        return None
    counted = " and ".join(f"{report.count(kind)} {_WORDS[kind]}" for kind in found)
    serial = item.run.unit.serial_number or "without serial number"
    # The list is bounded, so the first of them may be counted only.
    first = next(
        (entry for entry in report.entries if entry.disposition in found), None
    )
    named = "" if first is None else f", first: {first}"
    return SourceError(
        f"elements of unit {serial} would be missing: {counted}{named}",
        source=source.uri,
        remedy=remedy,
    )

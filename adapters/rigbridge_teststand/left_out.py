"""Values that a report holds and a run must not: of skipped steps, and of summaries."""

from __future__ import annotations

from collections.abc import Sequence

from rigbridge.adapters import ConversionReport, Disposition
from rigbridge.model import Measurement
from rigbridge_teststand.xml.documents import place_of
from rigbridge_teststand.xml.element import Element

__all__ = ["REPEATED", "STALE", "record_left_out"]

STALE = "stale value of a skipped step"
"""Why what a skipped step holds is left out: it was measured at another time."""

REPEATED = "summary of a loop, its iterations have the values"
"""Why what a loop's summary holds is left out."""


def record_left_out(
    found: Sequence[Measurement],
    read: ConversionReport,
    reason: str,
    step: Element,
    report: ConversionReport,
) -> None:
    """
    Record as dropped what was read of a step and is left out.

    Args:
        found: the measurements that were read.
        read: what was recorded while they were.
        reason: why they are left out.
        step: the step.
        report: where that is recorded.
    """
    if not read.items():
        return
    place = place_of(step)
    for measurement in found:
        report.dropped("measurement", reason, place=place, detail=measurement.name)
    for item in sorted(read.items() - {"measurement"}):
        for _ in range(read.count(Disposition.MAPPED, item)):
            report.dropped(item, reason, place=place)
    for entry in read.entries:
        if entry.disposition is Disposition.DROPPED:
            report.dropped(
                entry.item, entry.rule, place=entry.place, detail=entry.detail
            )

"""What a report holds and no run takes: each is recorded as dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from rigbridge.adapters import ConversionReport, Disposition, Place
from rigbridge.model import Measurement
from rigbridge_teststand.xml.elements import Element, place_of

__all__ = ["LOOP_SUMMARY", "STALE_VALUE", "record_batch", "record_omitted"]

STALE_VALUE = "stale value of a skipped step"
"""Why what a skipped step holds is left out: it was measured at another time."""

LOOP_SUMMARY = "summary of a loop, its iterations have the values"
"""Why what a loop's summary holds is left out."""


def record_omitted(
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


# What a reference says, in either kind of report: socket, unit, verdict, file.
_SAID = (
    ("socketindex", "socket "),
    ("linkname", ""),
    ("uutresult", ""),
    ("uutfilename", "in "),
    ("filename", "in "),
    ("uuturi", "in "),
    ("url", "in "),
)
_MOST = 256


def record_batch(
    table: Element,
    references: Iterable[Element],
    report: ConversionReport,
    place: Callable[[Element], Place] = place_of,
) -> None:
    """
    Record that a batch makes no run, and which reports it refers to.

    Args:
        table: the batch.
        references: the elements that name the reports of the units.
        report: where it is recorded.
        place: says where the batch stands.
    """
    named = [_reference(element) for element in references]
    shown = "; ".join(named[:_MOST])
    more = f"; and {len(named) - _MOST} more" if len(named) > _MOST else ""
    report.dropped(
        "batch report",
        "is an index of unit reports, not a run",
        place=place(table),
        detail=shown + more or None,
    )


def _reference(element: Element) -> str:
    given = {str(key).lower(): str(value).strip() for key, value in element.items()}
    parts: list[str] = []
    for name, before in _SAID:
        if given.get(name) and not (before == "in " and parts[-1:] and _is_file(parts)):
            parts.append(before + given[name])
    return " ".join(parts) or "a unit"


def _is_file(parts: list[str]) -> bool:
    return parts[-1].startswith("in ")

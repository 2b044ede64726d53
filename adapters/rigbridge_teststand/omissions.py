"""Parts of a report that no run takes, by stated rules; each is recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from rigbridge.adapters import ConversionReport, Disposition, Place
from rigbridge.model import Measurement
from rigbridge_teststand.xml.elements import Element, place_of

__all__ = ["LOOP_SUMMARY", "STALE_VALUE", "record_batch", "record_omitted"]

STALE_VALUE = "stale value of a skipped step"
"""The rule by which the values of a skipped step: they are older than it."""

LOOP_SUMMARY = "summary of a loop, its iterations have the values"
"""The rule by which the values of a loop's summary."""


def record_omitted(
    found: Sequence[Measurement],
    read: ConversionReport,
    rule: str,
    step: Element,
    report: ConversionReport,
) -> None:
    """Record the values of a step as left out."""
    # A step without data has nothing to leave out.
    if not read.items():
        return
    place = place_of(step)
    for measurement in found:
        report.omitted("measurement", rule, place=place, detail=measurement.name)
    for item in sorted(read.items() - {"measurement"}):
        for _ in range(read.count(Disposition.MAPPED, item)):
            report.omitted(item, rule, place=place)
    # What of it cannot be read is left out with the rest.
    for entry in read.entries:
        if entry.disposition is not Disposition.COERCED:
            report.omitted(
                entry.item, entry.rule, place=entry.place, detail=entry.detail
            )


# Attributes of a reference in either kind of report, and the words before each.
_REFERENCE_WORDS = (
    ("socketindex", "socket "),
    ("linkname", ""),
    ("uutresult", ""),
    ("uutfilename", "in "),
    ("filename", "in "),
    ("uuturi", "in "),
    ("url", "in "),
)
# A batch may have thousands of units; the entry is one text.
_MAX_LISTED = 256


def record_batch(
    table: Element,
    references: Iterable[Element],
    report: ConversionReport,
    place: Callable[[Element], Place] = place_of,
) -> None:
    """
    Record that a batch makes no run, and the reports that it refers to.

    Args:
        references: the elements that name the reports of the units.
    """
    named = [_reference(element) for element in references]
    shown = "; ".join(named[:_MAX_LISTED])
    more = f"; and {len(named) - _MAX_LISTED} more" if len(named) > _MAX_LISTED else ""
    report.omitted(
        "batch report",
        "is an index of unit reports, not a run",
        place=place(table),
        detail=shown + more or None,
    )


def _reference(element: Element) -> str:
    # The spelling of UUThref and its attributes differs by version.
    given = {str(key).lower(): str(value).strip() for key, value in element.items()}
    parts: list[str] = []
    for name, before in _REFERENCE_WORDS:
        if given.get(name) and not (before == "in " and parts[-1:] and _is_file(parts)):
            parts.append(before + given[name])
    return " ".join(parts) or "a unit"


def _is_file(parts: list[str]) -> bool:
    return parts[-1].startswith("in ")

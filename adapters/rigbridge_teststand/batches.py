"""The table of a batch, which only names the reports of its units."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rigbridge.adapters import ConversionReport, Place
from rigbridge_teststand.xml.documents import place_of
from rigbridge_teststand.xml.element import Element

__all__ = ["record_batch"]

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

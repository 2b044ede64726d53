"""Conversion reports as JSON and back, so that they wait with their runs."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from rigbridge.reporting import ConversionReport, Disposition, Place
from rigbridge.wire import encode

__all__ = ["pack_report", "unpack_report"]


def pack_report(report: ConversionReport) -> bytes:
    """Write a report as JSON."""
    return encode(report.as_document())


def unpack_report(content: bytes) -> ConversionReport:
    """Read a report; it counts and lists what the one that was written did."""
    document: dict[str, Any] = msgspec.json.decode(content)
    report = ConversionReport()
    for item, count in document["mapped"].items():
        report.mapped(item, count)
    listed: Counter[tuple[str, str, str]] = Counter()
    for entry in document["entries"]:
        disposition = Disposition(entry["disposition"])
        listed[disposition, entry["item"], entry["rule"]] += 1
        place = Place(line=entry["line"], path=entry["path"])
        _record(
            report, disposition, entry["item"], entry["rule"], place, entry["detail"]
        )
    # The list is bounded, the counts are not: the rest is counted after it.
    for disposition, rule in (("coerced", "rule"), ("dropped", "reason")):
        for total in document[disposition]:
            known = listed[disposition, total["item"], total[rule]]
            for _ in range(total["count"] - known):
                _record(report, Disposition(disposition), total["item"], total[rule])
    return report


def _record(
    report: ConversionReport,
    disposition: Disposition,
    item: str,
    rule: str,
    place: Place | None = None,
    detail: str | None = None,
) -> None:
    record = report.coerced if disposition is Disposition.COERCED else report.dropped
    record(item, rule, place=place or Place(), detail=detail)

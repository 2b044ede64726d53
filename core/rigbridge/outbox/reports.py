"""Conversion reports as JSON and back, so that they wait with their runs."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from rigbridge.model.report import ConversionReport, Disposition, Place
from rigbridge.wire import encode

__all__ = ["pack_report", "unpack_report"]


def pack_report(report: ConversionReport) -> bytes:
    """Write a report as JSON."""
    return encode(report.as_document())


def unpack_report(content: bytes) -> ConversionReport:
    """Read a report; it counts and lists what the one that was written did."""
    document: dict[str, Any] = msgspec.json.decode(content)
    report = ConversionReport()
    records = {
        str(Disposition.COERCED): report.coerced,
        str(Disposition.DROPPED): report.dropped,
    }
    for item, count in document["mapped"].items():
        report.mapped(item, count)
    listed: Counter[tuple[str, str, str]] = Counter()
    for entry in document["entries"]:
        kind, item, rule = entry["disposition"], entry["item"], entry["rule"]
        listed[kind, item, rule] += 1
        place = Place(line=entry["line"], path=entry["path"])
        records[kind](item, rule, place=place, detail=entry["detail"])
    # The list is bounded, the counts are not: the rest is counted after it.
    for kind, key in (("coerced", "rule"), ("dropped", "reason")):
        for total in document[kind]:
            item, rule = total["item"], total[key]
            for _ in range(total["count"] - listed[kind, item, rule]):
                records[kind](item, rule)
    return report

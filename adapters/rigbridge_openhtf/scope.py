"""A place in a record, with the report and the settings that count there."""

from __future__ import annotations

import attrs

from rigbridge.adapters import ConversionReport, Place, Spool
from rigbridge_openhtf.settings import OpenHTFSettings

__all__ = ["Scope"]

_MAX_DETAIL = 200


@attrs.frozen(kw_only=True)
class Scope:
    """
    A place in a record, with the report that everything is recorded in.

    Attributes:
        report: takes what was mapped, coerced, left out and dropped.
        spool: takes the bytes of attachments.
        strict: refuse a damaged record instead of reading what can be read of it.
        source: what errors call the source, or None for a live record.
        path: the place (``$.phases[2]``).
    """

    report: ConversionReport
    spool: Spool
    settings: OpenHTFSettings
    strict: bool = False
    source: str | None = None
    path: str = "$"

    def at(self, step: str) -> Scope:
        """Give the scope of a place below this one (``.metadata``, ``[3]``)."""
        # Called for every part of a record: attrs.evolve takes three times as long.
        return Scope(
            report=self.report,
            spool=self.spool,
            settings=self.settings,
            strict=self.strict,
            source=self.source,
            path=self.path + step,
        )

    def mapped(self, item: str, count: int = 1) -> None:
        """Record that elements were carried over unchanged."""
        # A count of 0 would list a kind of element that the record does not have.
        if count:
            self.report.mapped(item, count)

    def coerced(self, item: str, rule: str, detail: object = None) -> None:
        """Record that an element of this place was carried over with a change."""
        self.report.coerced(
            item, rule, place=Place(path=self.path), detail=_short(detail)
        )

    def omitted(self, item: str, rule: str, detail: object = None) -> None:
        """Record that an element of this place was left out by a stated rule."""
        self.report.omitted(
            item, rule, place=Place(path=self.path), detail=_short(detail)
        )

    def dropped(self, item: str, reason: str, detail: object = None) -> None:
        """Record that an element of this place is lost."""
        self.report.dropped(
            item, reason, place=Place(path=self.path), detail=_short(detail)
        )


def _short(detail: object) -> str | None:
    if detail is None:
        return None
    # A detail may be a dropped list of a million values.
    text = str(detail)
    return text if len(text) <= _MAX_DETAIL else f"{text[:_MAX_DETAIL]}..."

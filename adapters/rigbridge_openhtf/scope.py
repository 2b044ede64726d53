"""Where in a record the translation stands, and what it needs at every place."""

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
        report: takes what was mapped, coerced and dropped.
        spool: takes the bytes of attachments.
        settings: what the site chose.
        strict: refuse what would otherwise be salvaged from a damaged record.
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
        """Go to a place below this one (``.metadata``, ``[3]``)."""
        return Scope(
            report=self.report,
            spool=self.spool,
            settings=self.settings,
            strict=self.strict,
            source=self.source,
            path=self.path + step,
        )

    def mapped(self, item: str, count: int = 1) -> None:
        """Record that elements were carried over as they stand."""
        if count:
            self.report.mapped(item, count)

    def coerced(self, item: str, rule: str, detail: object = None) -> None:
        """Record that an element of this place was carried over with a change."""
        self.report.coerced(
            item, rule, place=Place(path=self.path), detail=_short(detail)
        )

    def dropped(self, item: str, reason: str, detail: object = None) -> None:
        """Record that an element of this place was left out."""
        self.report.dropped(
            item, reason, place=Place(path=self.path), detail=_short(detail)
        )


def _short(detail: object) -> str | None:
    if detail is None:
        return None
    text = str(detail)
    return text if len(text) <= _MAX_DETAIL else f"{text[:_MAX_DETAIL]}..."

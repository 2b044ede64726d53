"""The periods that yields and trends are told for."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import attrs

from rigbridge_store.pages.site import AnyRequest
from rigbridge_store.reading import DAY, Period, RunReader

__all__ = ["DEFAULT", "PERIODS", "ChosenPeriod", "chosen_period"]

PERIODS: Mapping[str, tuple[str, int | None]] = MappingProxyType(
    {
        "7": ("7 days", 7),
        "30": ("30 days", 30),
        "90": ("90 days", 90),
        "365": ("1 year", 365),
        "all": ("all", None),
    }
)
"""By the word in the address: what is shown, and how many days that is."""

DEFAULT = "90"
"""The word for the period that is shown first."""

_BUCKETS = 45


@attrs.frozen(kw_only=True)
class ChosenPeriod:
    """
    A period that somebody chose.

    It ends with the newest run of the store, not today: old reports that were
    imported are something to look at as well.

    Attributes:
        word: the word in the address.
        label: what is shown.
        period: the period.
        latest: when the newest run was, in microseconds; None in an empty store.
    """

    word: str
    label: str
    period: Period
    latest: int | None

    def days_each(self, first: int | None) -> int:
        """Tell how many days a bar of a chart stands for."""
        begin = self.period.since if self.period.since is not None else first
        if begin is None or self.latest is None:
            return 1
        days = (self.latest - begin) // DAY + 1
        return max(1, -(-days // _BUCKETS))


def chosen_period(request: AnyRequest, reader: RunReader) -> ChosenPeriod:
    """Tell which period a request asks for; the default one by default."""
    word = request.query_params.get("period", DEFAULT)
    if word not in PERIODS:
        word = DEFAULT
    label, days = PERIODS[word]
    latest = reader.latest_moment()
    since = None
    if days is not None and latest is not None:
        # Whole days, so that the first bar of a chart is one as well.
        since = (latest // DAY + 1 - days) * DAY
    return ChosenPeriod(
        word=word, label=label, period=Period(since=since), latest=latest
    )

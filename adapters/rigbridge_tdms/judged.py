"""What the properties of a channel say of its measurement: limits and verdict."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from rigbridge.adapters.text.numbers import number_reader
from rigbridge.adapters.text.verdicts import LoggedVerdict, find_verdict
from rigbridge.model import Limit, Scalar, Series
from rigbridge_tdms.settings import TDMSSettings, named_property

__all__ = ["ChannelJudgement", "judge_channel"]

_read = number_reader(".")


@attrs.frozen
class ChannelJudgement:
    """The limits and the verdict of a channel, as far as its properties have them."""

    limits: Limit | None
    verdict: LoggedVerdict | None

    def value(self, series: Series) -> Series | Scalar:
        """Give a series, or its one point where that is what was judged."""
        judged = self.limits is not None or self.verdict is not None
        # A channel with an x is a waveform, however short.
        if not judged or len(series) != 1 or len(series.axes) > 1:
            return series
        point = series.measured.values[0]
        return point if isinstance(point, (int, float, str)) else series


def judge_channel(
    properties: Mapping[str, object], settings: TDMSSettings, used: set[str]
) -> ChannelJudgement:
    """
    Find limits and verdict among the properties of a channel.

    Args:
        used: takes the names of the properties that are these.
    """
    found: dict[str, float | None] = {}
    names: set[str] = set()
    for field in ("lower_limit", "upper_limit"):
        name = named_property(properties, settings.names_of(field))
        found[field] = None if name is None else _number(properties[name])
        if name is not None and found[field] is not None:
            names.add(name)
    low, high = found["lower_limit"], found["upper_limit"]
    limits = None
    # Swapped ones limit nothing: they stay properties.
    if names and not (low is not None and high is not None and low > high):
        limits = Limit(lower=low, upper=high)
        used |= names
    name = named_property(properties, settings.names_of("measurement_outcome"))
    verdict = None
    # "Status" is that of a device as often: only a word of a verdict is one.
    if name is not None:
        verdict = find_verdict(str(properties[name]), settings.outcomes)
        if verdict in (LoggedVerdict.PASS, LoggedVerdict.FAIL):
            used.add(name)
        else:
            verdict = None
    return ChannelJudgement(limits, verdict)


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    number = value if isinstance(value, (int, float)) else _read(str(value).strip())
    # x - x is not zero for infinity and NaN, which are no limits.
    return None if number is None or number - number else number

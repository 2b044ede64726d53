"""The settings of the TestStand adapters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from rigbridge.errors import ConfigurationError
from rigbridge.model import PhaseOutcome, RunOutcome

__all__ = ["TestStandSettings"]

_TO_PHASE = {
    "PASS": PhaseOutcome.PASS,
    "FAIL": PhaseOutcome.FAIL,
    "SKIP": PhaseOutcome.SKIP,
    "ERROR": PhaseOutcome.ERROR,
}
_TO_RUN = {
    "PASS": RunOutcome.PASS,
    "FAIL": RunOutcome.FAIL,
    # A run has no outcome SKIP.
    "SKIP": RunOutcome.ABORTED,
    "ERROR": RunOutcome.ERROR,
}


def _lowered(statuses: Mapping[str, str]) -> dict[str, str]:
    return {name.strip().lower(): outcome for name, outcome in statuses.items()}


def _outcomes(
    instance: Any, attribute: attrs.Attribute[Any], value: dict[str, str]
) -> None:
    del instance
    for name, outcome in value.items():
        if outcome not in _TO_PHASE:
            raise ConfigurationError(
                f"{outcome!r} is no outcome",
                place=f"{attribute.name}.{name}",
                remedy=f"use one of {', '.join(_TO_PHASE)}",
            )


@attrs.frozen(kw_only=True)
class TestStandSettings:
    """
    The settings of a site for its TestStand reports.

    Attributes:
        statuses: the outcome (PASS, FAIL, SKIP, ERROR) of statuses that the site sets
            by status expressions (``Retest``); compared without case.
        procedure: the procedure's name where a report names no sequence file.

    Raises:
        ConfigurationError: an unknown outcome; the error names the status.
    """

    # pytest would take a class of this name for tests.
    __test__ = False

    statuses: dict[str, str] = attrs.field(
        factory=dict, converter=_lowered, validator=_outcomes
    )
    procedure: str | None = None

    def phase_outcomes(self) -> dict[str, PhaseOutcome]:
        """Give the outcome of a step by custom status in lower case."""
        return {name: _TO_PHASE[value] for name, value in self.statuses.items()}

    def run_outcomes(self) -> dict[str, RunOutcome]:
        """Give the outcome of a run by custom status in lower case."""
        return {name: _TO_RUN[value] for name, value in self.statuses.items()}

"""
``Outcome`` and ``ActionOutcome`` to one status.

The qualifier says more than the value where there is one (``Aborted`` with ``Error``,
``UserDefined`` with ``Skipped``); beside a verdict (``Passed``) it only comments.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import attrs

from rigbridge.model import JSONValue, MeasurementOutcome, PhaseOutcome
from rigbridge_teststand.atml.local_names import LOCAL_NAMES, VALUE, attribute
from rigbridge_teststand.vocabulary import MEASUREMENT_OUTCOMES, PHASE_OUTCOMES
from rigbridge_teststand.xml.elements import Element

__all__ = ["OUTCOMES", "StatedStatus", "StepStatus", "StepStatuses", "read_status"]

OUTCOMES = frozenset({"Outcome", "ActionOutcome"})
"""The local names of what states a status."""

_VERDICTS = frozenset({"passed", "failed", "done"})
_QUALIFIER = b"qualifier"
_T = TypeVar("_T")


@attrs.frozen(kw_only=True)
class StatedStatus:
    """
    What a step or a run says of itself.

    Attributes:
        value: ``@value`` as spelled, or None.
        qualifier: ``@qualifier`` as spelled, or None.
    """

    value: str | None
    qualifier: str | None

    @property
    def raw(self) -> str:
        """The status that a reader of the report sees."""
        shown = self.qualifier or self.value or ""
        return "Skipped" if shown == "NotStarted" else shown

    @property
    def verdict(self) -> str:
        """The status in lower case, with the value's verdict before its comment."""
        value = (self.value or "").lower()
        return value if value in _VERDICTS else self.raw.lower()

    def mapped(self, custom: Mapping[str, _T], known: Mapping[str, _T]) -> _T | None:
        """
        Look the status up, the site's own words first.

        Args:
            custom: outcomes by words of the site, in lower case.
            known: outcomes by the words of TestStand, in lower case.
        """
        value = (self.value or "").lower()
        qualifier = (self.qualifier or "").lower()
        if qualifier in custom:
            return custom[qualifier]
        if value in _VERDICTS:
            return custom.get(value) or known.get(value)
        for word in (qualifier, value):
            found = None
            if word:
                found = custom.get(word) or known.get(word)
            if found is not None:
                return found
        return None


def read_status(step: Element) -> StatedStatus | None:
    """Read the outcome of a result set; None where it states none."""
    for element in step:
        if LOCAL_NAMES[element.tag] in OUTCOMES:
            return StatedStatus(
                value=attribute(element, "value"),
                qualifier=attribute(element, "qualifier"),
            )
    return None


@attrs.frozen
class StepStatus:
    """
    What the status of a step means.

    Attributes:
        raw: the status that a reader of the report sees.
        attributes: what the attributes of the step say of it.
        outcome: the outcome of the step, or None where the status is unknown.
        verdict: the outcome of its measurements; UNSET where it judges none.
    """

    raw: str
    attributes: dict[str, JSONValue]
    outcome: PhaseOutcome | None
    verdict: MeasurementOutcome


class StepStatuses:
    """
    Reads the status of steps; there are few that differ, and each is judged once.

    Args:
        custom: the outcome of statuses that the site made up, in lower case.
    """

    def __init__(self, custom: Mapping[str, PhaseOutcome]) -> None:
        self._custom = custom
        self._known: dict[tuple[str | None, str | None], StepStatus] = {}

    def read(self, outcome: Element) -> StepStatus:
        """Read an ``Outcome`` or ``ActionOutcome``."""
        key = (outcome.get(VALUE), outcome.get(_QUALIFIER))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._judged(outcome)
        return found

    def of(self, step: Element) -> StepStatus | None:
        """Read the status of a step; None where it states none."""
        for below in step:
            if LOCAL_NAMES[below.tag] in OUTCOMES:
                return self.read(below)
        return None

    def _judged(self, outcome: Element) -> StepStatus:
        status = StatedStatus(
            value=attribute(outcome, "value"),
            qualifier=attribute(outcome, "qualifier"),
        )
        attributes: dict[str, JSONValue] = {"raw_status": status.raw}
        if status.qualifier is not None:
            attributes["outcome_value"] = status.value
        return StepStatus(
            raw=status.raw,
            attributes=attributes,
            outcome=status.mapped(self._custom, PHASE_OUTCOMES),
            verdict=MEASUREMENT_OUTCOMES.get(status.verdict, MeasurementOutcome.UNSET),
        )

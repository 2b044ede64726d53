"""
``Outcome`` and ``ActionOutcome`` to one status.

A qualifier is more exact than the value (``Aborted`` with ``Error``, ``UserDefined``
with ``Skipped``). Beside a verdict (``Passed``) it is only a comment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

import attrs

from rigbridge.model import JSONValue, MeasurementOutcome, PhaseOutcome
from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.atml.data.result_parts import ResultParts
from rigbridge_teststand.atml.data.values import keep_rest, put
from rigbridge_teststand.atml.events import EVENTS, read_events
from rigbridge_teststand.atml.local_names import (
    LOCAL_NAMES,
    STATUS,
    STEPS,
    VALUE,
    attribute,
    children,
    status_text,
)
from rigbridge_teststand.vocabulary import MEASUREMENT_OUTCOMES, PHASE_OUTCOMES
from rigbridge_teststand.xml.elements import Element

__all__ = [
    "OUTCOMES",
    "StatedStatus",
    "StepStatus",
    "StepStatuses",
    "flag",
    "keep_outcome",
    "outcome_of",
    "read_status",
]

OUTCOMES = frozenset({"Outcome", "ActionOutcome"})
"""The local names of elements with a status."""

# The attribute of an outcome that the test itself did not come to.
_FORCED = "forced"

_VERDICTS = frozenset({"passed", "failed", "done"})
_QUALIFIER = b"qualifier"
_T = TypeVar("_T")


@attrs.frozen(kw_only=True)
class StatedStatus:
    """
    The status that a step or a run states.

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
        # ATML has no word for a skipped step, so TestStand writes NotStarted.
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
        # The site's own words are looked up first, even against a verdict: that is what
        # the setting is for.
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


def flag(given: str) -> bool | str:
    """Read a boolean attribute; another text stays as it is."""
    text = given.strip()
    if text.lower() in ("true", "1"):
        return True
    return False if text.lower() in ("false", "0") else text


def outcome_of(step: Element) -> Element | None:
    """Find the element that states the status of a step or a result set."""
    for element in step:
        if LOCAL_NAMES[element.tag] in OUTCOMES:
            return element
    return None


def read_status(step: Element) -> StatedStatus | None:
    """Read the status of a result set; None if it states none."""
    element = outcome_of(step)
    if element is not None:
        return StatedStatus(
            value=status_text(element),
            qualifier=attribute(element, "qualifier"),
        )
    value = attribute(step, STATUS)
    return None if value is None else StatedStatus(value=value, qualifier=None)


def keep_outcome(
    outcome: Element, into: dict[str, JSONValue], account: RunAccount
) -> None:
    """Keep what an outcome says beside the status: that it was forced, its ID."""
    if (forced := attribute(outcome, _FORCED)) is not None:
        put(into, _FORCED, flag(forced), account)
    status = "" if attribute(outcome, "value") is None else "value"
    keep_rest(outcome, "outcome", into, account, (status, "qualifier", _FORCED))


@attrs.frozen
class StepStatus:
    """
    The meaning of a step's status.

    Attributes:
        raw: the status that a reader of the report sees.
        attributes: its entries in the attributes of the phase.
        outcome: the outcome of the step, or None where the status is unknown.
        verdict: the outcome of its measurements; UNSET where it judges none.
    """

    raw: str
    attributes: dict[str, JSONValue]
    outcome: PhaseOutcome | None
    verdict: MeasurementOutcome


class StepStatuses:
    """
    Reads the status of steps. Few are different, so each is looked up once.

    Args:
        custom: the outcome of the site's own statuses, in lower case.
    """

    def __init__(self, custom: Mapping[str, PhaseOutcome]) -> None:
        self._custom = custom
        self._known: dict[tuple[str | None, str | None], StepStatus] = {}

    def read(self, outcome: Element) -> StepStatus:
        """Read an ``Outcome`` or ``ActionOutcome``."""
        value = outcome.get(VALUE) or outcome.text
        return self._judged(value, outcome.get(_QUALIFIER))

    def of(self, step: Element) -> StepStatus | None:
        """Read the status of a step; None where it states none."""
        outcome = outcome_of(step)
        if outcome is not None:
            return self.read(outcome)
        given = step.get(STATUS)
        return self._judged(given, None) if given and given.strip() else None

    def stated_in(self, element: Element) -> Iterator[PhaseOutcome]:
        """Give the outcomes that the results of a step and the steps in it state."""
        pending = [element]
        while pending:
            for name, below in children(pending.pop()):
                if name == "TestResult":
                    stated = (ResultParts(below).status or "").lower()
                    if stated in PHASE_OUTCOMES:
                        yield PHASE_OUTCOMES[stated]
                elif name in EVENTS and read_events([below], None, RunAccount()).code:
                    yield PhaseOutcome.ERROR
                elif name in STEPS:
                    status = self.of(below)
                    if status is None:
                        pending.append(below)
                    else:
                        yield status.outcome or PhaseOutcome.ERROR

    def _judged(self, value: str | None, qualifier: str | None) -> StepStatus:
        # By the texts as they stand: cleaning them costs more than the look-up.
        key = (value, qualifier)
        found = self._known.get(key)
        if found is None:
            status = StatedStatus(
                value=(value or "").strip() or None,
                qualifier=(qualifier or "").strip() or None,
            )
            found = self._known[key] = self._meaning(status)
        return found

    def _meaning(self, status: StatedStatus) -> StepStatus:
        attributes: dict[str, JSONValue] = {"raw_status": status.raw}
        if status.qualifier is not None:
            attributes["outcome_value"] = status.value
        return StepStatus(
            raw=status.raw,
            attributes=attributes,
            outcome=status.mapped(self._custom, PHASE_OUTCOMES),
            verdict=MEASUREMENT_OUTCOMES.get(status.verdict, MeasurementOutcome.UNSET),
        )

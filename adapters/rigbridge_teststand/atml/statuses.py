"""
``Outcome`` and ``ActionOutcome`` to one status.

The qualifier says more than the value where there is one (``Aborted`` with ``Error``,
``UserDefined`` with ``Skipped``); beside a verdict (``Passed``) it only comments.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import attrs

from rigbridge_teststand.atml.names import attribute, children
from rigbridge_teststand.element import Element

__all__ = ["Status", "read_status"]

_VERDICTS = frozenset({"passed", "failed", "done"})
_OUTCOMES = frozenset({"Outcome", "ActionOutcome"})
_T = TypeVar("_T")


@attrs.frozen(kw_only=True)
class Status:
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

    def attributes(self) -> dict[str, Any]:
        """Give the status as attributes of a phase."""
        found: dict[str, Any] = {"raw_status": self.raw}
        if self.qualifier is not None:
            found["outcome_value"] = self.value
        return found


def read_status(step: Element) -> Status | None:
    """Read the outcome of a step or a result set; None where it states none."""
    for name, element in children(step):
        if name in _OUTCOMES:
            return Status(
                value=attribute(element, "value"),
                qualifier=attribute(element, "qualifier"),
            )
    return None

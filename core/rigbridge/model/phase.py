"""One step of a run."""

from __future__ import annotations

from datetime import datetime

import attrs

from rigbridge.model.measurement import Measurement
from rigbridge.model.outcome import PhaseOutcome
from rigbridge.model.values import (
    JSONObject,
    aware_or_none,
    is_,
    json_object,
    optional_text,
    text,
    tuple_of,
)

__all__ = ["Phase"]


@attrs.frozen(kw_only=True)
class Phase:
    """
    A step of a run. Phases are a flat sequence in document order.

    Attributes:
        name: its own name, without its ancestors; not blank.
        outcome: PASS, FAIL, SKIP or ERROR, from the source.
        started_at: when it began, aware; None where unknown.
        ended_at: when it ended, likewise.
        path: the names of its ancestors, outermost first.
        measurements: in document order.
        docstring: the author's explanation.
        attributes: what else the source says (raw status, step type, step id, group,
            loop counters...), as strict JSON.

    Raises:
        ModelError: a field of the wrong kind; the error names it.
    """

    name: str = attrs.field(validator=text)
    outcome: PhaseOutcome = attrs.field(validator=is_(PhaseOutcome))
    started_at: datetime | None = attrs.field(default=None, validator=aware_or_none)
    ended_at: datetime | None = attrs.field(default=None, validator=aware_or_none)
    path: tuple[str, ...] = attrs.field(
        default=(), converter=tuple[str, ...], validator=tuple_of(str)
    )
    measurements: tuple[Measurement, ...] = attrs.field(
        default=(), converter=tuple[Measurement, ...], validator=tuple_of(Measurement)
    )
    docstring: str | None = attrs.field(default=None, validator=optional_text)
    attributes: JSONObject = attrs.field(factory=dict, validator=json_object)

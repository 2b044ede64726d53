"""One step of a run."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

from rigbridge.model.measurement import Measurement
from rigbridge.model.outcome import PhaseOutcome, as_phase_outcome
from rigbridge.model.values import (
    JSONObject,
    are_texts,
    as_texts,
    as_tuple,
    aware_or_none,
    by,
    check_fields,
    empty_object,
    is_aware,
    is_flat_object,
    is_text,
    json_object,
    optional_text,
    text,
    tuple_of,
    word_of,
)

__all__ = ["Phase"]

_MEASUREMENTS: set[type] = {Measurement}


def _as_measurements(members: Iterable[Measurement]) -> tuple[Measurement, ...]:
    return members if isinstance(members, tuple) else as_tuple(members)


@attrs.frozen(kw_only=True)
class Phase:
    """
    A step of a run. Phases are a flat sequence in document order.

    Attributes:
        name: its own name, without its ancestors; not blank.
        outcome: PASS, FAIL, SKIP or ERROR, from the source; also as a word.
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

    name: str = attrs.field(metadata=by(text))
    outcome: PhaseOutcome = attrs.field(
        converter=as_phase_outcome, metadata=by(word_of(PhaseOutcome))
    )
    started_at: datetime | None = attrs.field(default=None, metadata=by(aware_or_none))
    ended_at: datetime | None = attrs.field(default=None, metadata=by(aware_or_none))
    path: tuple[str, ...] = attrs.field(
        default=(), converter=as_texts, metadata=by(tuple_of(str))
    )
    measurements: tuple[Measurement, ...] = attrs.field(
        default=(), converter=_as_measurements, metadata=by(tuple_of(Measurement))
    )
    docstring: str | None = attrs.field(default=None, metadata=by(optional_text))
    attributes: JSONObject = attrs.field(factory=empty_object, metadata=by(json_object))

    def __attrs_post_init__(self) -> None:
        started, ended = self.started_at, self.ended_at
        if not (
            is_text(self.name)
            and type(self.outcome) is PhaseOutcome
            and (started is None or is_aware(started))
            and (ended is None or is_aware(ended))
            and (not self.path or are_texts(self.path))
            and (
                not self.measurements
                or set(map(type, self.measurements)) == _MEASUREMENTS
            )
            and (self.docstring is None or is_text(self.docstring))
            and (not self.attributes or is_flat_object(self.attributes))
        ):
            check_fields(self)

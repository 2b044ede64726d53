"""
The measurements of a run as rows of cells, in the form in which they are handed on.

The rows of a run begin alike, those of a phase go on alike, and measurements of a kind
end alike in every run. What is alike is held once, so that whoever writes rows spells
it once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias

import attrs

__all__ = [
    "MeasuredPhase",
    "MeasuredValue",
    "MeasurementKind",
    "MeasurementRow",
    "RunRows",
]

MeasurementRow: TypeAlias = tuple[str | float | bool | datetime | None, ...]
"""A measurement as cells, in the order of :data:`rigbridge.export.COLUMNS`."""


# By identity: to compare the cells of each row would take longer than to write it.
@attrs.frozen(eq=False)
class MeasurementKind:
    """
    What measurements of a kind and a verdict have in common; known by identity alone.

    Attributes:
        start: the cells before the value: name and outcome.
        end: the cells behind it: unit, limits, validators, and instrument.
    """

    start: MeasurementRow
    end: MeasurementRow


MeasuredValue: TypeAlias = tuple[MeasurementKind, float | None, str | None]
"""A measurement: its kind, and its value as a number, where it is one, and as text."""


class MeasuredPhase(NamedTuple):
    """
    The measurements of a phase.

    Attributes:
        cells: what all of them have in common.
        measured: the measurements, in their order; at least one.
    """

    cells: MeasurementRow
    measured: Sequence[MeasuredValue]


@attrs.frozen
class RunRows:
    """
    The measurements of a run; going through it gives whole rows.

    Attributes:
        cells: what all of them have in common.
        phases: the phases that have measurements, in their order.
    """

    cells: MeasurementRow
    phases: Sequence[MeasuredPhase]

    def __iter__(self) -> Iterator[MeasurementRow]:
        for cells, measured in self.phases:
            shared = self.cells + cells
            for kind, number, text in measured:
                yield (*shared, *kind.start, number, text, *kind.end)

    def __len__(self) -> int:
        return sum([len(phase.measured) for phase in self.phases])

"""The account of one run: what became of each element of its report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import partial

from rigbridge.adapters import ConversionReport, Place
from rigbridge.model import Measurement
from rigbridge_teststand.xml.elements import Element, place_of

__all__ = ["RunAccount"]


class RunAccount:
    """
    Takes down what was mapped, coerced and dropped, and hands it on at the end.

    What is mapped is merely counted; places are looked up only for the rest.

    Attributes:
        mapped: how many elements of each kind were carried over as they stand.
        report: takes what was coerced or dropped, with its place.

    Args:
        report: takes all of it; a new one by default.
        place: says where an element stands.
    """

    __slots__ = ("_place", "mapped", "report")

    def __init__(
        self,
        report: ConversionReport | None = None,
        place: Callable[[Element], Place] = place_of,
    ) -> None:
        self._place = place
        self.mapped: dict[str, int] = defaultdict(int)
        self.report = ConversionReport() if report is None else report

    def place(self, element: Element) -> Place:
        """Say where an element stands."""
        return self._place(element)

    def coerced(
        self, item: str, rule: str, element: Element, detail: str | None = None
    ) -> None:
        """Record that an element was carried over with a change."""
        self.report.coerced(
            item, rule, place=partial(self._place, element), detail=detail
        )

    def dropped(
        self, item: str, reason: str, element: Element, detail: str | None = None
    ) -> None:
        """Record that an element was left out."""
        self.report.dropped(
            item, reason, place=partial(self._place, element), detail=detail
        )

    def drop_measurement(
        self, measurement: Measurement, reason: str, place: Place
    ) -> None:
        """Record that a measurement that was mapped is left out, with its parts."""
        parts = ["measurement"]
        if measurement.unit is not None:
            parts.append("unit")
        if (
            measurement.limits is not None
            or measurement.validators
            or "unused_limits" in measurement.attributes
        ):
            parts.append("limit")
        for item in parts:
            self.mapped[item] -= 1
            self.report.dropped(item, reason, place=place, detail=measurement.name)

    def settle(self) -> None:
        """Hand over to the report what was counted."""
        for item, count in self.mapped.items():
            self.report.mapped(item, count)
        self.mapped.clear()

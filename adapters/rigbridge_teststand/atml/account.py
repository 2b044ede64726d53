"""The conversion report of one run, while the run is read."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable
from functools import partial

from rigbridge.adapters import ConversionReport, Place
from rigbridge.model import Measurement
from rigbridge_teststand.xml.elements import Element, place_of

__all__ = ["RunAccount"]


class RunAccount:
    """
    Counts what is mapped, and records what is coerced or dropped.

    The counts go to the report at the end; places are looked up for entries only.

    Attributes:
        mapped: the number of mapped elements by kind.
        report: takes the entries on coerced and dropped elements.
        numbers: the numbers of arrays that were read while the arrays were parsed.
        texts: the texts behind children that were read and removed while their parent
            was parsed: by the parent, and by how many of its children stand before.

    Args:
        report: takes all of it; a new one by default.
    """

    __slots__ = ("_place", "mapped", "numbers", "report", "texts")

    def __init__(
        self,
        report: ConversionReport | None = None,
        place: Callable[[Element], Place] = place_of,
    ) -> None:
        self._place = place
        # A plain dict: a method call for each of thousands of elements is slow.
        self.mapped: dict[str, int] = defaultdict(int)
        self.report = ConversionReport() if report is None else report
        self.numbers: dict[Element, array[float] | array[int]] = {}
        self.texts: dict[Element, dict[int, list[str]]] = {}

    def place(self, element: Element) -> Place:
        """Give the place of an element."""
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
        """Record that an element is lost."""
        self.report.dropped(
            item, reason, place=partial(self._place, element), detail=detail
        )

    def drop_measurement(
        self, measurement: Measurement, reason: str, place: Place
    ) -> None:
        """Record a mapped measurement and its parts as left out instead."""
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
            # It was counted as mapped when it was read.
            # Otherwise the counts of mapped and omitted elements would not add up to
            # those of the file.
            self.mapped[item] -= 1
            self.report.omitted(item, reason, place=place, detail=measurement.name)

    def settle(self) -> None:
        """Add the counts to the report."""
        for item, count in self.mapped.items():
            self.report.mapped(item, count)
        self.mapped.clear()
        self.texts.clear()

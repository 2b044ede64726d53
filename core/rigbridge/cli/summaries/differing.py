"""Runs that are stored with other content: counts of the parts that differ, by kind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from rigbridge.cli.output import count_of, say_warning

if TYPE_CHECKING:
    from rigbridge.imports import ImportedRun

__all__ = ["DifferingRuns"]

# As many as somebody reads; the archive may have any number.
_MOST_GROUPS = 20
_COUNT = re.compile(r"\d+ ")


@attrs.define
class _KindOfDifference:
    """Runs that differ in the same parts, by the first of them."""

    first: str
    times: int = 1


class DifferingRuns:
    """Gathers them; holds one of each kind, however many there are."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, ...], _KindOfDifference] = {}
        self._ungrouped = 0
        self._kept = False

    def add(self, source: str, run: ImportedRun) -> None:
        """Take a run that is ``differs`` or ``replaced``."""
        is_kept = run.status == "differs"
        self._kept |= is_kept
        # How many measurements differ varies from run to run of one cause.
        parts = (run.status.value, *(_COUNT.sub("", part) for part in run.differences))
        if (group := self._groups.get(parts)) is not None:
            group.times += 1
        elif len(self._groups) >= _MOST_GROUPS:
            self._ungrouped += 1
        else:
            what = "there already, but differs" if is_kept else "replaced; differed"
            words = ": ".join(filter(None, (what, ", ".join(run.differences))))
            self._groups[parts] = _KindOfDifference(f"{source}: run {run.id}: {words}")

    def show(self, replace: str) -> None:
        """
        Write a line for each kind to standard error.

        Args:
            replace: the command that puts what is read now in the place of the rest.
        """
        for group in self._groups.values():
            more = count_of(group.times - 1, "more run")
            like = f"; likewise {more}" if group.times > 1 else ""
            say_warning(f"{group.first}{like}")
        if self._ungrouped:
            runs = count_of(self._ungrouped, "more run")
            say_warning(f"{runs} of other differences; --json has all of them")
        if self._kept:
            say_warning(
                "what is stored stays as it is; "
                f"'{replace}' puts what is read now in "
                "its place"
            )

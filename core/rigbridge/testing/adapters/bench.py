"""The bench that checks work at: an adapter, its samples, and trials of them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TypeVar, cast

import attrs

from rigbridge.adapters import Adapter, Source, Spool
from rigbridge.testing.adapters.anatomy import Cell, SampleText, spread
from rigbridge.testing.adapters.cases import AdapterCase, Sample
from rigbridge.testing.adapters.observation import (
    NonconformityError,
    NotTriedError,
    Observation,
    observe,
    surprising,
)

__all__ = ["Bench", "Trial"]

_Result = TypeVar("_Result")

_MOST_CELLS = 150
_MOST_LINES = 90


@attrs.frozen
class Trial:
    """
    A sample with one change, and what came of reading it.

    Attributes:
        line: the line that was changed.
        change: what was done, for a person.
        cell: the cell that was changed, or None for a whole line.
    """

    line: int
    change: str
    found: Observation
    cell: Cell | None = None


class Bench:
    """
    Tries an adapter; what was tried once is not tried again.

    Args:
        folder: an empty folder for what the checks write.
    """

    def __init__(self, case: AdapterCase, folder: Path) -> None:
        self.case = case
        self.folder = folder
        self.spool = Spool(folder)
        self._plain: dict[str, Observation] = {}
        self._cells: dict[str, list[Trial]] = {}
        self._lines: dict[str, list[Trial]] = {}
        self._done: dict[object, object] = {}
        self._faults: dict[str, str] = {}
        self._read: dict[tuple[str, bytes, str | None], Observation] = {}

    def run(self, name: str, check: Callable[[Bench], None]) -> None:
        """
        Run a check.

        Raises:
            NonconformityError: the adapter fails it.
            NotTriedError: the samples give nothing to try, or it does not apply.
        """
        if name in self.case.exempt:
            raise NotTriedError(self.case.exempt[name])
        try:
            check(self)
        except NotTriedError:
            raise
        except Exception as surprise:
            error = (
                surprise
                if isinstance(surprise, NonconformityError)
                else surprising(surprise, name)
            )
            first = self._faults.setdefault(error.message, name)
            if first != name:
                # One fault stops many checks; its whole text once is enough.
                raise NonconformityError(
                    f"stopped by what {first} found",
                    f"mend that first, then run {name} again",
                ) from surprise
            raise error from surprise

    def once(self, work: Callable[[Bench], _Result]) -> _Result:
        """
        Do a work that several checks look at, only once.

        Raises:
            NotTriedError: it did, at the first time as well.
        """
        if work not in self._done:
            try:
                self._done[work] = work(self)
            except NotTriedError as reason:
                self._done[work] = reason
        result = self._done[work]
        if isinstance(result, NotTriedError):
            raise result
        return cast("_Result", result)

    def close(self) -> None:
        """Delete what the checks wrote."""
        self.spool.close()

    @property
    def adapter(self) -> Adapter:
        """The adapter of the case, used by many checks."""
        return self.case.adapter

    def fresh(self) -> Adapter:
        """Give another instance with the same settings."""
        try:
            return copy.deepcopy(self._pristine)
        except TypeError:  # it holds what cannot be copied
            return self._pristine

    @cached_property
    def _pristine(self) -> Adapter:
        try:
            return copy.deepcopy(self.case.adapter)
        except TypeError:
            return self.case.adapter

    def read(
        self,
        content: bytes | str,
        name: str,
        trial: str,
        *,
        adapter: Adapter | None = None,
        zone: str | None = "UTC",
    ) -> Observation:
        """
        Read some content under the name of a sample.

        What the adapter of the case was given once, it is not given again: checks
        change the same cells in the same ways.
        """
        data = content.encode() if isinstance(content, str) else content
        key = name, data, zone
        if adapter is None and key in self._read:
            return self._read[key]
        found = observe(
            self.adapter if adapter is None else adapter,
            Source.from_bytes(data, name),
            spool=self.spool,
            trial=f"{name} {trial}".strip(),
            zone=zone,
        )
        if adapter is None:
            self._read[key] = found
        return found

    def plain(self, sample: Sample) -> Observation:
        """Give what the adapter makes of a sample as it is."""
        if sample.name not in self._plain:
            self._plain[sample.name] = self.read(sample.content, sample.name, "")
        return self._plain[sample.name]

    def samples(self) -> Iterator[tuple[Sample, Observation]]:
        """Go through the samples and what was made of each."""
        for sample in self.case.samples:
            yield sample, self.plain(sample)

    def texts(self) -> Iterator[tuple[SampleText, Observation]]:
        """
        Go through the samples that are text.

        Raises:
            NotTriedError: none of them is UTF-8.
        """
        found = [
            (text, self.plain(sample))
            for sample in self.case.samples
            if (text := SampleText.of(sample)) is not None
        ]
        if not found:
            raise NotTriedError("no sample is text in UTF-8")
        yield from found

    def changed_cells(self, text: SampleText) -> list[Trial]:
        """Read a sample with one cell changed, once for each cell."""
        name = text.sample.name
        if name not in self._cells:
            self._cells[name] = [
                self.try_cell(text, cell, cell.changed())
                for cell in spread(text.cells, _MOST_CELLS)
            ]
        return self._cells[name]

    def try_cell(self, text: SampleText, cell: Cell, new: str) -> Trial:
        """Read a sample with another text in place of a cell."""
        change = f"with {new!r} in place of {cell.text!r} in line {cell.line}"
        found = self.read(text.with_cell(cell, new), text.sample.name, change)
        return Trial(cell.line, change, found, cell)

    def kept_words(self, text: SampleText) -> list[Trial]:
        """Give the changed cells that stand as they are in the runs."""
        return [
            trial
            for trial in self.changed_cells(text)
            if trial.cell is not None
            and trial.cell.free
            and trial.cell.text[-1:].isalpha()
            and not trial.found.failures
            and any(trial.cell.changed() in run for run in trial.found.texts)
        ]

    def without_lines(self, text: SampleText) -> list[Trial]:
        """Read a sample without one line, once for each line."""
        name = text.sample.name
        if name not in self._lines:
            self._lines[name] = [
                self.try_line(text, number, 0)
                for number in spread(text.telling_lines, _MOST_LINES)
            ]
        return self._lines[name]

    def try_line(self, text: SampleText, number: int, times: int) -> Trial:
        """Read a sample with a line left out (0) or repeated."""
        change = f"without line {number}" if not times else f"with line {number} twice"
        found = self.read(text.with_line(number, times), text.sample.name, change)
        return Trial(number, change, found)

    def of_one_run(self, text: SampleText) -> Iterator[tuple[int, Trial]]:
        """Give the changed cells that belong to one run alone, with its number."""
        base = self.plain(text.sample)
        for trial in self.changed_cells(text):
            if len(trial.found.texts) != len(base.texts):
                continue
            differing = [
                number
                for number, (old, new) in enumerate(
                    zip(base.texts, trial.found.texts, strict=True)
                )
                if old != new
            ]
            if len(differing) == 1:
                yield differing[0], trial

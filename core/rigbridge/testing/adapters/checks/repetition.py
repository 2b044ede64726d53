"""Checks that an adapter keeps nothing from one source to the next."""

from __future__ import annotations

import io
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from rigbridge.adapters import Adapter, ReadContext, Source, TimeZonePolicy
from rigbridge.errors import SourceError
from rigbridge.model import Run
from rigbridge.testing.adapters.anatomy import SampleText, spread
from rigbridge.testing.adapters.bench import Bench
from rigbridge.testing.adapters.observation import (
    NonconformityError,
    Observation,
    observe,
    readings,
)

__all__ = ["keeps_nothing", "reads_at_once", "reads_in_threads"]

_NOTHING_KEPT = (
    "keep what belongs to one reading in local variables or an object made in read(), "
    "never on the adapter or in the module"
)
_FEW = 30
_THREADS = 4


def keeps_nothing(bench: Bench) -> None:
    """What is read follows from the source alone, whatever was read before."""
    used = bench.fresh()
    for sample, found in bench.samples():
        for trial in ("again", "a third time"):
            again = bench.read(sample.content, sample.name, trial, adapter=used)
            if again.trace != found.trace:
                raise NonconformityError(
                    f"{sample.name} read {trial} gives something else", _NOTHING_KEPT
                )
    for text, _ in bench.texts():
        for line, change, content in spread(list(_lacking(bench, text)), _FEW):
            traces: list[str] = []
            for other in (text.text, _other_line(bench, text, line)):
                bench.read(other, text.sample.name, "(before it)", adapter=used)
                again = bench.read(content, text.sample.name, change, adapter=used)
                traces.append(again.trace)
            if traces[0] != traces[1]:
                raise NonconformityError(
                    f"{text.sample.name} {change} gives something else after another "
                    "log was read",
                    _NOTHING_KEPT,
                )


def _lacking(bench: Bench, text: SampleText) -> Iterator[tuple[int, str, str]]:
    """Give texts that lack something which the text before them has."""
    for trial in bench.without_lines(text):
        yield trial.line, trial.change, text.with_line(trial.line, 0)
    for trial in bench.changed_cells(text):
        if trial.cell is not None and trial.cell.free:
            change = f"without {trial.cell.text!r} in line {trial.line}"
            yield trial.line, change, text.with_cell(trial.cell, "")


def _other_line(bench: Bench, text: SampleText, number: int) -> str:
    """Give the text with a line that says other things, and can be read."""
    changed = text.text
    for trial in reversed(bench.changed_cells(text)):
        cell = trial.cell
        if cell is not None and cell.line == number and not trial.found.failures:
            at = cell.start
            changed = changed[:at] + cell.changed() + changed[at + len(cell.text) :]
    return changed


def _two_sources(bench: Bench) -> list[tuple[str, bytes]]:
    """Give sources that differ, so that one can be told from the other."""
    found = [(sample.name, sample.content) for sample in bench.case.samples]
    for sample in bench.case.samples:
        text = SampleText.of(sample)
        base = bench.plain(sample)
        if text is not None:
            for trial in bench.changed_cells(text):
                if not trial.found.failures and trial.found.texts != base.texts:
                    assert trial.cell is not None
                    new = text.with_cell(trial.cell, trial.cell.changed())
                    found.append((sample.name, new.encode()))
    return [found[0], *spread(found[1:], 5)]


def reads_at_once(bench: Bench) -> None:
    """Two readings of one instance that go on by turns do not mix."""
    sources = _two_sources(bench)
    expected = [_named(bench.read(content, name, "").runs) for name, content in sources]
    used = bench.fresh()
    for (name, content), wanted in zip(sources[1:], expected[1:], strict=True):
        pair = _by_turns(bench, used, [sources[0], (name, content)])
        if pair != [expected[0], wanted]:
            raise NonconformityError(
                f"{name} and another one, read by turns, mix", _NOTHING_KEPT
            )


def _by_turns(
    bench: Bench, adapter: Adapter, sources: list[tuple[str, bytes]]
) -> list[list[tuple[UUID, str]]]:
    waiting: list[tuple[Iterator[Any], ReadContext]] = []
    for name, content in sources:
        context = ReadContext(
            adapter=adapter.name,
            adapter_version="0",
            spool=bench.spool,
            time_zone=TimeZonePolicy(default="UTC"),
        )
        source = Source.from_bytes(content, name)
        waiting.append((readings(adapter, source, context), context))
    runs: list[list[Run]] = [[] for _ in waiting]
    going = True
    while going:
        going = False
        for (reading, _), found in zip(waiting, runs, strict=True):
            try:
                run = next(reading, None)
            except SourceError:
                run = None
            if run is not None:
                found.append(run)
                going = True
    return [_named(found) for found in runs]


def _named(runs: Sequence[Run]) -> list[tuple[UUID, str]]:
    """Give the id and the text of each run."""
    found = Observation(tuple(runs), (), (), raised=False)
    return [(run.id, text) for run, text in zip(runs, found.texts, strict=True)]


class _SlowStream(io.BytesIO):
    """Lets the other threads go on at every line that is asked for."""

    def readline(self, size: int | None = -1, /) -> bytes:
        time.sleep(0)
        return super().readline(size)

    def read(self, size: int | None = -1, /) -> bytes:
        time.sleep(0)
        return super().read(size)

    def __next__(self) -> bytes:
        time.sleep(0)
        return super().__next__()


class _SlowSource(Source):
    """A source whose stream is slow."""

    def open(self) -> Any:
        with super().open() as stream:
            return _SlowStream(stream.read())


def reads_in_threads(bench: Bench) -> None:
    """One instance serves several threads at a time."""
    sources = _two_sources(bench)[:_THREADS]
    expected = [bench.read(content, name, "").trace for name, content in sources]
    used = bench.fresh()
    start = threading.Barrier(len(sources))

    def read(at: int) -> list[str]:
        name, content = sources[at]
        # All begin at once: the first would else be done before the last has started.
        start.wait()
        found: list[str] = []
        for _ in range(5):
            source = _SlowSource(name, name, lambda: io.BytesIO(content))
            found.append(
                observe(
                    used, source, spool=bench.spool, trial=f"{name} in a thread"
                ).trace
            )
        return found

    interval = sys.getswitchinterval()
    # Threads would else hardly be changed within one short file.
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(len(sources)) as pool:
            results = list(pool.map(read, range(len(sources))))
    finally:
        sys.setswitchinterval(interval)
    for (name, _), found, wanted in zip(sources, results, expected, strict=True):
        if any(trace != wanted for trace in found):
            raise NonconformityError(
                f"{name} read beside others in threads gives something else",
                _NOTHING_KEPT,
            )

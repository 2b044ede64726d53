"""Checks that a source of any size is read as a stream, and let go of again."""

from __future__ import annotations

import gc
import io
import tracemalloc
from collections.abc import Callable
from typing import IO, Any, cast

import attrs

from rigbridge.adapters import Adapter, ReadContext, Source, TimeZonePolicy
from rigbridge.model import Run
from rigbridge.testing.adapters.bench import Bench
from rigbridge.testing.adapters.observation import (
    NonconformityError,
    NotTriedError,
    readings,
)

__all__ = ["closes_its_streams", "keeps_no_memory", "streams"]

_LARGE = 4 << 20
_SMALL = 48 << 10
_ATTEMPTS = 3
"""The memory is that of the process, whose other threads may take some at any time."""

_STREAM = (
    "read line by line or block by block, and yield each run as soon as it is complete"
)


class _RepeatedStream(io.RawIOBase):
    """A stream that repeats a block, each time a little changed."""

    def __init__(
        self, start: bytes, block: Callable[[int], bytes], times: int, end: bytes
    ) -> None:
        super().__init__()
        self._parts = iter([start])
        self._rest = b""
        self._block, self._times, self._end = block, times, end
        self._next = -1
        self.given = 0
        self._start = start

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest and self._next <= self._times:
            if self._next < 0:
                self._rest = self._start
            elif self._next < self._times:
                self._rest = self._block(self._next)
            else:
                self._rest = self._end
            self._next += 1
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        self.given += count
        return count


@attrs.frozen
class _Scaled:
    """A sample whose last run stands in it many times."""

    name: str
    start: bytes
    block: Callable[[int], bytes]
    end: bytes

    def source(self, size: int, first: int = 0) -> tuple[Source, list[_RepeatedStream]]:
        """Give about so many bytes, of runs that are numbered from the first on."""
        times = max(size // len(self.block(0)), 3)
        opened: list[_RepeatedStream] = []

        def block(number: int) -> bytes:
            return self.block(first + number)

        def opener() -> IO[bytes]:
            opened.append(_RepeatedStream(self.start, block, times, self.end))
            return cast("IO[bytes]", io.BufferedReader(opened[-1]))

        return Source(self.name, self.name, opener), opened


def _scaled(bench: Bench) -> _Scaled:
    for text, base in bench.texts():
        if len(base.runs) < 2 or text.is_xml or text.is_json:  # it takes a middle
            continue
        last = len(base.runs) - 1
        lines = {
            trial.line for number, trial in bench.of_one_run(text) if number == last
        }
        if not lines:
            continue
        first = min(lines) - 1
        block = "".join(text.lines[first : max(lines)])
        found = _Scaled(
            text.sample.name,
            "".join(text.lines[:first]).encode(),
            _numbered(block, base.runs[last].unit.serial_number),
            "".join(text.lines[max(lines) :]).encode(),
        )
        # It can be made as long as wanted where a repeated block is a run of its own.
        blocks = b"".join(found.block(number) for number in range(3))
        content = found.start + blocks + found.end
        again = bench.read(content, text.sample.name, "with its last run thrice")
        if len(again.runs) == len(base.runs) + 2 and not again.failures:
            return found
    raise NotTriedError("no sample of several runs, as text by lines, can be repeated")


def _numbered(block: str, serial: str | None) -> Callable[[int], bytes]:
    def give(number: int) -> bytes:
        return block.replace(serial or "\0", f"{serial}{number}").encode()

    return give


def _context(bench: Bench) -> ReadContext:
    return ReadContext(
        adapter=bench.adapter.name,
        adapter_version="0",
        spool=bench.spool,
        time_zone=TimeZonePolicy(default="UTC"),
    )


def streams(bench: Bench) -> None:
    """The first run is given long before the source is read to its end."""
    for sample in bench.case.samples:
        list(readings(bench.fresh(), sample.source(), _context(bench)))
    scaled = bench.once(_scaled)
    source, opened = scaled.source(_LARGE)
    _ = source.digest
    reading = readings(bench.fresh(), source, _context(bench))
    next(reading)
    read = opened[-1].given
    cast("Any", reading).close()
    if read > _LARGE // 2:
        raise NonconformityError(
            f"of {_LARGE} bytes {read} are read before the first run is given",
            _STREAM,
        )


def keeps_no_memory(bench: Bench) -> None:
    """Of runs that were given, nothing stays in memory."""
    scaled = bench.once(_scaled)
    adapter = bench.fresh()
    for _ in range(2):  # what is kept once, such as compiled expressions, is no leak
        source, _ = scaled.source(1)
        list(readings(adapter, source, _context(bench)))
    grown = 0
    for attempt in range(_ATTEMPTS):
        # Other runs each time: who keeps those of before gets no second chance.
        grown = _kept(bench, adapter, scaled.source(_SMALL, attempt << 20)[0])
        if grown <= _SMALL // 3:
            return
    raise NonconformityError(
        f"of {_SMALL} bytes that were read, {grown} bytes of memory are kept",
        "keep no line and no text beyond its run",
    )


def _kept(bench: Bench, adapter: Adapter, source: Source) -> int:
    """Read, and tell how many bytes of memory are held afterwards."""
    _ = source.digest, source.head  # a source keeps these
    context = _context(bench)
    gc.collect()
    before = _alive()
    tracemalloc.start()
    try:
        size = tracemalloc.get_traced_memory()[0]
        count = 0
        for _ in readings(adapter, source, context):
            context.report.split()
            count += 1
        del _
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - size
    finally:
        tracemalloc.stop()
    kept = _alive() - before
    if kept > 2:  # one may still be held by the loop
        raise NonconformityError(
            f"{kept} of {count} runs are still in memory when all were read",
            "keep no run on the adapter, in the module or in the generator",
        )
    return grown


def _alive() -> int:
    return sum(type(each) is Run for each in gc.get_objects())


class _NotedSource(Source):
    """A source that notes the streams it gave."""

    given: list[IO[bytes]]

    def open(self) -> IO[bytes]:
        stream = super().open()
        self.given.append(stream)
        return stream


def closes_its_streams(bench: Bench) -> None:
    """A source that was read, or is read no further, is closed."""
    for sample in bench.case.samples:
        for whole in (True, False):
            content = sample.content
            source = _NotedSource(
                sample.name,
                sample.name,
                lambda content=content: io.BytesIO(content),  # type: ignore[misc]
            )
            source.given = []
            reading = readings(bench.fresh(), source, _context(bench))
            for _ in reading:
                if not whole:
                    break
            cast("Any", reading).close()
            if not all(stream.closed for stream in source.given):
                when = "to its end" if whole else "no further than its first run"
                raise NonconformityError(
                    f"{sample.name}, read {when}, stays open",
                    "open it by 'with source.open() as stream:'",
                )

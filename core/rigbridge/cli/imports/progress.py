"""The progress of an import: its rate, the last failure, and how to stop it."""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from rigbridge.cli.output import count_of, say_json, say_warning

if TYPE_CHECKING:
    from rigbridge.imports import SourceResult
    from rigbridge.sources import FoundSource

__all__ = ["ImportProgress", "interruptible"]

_COUNTED = 20_000
"""How many names are gathered first, to know how many there are; not millions."""

_DRAWN = 0.1
"""Seconds between two states of the bar: drawing takes longer than passing over."""

_EVERY = 30.0
"""Seconds between two lines where there is no terminal, or a program reads."""


class ImportProgress:
    """
    Shows how an import goes on: a bar or lines on standard error, or JSON events.

    Args:
        sources: what is imported; iterate over this object instead.
        shown: False where nothing is to be shown to people.
        as_json: whether a program is told, on standard output.
    """

    def __init__(
        self, sources: Iterable[FoundSource], *, shown: bool, as_json: bool = False
    ) -> None:
        self._waiting = iter(sources)
        self._first: deque[FoundSource] = deque()
        self._total: int | None = None
        for found in islice(self._waiting, _COUNTED):
            self._first.append(found)
            # A member of an archive that was unpacked takes its place until then.
            if found.is_carried:
                break
        else:
            count = len(self._first)
            self._total = count if count < _COUNTED else None
        self._in_hand: dict[str, FoundSource] = {}
        self._shown = shown and self._total not in (0, 1)
        self._as_json = as_json
        self._began = self._said = time.monotonic()
        self._done = self._failed = self._new = 0
        self._slowest = (0.0, "")
        self._last_failed = ""
        self._bar: Any = None

    def __iter__(self) -> Iterator[FoundSource]:
        while self._first:
            found = self._first.popleft()
            self._in_hand[found.uri] = found
            yield found
        for found in self._waiting:
            self._in_hand[found.uri] = found
            yield found

    def unfinished(self) -> Iterator[FoundSource]:
        """
        Give what was found, and what the import did not come to.

        Nothing more is looked for: nobody waits for a million files after Ctrl-C.
        """
        yield from self._in_hand.values()
        yield from self._first

    @contextmanager
    def running(self) -> Generator[None]:
        """Show a bar while the import runs, where there is a terminal."""
        if not self._shown or not sys.stderr.isatty():
            yield
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("importing"),
            BarColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[words]}", markup=False),
        )
        # Standard output is for results, which may be read by a program.
        console = Console(stderr=True)
        with Progress(*columns, console=console, transient=True) as bar:
            self._bar = (bar, bar.add_task("", total=self._total, words=""))
            yield

    def pass_over(self, found: FoundSource) -> None:
        """Take a source that was imported before."""
        # What is left in hand is what an interrupted import names as not done.
        self._in_hand.pop(found.uri, None)
        self._done += 1
        self._tell()

    def add(self, result: SourceResult) -> None:
        """Take what came of a source."""
        self._in_hand.pop(result.source, None)
        self._done += 1
        self._new += sum(run.status == "created" for run in result.runs)
        self._slowest = max(self._slowest, (result.seconds, result.source))
        if not result.succeeded:
            self._failed += 1
            self._last_failed = result.source
        self._tell()

    def _tell(self) -> None:
        now = time.monotonic()
        if self._bar is not None and now - self._said >= _DRAWN:
            self._said = now
            bar, task = self._bar
            bar.update(task, completed=self._done, words=self._words())
        elif self._bar is None and self._is_due(now):
            self._said = now
            if self._as_json:
                say_json(self._event())
            else:
                say_warning(f"importing: {self._words()}")

    def _is_due(self, now: float) -> bool:
        return (self._shown or self._as_json) and now - self._said >= _EVERY

    def _event(self) -> dict[str, object]:
        seconds = time.monotonic() - self._began
        rate = self._done / seconds if seconds else 0.0
        left = None
        if self._total is not None and rate:
            left = round((self._total - self._done) / rate, 1)
        return {
            "event": "progress",
            "done": self._done,
            "total": self._total,
            "failed": self._failed,
            "new_runs": self._new,
            "seconds": round(seconds, 3),
            "sources_per_second": round(rate, 1),
            "seconds_left": left,
            "slowest": {"source": self._slowest[1], "seconds": self._slowest[0]},
            "last_failed": self._last_failed or None,
        }

    def _words(self) -> str:
        seconds = time.monotonic() - self._began
        rate = self._done / seconds if seconds else 0.0
        of = "" if self._total is None else f" of {self._total}"
        words = (
            f"{self._done}{of} files, {rate:.0f}/s, {count_of(self._new, 'new run')}"
        )
        if self._bar is None and self._total is not None and rate:
            words += f", {(self._total - self._done) / rate:.0f} s left"
        if self._failed:
            words += f", {self._failed} failed, the last {self._last_failed}"
        return f"{words}; slowest {self._slowest[0]:.1f} s {self._slowest[1]}"


@contextmanager
def interruptible() -> Generator[threading.Event]:
    """
    Let the first Ctrl-C ask for the end, and the second one end at once.

    Yields:
        What is set by the first.
    """
    stop = threading.Event()
    # Only the main thread may set handlers of signals.
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def handle(_number: int, _frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        say_warning(
            "finishing the files in hand; Ctrl-C again stops at once. The same "
            "command continues from there"
        )

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)

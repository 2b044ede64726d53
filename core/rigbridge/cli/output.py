"""What commands show: tables for people, JSON for programs, errors one a line."""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import textwrap
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import typer

from rigbridge.errors import NoRunError, RigbridgeError

if TYPE_CHECKING:
    from rich.table import Table

    from rigbridge.configuration import Configuration

__all__ = [
    "call_for",
    "confirmed",
    "count_of",
    "error_document",
    "is_coloured",
    "is_quiet",
    "own_call",
    "progress",
    "quieted",
    "say",
    "say_error",
    "say_ids",
    "say_json",
    "say_note",
    "say_outcome",
    "say_table",
    "say_warning",
]


_VERDICT = "Outcome"
"""The heading of columns whose cells are coloured."""

_COLOURS = {
    "PASS": "green",
    "FAIL": "red",
    "ERROR": "magenta",
    "TIMEOUT": "magenta",
    "ABORTED": "yellow",
    "RUNNING": "cyan",
    "SKIP": "blue",
}

_UNBOUNDED = 400
"""The width of a table, in characters, where there is no terminal."""


def count_of(number: int, noun: str) -> str:
    """Give a count with its noun: ``1 file``, ``2 files``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def own_call() -> str:
    """Give what a reader types to call this program: as it was called, or shorter."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return f"{shlex.quote(sys.executable)} -m rigbridge"
    # The short name only where it finds this very program.
    found = shutil.which(called.name)
    if found is not None and called.exists() and called.samefile(found):
        return called.name
    return shlex.quote(str(called))


def call_for(configuration: Configuration, *words: str) -> str:
    """Spell a call of this program for the data folder and destination of another."""
    from rigbridge.configuration import command_line

    return own_call() + command_line(configuration, *words).removeprefix("rigbridge")


def _harmless(text: str) -> str:
    r"""
    Spell what would break the line, steer the terminal, or cannot be written.

    Names of files and texts of reports come from elsewhere; they may hold anything.
    """
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode()
        for char in text
    )


# Whether whoever asked wants no words.
_QUIET_WANTED: ContextVar[bool] = ContextVar("quieted", default=False)


@contextmanager
def quieted(wanted: bool) -> Generator[None]:
    """Let nothing be said meanwhile but ids, JSON and what went wrong, if wanted."""
    before = _QUIET_WANTED.set(wanted)
    try:
        yield
    finally:
        _QUIET_WANTED.reset(before)


def is_quiet() -> bool:
    """Whether whoever asked wants ids alone."""
    return _QUIET_WANTED.get()


def say(text: str) -> None:
    """Write a line to standard output."""
    if not _QUIET_WANTED.get():
        _write(_harmless(text), sys.stdout)


def say_ids(ids: Iterable[str]) -> None:
    """Write ids whole, one a line, also where all else is hushed."""
    for text in ids:
        _write(_harmless(text), sys.stdout)


def say_outcome(label: str, outcome: str) -> None:
    """Write a label and a verdict, in its colour where colours are wanted."""
    if _QUIET_WANTED.get():
        return
    shown = _harmless(outcome)
    if is_coloured(sys.stdout):
        shown = typer.style(shown, fg=_COLOURS.get(outcome))
    _write(_harmless(label) + shown, sys.stdout)


def is_coloured(stream: TextIO) -> bool:
    """
    Tell whether a stream gets colours: a terminal does.

    ``NO_COLOR`` takes them away, ``FORCE_COLOR`` gives them to a pipe as well.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def say_error(error: RigbridgeError) -> None:
    """Write an error as one line to standard error; a mere lack of runs is a note."""
    kind = "no run" if isinstance(error, NoRunError) else "error"
    _write(f"{kind}: {_harmless(str(error))}", sys.stderr)


def say_warning(text: str) -> None:
    """Write a warning as one line to standard error."""
    _write(f"warning: {_harmless(text)}", sys.stderr)


def say_note(text: str) -> None:
    """Write a line that belongs to the one before it to standard error."""
    _write(_harmless(text), sys.stderr)


def _write(line: str, stream: TextIO) -> None:
    encoding = stream.encoding or "utf-8"
    # A console of another encoding gets what it lacks spelled, not an error.
    text = line.encode(encoding, "backslashreplace").decode(encoding)
    typer.echo(text, file=stream, color=is_coloured(stream))


def confirmed(question: str, *, as_json: bool = False) -> bool:
    """
    Ask a person; nobody at the terminal, or a program, is a no.

    Args:
        as_json: whether standard output is for a program.
    """
    if as_json or not sys.stdin.isatty():
        say_warning(f"{question} There is no terminal to answer on: use --yes")
        return False
    return typer.confirm(question, err=True)


def say_json(value: object) -> None:
    """Write a value as one line of JSON to standard output."""
    import msgspec

    text = msgspec.json.encode(value).decode()
    try:
        typer.echo(text)
    except UnicodeEncodeError:
        # JSON can spell every character in ASCII.
        typer.echo(json.dumps(json.loads(text)))


def error_document(error: RigbridgeError) -> dict[str, str | None]:
    """Give an error as JSON values."""
    return {
        "kind": type(error).__name__,
        "message": error.message,
        "source": error.source,
        "place": error.place,
        "remedy": error.remedy,
        "text": str(error),
    }


def say_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, named: bool = False
) -> None:
    """
    Draw a table; lines are folded to the terminal, never cut.

    Args:
        named: whether the last column is what the next command is told. Where the
            terminal is too narrow, it then stands whole, below the second column.
    """
    from rich.console import Console

    if _QUIET_WANTED.get():
        return
    coloured = is_coloured(sys.stdout)
    console = Console(
        force_terminal=coloured or None,
        no_color=not coloured,
        color_system="standard" if coloured else None,
        highlight=False,
    )
    if not console.is_terminal:
        # A file or pipe has no width; nothing that is read by a program is folded.
        console = Console(width=_UNBOUNDED)
    lines = [columns, *([_harmless(cell) for cell in row] for row in rows)]
    table = _table(lines)
    wide = console.options.update(max_width=_UNBOUNDED)
    if named and console.measure(table, options=wide).maximum > console.width:
        width = max(len(line[-1]) for line in lines)
        table = _table([_name_below(line, width) for line in lines])
        # The others give way, unless that would leave them next to nothing.
        table.columns[1].no_wrap = console.width >= 2 * width
    # Captured, so that _write can spell what the console cannot encode.
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        _write(line.rstrip(), sys.stdout)


def _name_below(line: Sequence[str], width: int) -> list[str]:
    first, second, *others, name = line
    return [first, "\n".join((*textwrap.wrap(second, width), name)), *others]


def _table(lines: Sequence[Sequence[str]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in lines[0]:
        table.add_column(column, overflow="fold")
    verdicts = [column == _VERDICT for column in lines[0]]
    for line in lines[1:]:
        table.add_row(
            *(
                Text(cell, style=_COLOURS.get(cell, "") if is_verdict else "")
                for cell, is_verdict in zip(line, verdicts, strict=True)
            )
        )
    return table


@contextmanager
def progress(
    title: str, total: int | None, *, shown: bool
) -> Generator[Callable[[], None]]:
    """
    Show a bar on standard error, and give what moves it on by one.

    Args:
        total: how many steps there are, or None where nobody knows yet.
    """
    # A bar in a log or pipe would be noise; of one step it shows nothing.
    if not shown or total in (0, 1) or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda: bar.advance(task)

"""What commands show: tables for people, JSON for programs, errors one a line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import typer

from rigbridge.errors import NoRunError, RigbridgeError

__all__ = ["error_document", "say", "say_error", "say_json", "say_table"]


def say(text: str) -> None:
    """Write a line to standard output."""
    typer.echo(text)


def say_error(error: RigbridgeError) -> None:
    """Write an error as one line to standard error; a mere lack of runs is a note."""
    kind = "no run" if isinstance(error, NoRunError) else "error"
    typer.echo(f"{kind}: {error}", err=True)


def say_json(value: Any) -> None:
    """Write a value as one line of JSON to standard output."""
    import msgspec  # noqa: PLC0415 - start fast

    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    # A program at the other end of a pipe waits for this line, as for that of serve.
    sys.stdout.flush()


def error_document(error: RigbridgeError) -> dict[str, Any]:
    """Give an error as JSON values."""
    return {
        "kind": type(error).__name__,
        "message": error.message,
        "source": error.source,
        "place": error.place,
        "remedy": error.remedy,
        "text": str(error),
    }


def say_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Draw a table; lines are folded to the terminal, never cut."""
    from rich.console import Console  # noqa: PLC0415 - only where a table is drawn
    from rich.table import Table  # noqa: PLC0415 - likewise
    from rich.text import Text  # noqa: PLC0415 - likewise

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console()
    if not console.is_terminal:
        # A file or pipe has no width; nothing that is read by a program is folded.
        console = Console(width=400)
    console.print(table)

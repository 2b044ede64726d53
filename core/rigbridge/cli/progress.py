"""A bar where a person waits at a terminal, and nothing where nobody does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

__all__ = ["progress"]


@contextmanager
def progress(
    title: str, total: int | None, *, shown: bool
) -> Generator[Callable[[], None]]:
    """
    Show a bar on standard error, and give what moves it on by one.

    Args:
        title: what is going on.
        total: how many steps there are, or None where nobody knows yet.
        shown: False where the output is for a program.
    """
    if not shown or total in (0, 1) or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console  # noqa: PLC0415 - only where a bar is drawn
    from rich.progress import Progress  # noqa: PLC0415 - likewise

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda: bar.advance(task)

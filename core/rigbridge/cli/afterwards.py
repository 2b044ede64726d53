"""The options that say which report files are taken, and what becomes of them."""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from rigbridge.cli.output import count_of, say, say_warning
from rigbridge.errors import ConfigurationError

if TYPE_CHECKING:
    from rigbridge.imports import AfterCounts, Afterwards, FileStep
    from rigbridge.sources import Selection

__all__ = ["FileHandling", "ThenDone", "show_afterwards"]


class ThenDone(StrEnum):
    """What becomes of a file that was imported."""

    KEEP = "keep"
    MOVE = "move"
    ARCHIVE = "archive"
    DELETE = "delete"


class FileHandling(NamedTuple):
    """The options about the files of reports."""

    include: Annotated[
        list[str] | None,
        typer.Option(
            "--include",
            help="Take only files like this; repeatable.",
            metavar="'*.xml'",
        ),
    ] = None
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            "--exclude",
            help="Leave out files like this; repeatable.",
            metavar="'old/**'",
        ),
    ] = None
    after: Annotated[
        ThenDone,
        typer.Option(
            "--after", help="What becomes of a file once its runs are stored."
        ),
    ] = ThenDone.KEEP
    after_folder: Annotated[
        Path | None,
        typer.Option(
            "--after-folder", help="Where --after moves or archives to.", metavar="DIR"
        ),
    ] = None
    bad_copy: Annotated[
        Path | None,
        typer.Option(
            "--bad-copy", help="Copy bad files there, with the reason.", metavar="DIR"
        ),
    ] = None
    bad_move: Annotated[
        Path | None,
        typer.Option(
            "--bad-move", help="Move bad files there, with the reason.", metavar="DIR"
        ),
    ] = None

    def selection(self) -> Selection:
        """Give what chooses files by their names."""
        from rigbridge.sources import Selection

        return Selection(include=self.include or (), exclude=self.exclude or ())

    def step(self) -> FileStep:
        """
        Say what becomes of files.

        Raises:
            ConfigurationError: the options contradict each other.
        """
        from rigbridge.imports import After, FileStep

        if self.bad_copy is not None and self.bad_move is not None:
            raise ConfigurationError(
                "bad files are either copied or moved",
                remedy="give one of --bad-copy and --bad-move",
            )
        return FileStep(
            after=After(self.after.value),
            folder=self.after_folder,
            bad=self.bad_copy or self.bad_move,
            move_bad=self.bad_move is not None,
        )

    def afterwards(
        self, roots: Sequence[Path], *, dry_run: bool = False
    ) -> Afterwards | None:
        """
        Make what treats the files; None where they all stay.

        Raises:
            ConfigurationError: the options contradict each other.
        """
        keeps = self.after is ThenDone.KEEP
        if keeps and not (self.after_folder or self.bad_copy or self.bad_move):
            return None
        from rigbridge.imports import Afterwards

        # Also for a dry run: options that contradict each other are refused at once.
        step = self.step()
        if dry_run or (keeps and step.bad is None):
            return None
        return Afterwards(step, roots)


def show_afterwards(counts: AfterCounts, *, as_json: bool) -> None:
    """Say what was done: a line, and a warning for each file that stays."""
    for problem in counts.problems:
        say_warning(problem)
    if counts.left > len(counts.problems):
        say_warning(
            f"{count_of(counts.left, 'file')} stay, of which these are the first"
        )
    done = f"{count_of(counts.done, 'imported file')} treated"
    bad = f", {count_of(counts.bad, 'bad file')} put aside" if counts.bad else ""
    if not as_json and (counts.done or counts.bad):
        say(f"{done}{bad}")

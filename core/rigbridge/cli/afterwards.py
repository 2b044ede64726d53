"""The options that say what becomes of report files after an import."""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rigbridge.cli.options import ThenDone
from rigbridge.cli.output import count_of, say, say_warning
from rigbridge.errors import ConfigurationError

if TYPE_CHECKING:
    from rigbridge.imports import AfterCounts, Afterwards, FileStep

__all__ = ["chosen_afterwards", "chosen_step", "show_afterwards"]


def chosen_afterwards(
    roots: Sequence[Path],
    *,
    after: ThenDone,
    folder: Path | None,
    bad_copy: Path | None,
    bad_move: Path | None,
    dry_run: bool = False,
) -> Afterwards | None:
    """
    Make what treats the files; None where they all stay.

    Raises:
        ConfigurationError: the options contradict each other.
    """
    if after is ThenDone.KEEP and not (folder or bad_copy or bad_move):
        return None
    from rigbridge.imports import Afterwards

    step = chosen_step(after=after, folder=folder, bad_copy=bad_copy, bad_move=bad_move)
    if dry_run or (after is ThenDone.KEEP and step.bad is None):
        return None
    return Afterwards(step, roots)


def chosen_step(
    *,
    after: ThenDone,
    folder: Path | None,
    bad_copy: Path | None,
    bad_move: Path | None,
) -> FileStep:
    """
    Say what becomes of files.

    Raises:
        ConfigurationError: the options contradict each other.
    """
    from rigbridge.imports import After, FileStep

    if bad_copy is not None and bad_move is not None:
        raise ConfigurationError(
            "bad files are either copied or moved",
            remedy="give one of --bad-copy and --bad-move",
        )
    return FileStep(
        after=After(after.value),
        folder=folder,
        bad=bad_copy or bad_move,
        move_bad=bad_move is not None,
    )


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

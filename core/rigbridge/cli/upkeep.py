"""``store``: backup, check and pruning of the embedded store."""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from rigbridge.cli import options
from rigbridge.cli.output import say, say_json
from rigbridge.cli.places import StorePlace, with_place

__all__ = ["app"]

app = typer.Typer(
    help="Upkeep of the embedded store.", no_args_is_help=True, rich_markup_mode=None
)


_CENTURY = 36_525
"""The most days that can be asked for; no run is older."""


@app.command("backup")
@with_place("data", "config")
def backup(
    place: StorePlace,
    folder: Annotated[Path, typer.Argument(help="Where the copy goes.")],
    *,
    as_json: options.AsJSON = False,
) -> None:
    """Copy the store, also while it is in use; the copy is a store of its own."""
    import attrs

    with place.hosted_store() as (_, destination):
        done = destination.back_up(folder)
    if as_json:
        say_json({"folder": str(folder), **attrs.asdict(done)})
    else:
        say(
            f"backed up {done.runs} runs and {done.contents} contents of attachments"
            f" to {folder} ({done.copied} of them new)"
        )
        for digest in done.missing:
            say(f"attachment {digest}: the store itself lacks its content")
        for problem in done.damaged:
            say(problem)
    # A backup that is not whole must not pass for one in a nightly job.
    if done.missing or done.damaged:
        raise typer.Exit(1)


@app.command("check")
@with_place("data", "config")
def check(
    place: StorePlace,
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help="Only the lengths of attachments.")
    ] = False,
    as_json: options.AsJSON = False,
) -> None:
    """Look for damage in the tables and the contents of attachments."""
    import attrs

    with place.hosted_store() as (_, destination):
        found = destination.check(contents=not quick)
    if as_json:
        say_json(attrs.asdict(found))
    else:
        for problem in found.problems:
            say(problem)
        verdict = f"{len(found.problems)} problems" if found.problems else "all well"
        say(
            f"{verdict}: {found.runs} runs, {found.contents} contents of attachments,"
            f" {found.unused} that nothing refers to"
        )
    if found.problems:
        raise typer.Exit(1)


@app.command("prune")
@with_place("data", "config")
def prune(
    place: StorePlace,
    *,
    older_than: Annotated[
        int,
        typer.Option(
            "--older-than",
            help="Days since the run.",
            min=1,
            max=_CENTURY,
            metavar="DAYS",
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count, delete nothing.")
    ] = False,
    as_json: options.AsJSON = False,
) -> None:
    """Delete old runs, and the contents of attachments that nothing refers to."""
    import attrs

    before = datetime.now(UTC) - timedelta(days=older_than)
    with place.hosted_store() as (_, destination):
        done = destination.prune(before, dry_run=dry_run)
    if as_json:
        say_json({**attrs.asdict(done), "dry_run": dry_run})
    elif dry_run:
        say(f"would delete {done.runs} runs from before {before:%Y-%m-%d %H:%M} UTC")
    else:
        say(f"deleted {done.runs} runs and {done.contents} contents of attachments")

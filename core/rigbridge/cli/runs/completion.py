"""What the shell offers when Tab is pressed: the ids of runs."""

# ruff: noqa: PLC0415 - each command imports what it needs: --help must stay fast

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated

import typer

from rigbridge.errors import RigbridgeError

__all__ = ["RunId", "complete_runs"]

_OFFERED = 50


def complete_runs(incomplete: str) -> Iterator[tuple[str, str]]:
    """Offer the runs of the configured store whose ids begin so, and what they are."""
    from rigbridge.cli.opened import opened_store
    from rigbridge.cli.runs.finding import describe_listed
    from rigbridge.destinations import ReadableDestination
    from rigbridge.destinations.selection import RunSelection

    # Whatever is wrong with the store: no offer, and no words into a command line.
    with suppress(RigbridgeError, OSError), opened_store() as (_, destination):
        if isinstance(destination, ReadableDestination):
            selection = RunSelection(run_id=incomplete) if incomplete else None
            for run in destination.recent_runs(_OFFERED, selection):
                yield run.id, describe_listed(run).removeprefix(run.id).strip()


RunId = Annotated[
    str,
    typer.Argument(
        help="The run's id, or its beginning.",
        metavar="ID",
        autocompletion=complete_runs,
    ),
]

"""What the shell offers when Tab is pressed: ids of runs, verdicts, stations."""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from rigbridge.errors import RigbridgeError

if TYPE_CHECKING:
    from rigbridge.destinations.selection import RunSelection
    from rigbridge.wire import ListedRun

__all__ = ["RunId", "complete_outcomes", "complete_runs", "complete_stations"]

# A screen of ids: somebody waits for them with a finger on Tab.
_OFFERED = 50
_LOOKED_AT = 500
_PLAIN = re.compile(r"[\w.:/@%+=,-]+")


def complete_runs(incomplete: str) -> Iterator[tuple[str, str]]:
    """Offer the runs of the configured store whose ids begin so, and what they are."""
    from rigbridge.cli.runs.finding import describe_listed
    from rigbridge.destinations.selection import RunSelection

    selection = RunSelection(run_id=incomplete) if incomplete else None
    for run in _latest(_OFFERED, selection):
        yield run.id, describe_listed(run).removeprefix(run.id).strip()


def complete_outcomes(incomplete: str) -> Iterator[str]:
    """Offer the verdicts that begin so, in the case in which that is typed."""
    from rigbridge.model import RunOutcome

    for outcome in RunOutcome:
        word = outcome.value.lower() if incomplete.islower() else outcome.value
        if word.startswith(incomplete):
            yield word


def complete_stations(incomplete: str) -> Iterator[str]:
    """Offer the stations of the latest runs whose names begin so."""
    named = {run.station for run in _latest(_LOOKED_AT, None)}
    # A name that a shell would part or expand is better typed, in quotes.
    known = {name for name in named if isinstance(name, str) and _PLAIN.fullmatch(name)}
    yield from sorted(name for name in known if name.startswith(incomplete))


def _latest(most: int, selection: RunSelection | None) -> Iterator[ListedRun]:
    from rigbridge.cli.places import StorePlace
    from rigbridge.destinations import ReadableDestination

    # Whatever is wrong with the store: no offer, and no words into a command line.
    with suppress(RigbridgeError, OSError), StorePlace().store() as (_, destination):
        if isinstance(destination, ReadableDestination):
            yield from destination.recent_runs(most, selection)


RunId = Annotated[
    str,
    typer.Argument(
        help="The run's id, or its beginning.",
        metavar="ID",
        autocompletion=complete_runs,
    ),
]

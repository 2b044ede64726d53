"""The options that choose runs, the same for every command that has them."""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from rigbridge.cli.runs.completion import complete_outcomes, complete_stations
from rigbridge.errors import ConfigurationError

if TYPE_CHECKING:
    from rigbridge.destinations.selection import RunSelection

__all__ = [
    "Instrument",
    "Outcome",
    "Overdue",
    "Procedure",
    "Serial",
    "Since",
    "Station",
    "Until",
    "selection_of",
    "word_of",
]

Serial = Annotated[
    str | None, typer.Option("--serial", help="Only this unit.", metavar="SN")
]
Procedure = Annotated[
    str | None,
    typer.Option("--procedure", help="Only this procedure.", metavar="NAME|ID"),
]
Station = Annotated[
    str | None,
    typer.Option(
        "--station",
        help="Only this station.",
        metavar="NAME",
        autocompletion=complete_stations,
    ),
]
Instrument = Annotated[
    str | None,
    typer.Option(
        "--instrument",
        help="Only measured with this instrument.",
        metavar="NAME|SN",
    ),
]
Overdue = Annotated[
    bool,
    typer.Option(
        "--overdue", help="Only with an instrument that was out of calibration."
    ),
]
Outcome = Annotated[
    str | None,
    typer.Option(
        "--outcome",
        help="Only this verdict.",
        metavar="PASS|FAIL|...",
        autocompletion=complete_outcomes,
    ),
]
_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
Since = Annotated[
    datetime | None,
    typer.Option(
        "--since",
        help="Only runs from this day or second (UTC) on.",
        metavar="TIME",
        formats=_FORMATS,
    ),
]
Until = Annotated[
    datetime | None,
    typer.Option(
        "--until",
        help="Only runs before this day or second (UTC).",
        metavar="TIME",
        formats=_FORMATS,
    ),
]

_Word = TypeVar("_Word", bound=StrEnum)


def selection_of(
    *,
    serial: str | None,
    procedure: str | None,
    station: str | None,
    instrument: str | None,
    overdue: bool,
    outcome: str | None,
    since: datetime | None,
    until: datetime | None,
) -> RunSelection:
    """
    Make a selection of what the options say.

    Raises:
        ConfigurationError: there is no such verdict.
    """
    from rigbridge.destinations.selection import RunSelection
    from rigbridge.model import RunOutcome

    verdict = None
    if outcome is not None:
        verdict = word_of(RunOutcome, outcome, outcome.upper(), "outcome")
    return RunSelection(
        serial_number=serial,
        procedure=procedure,
        station=station,
        instrument=instrument,
        overdue=overdue,
        outcome=verdict,
        # Times without a zone are UTC, as the store shows them.
        since=None if since is None else since.replace(tzinfo=UTC),
        until=None if until is None else until.replace(tzinfo=UTC),
    )


def word_of(kind: type[_Word], given: str, spelled: str, noun: str) -> _Word:
    """
    Give the member of an enumeration that a user named, in any case.

    Raises:
        ConfigurationError: there is none.
    """
    from rigbridge.machine.close_names import did_you_mean

    try:
        return kind(spelled)
    except ValueError as error:
        meant = did_you_mean(given, [str(word) for word in kind])
        raise ConfigurationError(
            f"{given!r} is no {noun}",
            remedy=meant or f"use one of {', '.join(kind)}",
        ) from error

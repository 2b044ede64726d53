"""The options that choose runs, the same for every command that has them."""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, NamedTuple, TypeVar

import typer

from rigbridge.cli.runs.completion import complete_outcomes, complete_stations
from rigbridge.errors import ConfigurationError

if TYPE_CHECKING:
    from rigbridge.destinations.selection import RunSelection

__all__ = ["RunFilter", "word_of"]

_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
_Word = TypeVar("_Word", bound=StrEnum)


class RunFilter(NamedTuple):
    """The options that choose runs; what is not given restricts nothing."""

    serial: Annotated[
        str | None, typer.Option("--serial", help="Only this unit.", metavar="SN")
    ] = None
    procedure: Annotated[
        str | None,
        typer.Option("--procedure", help="Only this procedure.", metavar="NAME|ID"),
    ] = None
    station: Annotated[
        str | None,
        typer.Option(
            "--station",
            help="Only this station.",
            metavar="NAME",
            autocompletion=complete_stations,
        ),
    ] = None
    instrument: Annotated[
        str | None,
        typer.Option(
            "--instrument",
            help="Only measured with this instrument.",
            metavar="NAME|SN",
        ),
    ] = None
    overdue: Annotated[
        bool,
        typer.Option(
            "--overdue", help="Only with an instrument that was out of calibration."
        ),
    ] = False
    outcome: Annotated[
        str | None,
        typer.Option(
            "--outcome",
            help="Only this verdict.",
            metavar="PASS|FAIL|...",
            autocompletion=complete_outcomes,
        ),
    ] = None
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since",
            help="Only runs from this day or second (UTC) on.",
            metavar="TIME",
            formats=_FORMATS,
        ),
    ] = None
    until: Annotated[
        datetime | None,
        typer.Option(
            "--until",
            help="Only runs before this day or second (UTC).",
            metavar="TIME",
            formats=_FORMATS,
        ),
    ] = None

    @property
    def is_of_unit_only(self) -> bool:
        """Whether it names a unit and nothing else, which every store can look up."""
        return self.serial is not None and self == RunFilter(serial=self.serial)

    def selection(self) -> RunSelection:
        """
        Make a selection of what the options say.

        Raises:
            ConfigurationError: there is no such verdict.
        """
        from rigbridge.destinations.selection import RunSelection
        from rigbridge.model import RunOutcome

        given, verdict = self._asdict(), self.outcome
        if verdict is not None:
            given["outcome"] = word_of(RunOutcome, verdict, verdict.upper(), "outcome")
        for name in ("since", "until"):
            # Times without a zone are UTC, as the store shows them.
            moment: datetime | None = given[name]
            given[name] = None if moment is None else moment.replace(tzinfo=UTC)
        return RunSelection(serial_number=given.pop("serial"), **given)


def word_of(kind: type[_Word], given: str, spelled: str, noun: str) -> _Word:
    """
    Give the member of an enumeration that a user named, in any case.

    Raises:
        ConfigurationError: there is none.
    """
    from rigbridge.machine.close_names import did_you_mean

    # In any case of letters; anything else is offered and never guessed.
    try:
        return kind(spelled)
    except ValueError as error:
        meant = did_you_mean(given, [str(word) for word in kind])
        raise ConfigurationError(
            f"{given!r} is no {noun}",
            remedy=meant or f"use one of {', '.join(kind)}",
        ) from error

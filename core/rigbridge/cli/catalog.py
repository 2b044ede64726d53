"""``stations`` and ``procedures`` of a store, here or on a server."""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from rigbridge.cli import options
from rigbridge.cli.output import (
    confirmed,
    count_of,
    is_quiet,
    say,
    say_ids,
    say_json,
    say_table,
)
from rigbridge.cli.places import StorePlace, with_place
from rigbridge.errors import ConfigurationError
from rigbridge.machine.close_names import folded

if TYPE_CHECKING:
    from rigbridge.destinations.administration import AdministeredDestination

__all__ = ["procedures", "stations"]

stations = typer.Typer(
    help="The stations of a store, and the procedures that they may use.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
procedures = typer.Typer(
    help="The procedures of a store.", no_args_is_help=True, rich_markup_mode=None
)

_StationName = Annotated[
    str, typer.Argument(help="The station's name or id.", metavar="STATION")
]
_ProcedureName = Annotated[
    str, typer.Argument(help="A procedure's name or id.", metavar="PROCEDURE")
]


@contextmanager
def _open_catalog(place: StorePlace) -> Generator[AdministeredDestination]:
    from rigbridge.destinations.administration import AdministeredDestination

    with place.store() as (_, destination):
        # A store that knows only the v1 contract has no calls for this.
        if not isinstance(destination, AdministeredDestination):
            raise ConfigurationError("this store has its stations elsewhere")
        yield destination


@stations.command("list")
@with_place()
def list_stations(
    place: StorePlace,
    *,
    as_json: options.AsJSON = False,
) -> None:
    """List the stations, the procedures that they may use, and how much they sent."""
    with _open_catalog(place) as store:
        found = store.list_stations()
    if as_json:
        say_json(found)
    elif is_quiet():
        say_ids(item.id for item in found)
    elif found:
        say_table(
            ("Station", "Runs", "Procedures", "Id"),
            [
                (item.name, str(item.runs), ", ".join(item.procedures) or "-", item.id)
                for item in found
            ],
        )
    else:
        say("no stations ('rigbridge keys create station' makes one)")


@stations.command("link")
@with_place()
def link_station(
    place: StorePlace,
    station: _StationName,
    procedure: _ProcedureName,
    *,
    existing: Annotated[
        bool,
        typer.Option("--existing", help="Refuse a procedure that does not exist yet."),
    ] = False,
    as_json: options.AsJSON = False,
) -> None:
    """Let a station use a procedure; a new name creates one."""
    with _open_catalog(place) as store:
        link = store.link_station(station, procedure, create=not existing)
    if as_json:
        say_json(link)
        return
    if link.created:
        near = ", ".join(link.similar)
        hint = f" (there is also {near})" if near else ""
        say(f"created procedure {link.procedure}{hint}")
    say(f"station {link.station} may use procedure {link.procedure}")


@stations.command("unlink")
@with_place()
def unlink_station(
    place: StorePlace,
    station: _StationName,
    procedure: _ProcedureName,
    *,
    as_json: options.AsJSON = False,
) -> None:
    """Take a procedure from a station; the runs that it made stay."""
    with _open_catalog(place) as store:
        link = store.unlink_station(station, procedure)
    if as_json:
        say_json(link)
    else:
        say(f"station {link.station} may no longer use procedure {link.procedure}")


@procedures.command("list")
@with_place()
def list_procedures(
    place: StorePlace,
    *,
    as_json: options.AsJSON = False,
) -> None:
    """List the procedures, how many runs they have, and who may use them."""
    with _open_catalog(place) as store:
        found = store.list_procedures()
    if as_json:
        say_json(found)
    elif is_quiet():
        say_ids(item.id for item in found)
    elif found:
        say_table(
            ("Procedure", "Runs", "Stations", "Id"),
            [
                (item.name, str(item.runs), ", ".join(item.stations) or "-", item.id)
                for item in found
            ],
        )
    else:
        say("no procedures yet; the first run of one makes it")


@procedures.command("delete")
@with_place()
def delete_procedure(
    place: StorePlace,
    procedure: _ProcedureName,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,
    as_json: options.AsJSON = False,
) -> None:
    """Delete a procedure with all of its runs, for good."""
    with _open_catalog(place) as store:
        wanted = folded(procedure)
        meant = [
            item
            for item in store.list_procedures()
            if wanted in (item.id, folded(item.name), folded(item.identifier or ""))
        ]
        if len(meant) == 1 and not yes:
            runs = count_of(meant[0].runs, "run")
            question = f"delete procedure {meant[0].name} with {runs}, for good?"
            if not confirmed(question, as_json=as_json):
                raise typer.Exit(1)
        # One that is unknown, or not the only one of its name, is refused there.
        gone = store.delete_procedure(procedure)
    if as_json:
        say_json(gone)
    else:
        say(f"deleted procedure {gone.name} with {count_of(gone.runs, 'run')}")

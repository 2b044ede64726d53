"""``serve``, ``keys`` and ``stations``: the embedded store for others."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from rigbridge.cli import options
from rigbridge.cli.output import say, say_json
from rigbridge.errors import ConfigurationError
from rigbridge.keys import KeyKind

__all__ = ["keys", "serve", "stations"]

keys = typer.Typer(
    help="API keys of the embedded store.", no_args_is_help=True, rich_markup_mode=None
)
stations = typer.Typer(
    help="Stations of the embedded store.", no_args_is_help=True, rich_markup_mode=None
)


def _hosted(data: Any, config: Any) -> Any:
    from rigbridge.configuration import (  # noqa: PLC0415 - start fast
        load_configuration,
        open_destination,
    )
    from rigbridge.destinations import HostedDestination  # noqa: PLC0415 - likewise

    destination = open_destination(
        load_configuration(to="local", data=data, file=config)
    )
    if not isinstance(destination, HostedDestination):
        raise ConfigurationError("the local destination cannot be served")
    return destination


def serve(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes any.", min=0)] = 8000,
    open_stations: Annotated[
        bool, typer.Option("--open-stations", help="Stations may use any procedure.")
    ] = False,
    data: options.DataFolder = None,
    config: options.ConfigFile = None,
    as_json: options.AsJSON = False,
) -> None:
    """Serve the embedded store over HTTP until interrupted."""

    def ready(origin: str) -> None:
        if as_json:
            say_json({"url": origin})
        else:
            say(f"serving on {origin} (end with Ctrl-C)")

    destination = _hosted(data, config)
    try:
        destination.serve(
            host=host, port=port, open_stations=open_stations, ready=ready
        )
    finally:
        destination.close()


@keys.command("create")
def create_key(
    kind: Annotated[KeyKind, typer.Argument(help="For a user or a station.")],
    *,
    name: Annotated[str, typer.Option("--name", help="Whose key it is.", metavar="N")],
    data: options.DataFolder = None,
    config: options.ConfigFile = None,
    as_json: options.AsJSON = False,
) -> None:
    """Make an API key and print it once."""
    destination = _hosted(data, config)
    try:
        key = destination.create_key(kind, name)
    finally:
        destination.close()
    if as_json:
        say_json({"key": key})
    else:
        say(key)


@stations.command("link")
def link_station(
    station: Annotated[str, typer.Argument(help="The station's name.")],
    procedure: Annotated[str, typer.Argument(help="A procedure's name or id.")],
    *,
    data: options.DataFolder = None,
    config: options.ConfigFile = None,
    as_json: options.AsJSON = False,
) -> None:
    """Let a station use a procedure."""
    destination = _hosted(data, config)
    try:
        destination.link_station(station, procedure)
    finally:
        destination.close()
    if as_json:
        say_json({"station": station, "procedure": procedure})
    else:
        say(f"station {station} may use procedure {procedure}")

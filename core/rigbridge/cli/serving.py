"""``serve`` and ``keys``: the embedded store for others."""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rigbridge.cli import options
from rigbridge.cli.output import is_quiet, say, say_ids, say_json
from rigbridge.cli.places import StorePlace, with_place

if TYPE_CHECKING:
    from rigbridge.hosting import KeyRecord

__all__ = ["keys", "serve"]

keys = typer.Typer(
    help="API keys of the embedded store.", no_args_is_help=True, rich_markup_mode=None
)


@with_place("data", "config", "database")
def serve(
    place: StorePlace,
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="Port; 0 takes any.", min=0, max=65535)
    ] = 8000,
    open_stations: Annotated[
        bool, typer.Option("--open-stations", help="Stations may use any procedure.")
    ] = False,
    as_json: options.AsJSON = False,
) -> None:
    """Serve the embedded store over HTTP until interrupted."""

    def ready(origin: str) -> None:
        if as_json:
            say_json({"url": origin})
        else:
            say(f"serving on {origin} (end with Ctrl-C)")

    with place.hosted_store() as (configuration, destination):
        destination.serve(
            host=host,
            port=port,
            open_stations=open_stations,
            ready=ready,
            configuration=configuration,
        )


def _kind(text: str) -> str:
    # The enumeration itself would load the model and msgspec for every --help.
    from rigbridge.hosting import KeyKind

    if text not in set(KeyKind):
        raise typer.BadParameter(f"{text!r} is neither {' nor '.join(KeyKind)}")
    return text


@keys.command("create")
@with_place("data", "config")
def create_key(
    place: StorePlace,
    kind: Annotated[
        str,
        typer.Argument(
            help="For a user or a station.", metavar="{user|station}", parser=_kind
        ),
    ],
    *,
    name: Annotated[str, typer.Option("--name", help="Whose key it is.", metavar="N")],
    email: Annotated[
        str | None,
        typer.Option(
            "--email", help="A user's address, as runs name operators.", metavar="A"
        ),
    ] = None,
    as_json: options.AsJSON = False,
) -> None:
    """Make an API key and print it once."""
    from rigbridge.hosting import KeyKind

    with place.hosted_store() as (_, destination):
        key = destination.create_key(KeyKind(kind), name, email=email)
    if as_json:
        say_json({"key": key})
    else:
        # What was asked for, also where all else is hushed.
        say_ids([key])


@keys.command("list")
@with_place("data", "config")
def list_keys(
    place: StorePlace,
    *,
    as_json: options.AsJSON = False,
) -> None:
    """List the API keys: whose they are, and when they were last used."""
    with place.hosted_store() as (_, destination):
        records = destination.list_keys()
    if as_json:
        say_json([_shown(record) for record in records])
        return
    if is_quiet():
        say_ids(record.prefix for record in records)
    if not records:
        say("no keys")
    for record in records:
        used = "never used"
        if record.last_used_at is not None:
            used = f"last used {record.last_used_at:%Y-%m-%d %H:%M} UTC"
        state = used if record.revoked_at is None else "revoked"
        say(f"{record.prefix}  {record.kind.value:<8}{record.owner}  ({state})")


@keys.command("revoke")
@with_place("data", "config")
def revoke_key(
    place: StorePlace,
    prefix: Annotated[str, typer.Argument(help="The key's public part, or the key.")],
    *,
    as_json: options.AsJSON = False,
) -> None:
    """Refuse an API key from now on, at running servers too."""
    with place.hosted_store() as (_, destination):
        record = destination.revoke_key(prefix)
    if as_json:
        say_json(_shown(record))
    else:
        say(f"key {record.prefix} of {record.kind.value} {record.owner} is revoked")


def _shown(record: KeyRecord) -> dict[str, str | None]:
    moments = {
        name: getattr(record, name)
        for name in ("created_at", "last_used_at", "revoked_at")
    }
    return {
        "prefix": record.prefix,
        "kind": record.kind.value,
        "owner": record.owner,
        **{
            name: None if moment is None else moment.isoformat()
            for name, moment in moments.items()
        },
    }

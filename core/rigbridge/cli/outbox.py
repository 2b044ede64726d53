"""``outbox``: what waits to be sent, and what a person decides about it."""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rigbridge.cli import options
from rigbridge.cli.output import (
    count_of,
    is_quiet,
    say,
    say_ids,
    say_json,
    say_table,
    say_warning,
)
from rigbridge.cli.places import StorePlace, with_place
from rigbridge.cli.runs.finding import shown_ids
from rigbridge.cli.runs.wording import size_of
from rigbridge.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rigbridge.configuration import Configuration
    from rigbridge.model import Run
    from rigbridge.outbox import Outbox, OutboxEntry

__all__ = ["app"]

app = typer.Typer(
    help="See and steer what waits to be sent.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_COLUMNS = (
    "State",
    "To",
    "Unit",
    "Procedure",
    "Handed over",
    "Tries",
    "Next",
    "Run",
    "Why",
)
_UNKNOWN = "-"

_Ids = Annotated[
    list[str] | None,
    typer.Argument(help="Ids of runs, or their beginnings.", metavar="ID..."),
]
_Parked = Annotated[
    bool, typer.Option("--parked", help="Every run that waits for a person.")
]


def _say_others(configuration: Configuration, others: Mapping[str, int]) -> None:
    """Tell what goes elsewhere, and the command that sends it there."""
    from rigbridge.configuration import command_line

    for name, count in others.items():
        command = command_line(configuration, "outbox", "flush", to=name)
        verb = "waits" if count == 1 else "wait"
        say(f"elsewhere: {count_of(count, 'run')} {verb} for {name} ({command})")


def _others_document(
    configuration: Configuration, others: Mapping[str, int]
) -> list[dict[str, object]]:
    from rigbridge.configuration import command_line

    return [
        {
            "destination": name,
            "waiting": count,
            "command": command_line(configuration, "outbox", "flush", to=name),
        }
        for name, count in others.items()
    ]


@app.command("status")
@with_place("to", "data", "config")
def status(
    place: StorePlace,
    *,
    as_json: options.AsJSON = False,
) -> None:
    """Say how much waits, and what is parked."""
    from rigbridge.configuration import command_line

    with place.outbox() as (configuration, outbox):
        now = outbox.status()
    if as_json:
        say_json(
            {
                "folder": str(outbox.folder),
                "to": configuration.to,
                "waiting": now.waiting,
                "parked": now.parked,
                "delivered": now.delivered,
                "oldest": now.oldest,
                "held": now.held,
                "stuck": now.stuck,
                "others": _others_document(configuration, now.others),
                "set_aside": [str(path) for path in now.set_aside],
            }
        )
    else:
        say(f"outbox {outbox.folder}, to {configuration.to}")
        oldest = (
            "" if now.oldest is None else f", the oldest since {_moment(now.oldest)}"
        )
        say(f"waiting:   {now.waiting}{oldest}")
        listing = command_line(configuration, "outbox", "list", to="")
        hint = f" (see '{listing}', then retry or drop)" if now.parked else ""
        say(f"parked:    {now.parked}{hint}")
        say(f"delivered: {now.delivered}")
        if now.held is not None:
            say(f"held:      {now.held}")
        if now.stuck:
            runs = count_of(now.stuck, "run")
            say(f"stuck:     {runs} failed for a day while others got through")
        _say_others(configuration, now.others)
        for path in now.set_aside:
            say(f"damaged:   {path} was set aside; remove it if nothing is missing")


@app.command("list")
@with_place("data", "config")
def list_entries(
    place: StorePlace,
    *,
    parked: _Parked = False,
    delivered: Annotated[
        bool, typer.Option("--delivered", help="Those that arrived, too.")
    ] = False,
    as_json: options.AsJSON = False,
) -> None:
    """List the runs that wait, the first that was handed over first."""
    import attrs

    from rigbridge.outbox import EntryState

    # What waits for a person is always shown.
    states = [EntryState.PARKED]
    if not parked:
        states += [EntryState.PENDING, EntryState.SENDING]
    if delivered:
        states.append(EntryState.DONE)
    with place.outbox() as (_, outbox):
        entries = outbox.entries(states)
    if as_json:
        say_json([attrs.asdict(entry) for entry in entries])
    elif is_quiet():
        say_ids(str(entry.id) for entry in entries)
    elif entries:
        ids = shown_ids([str(entry.id) for entry in entries])
        say_table(_COLUMNS, map(_row, entries, ids))
    else:
        say("nothing waits")


@app.command("show")
@with_place("data", "config")
def show(
    place: StorePlace,
    run_id: Annotated[str, typer.Argument(help="The run's id.", metavar="ID")],
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            help="Write the run there, and its files to FILE.attachments.",
            metavar="FILE",
        ),
    ] = None,
    as_json: options.AsJSON = False,
) -> None:
    """Show one run of the outbox: where it stands, and what it holds."""
    import attrs

    from rigbridge.kept import run_line
    from rigbridge.outbox import EntryState

    with place.outbox() as (_, outbox):
        entry = _find(outbox, run_id)
        run = report = None
        if entry.state is not EntryState.DONE:
            run, report = outbox.run(entry.id)
        if output is not None:
            _write_run(run, output)
    document = attrs.asdict(entry)
    if as_json:
        # A line that an import reads; what it does not know of a run is passed over.
        line = {} if run is None else run_line(run, report)
        say_json({**line, "outbox": document})
        return
    for name, value in document.items():
        if value is not None:
            shown = _moment(value) if isinstance(value, datetime) else value
            say(f"{name.replace('_', ' ') + ':':<15}{shown}")
    if run is None:
        say("it is delivered: the store holds it, the outbox no longer does")
        return
    say(f"{'outcome:':<15}{run.outcome.value}")
    say(f"{'phases:':<15}{len(run.phases)}")
    for attachment in run.attachments:
        say(f"{'attachment:':<15}{attachment.name} ({size_of(attachment)})")


def _write_run(run: Run | None, output: Path) -> None:
    """Write a run as 'runs export' does, its attachments beside it."""
    from rigbridge.export import ExportFormat, export_runs

    if run is None:
        raise ConfigurationError(
            "the outbox no longer holds the run: it is delivered",
            remedy="'rigbridge runs export' writes what is stored",
        )
    result = export_runs([run], output, form=ExportFormat.JSONL)
    for problem in result.missing:
        say_warning(f"{output}: an attachment is missing: {problem}")


@app.command("retry")
@with_place("data", "config")
def retry(
    place: StorePlace,
    run_ids: _Ids = None,
    *,
    parked: _Parked = False,
    stored_as: Annotated[
        str | None,
        typer.Option(
            "--stored-as",
            help="The stored run that it is: its files are sent, the run is not.",
            metavar="ID",
        ),
    ] = None,
    as_json: options.AsJSON = False,
) -> None:
    """Have parked or waiting runs tried again at once by whoever sends."""
    from rigbridge.configuration import command_line

    with place.outbox() as (configuration, outbox):
        chosen = _chosen(outbox, run_ids, parked=parked)
        if stored_as is not None and len(chosen) != 1:
            raise ConfigurationError(
                "one stored run is one run", remedy="name one run with --stored-as"
            )
        counts = Counter(entry.destination for entry in chosen)
        for entry in chosen:
            outbox.retry(entry.id, stored_as=stored_as)
    commands = {
        name: command_line(configuration, "outbox", "flush", to=name)
        for name in counts or (None,)
    }
    if as_json:
        say_json(
            {
                "retried": [str(entry.id) for entry in chosen],
                "commands": list(commands.values()),
            }
        )
    else:
        words = " and ".join(f"'{command}'" for command in commands.values())
        verb = "is" if len(chosen) == 1 else "are"
        say(f"{count_of(len(chosen), 'run')} {verb} tried again ({words} sends now)")


@app.command("drop")
@with_place("data", "config")
def drop(
    place: StorePlace,
    run_ids: _Ids = None,
    *,
    parked: _Parked = False,
    as_json: options.AsJSON = False,
) -> None:
    """Remove runs for good, without delivering them."""
    with place.outbox() as (_, outbox):
        chosen = _chosen(outbox, run_ids, parked=parked)
        for entry in chosen:
            outbox.drop(entry.id)
    if as_json:
        say_json({"dropped": [str(entry.id) for entry in chosen]})
    else:
        say(f"dropped {count_of(len(chosen), 'run')}")


@app.command("move")
@with_place("data", "config")
def move(
    place: StorePlace,
    old: Annotated[
        str, typer.Argument(help="Where runs go now, as listed.", metavar="OLD")
    ],
    new: Annotated[
        str, typer.Argument(help="The new name or address of it.", metavar="NEW")
    ],
    *,
    as_json: options.AsJSON = False,
) -> None:
    """Say that a store has a new address: what waits for the old one goes there."""
    from rigbridge.configuration import command_line
    from rigbridge.destinations.address import destination_name

    # NEW is checked like any other destination: a misspelled one would get nothing.
    with place._replace(to=new).outbox() as (configuration, outbox):
        moved = outbox.move(destination_name(old), configuration.destination_name)
    command = command_line(configuration, "outbox", "flush")
    if as_json:
        say_json(
            {
                "moved": moved,
                "to": configuration.destination_name,
                "command": command,
            }
        )
    else:
        verb = "goes" if moved == 1 else "go"
        say(
            f"{count_of(moved, 'run')} {verb} to {configuration.destination_name} now"
            f" ('{command}' sends)"
        )


@app.command("flush")
@with_place()
def flush(
    place: StorePlace,
    *,
    deadline: Annotated[
        float,
        typer.Option("--deadline", help="Seconds that this may take.", min=0),
    ] = 60.0,
    as_json: options.AsJSON = False,
) -> None:
    """Send what waits, now; say what is left."""
    # What the sender has to say about single runs goes where errors go.
    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING)
    with place.outbox() as (configuration, outbox):
        # An agent may send meanwhile: what has arrived is told, whoever sent it.
        before = outbox.status()
        left = outbox.flush(deadline)
        after = outbox.status()
    sent = after.delivered - before.delivered
    if as_json:
        say_json(
            {
                "sent": sent,
                "waiting": left,
                "parked": after.parked,
                "held": after.held,
                "others": _others_document(configuration, after.others),
            }
        )
    else:
        say(f"sent {sent}, waiting {left}, parked {after.parked}")
        if after.held is not None:
            say(f"held: {after.held}")
        _say_others(configuration, after.others)
    if left or after.parked > before.parked:
        raise typer.Exit(1)


def _chosen(
    outbox: Outbox, run_ids: list[str] | None, *, parked: bool
) -> list[OutboxEntry]:
    """Find the runs that are named; all of them before any is touched."""
    from rigbridge.outbox import EntryState

    if parked == bool(run_ids):
        raise ConfigurationError(
            "name runs by their ids, or all parked ones by --parked",
            remedy="see 'rigbridge outbox list'",
        )
    if parked:
        return outbox.entries([EntryState.PARKED])
    found = [_find(outbox, text) for text in run_ids or ()]
    # Two beginnings of one id name the same run.
    return list({entry.id: entry for entry in found}.values())


def _find(outbox: Outbox, text: str) -> OutboxEntry:
    from rigbridge.outbox import EntryState

    # In every state: what has arrived can still be asked about.
    found = [
        entry
        for entry in outbox.entries(tuple(EntryState))
        if str(entry.id).startswith(text.lower())
    ]
    if not text or len(found) != 1:
        how = "is the beginning of several ids" if found else "is no run of the outbox"
        raise ConfigurationError(
            f"{text!r} {how}", remedy="see 'rigbridge outbox list --delivered'"
        )
    return found[0]


def _row(entry: OutboxEntry, shown: str) -> tuple[str, ...]:
    return (
        entry.state.value,
        entry.destination or _UNKNOWN,
        entry.serial_number or _UNKNOWN,
        entry.procedure or _UNKNOWN,
        _moment(entry.submitted_at),
        str(entry.attempts),
        _UNKNOWN if entry.due is None else _moment(entry.due),
        shown,
        entry.reason or "",
    )


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"

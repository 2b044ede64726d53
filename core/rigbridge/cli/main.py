"""
The ``rigbridge`` command.

Exit codes: 0 all well, 1 something failed, 2 wrong usage or configuration.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

import rigbridge
from rigbridge.cli import (
    adapters,
    agent,
    importing,
    ledger,
    outbox,
    quarantine,
    serving,
    upkeep,
    watching,
)
from rigbridge.cli.catalog import procedures, stations
from rigbridge.cli.options import StrictCommand, read_plainly
from rigbridge.cli.output import error_document, say, say_error, say_json
from rigbridge.cli.runs.commands import app as runs
from rigbridge.errors import ConfigurationError, PluginLoadError, RigbridgeError

if TYPE_CHECKING:
    from rigbridge.machine.plugins import PluginLoader

__all__ = ["COMMAND_GROUP", "app", "run"]

COMMAND_GROUP = "rigbridge.commands"
"""The entry-point group in which distributions offer commands: ``typer.Typer`` apps."""


class _Commands(TyperGroup):
    """Our own commands, and those that adapters and plugins offer by entry points."""

    # The classes of click: of the package, or of the copy that Typer brings.

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Read the options before the command."""
        read_plainly(self)
        return super().make_context(*args, **kwargs)

    def list_commands(self, ctx: Any) -> list[str]:
        """Name our own commands, then the others."""
        own = super().list_commands(ctx)
        return [*own, *(name for name in _offered().names if name not in own)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Give a command; one that is not ours is loaded when it is asked for."""
        found = super().get_command(ctx, cmd_name)
        if found is not None:
            return found
        loader = _offered()
        if cmd_name not in loader.names:
            return None
        offered = loader.load(cmd_name)
        if not isinstance(offered, typer.Typer):
            raise PluginLoadError(
                f"{cmd_name!r} of {loader.owner(cmd_name)[0]} is no typer.Typer",
                remedy="correct its entry point in rigbridge.commands",
            )
        command = typer.main.get_command(offered)
        read_plainly(command)
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands for the help; those of others are named, not loaded."""
        from importlib.metadata import entry_points  # slow

        own = super().list_commands(ctx)
        rows = [(name, self.commands[name].get_short_help_str()) for name in own]
        # Their loader costs as much as all the rest, and is not needed for names.
        rows += [
            (name, f"Commands of the plugin {name}.")
            for name in sorted(
                {entry.name for entry in entry_points(group=COMMAND_GROUP)}
            )
            if name not in own
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _offered() -> PluginLoader:
    # Our own commands need no entry points, and start without looking for them.
    from rigbridge.machine.plugins import PluginLoader

    return PluginLoader(COMMAND_GROUP)


app = typer.Typer(
    name="rigbridge",
    cls=_Commands,
    help="Brings hardware-test results of every dialect into a run store.",
    no_args_is_help=True,
    # Help drawn by Rich takes four times as long to appear.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("demo")(importing.demo)
app.command("import", cls=StrictCommand)(importing.import_reports)
app.command("convert")(importing.convert)
app.command("serve")(serving.serve)
app.command("agent")(agent.agent)
app.command("watch")(watching.watch)
app.add_typer(runs, name="runs")
app.add_typer(upkeep.app, name="store")
app.add_typer(outbox.app, name="outbox")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(ledger.app, name="ledger")
app.add_typer(serving.keys, name="keys")
app.add_typer(stations, name="stations")
app.add_typer(procedures, name="procedures")
app.add_typer(adapters.app, name="adapters")


def _show_version(wanted: bool) -> None:
    if wanted:
        say(f"rigbridge {rigbridge.__version__}")
        raise typer.Exit


@app.callback()
def _main(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version.",
            callback=_show_version,
            is_eager=True,
        ),
    ] = False,
) -> None:
    del version


def run() -> None:
    """Run the command line; ends the process with the exit code."""
    try:
        app()
    # One line, no traceback: the message, its place and the remedy say it all.
    except RigbridgeError as error:
        say_error(error)
        if "--json" in sys.argv:
            say_json({"error": error_document(error)})
        # 2 as typer has it for wrong usage: the caller must change something.
        sys.exit(2 if isinstance(error, ConfigurationError) else 1)
    except OSError as error:
        # A disk that is full, a terminal that is gone: the system's fault, not ours.
        say_error(_system_error(error))
        _leave_output()
        sys.exit(1)


def _leave_output() -> None:
    """Drop what standard output does not take; Python would try it again at the end."""
    try:
        sys.stdout.flush()
    except OSError:
        # The exit code would be 120 then, and two lines more would stand there.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _system_error(error: OSError) -> RigbridgeError:
    return RigbridgeError(
        error.strerror or str(error),
        source=None if error.filename is None else os.fsdecode(error.filename),
        remedy="look at the disk and the permissions",
    )

"""The options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

__all__ = [
    "AdapterName",
    "AfterFolder",
    "AfterImport",
    "Again",
    "ApiKey",
    "AsJSON",
    "BadCopy",
    "BadMove",
    "ConfigFile",
    "Dask",
    "DataFolder",
    "Exclude",
    "FromPlan",
    "Include",
    "Jobs",
    "MorePaths",
    "OnlyIds",
    "Plan",
    "Quiet",
    "Refused",
    "Replace",
    "RunTable",
    "SerialFrom",
    "SerialNumbersFrom",
    "SourceFiles",
    "SourcePaths",
    "Strict",
    "StrictCommand",
    "Target",
    "ThenDone",
    "TimeZone",
    "complete_adapters",
]

AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
DataFolder = Annotated[
    Path | None,
    typer.Option("--data", help="Folder of the embedded store.", metavar="DIR"),
]
SourceFiles = Annotated[
    list[Path],
    # Whether a file can be read is said of it alone; the others are still to come.
    typer.Argument(help="Report files.", readable=False),
]
SourcePaths = Annotated[
    list[str],
    typer.Argument(help="Files, folders, patterns, archives or URLs."),
]
Include = Annotated[
    list[str] | None,
    typer.Option(
        "--include", help="Take only files like this; repeatable.", metavar="'*.xml'"
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude", help="Leave out files like this; repeatable.", metavar="'old/**'"
    ),
]


class ThenDone(StrEnum):
    """What becomes of a file that was imported."""

    KEEP = "keep"
    MOVE = "move"
    ARCHIVE = "archive"
    DELETE = "delete"


AfterImport = Annotated[
    ThenDone,
    typer.Option("--after", help="What becomes of a file once its runs are stored."),
]
AfterFolder = Annotated[
    Path | None,
    typer.Option(
        "--after-folder", help="Where --after moves or archives to.", metavar="DIR"
    ),
]
BadCopy = Annotated[
    Path | None,
    typer.Option(
        "--bad-copy", help="Copy bad files there, with the reason.", metavar="DIR"
    ),
]
BadMove = Annotated[
    Path | None,
    typer.Option(
        "--bad-move", help="Move bad files there, with the reason.", metavar="DIR"
    ),
]
Target = Annotated[
    str | None,
    typer.Option("--to", help="Where runs go: 'local' or a URL.", metavar="URL|local"),
]
ApiKey = Annotated[
    str | None,
    typer.Option(
        "--api-key",
        help="API key; better set RIGBRIDGE_API_KEY.",
        metavar="KEY",
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="Read this file only.", metavar="FILE"),
]


def complete_adapters(incomplete: str) -> list[str]:
    """Offer the installed adapters whose names begin so; none of them is loaded."""
    # Only when Tab is pressed: --help must stay fast.
    from rigbridge.adapters import ADAPTER_GROUP  # noqa: PLC0415
    from rigbridge.machine.plugins import PluginLoader  # noqa: PLC0415

    names = PluginLoader(ADAPTER_GROUP).names
    return [name for name in names if name.startswith(incomplete)]


AdapterName = Annotated[
    str | None,
    typer.Option(
        "--adapter",
        help="Use this adapter, do not detect.",
        metavar="NAME",
        autocompletion=complete_adapters,
    ),
]
Again = Annotated[
    bool,
    typer.Option("--again", help="Read also what was imported before as it is."),
]
MorePaths = Annotated[
    list[str] | None,
    typer.Argument(
        help="Files, folders, patterns, archives or URLs.", show_default=False
    ),
]
Plan = Annotated[
    Path | None,
    typer.Option(
        "--plan", help="Store nothing; write what would be done.", metavar="FILE"
    ),
]
FromPlan = Annotated[
    Path | None,
    typer.Option(
        "--from-plan", help="Import exactly the files of a plan.", metavar="FILE"
    ),
]
Replace = Annotated[
    bool,
    typer.Option(
        "--replace",
        help="With --again: let stored runs make way for what is read now.",
    ),
]
OnlyIds = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Show only ids, or what went wrong."),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Show only what went wrong.")
]
RunTable = Annotated[
    bool, typer.Option("--runs", help="Show the runs in a table, in the end.")
]
Dask = Annotated[
    str | None,
    typer.Option(
        "--dask",
        help="Let the workers of this Dask scheduler read.",
        metavar="tcp://HOST:PORT",
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        help="Processes that read; by default one for each processor.",
        metavar="N",
        min=1,
    ),
]
TimeZone = Annotated[
    str | None,
    typer.Option(
        "--time-zone", help="Zone of times without one.", metavar="Europe/Berlin"
    ),
]


class Refused(StrEnum):
    """Runs of which what is missing are refused."""

    LOST = "lost"
    ALL = "all"


class SerialFrom(StrEnum):
    """Where a serial number is taken from that a report lacks."""

    FILE_NAME = "file-name"


SerialNumbersFrom = Annotated[
    SerialFrom | None,
    typer.Option(
        "--serial-from",
        help="Take a serial number that is missing from the file name, without its "
        "extension.",
    ),
]

_STRICT = "--strict"

Strict = Annotated[
    Refused | None,
    typer.Option(
        _STRICT,
        help="Refuse runs of which anything is lost; with =all also what is left out.",
        metavar="[=all]",
    ),
]


class StrictCommand(TyperCommand):
    """A command whose option ``--strict`` may have a value, after an equals sign."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give the option its usual value where it has none."""
        # By version, Typer's context is click's or one of its own.
        # Typer has no option with an optional value; without one it would take the
        # path that follows.
        options = args.index("--") if "--" in args else len(args)
        given = [
            f"{_STRICT}={Refused.LOST}" if arg == _STRICT and at < options else arg
            for at, arg in enumerate(args)
        ]
        return super().parse_args(ctx, given)

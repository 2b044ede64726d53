"""
The options that several commands share, and how their values are read.

Recent releases of Typer build a Pydantic adapter for each option of a command, given or
not. Importing Pydantic takes longer than all the rest of a command that has nothing to
do. Texts, paths and choices that are in order need none of it; all else, above all what
is wrong, is left to Typer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, cast, get_args, get_origin

import typer
from typer.core import TyperCommand

__all__ = [
    "AdapterName",
    "Again",
    "ApiKey",
    "AsJSON",
    "ConfigFile",
    "Dask",
    "DataFolder",
    "Database",
    "FromPlan",
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
    "TimeZone",
    "complete_adapters",
    "read_plainly",
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
Database = Annotated[
    str | None,
    typer.Option("--db", help="PostgreSQL database of the tables.", metavar="URL"),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="Read this file only.", metavar="FILE"),
]


def complete_adapters(incomplete: str) -> list[str]:
    """Offer the installed adapters whose names begin so; none of them is loaded."""
    # Only when Tab is pressed: --help must stay fast.
    from rigbridge.adapters import ADAPTER_GROUP
    from rigbridge.machine.plugins import PluginLoader

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


def read_plainly(command: Any) -> None:
    """
    Let the options of a command, and of those below it, be read without Pydantic.

    Args:
        command: a command or a group of Typer's, whose classes are click's or its own.
    """
    given = command.get_params

    def get_params(ctx: Any) -> list[Any]:
        # Among them is the option --help, which is made for each call.
        parameters: list[Any] = given(ctx)
        for parameter in parameters:
            build = getattr(parameter, "get_runtime_param", None)
            # Earlier releases of Typer read them without Pydantic themselves.
            if build is not None and not isinstance(build, _PlainValues):
                parameter.get_runtime_param = _PlainValues(parameter, build)
        return parameters

    command.get_params = get_params
    for member in getattr(command, "commands", {}).values():
        read_plainly(member)


class _PlainValues:
    """Stands in for what Typer reads the values of one option with."""

    def __init__(self, parameter: Any, build: Callable[[], Any]) -> None:
        self._build = build
        annotation = parameter.type_descriptor.annotation
        self._is_list = get_origin(annotation) is list
        self._type = get_args(annotation)[0] if self._is_list else annotation

    # Typer calls what it has built an option with, and asks the result to coerce.
    def __call__(self) -> _PlainValues:
        return self

    def coerce(self, value: Any, *, param: Any, ctx: Any) -> Any:
        """Give the value as its type."""
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if self._is_list and isinstance(value, (list, tuple)):
            items = cast("Sequence[object]", value)
            values = [self._plain(item, param) for item in items]
            if None not in values:
                return values
        elif (plain := self._plain(value, param)) is not None:
            return plain
        return self._build().coerce(value, param=param, ctx=ctx)

    def _plain(self, value: Any, parameter: Any) -> Any:
        """Give one value as its type; None for what Typer has to look at."""
        kind = self._type
        if kind is str and isinstance(value, str):
            return value
        if kind is Path and isinstance(value, str):
            return Path(value) if _is_fine(value, parameter) else None
        if kind is int and isinstance(value, str):
            return _number(value, parameter)
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            return next((item for item in kind if item == value), None)
        return None


def _is_fine(path: str, parameter: Any) -> bool:
    """Say whether Typer has nothing to complain of a path."""
    wished = parameter.type_descriptor.parameter_info
    if wished.exists or wished.writable or wished.resolve_path or wished.allow_dash:
        return False
    if not (wished.file_okay and wished.dir_okay):
        return False
    return not wished.readable or os.access(path, os.R_OK) or not Path(path).exists()


def _number(text: str, parameter: Any) -> int | None:
    """Read a plain number that is in its range."""
    # int() takes more than Typer does: blanks, underscores and digits of other scripts.
    if not (text.isascii() and text.isdecimal()):
        return None
    wished, number = parameter.type_descriptor.parameter_info, int(text)
    is_below = wished.min is not None and number < wished.min
    is_above = wished.max is not None and number > wished.max
    return None if is_below or is_above or wished.clamp else number

"""The options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "AdapterName",
    "ApiKey",
    "AsJSON",
    "ConfigFile",
    "DataFolder",
    "SourceFiles",
    "SourcePaths",
    "Target",
    "TimeZone",
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
    list[Path],
    typer.Argument(help="Files or folders.", readable=False),
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
AdapterName = Annotated[
    str | None,
    typer.Option("--adapter", help="Use this adapter, do not detect.", metavar="NAME"),
]
TimeZone = Annotated[
    str | None,
    typer.Option(
        "--time-zone", help="Zone of times without one.", metavar="Europe/Berlin"
    ),
]

"""``rigbridge csv``: a profile from an example, and what a profile makes of a file."""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rigbridge_csv.learning.trial import ProfileTrial

__all__ = ["app"]

app = typer.Typer(
    help="Profiles of delimited logs.",
    no_args_is_help=True,
    rich_markup_mode=None,
    # That of the whole program serves these commands as well.
    add_completion=False,
)

_AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Show only what went wrong.")
]
_File = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A log.")
]


@app.command("learn")
def learn(
    file: _File,
    *,
    to: Annotated[
        Path | None, typer.Option("--to", help="Write the draft to this file.")
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option("--into", help="Append the draft to this configuration file."),
    ] = None,
    quiet: _Quiet = False,
    as_json: _AsJSON = False,
) -> None:
    """Write a draft of a profile from an example, with the reason for each key."""
    from rigbridge.adapters import Source
    from rigbridge.errors import RigbridgeError
    from rigbridge_csv.learning.check import checked_draft
    from rigbridge_csv.learning.toml_draft import as_configuration

    try:
        text, ready = checked_draft(Source.from_path(file))
    except RigbridgeError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if to is not None:
        to.write_text(text, encoding="utf-8")
    if into is not None:
        with into.open("a", encoding="utf-8") as stream:
            stream.write(as_configuration(text))
    if as_json:
        _say_json({"profile": text, "ready": ready})
    elif to is None and into is None and not quiet:
        typer.echo(text, nl=False)
    elif not ready:
        # The draft says it as well, but is not on the screen.
        for line in text.partition("\n\n")[0].splitlines()[1:]:
            typer.echo(line.removeprefix("# "), err=True)
    raise typer.Exit(0 if ready else 1)


@app.command("try")
def try_file(
    profile: Annotated[
        Path,
        typer.Argument(
            metavar="PROFILE",
            dir_okay=False,
            help="A profile in TOML, TofuPilot's column mapping in JSON, or the name "
            "of a built-in profile.",
        ),
    ],
    file: _File,
    *,
    runs: Annotated[
        int, typer.Option("--runs", min=1, help="Show as many runs whole.")
    ] = 2,
    time_zone: Annotated[
        str | None,
        typer.Option("--time-zone", help="The zone of wall times, as Europe/Berlin."),
    ] = None,
    quiet: _Quiet = False,
    as_json: _AsJSON = False,
) -> None:
    """Show cell by cell what a profile makes of a file, and what is left."""
    from rigbridge.adapters import Source
    from rigbridge.errors import ConfigurationError, RigbridgeError
    from rigbridge_csv.learning.trial import load_profile, stated_zone, try_profile

    try:
        found = try_profile(
            load_profile(profile),
            Source.from_path(file),
            time_zone=time_zone or stated_zone(profile),
        )
    except RigbridgeError as error:
        typer.echo(str(error), err=True)
        wrong = isinstance(error, ConfigurationError)
        raise typer.Exit(2 if wrong else 1) from error
    if as_json:
        _say_json(_document(found, runs))
    else:
        for left_out in found.failures:
            typer.echo(f"left out: {left_out}", err=True)
        if not quiet:
            _show(found, runs)
    raise typer.Exit(1 if found.failures or not found.runs else 0)


def _say_json(document: object) -> None:
    import json

    typer.echo(json.dumps(document, ensure_ascii=False))


def _document(found: ProfileTrial, most: int) -> dict[str, object]:
    from rigbridge_csv.learning.trial import shown_run

    return {
        "runs": len(found.runs),
        "shown": [list(shown_run(run)) for run in found.runs[:most]],
        "left_out": [str(error) for error in found.failures],
        "report": found.report.as_document(),
    }


def _show(found: ProfileTrial, most: int) -> None:
    from rigbridge_csv.learning.trial import shown_run

    for number, run in enumerate(found.runs[:most], start=1):
        typer.echo(f"run {number}")
        for name, text in shown_run(run):
            typer.echo(f"  {name:<24} {text}")
    if len(found.runs) > most:
        more = len(found.runs) - most
        typer.echo(f"and {more} more {'run' if more == 1 else 'runs'}")
    for entry in found.report.entries:
        typer.echo(str(entry))
    typer.echo(found.counts)


@app.command("keys")
def keys(*, as_json: _AsJSON = False) -> None:
    """Print every key of a profile with its default and its meaning."""
    from rigbridge_csv.learning.reference import reference_page

    if as_json:
        _say_json({"page": reference_page()})
    else:
        typer.echo(reference_page(), nl=False)

"""``runs list``, ``runs show`` and ``runs attach``: what a store holds."""

# ruff: noqa: PLC0415 - each command imports what it needs: --help must stay fast

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from rigbridge.cli import options
from rigbridge.cli.opened import opened_store
from rigbridge.cli.output import (
    count_of,
    error_document,
    progress,
    say,
    say_error,
    say_json,
    say_table,
)
from rigbridge.cli.run_view import LISTED_COLUMNS, listed_row, say_run
from rigbridge.errors import (
    ConfigurationError,
    FileUnreadableError,
    NotFoundError,
    RigbridgeError,
    SourceUnreadableError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rigbridge.destinations import Destination, ReadableDestination
    from rigbridge.destinations.selection import RunSelection
    from rigbridge.model import Run

__all__ = ["app"]

app = typer.Typer(
    help="See the runs of a store.", no_args_is_help=True, rich_markup_mode=None
)


_Word = TypeVar("_Word", bound=StrEnum)


def _readable(destination: Destination, what: str) -> ReadableDestination:
    from rigbridge.destinations import ReadableDestination

    if not isinstance(destination, ReadableDestination):
        raise ConfigurationError(
            f"this store cannot {what}", remedy="use runs list --serial SN"
        )
    return destination


@app.command("list")
def list_runs(
    *,
    serial: Annotated[
        str | None, typer.Option("--serial", help="Only this unit.", metavar="SN")
    ] = None,
    limit: Annotated[
        int,
        typer.Option(help="Without --serial, how many.", min=1, max=1_000_000),
    ] = 50,
    to: options.Target = None,
    data: options.DataFolder = None,
    api_key: options.ApiKey = None,
    config: options.ConfigFile = None,
    as_json: options.AsJSON = False,
) -> None:
    """List the runs of a unit, or the ones stored last, newest first."""
    from rigbridge.destinations import foreign_failures

    with opened_store(to=to, data=data, api_key=api_key, config=config) as opened:
        configuration, destination = opened
        if serial is None:
            store = _readable(destination, "list all runs")
            with foreign_failures(destination, "recent_runs"):
                runs = list(store.recent_runs(limit))
        else:
            with foreign_failures(destination, "list_runs"):
                runs = list(destination.list_runs(serial))
    if as_json:
        say_json(runs)
    elif runs:
        say_table(LISTED_COLUMNS, map(listed_row, runs), named=True)
    else:
        # A store that is named by mistake is made anew, and is empty: say which it is.
        where = configuration.data if configuration.is_local else configuration.to
        unit = "" if serial is None else f" of unit {serial}"
        say(f"no runs{unit} in {where}")


@app.command("show")
def show_run(
    run_id: Annotated[str, typer.Argument(help="The run's id.", metavar="ID")],
    *,
    to: options.Target = None,
    data: options.DataFolder = None,
    api_key: options.ApiKey = None,
    config: options.ConfigFile = None,
    as_json: options.AsJSON = False,
) -> None:
    """Show one run with its phases, measurements and attachments."""
    from rigbridge.convert import to_document
    from rigbridge.destinations import foreign_failures

    with opened_store(to=to, data=data, api_key=api_key, config=config) as opened:
        configuration, destination = opened
        store = _readable(destination, "show a run by its id")
        try:
            with foreign_failures(destination, "get_run"):
                run = store.get_run(run_id)
        except NotFoundError as error:
            # A store that is named by mistake is made anew: say which it is.
            raise NotFoundError(
                error.message,
                source=str(configuration.data),
                remedy="'rigbridge runs list' shows the ids, which count in full",
            ) from error
    if as_json:
        say_json(to_document(run))
        return
    say_run(run)


_Moment = Annotated[
    datetime | None,
    typer.Option(metavar="TIME", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
]


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="Ends with .csv, .parquet or .jsonl.")],
    *,
    form: Annotated[
        str | None,
        typer.Option("--format", help="If the name does not tell.", metavar="FORMAT"),
    ] = None,
    serial: Annotated[
        str | None, typer.Option("--serial", help="Only this unit.", metavar="SN")
    ] = None,
    procedure: Annotated[
        str | None, typer.Option(help="Only this procedure.", metavar="NAME|ID")
    ] = None,
    outcome: Annotated[
        str | None, typer.Option(help="Only this verdict.", metavar="PASS|FAIL|...")
    ] = None,
    since: _Moment = None,
    until: _Moment = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file of that name.")
    ] = False,
    to: options.Target = None,
    data: options.DataFolder = None,
    config: options.ConfigFile = None,
    as_json: options.AsJSON = False,
) -> None:
    """Export runs: a row a measurement, or whole runs as JSON lines."""
    from rigbridge.destinations.selection import RunSelection
    from rigbridge.export import ExportFormat, export_runs
    from rigbridge.model import RunOutcome

    kind = (
        ExportFormat.of(file)
        if form is None
        else _word(ExportFormat, form, form.lower(), "format")
    )
    verdict = None
    if outcome is not None:
        verdict = _word(RunOutcome, outcome, outcome.upper(), "outcome")
    selection = RunSelection(
        serial_number=serial,
        procedure=procedure,
        outcome=verdict,
        # Times without a zone are UTC, as the store shows them.
        since=None if since is None else since.replace(tzinfo=UTC),
        until=None if until is None else until.replace(tzinfo=UTC),
    )
    unreadable: list[str] = []
    with opened_store(to=to, data=data, config=config) as (_, destination):
        store = _readable(destination, "export its runs")
        with progress("exporting", None, shown=not as_json) as advance:
            done = export_runs(
                _readable_runs(store, selection, unreadable),
                file,
                form=kind,
                replace=overwrite,
                advance=advance,
            )
    for name in done.missing:
        say_error(
            SourceUnreadableError(
                "the content of this attachment cannot be read", source=name
            )
        )
    if as_json:
        say_json(
            {
                "file": str(file),
                "runs": done.runs,
                "rows": done.rows,
                "runs_without_rows": done.empty,
                "contents": done.contents,
                "references": done.references,
                "missing": list(done.missing),
                "unreadable": unreadable,
            }
        )
    else:
        say(f"wrote {done.runs} runs in {done.rows} rows to {file}")
        if done.empty:
            say(f"{done.empty} runs have no measurement, and thus no row")
        if done.contents:
            say(f"wrote {done.contents} contents of attachments beside it")
        if done.references:
            say(f"{done.references} attachments are only named, as in their source")
    if done.missing or unreadable:
        raise typer.Exit(1)


def _readable_runs(
    store: ReadableDestination, selection: RunSelection, unreadable: list[str]
) -> Iterator[Run]:
    """Read runs one by one; one that cannot be read is named, and left out."""
    from rigbridge.errors import RunProblemsError

    for run_id in store.run_ids(selection):
        try:
            yield store.get_run(run_id)
        except NotFoundError:
            # Deleted meanwhile.
            continue
        except RunProblemsError as error:
            # Sent by a client whose payload makes no run; its neighbours are well.
            say_error(error)
            unreadable.append(run_id)


def _word(kind: type[_Word], given: str, spelled: str, noun: str) -> _Word:
    """Give the member of an enumeration that a user named, in any case."""
    try:
        return kind(spelled)
    except ValueError as error:
        raise ConfigurationError(
            f"{given!r} is no {noun}", remedy=f"use one of {', '.join(kind)}"
        ) from error


@app.command("attach")
def attach(
    run_id: Annotated[str, typer.Argument(help="The run's id.", metavar="ID")],
    files: Annotated[
        list[Path], typer.Argument(help="Files to attach.", readable=False)
    ],
    *,
    to: options.Target = None,
    data: options.DataFolder = None,
    api_key: options.ApiKey = None,
    config: options.ConfigFile = None,
    as_json: options.AsJSON = False,
) -> None:
    """Attach files to a run that is stored already."""
    from rigbridge.destinations import foreign_failures
    from rigbridge.errors import DeliveryError
    from rigbridge.model import Attachment

    attached: list[str] = []
    errors: list[RigbridgeError] = []
    with opened_store(to=to, data=data, api_key=api_key, config=config) as (
        _,
        destination,
    ):
        for file in files:
            try:
                attachment = Attachment.from_file(file)
                with foreign_failures(destination, "attach"):
                    destination.attach(run_id, attachment)
                attached.append(file.name)
            except FileUnreadableError as error:
                errors.append(error)
            except OSError as error:
                errors.append(
                    SourceUnreadableError(
                        error.strerror or str(error),
                        source=str(file),
                        remedy="check the path",
                    )
                )
            # A refused file must not keep the others from being attached.
            except DeliveryError as error:
                error.source = error.source or str(file)
                errors.append(error)
    for failure in errors:
        say_error(failure)
    if as_json:
        say_json(
            {
                "run": run_id,
                "attached": attached,
                "errors": [error_document(failure) for failure in errors],
            }
        )
    else:
        files_of = f"{len(attached)} of {count_of(len(files), 'file')}"
        say(f"attached {files_of} to run {run_id}")
    if errors:
        raise typer.Exit(1)

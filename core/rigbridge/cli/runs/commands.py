"""``runs list``, ``show``, ``attach`` and ``delete``: what a store holds."""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rigbridge.cli import options
from rigbridge.cli.output import (
    confirmed,
    count_of,
    error_document,
    is_quiet,
    say,
    say_error,
    say_ids,
    say_json,
)
from rigbridge.cli.places import StorePlace, with_place
from rigbridge.cli.runs.completion import RunId, complete_runs
from rigbridge.cli.runs.exporting import export
from rigbridge.cli.runs.filters import RunFilter
from rigbridge.cli.runs.finding import (
    close_to_listed,
    describe_listed,
    find_run,
    readable,
)
from rigbridge.cli.runs.view import say_listed, say_run
from rigbridge.cli.runs.wording import deletion_words
from rigbridge.errors import (
    ConfigurationError,
    FileUnreadableError,
    NotFoundError,
    RigbridgeError,
    SourceUnreadableError,
)

__all__ = ["app"]

app = typer.Typer(
    help="See the runs of a store.", no_args_is_help=True, rich_markup_mode=None
)


_USUAL = 50
# Their names are what a name that found nothing is compared with.
_LATEST = 1000
_MOST = 1_000_000

app.command("export")(export)


@app.command("list")
@with_place()
def list_runs(
    place: StorePlace,
    chosen: RunFilter,
    *,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            help="How many at most; 50 unless one unit is asked for.",
            min=1,
            max=_MOST,
        ),
    ] = None,
    as_json: options.AsJSON = False,
) -> None:
    """List the runs of a unit, or the ones stored last, newest first."""
    from rigbridge.destinations import foreign_failures

    selection, serial = chosen.selection(), chosen.serial
    most = limit or (_USUAL if serial is None else _MOST)
    meant = ""
    with place.store() as (configuration, destination):
        if serial is not None and chosen.is_of_unit_only:
            # What every store can do.
            with foreign_failures(destination, "list_runs"):
                runs = list(destination.list_runs(serial))[:most]
        else:
            store = readable(destination, "list all runs, or choose from them")
            with foreign_failures(destination, "recent_runs"):
                runs = list(store.recent_runs(most, selection))
                if not runs and (chosen.procedure or chosen.station):
                    latest = store.recent_runs(_LATEST)
                    meant = close_to_listed(
                        latest, procedure=chosen.procedure, station=chosen.station
                    )
    if as_json:
        say_json(runs)
    elif is_quiet():
        say_ids(run.id for run in runs)
    elif runs:
        say_listed(runs)
    else:
        # A store that is named by mistake is made anew, and is empty: say which it is.
        where = configuration.data if configuration.is_local else configuration.to
        unit = "" if serial is None else f" of unit {serial}"
        is_narrowed = chosen._replace(serial=None) != RunFilter()
        such = " of that kind" if is_narrowed else ""
        say(f"no runs{unit}{such} in {where}{meant}")


@app.command("show")
@with_place()
def show_run(
    place: StorePlace,
    run_id: RunId,
    *,
    as_json: options.AsJSON = False,
) -> None:
    """Show one run: why it failed, its phases, measurements and attachments."""
    from rigbridge.convert import to_document
    from rigbridge.destinations import foreign_failures

    with place.store() as (configuration, destination):
        store = readable(destination, "show a run by its id")
        whole, _ = find_run(run_id, configuration, destination)
        try:
            with foreign_failures(destination, "get_run"):
                run = store.get_run(whole)
        except NotFoundError as error:
            # A store that is named by mistake is made anew: say which it is.
            where = configuration.data if configuration.is_local else configuration.to
            raise NotFoundError(
                error.message,
                source=str(where),
                remedy="'rigbridge runs list' shows the ids",
            ) from error
    if as_json:
        say_json(to_document(run))
        return
    say_run(run)


@app.command("delete")
@with_place()
def delete_runs(
    place: StorePlace,
    run_ids: Annotated[
        list[str],
        typer.Argument(
            help="The runs' ids, or their beginnings.",
            metavar="ID...",
            autocompletion=complete_runs,
        ),
    ],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,
    as_json: options.AsJSON = False,
) -> None:
    """Delete runs for good, after saying what goes with them."""
    from rigbridge.destinations import foreign_failures
    from rigbridge.destinations.administration import AdministeredDestination

    deleted: list[str] = []
    with place.store() as (configuration, destination):
        if not isinstance(destination, AdministeredDestination):
            raise ConfigurationError("this store cannot delete runs")
        # All of them are found before any is touched.
        found = dict(find_run(text, configuration, destination) for text in run_ids)
        for run_id, listed in found.items():
            with foreign_failures(destination, "plan_deletion"):
                plan = destination.plan_deletion(run_id)
            if not as_json:
                say(f"run {run_id if listed is None else describe_listed(listed)}")
                say(f"  {deletion_words(plan)}")
            if not yes and not confirmed("delete it for good?", as_json=as_json):
                continue
            with foreign_failures(destination, "remove_run"):
                destination.remove_run(run_id)
            deleted.append(run_id)
    if as_json:
        say_json({"deleted": deleted})
    else:
        say(f"deleted {count_of(len(deleted), 'run')}")
    if len(deleted) < len(found):
        raise typer.Exit(1)


@app.command("attach")
@with_place()
def attach(
    place: StorePlace,
    run_id: RunId,
    files: Annotated[
        list[Path], typer.Argument(help="Files to attach.", readable=False)
    ],
    *,
    as_json: options.AsJSON = False,
) -> None:
    """Attach files to a run that is stored already."""
    from rigbridge.destinations import ShowingDestination, foreign_failures
    from rigbridge.errors import DeliveryError
    from rigbridge.model import Attachment

    attached: list[str] = []
    errors: list[RigbridgeError] = []
    with place.store() as (configuration, destination):
        run_id, _ = find_run(run_id, configuration, destination)
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
        page = None
        if isinstance(destination, ShowingDestination):
            page = destination.page_of(run_id)
    for failure in errors:
        say_error(failure)
    if as_json:
        say_json(
            {
                "run": run_id,
                "url": page,
                "attached": attached,
                "errors": [error_document(failure) for failure in errors],
            }
        )
    else:
        files_of = f"{len(attached)} of {count_of(len(files), 'file')}"
        say(f"attached {files_of} to run {run_id}{f': {page}' if page else ''}")
    if errors:
        raise typer.Exit(1)

"""``import``, ``convert`` and ``demo``: reports in, runs out."""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

import os
import re
import shlex
import stat
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rigbridge.cli import options
from rigbridge.cli.afterwards import FileHandling, show_afterwards
from rigbridge.cli.imports.planning import ImportPlan
from rigbridge.cli.output import (
    own_call,
    say,
    say_error,
    say_json,
    say_warning,
)
from rigbridge.cli.places import StorePlace, with_place, with_quiet
from rigbridge.errors import (
    ConfigurationError,
    NoRunError,
    RunProblemsError,
    SourceError,
)

if TYPE_CHECKING:
    from rigbridge.configuration import Configuration
    from rigbridge.imports import ReadRun, Strictness

__all__ = ["ConvertFormat", "convert", "demo", "import_reports"]


class ConvertFormat(StrEnum):
    """What ``convert`` prints of each run."""

    PAYLOAD = "payload"
    MODEL = "model"
    REPORT = "report"


@with_place("to", "data", "api_key", "time_zone", "config")
def import_reports(
    place: StorePlace,
    handling: FileHandling,
    paths: options.MorePaths = None,
    *,
    adapter: options.AdapterName = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read everything, store nothing.")
    ] = False,
    strict: options.Strict = None,
    attach_source: Annotated[
        bool, typer.Option("--attach-source", help="Attach the report itself.")
    ] = False,
    plan: options.Plan = None,
    from_plan: options.FromPlan = None,
    again: options.Again = False,
    replace: options.Replace = False,
    serial_from: options.SerialNumbersFrom = None,
    runs: options.RunTable = False,
    quiet: options.Quiet = False,
    jobs: options.Jobs = None,
    dask: options.Dask = None,
    as_json: options.AsJSON = False,
) -> None:
    """Import test reports into a run store."""
    from rigbridge.cli.imports.running import run_import
    from rigbridge.sources import is_url

    # Checked when it is complete: the rule for serial numbers is still to come.
    configuration = place.configuration(checked=False)
    paths = paths or []
    if dask is not None or plan is not None:
        # A plan may be followed from another folder, and workers run in their own.
        paths = [path if is_url(path) else os.path.abspath(path) for path in paths]  # noqa: PTH100 - keeps links
    if dask is not None:
        configuration = configuration.fixed()
        if jobs is not None:
            say_warning("--jobs is not used: with --dask the cluster's workers read")
    files = [Path(path) for path in paths if not is_url(path)]
    _warn_of_settings_not_read(files, place.config)
    if replace and not again:
        raise ConfigurationError(
            "--replace works on files that were imported before, which are skipped",
            remedy="give --again, too",
        )
    if serial_from is options.SerialFrom.FILE_NAME:
        configuration = _with_serial_rule(configuration)
    refused: Strictness = "all" if strict is options.Refused.ALL else strict is not None
    with ImportPlan(
        configuration,
        paths,
        {
            "adapter": adapter,
            "strict": str(refused),
            "attach_source": attach_source,
            "time_zone": str(configuration.time_zone.default),
            "serial_from": None if serial_from is None else serial_from.value,
        },
        write=plan,
        read=from_plan,
        dry_run=dry_run,
        shown=not (quiet or as_json),
    ) as planning:
        afterwards = handling.afterwards(planning.roots, dry_run=planning.dry_run)
        summary = run_import(
            planning.scan(handling.selection()),
            configuration,
            note=planning.note if planning.is_used else None,
            afterwards=afterwards,
            only=adapter,
            dry_run=planning.dry_run,
            strict=refused,
            attach_source=attach_source,
            again=again,
            replace=replace,
            runs=runs,
            quiet=quiet,
            jobs=jobs,
            cluster=dask,
            as_json=as_json,
        )
        is_as_planned = planning.finish(summary)
    summary.show()
    if afterwards is not None:
        show_afterwards(afterwards.counts, as_json=as_json)
    if not summary.sources and is_as_planned:
        say_error(SourceError("no file was found", remedy="check the paths"))
    complete = summary.sources > 0 and summary.succeeded and is_as_planned
    if not complete or any(map(_holds_nothing, files)):
        raise typer.Exit(1)


def _with_serial_rule(configuration: Configuration) -> Configuration:
    """Let the name of a file be the serial number where nothing else gives one."""
    import attrs

    from rigbridge.cli.summaries.grouping import SERIAL_RULE

    identity = configuration.identity
    # Behind the site's own rules: the first that finds one wins.
    rules = (*identity.file_name, re.compile(SERIAL_RULE))
    return attrs.evolve(configuration, identity=attrs.evolve(identity, file_name=rules))


def _warn_of_settings_not_read(paths: list[Path], config: Path | None) -> None:
    """Say where settings lie beside the reports that are not in force."""
    from rigbridge.configuration import FILE_NAME, project_file

    read = project_file(Path.cwd()) if config is None else config
    for path in paths:
        beside = path / FILE_NAME
        if beside.is_file() and (read is None or not beside.samefile(read)):
            say_warning(
                f"{beside}: is not read: settings come from the working folder, or "
                "the nearest above that has some (name it with --config)"
            )


def _holds_nothing(path: Path) -> bool:
    """
    Say whether a path names a file of no bytes.

    In a folder that is a report of no run. Who names it expects one.
    """
    try:
        state = path.stat()
    except OSError:
        return False  # It was reported when it was read.
    return stat.S_ISREG(state.st_mode) and state.st_size == 0


@with_place("time_zone", "config")
def convert(
    place: StorePlace,
    files: options.SourceFiles,
    *,
    adapter: options.AdapterName = None,
    form: Annotated[
        ConvertFormat, typer.Option("--format", help="What to print of each run.")
    ] = ConvertFormat.PAYLOAD,
    as_json: options.AsJSON = False,
) -> None:
    """Print the runs of reports as JSON lines; nothing is sent."""
    from rigbridge.adapters import ConversionReport, Source, Spool
    from rigbridge.imports import AdapterSet, read_source

    del as_json  # the output is JSON in any case
    configuration = place.configuration(checked=False)
    adapters = AdapterSet(configuration, only=adapter)
    succeeded = True
    for file in files:
        source = Source.from_path(file)
        try:
            installed = adapters.choose(source)
            rest = ConversionReport()
            with Spool() as spool:
                reading = read_source(
                    source, installed, configuration, spool, remainder=rest
                )
                for item in reading:
                    succeeded &= _print_run(item, form)
            if form is ConvertFormat.REPORT and rest.items():
                # What belongs to no run, such as the table of a batch.
                say_json({"run": None, "source": source.uri, **rest.as_document()})
        except SourceError as error:
            succeeded &= _print_error(error)
    if not succeeded:
        raise typer.Exit(1)


def _print_error(error: SourceError) -> bool:
    """Print an error of a source; True where the source still counts as read."""
    say_error(error)
    return isinstance(error, NoRunError)


def _print_run(item: ReadRun | SourceError, form: ConvertFormat) -> bool:
    """Print a run or what went wrong with it; True for a run."""
    if isinstance(item, SourceError):
        return _print_error(item)
    from rigbridge.convert import dump, to_document

    run, report = item.run, item.report
    try:
        match form:
            case ConvertFormat.MODEL:
                say_json(to_document(run))
            case ConvertFormat.PAYLOAD:
                say_json(dump(run, report).body)
            case ConvertFormat.REPORT:
                source = None if run.source is None else run.source.uri
                document = {"run": str(run.id), "source": source}
                say_json({**document, **report.as_document()})
    except RunProblemsError as error:
        # The runs behind it are still to come.
        say_error(error)
        return False
    return True


@with_quiet
def demo(
    *,
    data: options.DataFolder = None,
    as_json: options.AsJSON = False,
) -> None:
    """Import the bundled example reports of each kind, and show the runs."""
    from rigbridge.cli.imports.running import run_import
    from rigbridge.configuration import load_configuration
    from rigbridge.sources import Scan

    folder = Path("rigbridge-demo") if data is None else data
    # In UTC, so that the examples are the same runs on every machine.
    configuration = load_configuration(to="local", data=folder, time_zone="UTC")
    examples = resources.files("rigbridge.examples")
    with resources.as_file(examples) as path:
        names = sorted(
            item for item in path.iterdir() if item.suffix in {".xml", ".json", ".csv"}
        )
        if not as_json:
            say(f"importing {len(names)} example reports into {folder}")
        summary = run_import(
            # The table shows all of them, the second time, too.
            Scan(names),
            configuration,
            again=True,
            runs=True,
            as_json=as_json,
        )
    summary.show()
    if not as_json:
        _show_next(summary.example, folder)
    if not summary.succeeded:
        raise typer.Exit(1)


def _show_next(example: str | None, folder: Path) -> None:
    """Say how to look at what the demo stored, one run above all."""
    call, where = own_call(), f"--data {shlex.quote(str(folder))}"
    say("")
    say(f"all runs:     {call} runs list {where}")
    if example is not None:
        say(f"one of them:  {call} runs show {example} {where}")
    say(f"in a browser: {call} serve {where}")

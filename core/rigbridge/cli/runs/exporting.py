"""``runs export``: runs out of a store, into one file."""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from rigbridge.cli import options
from rigbridge.cli.output import count_of, is_quiet, progress, say, say_error, say_json
from rigbridge.cli.places import StorePlace, with_place
from rigbridge.cli.runs.filters import RunFilter, word_of
from rigbridge.cli.runs.finding import readable
from rigbridge.errors import SourceUnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rigbridge.errors import RunProblemsError

__all__ = ["export"]

_T = TypeVar("_T")


@with_place()
def export(
    place: StorePlace,
    chosen: RunFilter,
    file: Annotated[Path, typer.Argument(help="Ends with .csv, .parquet or .jsonl.")],
    *,
    form: Annotated[
        str | None,
        typer.Option("--format", help="If the name does not tell.", metavar="FORMAT"),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file of that name.")
    ] = False,
    as_json: options.AsJSON = False,
) -> None:
    """Export runs: a row a measurement, or whole runs as JSON lines."""
    from rigbridge.export import ExportFormat, export_rows, export_runs

    kind = (
        ExportFormat.of(file)
        if form is None
        else word_of(ExportFormat, form, form.lower(), "format")
    )
    selection = chosen.selection()
    unreadable: list[str] = []
    with place.store() as (_, destination):
        store = readable(destination, "export its runs")
        with progress("exporting", None, shown=not (as_json or is_quiet())) as advance:
            if kind is ExportFormat.JSONL:
                runs = _readable_runs(store.read_runs(selection), unreadable)
                done = export_runs(
                    runs, file, form=kind, replace=overwrite, advance=advance
                )
            else:
                found = _readable_runs(store.read_rows(selection), unreadable)
                done = export_rows(
                    found, file, form=kind, replace=overwrite, advance=advance
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
        rows = count_of(done.rows, "row")
        say(f"wrote {count_of(done.runs, 'run')} in {rows} to {file}")
        if done.empty:
            has = "has" if done.empty == 1 else "have"
            say(f"{count_of(done.empty, 'run')} {has} no measurement, and thus no row")
        if done.contents:
            contents = count_of(done.contents, "content")
            say(f"wrote {contents} of attachments beside it")
        if done.references:
            is_named = "is" if done.references == 1 else "are"
            say(
                f"{count_of(done.references, 'attachment')} {is_named} only named, as "
                "in the source"
            )
    if done.missing or unreadable:
        raise typer.Exit(1)


def _readable_runs(
    found: Iterator[_T | RunProblemsError], unreadable: list[str]
) -> Iterator[_T]:
    """Pass on what could be read of each run; one that makes none is named."""
    from rigbridge.errors import RunProblemsError

    for item in found:
        if isinstance(item, RunProblemsError):
            # Sent by a client whose payload makes no run; its neighbours are well.
            say_error(item)
            unreadable.append(item.source or "")
        else:
            yield item

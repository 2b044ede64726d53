"""``ledger``: what was imported, as an account that can be checked."""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rigbridge.cli import options
from rigbridge.cli.output import (
    call_for,
    count_of,
    say,
    say_json,
    say_table,
    say_warning,
)
from rigbridge.cli.places import StorePlace, with_place

if TYPE_CHECKING:
    from rigbridge.configuration import Configuration
    from rigbridge.ledger import Ledger, StoreComparison

__all__ = ["app"]

app = typer.Typer(
    help="See what was imported, and prove that the store holds it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@contextmanager
def _open_ledger(place: StorePlace) -> Generator[tuple[Configuration, Ledger, str]]:
    """Open the ledger, and give the name of the destination that is asked about."""
    from rigbridge.imports import destination_key
    from rigbridge.ledger import Ledger

    configuration = place.configuration()
    ledger = Ledger.open(configuration.data)
    name = destination_key(configuration)
    try:
        yield configuration, ledger, name
        # Who imported into another store would take an empty account for a loss.
        others = [each for each in ledger.destinations() if each != name]
        if others:
            say_warning(
                f"the ledger also holds imports into {', '.join(others)} (--to)"
            )
        for problem in ledger.problems:
            say_warning(problem)
    finally:
        ledger.close()


@app.command("status")
@with_place("to", "data", "config")
def status(
    place: StorePlace,
    *,
    as_json: options.AsJSON = False,
) -> None:
    """Say in a line how many files and runs were imported."""
    from rigbridge.ledger import account_document

    with _open_ledger(place) as (_, ledger, name):
        account = ledger.account(name)
        if as_json:
            document = account_document(account)
            # As short as for people; the report has the rest.
            del document["adapters"], document["problems"]
            say_json(document)
            return
        files = ", ".join(
            f"{count} {each.value}" for each, count in sorted(account.files.items())
        )
        total = count_of(sum(account.files.values()), "file")
        say(
            f"{total}{f' ({files})' if files else ''}; "
            f"{count_of(account.stored, 'run')} stored in {name} with "
            f"{count_of(account.measurements, 'measurement')} and "
            f"{count_of(account.attachments, 'attachment')}"
        )


@app.command("report")
@with_place()
def report(
    place: StorePlace,
    *,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare it with what the store holds.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write a page.", metavar="FILE")
    ] = None,
    as_json: options.AsJSON = False,
) -> None:
    """Print the account of all imports: what came of files, runs and elements."""
    from rigbridge.ledger import account_document, account_page, account_sections

    compared = None
    with _open_ledger(place) as (configuration, ledger, name):
        account = ledger.account(name)
        if verify:
            compared = _compared(ledger, name, configuration)
        if html is not None:
            html.write_text(account_page(account), encoding="utf-8")
        if as_json:
            document = account_document(account)
            if compared is not None:
                document["verified"] = compared.as_document()
            say_json(document)
        else:
            for title, columns, rows in account_sections(account):
                if rows:
                    say(title)
                    say_table(columns, rows)
                    say("")
        if compared is not None:
            again = call_for(configuration, "import", "--again")
            _say_compared(compared, again, quiet=as_json)
    if compared is not None and not compared.is_equal:
        raise typer.Exit(1)


def _compared(
    ledger: Ledger, name: str, configuration: Configuration
) -> StoreComparison:
    from rigbridge.destinations import foreign_failures
    from rigbridge.ledger import compare_with_store
    from rigbridge.opening import open_destination

    # Only now: without --verify the ledger is read where no store is at hand.
    destination = open_destination(configuration)
    try:
        return compare_with_store(ledger, name, destination)
    finally:
        with foreign_failures(destination, "close"):
            destination.close()


def _say_compared(compared: StoreComparison, again: str, *, quiet: bool) -> None:
    for difference in compared.differences:
        say_warning(difference)
    if compared.unlisted:
        say_warning(f"and {count_of(compared.unlisted, 'difference')} more")
    if quiet:
        return
    if compared.others:
        say(
            f"{count_of(compared.others, 'run')} of the store came in another way than "
            "by an import that is in this ledger"
        )
    if compared.is_equal:
        say(f"verified: the store holds {count_of(compared.runs, 'run')} as noted")
    else:
        say(
            f"the store differs from the ledger; '{again}' on the files brings back "
            "what is missing"
        )

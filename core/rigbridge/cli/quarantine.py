"""``quarantine``: the runs of imports that no store would take, and what mends them."""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rigbridge.cli import options
from rigbridge.cli.output import (
    count_of,
    error_document,
    is_quiet,
    say,
    say_error,
    say_ids,
    say_json,
    say_table,
    say_warning,
)
from rigbridge.cli.places import StorePlace, with_place
from rigbridge.cli.runs.finding import shown_ids
from rigbridge.errors import ConfigurationError

if TYPE_CHECKING:
    from rigbridge.configuration import Configuration
    from rigbridge.imports import Quarantine, RetriedRun
    from rigbridge.outbox.incoming import IncomingItem

__all__ = ["app"]

app = typer.Typer(
    help="See and mend the runs of imports that no store would take.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_COLUMNS = ("To", "Unit", "Procedure", "Since", "Run", "Why")
_UNKNOWN = "-"

_IDS = typer.Argument(help="Ids of runs, or their beginnings.", metavar="ID...")


def _open_quarantine(place: StorePlace) -> tuple[Configuration, Quarantine]:
    from rigbridge.imports import Quarantine

    configuration = place.configuration()
    return configuration, Quarantine(configuration.data)


@app.command("list")
@with_place("data", "config")
def list_runs(
    place: StorePlace,
    *,
    as_json: options.AsJSON = False,
) -> None:
    """List the runs in quarantine, each with the reason."""
    from rigbridge.configuration import command_line

    configuration, quarantine = _open_quarantine(place)
    items = list(quarantine.items())
    if as_json:
        say_json(list(map(_document, items)))
    elif is_quiet():
        say_ids(str(item.id) for item in items)
    elif items:
        ids = shown_ids([str(item.id) for item in items])
        say_table(_COLUMNS, map(_row, items, ids))
        retry = command_line(configuration, "quarantine", "retry", to="")
        say(f"mend the cause, as the brackets say, then '{retry}'")
    else:
        say("nothing is in quarantine")


@app.command("show")
@with_place("data", "config")
def show(
    place: StorePlace,
    run_ids: Annotated[list[str], _IDS],
    *,
    as_json: options.AsJSON = False,
) -> None:
    """Say why a run lies in quarantine, where it came from, and what mends it."""
    _, quarantine = _open_quarantine(place)
    chosen = _chosen(quarantine, run_ids)
    if as_json:
        say_json(
            [{**_document(item), "words": quarantine.words(item)} for item in chosen]
        )
        return
    for number, item in enumerate(chosen):
        destination, unit, procedure, since, run_id, _ = _row(item, str(item.id))
        if number:
            say("")
        say(f"run {run_id}")
        say(f"unit {unit}, procedure {procedure}, for {destination}, since {since}")
        for line in quarantine.words(item).splitlines():
            say(line)
        say(f"Kept in: {item.folder}")


@app.command("retry")
@with_place()
def retry(
    place: StorePlace,
    run_ids: Annotated[list[str] | None, _IDS] = None,
    *,
    as_json: options.AsJSON = False,
) -> None:
    """Store runs from quarantine by the rules as they are now; all without an ID."""
    from rigbridge.imports import (
        Quarantine,
        destination_key,
        ledger_run,
        retry_runs,
    )
    from rigbridge.ledger import Ledger

    results: list[RetriedRun] = []
    others: list[IncomingItem] = []
    with place.store() as (configuration, destination):
        quarantine = Quarantine(configuration.data)
        chosen = _chosen(quarantine, run_ids)
        # Never to another store than the import was for, unless that was not known.
        here = [
            item
            for item in chosen
            if item.given.destination in (None, configuration.destination_name)
        ]
        tried = {item.id for item in here}
        others = [item for item in chosen if item.id not in tried]
        ledger, name = Ledger.open(configuration.data), destination_key(configuration)
        for result in retry_runs(quarantine, here, configuration, destination):
            results.append(result)
            if result.run is not None and not result.errors:
                # Durable by now: the file that it was read from may be done with.
                ledger.settle(ledger_run(result.run), name)
            for error in result.errors:
                say_error(error)
        ledger.close()
    stored = [result for result in results if not result.errors and result.tried]
    if as_json:
        say_json(
            {
                "runs": list(map(_result_document, results)),
                "stored": len(stored),
                "left": len(chosen) - len(stored),
            }
        )
    else:
        left = len(chosen) - len(stored)
        say(f"{count_of(len(stored), 'run')} stored, {left} left in quarantine")
    _say_untried(configuration, results, others)
    # Who named a run that was not tried has to see it in the exit code.
    if len(stored) < len(results) or (run_ids and others):
        raise typer.Exit(1)


@app.command("drop")
@with_place("data", "config")
def drop(
    place: StorePlace,
    run_ids: Annotated[list[str], _IDS],
    *,
    as_json: options.AsJSON = False,
) -> None:
    """Remove runs from quarantine for good, without storing them."""
    _, quarantine = _open_quarantine(place)
    chosen = _chosen(quarantine, run_ids)
    for item in chosen:
        quarantine.remove(item)
    if as_json:
        say_json({"dropped": [str(item.id) for item in chosen]})
    else:
        say(f"dropped {count_of(len(chosen), 'run')}")


def _say_untried(
    configuration: Configuration,
    results: list[RetriedRun],
    others: list[IncomingItem],
) -> None:
    """Tell what was not tried, and why."""
    from rigbridge.configuration import command_line

    untried = sum(not result.tried for result in results)
    if untried:
        runs = count_of(untried, "run")
        say_warning(
            f"{runs} not tried, since the destination is out; repeat this later"
        )
    for name in sorted({item.given.destination or "" for item in others}):
        count = sum(item.given.destination == name for item in others)
        command = command_line(configuration, "quarantine", "retry", to=name)
        say_warning(
            f"{count_of(count, 'run')} in quarantine for {name} not tried ({command})"
        )


def _chosen(quarantine: Quarantine, run_ids: list[str] | None) -> list[IncomingItem]:
    """Find the runs that are named, or all; all of them before any is touched."""
    items = list(quarantine.items())
    if not run_ids:
        return items
    chosen: dict[object, IncomingItem] = {}
    for text in run_ids:
        found = [item for item in items if str(item.id).startswith(text.lower())]
        if not text or len(found) != 1:
            how = "is the beginning of several ids" if found else "is not in quarantine"
            raise ConfigurationError(
                f"{text!r} {how}",
                source=str(quarantine.folder),
                remedy="see 'rigbridge quarantine list'",
            )
        chosen[found[0].id] = found[0]
    return list(chosen.values())


def _row(item: IncomingItem, shown: str) -> tuple[str, ...]:
    return (
        item.given.destination or _UNKNOWN,
        item.given.serial_number or _UNKNOWN,
        item.given.procedure or _UNKNOWN,
        f"{item.handed_over_at:%Y-%m-%d %H:%M:%S} UTC",
        shown,
        "" if item.refusal is None else item.refusal.reason,
    )


def _document(item: IncomingItem) -> dict[str, object]:
    from rigbridge.outbox.incoming import ITEM_FILE

    return {
        "id": str(item.id),
        "destination": item.given.destination,
        "serial_number": item.given.serial_number,
        "procedure": item.given.procedure,
        "since": item.handed_over_at,
        "reason": None if item.refusal is None else item.refusal.reason,
        "document": str(item.folder / ITEM_FILE),
    }


def _result_document(result: RetriedRun) -> dict[str, object]:
    receipt = result.receipt
    return {
        "id": str(result.item.id),
        "source": result.source,
        "tried": result.tried,
        "stored_id": None if receipt is None else receipt.stored_id,
        "created": None if receipt is None else receipt.created,
        "errors": list(map(error_document, result.errors)),
    }

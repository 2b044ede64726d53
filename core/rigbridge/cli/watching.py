"""``watch``: import reports as stations write them."""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from rigbridge.cli import options
from rigbridge.cli.afterwards import FileHandling
from rigbridge.cli.output import count_of, say, say_error, say_json
from rigbridge.cli.places import StorePlace, with_place

if TYPE_CHECKING:
    from rigbridge.imports import SourceResult

__all__ = ["watch"]


@with_place("to", "data", "api_key", "time_zone", "config")
def watch(
    place: StorePlace,
    handling: FileHandling,
    folders: Annotated[list[Path], typer.Argument(help="Folders.", metavar="DIR...")],
    *,
    poll: Annotated[
        bool | None,
        typer.Option(
            "--poll/--no-poll",
            help="Look at intervals; by default for network shares only.",
        ),
    ] = None,
    settle: Annotated[
        float,
        typer.Option(
            help="Seconds without a change after which a file is complete.",
            metavar="SECONDS",
            min=0.1,
        ),
    ] = 2.0,
    adapter: options.AdapterName = None,
    as_json: options.AsJSON = False,
) -> None:
    """Import reports of folders as they come, until SIGTERM or Ctrl-C."""
    from rigbridge.watching import Watching, WatchRule

    configuration = place.configuration(checked=False)
    step, selection = handling.step(), handling.selection()
    rules = [
        WatchRule(
            folder=folder,
            configuration=configuration,
            adapter=adapter,
            selection=selection,
            step=step,
            poll=poll,
            settle=settle,
        )
        for folder in folders
    ]

    def tell(result: SourceResult) -> None:
        if as_json:
            say_json(
                {
                    "source": result.source,
                    "runs": [str(run.id) for run in result.runs],
                    "beside": list(result.beside),
                    "errors": [str(error) for error in result.errors],
                }
            )
            return
        for error in result.errors:
            say_error(error)
        if result.succeeded and not result.skipped:
            beside = (
                f" ({count_of(len(result.beside), 'run')} that it held before it was "
                f"changed stored beside, the first: {result.beside[0]})"
                if result.beside
                else ""
            )
            say(f"{result.source}: {count_of(len(result.runs), 'run')}{beside}")

    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        stopping.set()

    for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)
    with Watching(rules, tell):
        if not as_json:
            say(f"watching {count_of(len(rules), 'folder')} (end with Ctrl-C)")
        # With a time: Windows hands over Ctrl-C only between two waits.
        while not stopping.wait(1.0):
            pass

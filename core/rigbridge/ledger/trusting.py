"""
Whether a store still holds what the ledger says, without asking for each run.

A backup may have been put back that is older than the ledger, or the tables were
emptied: then an import would pass over files whose runs are gone. Opening the store
takes longer than a call that finds nothing new, so that its file is looked at first:
one that is as an import left it needs no question.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rigbridge.errors import NotFoundError, RigbridgeError
from rigbridge.ledger.ledger import Ledger
from rigbridge.ledger.paths import shown_path

__all__ = ["note_store", "store_doubt"]


def store_doubt(
    ledger: Ledger, destination: str, file: Path | None, ask: Callable[[str], object]
) -> str | None:
    """
    Say if the run is gone that was stored last; None where all is as usual.

    Args:
        file: the file of the store; None where it is a database server.
        ask: reads a run of the store.
    """
    state = None if file is None else _state(file)
    if state is not None and ledger.store_file(destination) == state:
        return None
    newest = ledger.newest_run(destination)
    if newest is None:
        return None
    try:
        ask(newest[0])
    except NotFoundError:
        # Said again until it is mended, or another run is stored.
        ledger.note_store_file(destination, None)
        return (
            f"the store does not hold run {newest[0]} of {shown_path(newest[1])}, the "
            "last that was imported: it may be an older copy, or somebody deleted the "
            "run there; files of such runs are passed over ('rigbridge ledger report "
            "--verify' names all that is missing, and 'rigbridge import --again' with "
            "the same files stores it again)"
        )
    except RigbridgeError:
        # Out of reach, or the run is damaged: whoever needs the store will say so.
        return None
    note_store(ledger, destination, file)
    return None


def note_store(ledger: Ledger, destination: str, file: Path | None) -> None:
    """Note how the file of a store is left by an import, or was found to be right."""
    state = None if file is None else _state(file)
    if state is not None and state != ledger.store_file(destination):
        ledger.note_store_file(destination, state)


def _state(file: Path) -> str | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return f"{found.st_ino} {found.st_size} {found.st_mtime_ns}"

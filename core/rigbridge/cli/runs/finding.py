"""The run that a person means by the beginning of its id."""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING
from uuid import UUID

from rigbridge.errors import ConfigurationError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rigbridge.configuration import Configuration
    from rigbridge.destinations import Destination, ReadableDestination
    from rigbridge.wire import ListedRun

__all__ = ["close_to_listed", "describe_listed", "find_run", "readable", "shown_ids"]

_SHORTEST = 8
_CANDIDATES = 5
_BEGINNING = re.compile(r"[0-9a-f][0-9a-f-]{0,35}", re.IGNORECASE)


def readable(destination: Destination, what: str) -> ReadableDestination:
    """
    Give a destination that can be read.

    Raises:
        ConfigurationError: this one cannot.
    """
    from rigbridge.destinations import ReadableDestination

    if not isinstance(destination, ReadableDestination):
        raise ConfigurationError(
            f"this store cannot {what}", remedy="use runs list --serial SN"
        )
    return destination


def find_run(
    text: str, configuration: Configuration, destination: Destination
) -> tuple[str, ListedRun | None]:
    """
    Find the run whose id begins so.

    Returns:
        Its id, and the run as it is listed; None where the store was not asked, since
        the id is whole or the store cannot look for one.

    Raises:
        NotFoundError: none begins so.
        ConfigurationError: several do; names them.
    """
    from rigbridge.destinations import ReadableDestination, foreign_failures
    from rigbridge.destinations.selection import RunSelection

    if _is_whole(text) or not isinstance(destination, ReadableDestination):
        return text, None
    found: Sequence[ListedRun] = ()
    if _BEGINNING.fullmatch(text):
        with foreign_failures(destination, "recent_runs"):
            # One more than are named tells whether there are more.
            found = destination.recent_runs(_CANDIDATES + 1, RunSelection(run_id=text))
    if len(found) == 1:
        return found[0].id, found[0]
    # A store that is named by mistake is made anew: say which it is.
    where = configuration.data if configuration.is_local else configuration.to
    if not found:
        raise NotFoundError(
            f"no run's id begins with {text!r}",
            source=str(where),
            remedy="'rigbridge runs list' shows the ids",
        )
    named = "; ".join(map(describe_listed, found[:_CANDIDATES]))
    more = " and more" if len(found) > _CANDIDATES else ""
    raise ConfigurationError(
        f"several runs' ids begin with {text!r}: {named}{more}",
        source=str(where),
        remedy="give more of the id",
    )


def describe_listed(run: ListedRun) -> str:
    """Name a run in a line: its id, the unit, the procedure, the verdict, its start."""
    unit, procedure = run.unit, run.procedure
    known = (
        run.id,
        unit and unit.serial_number,
        procedure and procedure.name,
        run.outcome,
        run.started_at,
    )
    return " ".join(word for word in known if word)


def close_to_listed(runs: Sequence[ListedRun], **named: str | None) -> str:
    """
    Ask for names of some runs that are close to those that found none, in brackets.

    Args:
        runs: the runs; of a store that has names, the ones stored last.
        named: what was asked for, as ``procedure`` and ``station``.
    """
    from rigbridge.machine.close_names import did_you_mean

    known: dict[str, set[object]] = {
        "procedure": {run.procedure.name for run in runs if run.procedure},
        "station": {run.station for run in runs},
    }
    asked = [
        did_you_mean(text, [name for name in known[kind] if isinstance(name, str)])
        for kind, text in named.items()
        if text is not None
    ]
    return "".join(f" ({question})" for question in asked if question)


def shown_ids(ids: Sequence[str]) -> list[str]:
    """
    Cut ids to what tells them apart, eight characters at least, for a person.

    A pipe gets them whole: they may be kept for long.
    """
    if not sys.stdout.isatty():
        return list(ids)
    length = _SHORTEST
    while len({text[:length] for text in ids}) < len(set(ids)):
        length += 1
    return [text[:length] for text in ids]


def _is_whole(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True

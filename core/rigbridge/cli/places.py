"""
Where a command finds its store: the options that many commands share.

A command that :func:`placed` decorates takes a :class:`StorePlace` instead of them.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, NamedTuple, ParamSpec

from rigbridge.cli import options
from rigbridge.cli.opened import opened_outbox, opened_store
from rigbridge.cli.output import hushed

if TYPE_CHECKING:
    from rigbridge.configuration import Configuration
    from rigbridge.destinations import Destination
    from rigbridge.outbox import Outbox

__all__ = ["StorePlace", "placed"]

_P = ParamSpec("_P")
_OPTIONS: dict[str, Any] = {
    "to": options.Target,
    "data": options.DataFolder,
    "api_key": options.ApiKey,
    "config": options.ConfigFile,
}
_LAST = "as_json"


class StorePlace(NamedTuple):
    """
    What a user's options say of the store; None leaves it to the configuration.

    Attributes:
        to: the destination.
        data: the data folder.
        api_key: the key for a server.
        config: the only configuration file that is read.
        quiet: whether only ids are shown, or what went wrong.
    """

    to: str | None = None
    data: Path | None = None
    api_key: str | None = None
    config: Path | None = None
    quiet: bool = False

    def store(self) -> AbstractContextManager[tuple[Configuration, Destination]]:
        """Open the store."""
        return opened_store(
            to=self.to, data=self.data, api_key=self.api_key, config=self.config
        )

    def outbox(self) -> AbstractContextManager[tuple[Configuration, Outbox]]:
        """Open the outbox."""
        return opened_outbox(
            to=self.to, data=self.data, api_key=self.api_key, config=self.config
        )


def placed(
    *names: str,
) -> Callable[[Callable[Concatenate[StorePlace, _P], None]], Callable[..., None]]:
    """
    Give a command the options of a place, and ``--quiet``.

    Args:
        names: which of them; all of them by default.
    """
    chosen = names or tuple(_OPTIONS)

    def decorate(
        command: Callable[Concatenate[StorePlace, _P], None],
    ) -> Callable[..., None]:
        @functools.wraps(command)
        def run(**given: Any) -> None:
            quiet = given.pop("quiet")
            place = StorePlace(
                **{name: given.pop(name) for name in chosen}, quiet=quiet
            )
            call: Callable[..., None] = command
            with hushed(quiet):
                call(place, **given)

        # Typer reads a signature, and would find that of the command by this name.
        del run.__dict__["__wrapped__"]
        signature = inspect.signature(command, eval_str=True)
        _, *own = signature.parameters.values()
        shared = [
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind
            )
            for name, kind in _OPTIONS.items()
            if name in chosen
        ]
        quiet = inspect.Parameter(
            "quiet",
            inspect.Parameter.KEYWORD_ONLY,
            default=False,
            annotation=options.OnlyIds,
        )
        before = [item for item in own if item.name != _LAST]
        last = [item for item in own if item.name == _LAST]
        parameters = [*before, *shared, quiet, *last]
        run.__dict__["__signature__"] = signature.replace(parameters=parameters)
        run.__annotations__ = {item.name: item.annotation for item in parameters}
        return run

    return decorate

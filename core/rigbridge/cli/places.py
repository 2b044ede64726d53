"""
Where a command finds its store: the options that many commands share.

A command that :func:`placed` decorates takes a :class:`StorePlace` instead of them.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
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

__all__ = ["StorePlace", "hushable", "placed"]

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

        _, *own = inspect.signature(command, eval_str=True).parameters.values()
        shared = [
            _option(name, kind) for name, kind in _OPTIONS.items() if name in chosen
        ]
        _sign(run, own, [*shared, _option("quiet", options.OnlyIds, default=False)])
        return run

    return decorate


def hushable(command: Callable[_P, None]) -> Callable[..., None]:
    """Give a command that opens its place itself the option ``--quiet``."""

    @functools.wraps(command)
    def run(**given: Any) -> None:
        call: Callable[..., None] = command
        with hushed(given.pop("quiet")):
            call(**given)

    own = inspect.signature(command, eval_str=True).parameters.values()
    _sign(run, own, [_option("quiet", options.OnlyIds, default=False)])
    return run


def _option(name: str, kind: object, *, default: object = None) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind
    )


def _sign(
    run: Callable[..., None],
    own: Iterable[inspect.Parameter],
    shared: Iterable[inspect.Parameter],
) -> None:
    """Let a function have the parameters of a command, and those that many share."""
    # Typer reads a signature, and would find that of the command by this name.
    del run.__dict__["__wrapped__"]
    before = [item for item in own if item.name != _LAST]
    last = [item for item in own if item.name == _LAST]
    parameters = [*before, *shared, *last]
    run.__dict__["__signature__"] = inspect.Signature(parameters)
    run.__annotations__ = {item.name: item.annotation for item in parameters}

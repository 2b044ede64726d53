"""
Where a command finds its store: the options that many commands share.

A command that :func:`with_place` decorates takes a :class:`StorePlace` instead of them.
It may take further groups of options in the same way: a parameter whose type is a named
tuple becomes an option for each field.
"""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, get_type_hints

from rigbridge.cli import options
from rigbridge.cli.output import quieted
from rigbridge.errors import ConfigurationError

if TYPE_CHECKING:
    from rigbridge.configuration import Configuration
    from rigbridge.destinations import Destination
    from rigbridge.hosting import HostedDestination
    from rigbridge.outbox import Outbox

__all__ = ["StorePlace", "with_place", "with_quiet"]

_P = ParamSpec("_P")
_LAST = "as_json"
_QUIET = "quiet"


class StorePlace(NamedTuple):
    """
    What a user's options say of the store; None leaves it to the configuration.

    Attributes:
        config: the only configuration file that is read.
        time_zone: the zone of times that state none.
        database: the address of the database that holds the store's tables.
    """

    to: options.Target = None
    data: options.DataFolder = None
    api_key: options.ApiKey = None
    time_zone: options.TimeZone = None
    config: options.ConfigFile = None
    database: options.Database = None

    def configuration(self, *, checked: bool = True) -> Configuration:
        """
        Load the configuration.

        Args:
            checked: whether settings of adapters are looked at, too. An import does
                that itself, after it has changed some.

        Raises:
            ConfigurationError: a setting is wrong, or one that nobody reads.
        """
        from rigbridge.configuration import load_configuration
        from rigbridge.opening import check_adapters

        configuration = load_configuration(
            to=self.to,
            data=self.data,
            database=self.database,
            api_key=self.api_key,
            time_zone=self.time_zone,
            file=self.config,
        )
        if checked:
            check_adapters(configuration)
        return configuration

    @contextmanager
    def store(self) -> Generator[tuple[Configuration, Destination]]:
        """Open the store."""
        from rigbridge.destinations import foreign_failures
        from rigbridge.opening import open_destination

        configuration = self.configuration()
        destination = open_destination(configuration)
        try:
            yield configuration, destination
        finally:
            with foreign_failures(destination, "close"):
                destination.close()

    @contextmanager
    def hosted_store(self) -> Generator[tuple[Configuration, HostedDestination]]:
        """
        Open the embedded store, which we host ourselves.

        Raises:
            ConfigurationError: the installed destination of that name is another one.
        """
        from rigbridge.hosting import HostedDestination

        # Not where runs go by the configuration: keys and pages are of our own store.
        with self._replace(to="local").store() as (configuration, destination):
            if not isinstance(destination, HostedDestination):
                raise ConfigurationError("the local destination cannot be served")
            yield configuration, destination

    @contextmanager
    def outbox(self) -> Generator[tuple[Configuration, Outbox]]:
        """Open the outbox."""
        from rigbridge.opening import open_outbox

        configuration = self.configuration()
        with open_outbox(configuration) as outbox:
            yield configuration, outbox


def with_place(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """
    Give a command the options of its groups, and ``--quiet``.

    Args:
        names: which options of a place; by default those that say where a store is.
    """
    chosen = names or ("to", "data", "api_key", "config")

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        return _with_options(command, chosen)

    return decorate


def with_quiet(command: Callable[_P, None]) -> Callable[..., None]:
    """Give a command the option ``--quiet``, and those of its groups."""
    return _with_options(command, ())


def _with_options(
    command: Callable[..., None], chosen: tuple[str, ...]
) -> Callable[..., None]:
    groups: dict[str, tuple[type[Any], list[str]]] = {}
    own: list[inspect.Parameter] = []
    shared: list[inspect.Parameter] = []
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        kind = parameter.annotation
        if hasattr(kind, "_field_defaults"):
            is_place = kind is StorePlace
            fields = [name for name in kind._fields if not is_place or name in chosen]
            groups[parameter.name] = (kind, fields)
            # Where a store is comes last in the help: few look for that.
            (shared if is_place else own).extend(_options_of(kind, fields))
        else:
            own.append(parameter)
    # A command that says more of it has one of its own.
    hushes = all(parameter.name != _QUIET for parameter in own)
    if hushes:
        shared.append(_option(_QUIET, options.OnlyIds, default=False))

    @functools.wraps(command)
    def run(**given: Any) -> None:
        quiet = given.pop(_QUIET) if hushes else False
        for name, (kind, fields) in groups.items():
            given[name] = kind(**{field: given.pop(field) for field in fields})
        with quieted(quiet):
            command(**given)

    _sign(run, own, shared)
    return run


def _options_of(kind: type[Any], fields: Iterable[str]) -> Iterator[inspect.Parameter]:
    """Make an option of each field of a group."""
    hints = get_type_hints(kind, include_extras=True)
    for name in fields:
        yield _option(name, hints[name], default=kind._field_defaults[name])


def _option(name: str, kind: object, *, default: object) -> inspect.Parameter:
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
    run.__dict__["__signature__"] = inspect.Signature(
        [item.replace(kind=inspect.Parameter.KEYWORD_ONLY) for item in parameters]
    )
    run.__annotations__ = {item.name: item.annotation for item in parameters}

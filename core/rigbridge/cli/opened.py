"""Opens what a command needs by its options, and closes it at the end."""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rigbridge.errors import ConfigurationError

if TYPE_CHECKING:
    from rigbridge.configuration import Configuration
    from rigbridge.destinations import Destination
    from rigbridge.hosting import HostedDestination
    from rigbridge.outbox import Outbox

__all__ = ["hosted_store", "opened_outbox", "opened_store"]


@contextmanager
def opened_outbox(
    *,
    to: str | None = None,
    data: Path | None = None,
    api_key: str | None = None,
    config: Path | None = None,
) -> Generator[tuple[Configuration, Outbox]]:
    """Open the outbox that the options name."""
    from rigbridge.configuration import load_configuration
    from rigbridge.opening import check_adapters, open_outbox

    configuration = load_configuration(to=to, data=data, api_key=api_key, file=config)
    check_adapters(configuration)
    with _explaining_disk(configuration.data), open_outbox(configuration) as outbox:
        yield configuration, outbox


@contextmanager
def _explaining_disk(folder: Path) -> Generator[None]:
    """Say in a sentence what the disk or the database refuses."""
    import sqlite3

    from rigbridge.outbox.disk_space import is_disk_fault, is_full

    try:
        yield
    except (sqlite3.Error, OSError) as error:
        if is_full(error):
            raise ConfigurationError(
                "its disk is full: the progress of sending cannot be recorded",
                source=str(folder),
                remedy="make room there; what is in the outbox is safe",
            ) from error
        # A closed pipe or a missing file of the command itself is no fault of a disk.
        if isinstance(error, OSError) and not is_disk_fault(error):
            raise
        raise ConfigurationError(
            f"the outbox cannot be used: {error}",
            source=str(folder),
            remedy="check that the disk is there and may be written; nothing is lost",
        ) from error


@contextmanager
def opened_store(
    *,
    to: str | None = None,
    data: Path | None = None,
    database: str | None = None,
    api_key: str | None = None,
    config: Path | None = None,
) -> Generator[tuple[Configuration, Destination]]:
    """Open the store that the options name."""
    from rigbridge.configuration import load_configuration
    from rigbridge.destinations import foreign_failures
    from rigbridge.opening import check_adapters, open_destination

    configuration = load_configuration(
        to=to, data=data, database=database, api_key=api_key, file=config
    )
    check_adapters(configuration)
    destination = open_destination(configuration)
    try:
        yield configuration, destination
    finally:
        with foreign_failures(destination, "close"):
            destination.close()


@contextmanager
def hosted_store(
    data: Path | None, config: Path | None, database: str | None = None
) -> Generator[tuple[Configuration, HostedDestination]]:
    """
    Open the embedded store, which we host ourselves.

    Args:
        data: its folder, or None.
        config: the configuration file to read, or None.
        database: the address of its database, or None.

    Raises:
        ConfigurationError: the installed destination of that name is another one.
    """
    from rigbridge.hosting import HostedDestination

    opened = opened_store(to="local", data=data, database=database, config=config)
    with opened as (configuration, destination):
        if not isinstance(destination, HostedDestination):
            raise ConfigurationError("the local destination cannot be served")
        yield configuration, destination

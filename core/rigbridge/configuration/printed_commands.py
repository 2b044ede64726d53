"""Commands as they are printed: with the options that a plain call would lack."""

from __future__ import annotations

import shlex

from rigbridge.configuration.model import Configuration
from rigbridge.configuration.sources import load_configuration
from rigbridge.errors import ConfigurationError

__all__ = ["command_line"]


def command_line(
    configuration: Configuration, *words: str, to: str | None = None
) -> str:
    """
    Spell a command that does to this data folder and destination what it says.

    A program may have been told other places than the ones that the command finds by
    itself; ``--data`` and ``--to`` name them where they differ.

    Args:
        to: the destination that is meant; that of the configuration by default. Only
            for commands that have ``--to``: an empty text names none.
    """
    try:
        usual: Configuration | None = load_configuration()
    except ConfigurationError:
        # A wrong file or variable: the command is told everything.
        usual = None
    given = ["rigbridge", *words]
    if usual is None or usual.data.absolute() != configuration.data.absolute():
        given += ["--data", str(configuration.data.absolute())]
    target = configuration.destination_name if to is None else to
    if target and (usual is None or usual.destination_name != target):
        given += ["--to", target]
    return shlex.join(given)

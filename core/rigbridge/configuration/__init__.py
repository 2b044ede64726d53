"""
The configuration: ``rigbridge.toml``, the environment and arguments, in that order.

:func:`load_configuration` gathers and checks it; :mod:`rigbridge.opening` makes the
parts that it names.
"""

from rigbridge.configuration.model import LOCAL, Configuration
from rigbridge.configuration.sources import (
    FILE_NAME,
    command_line,
    load_configuration,
    project_file,
)
from rigbridge.configuration.values import KEYS

__all__ = [
    "FILE_NAME",
    "KEYS",
    "LOCAL",
    "Configuration",
    "command_line",
    "load_configuration",
    "project_file",
]

"""
The configuration: ``rigbridge.toml``, the environment and arguments, in that order.

:func:`load_configuration` gathers and checks it, :func:`open_destination`,
:func:`open_outbox` and :func:`make_adapter` make the parts that it names.
"""

from rigbridge.configuration.model import LOCAL, Configuration
from rigbridge.configuration.opening import (
    load_outbox,
    make_adapter,
    open_destination,
    open_outbox,
    recover_unsent,
)
from rigbridge.configuration.sources import (
    FILE_NAME,
    load_configuration,
    project_file,
)
from rigbridge.configuration.values import KEYS

__all__ = [
    "FILE_NAME",
    "KEYS",
    "LOCAL",
    "Configuration",
    "load_configuration",
    "load_outbox",
    "make_adapter",
    "open_destination",
    "open_outbox",
    "project_file",
    "recover_unsent",
]

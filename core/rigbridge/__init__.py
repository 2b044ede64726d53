"""
rigbridge brings hardware-test results of every dialect into a run store.

The names here read reports (:func:`read`), speak with a run store (:class:`Client`),
queue runs (:func:`open_outbox`), record tests (:class:`Session`), and are the model and
its errors. The parts are

- :mod:`rigbridge.model`, the run and what it consists of,
- :mod:`rigbridge.convert`, runs to payloads of the v1 contract and back,
- :mod:`rigbridge.adapters`, the contract for readers of further formats,
- :mod:`rigbridge.client`, the client of a run store,
- :mod:`rigbridge.imports`, whole folders of reports into a store,
- :mod:`rigbridge.testing`, the suite that every adapter passes.
"""

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rigbridge.client import Client
    from rigbridge.errors import RigbridgeError
    from rigbridge.interface import open_outbox, read
    from rigbridge.model import (
        Attachment,
        Axis,
        Instrument,
        Limit,
        LogEntry,
        LogLevel,
        Measurement,
        MeasurementOutcome,
        Phase,
        PhaseOutcome,
        ProcedureRef,
        Provenance,
        Run,
        RunOutcome,
        Series,
        SubUnit,
        Unit,
    )
    from rigbridge.model.report import ConversionReport
    from rigbridge.session import Session

__all__ = [
    "Attachment",
    "Axis",
    "Client",
    "ConversionReport",
    "Instrument",
    "Limit",
    "LogEntry",
    "LogLevel",
    "Measurement",
    "MeasurementOutcome",
    "Phase",
    "PhaseOutcome",
    "ProcedureRef",
    "Provenance",
    "RigbridgeError",
    "Run",
    "RunOutcome",
    "Series",
    "Session",
    "SubUnit",
    "Unit",
    "__version__",
    "open_outbox",
    "read",
]

__version__ = "0.1.0"

# Else Python itself would print our warnings in a program without logging: a station's
# terminal is the operator's.
logging.getLogger("rigbridge").addHandler(logging.NullHandler())

_HOMES = {
    "Client": "client",
    "ConversionReport": "model.report",
    "RigbridgeError": "errors",
    "Session": "session",
    "open_outbox": "interface",
    "read": "interface",
}


def __getattr__(name: str) -> object:
    # A name is imported when it is first asked for, so that the command line and
    # a station's script pay for no part that they do not use.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    home = import_module(f"{__name__}.{_HOMES.get(name, 'model')}")
    value = globals()[name] = getattr(home, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

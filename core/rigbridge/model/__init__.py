"""
The core run model: plain frozen data, no input or output.

A :class:`Run` is one unit that went through one procedure once. Adapters make runs,
:mod:`rigbridge.convert` turns them into payloads and back, destinations keep them.
"""

from typing import TYPE_CHECKING

from rigbridge.machine.deferred import deferred_names

if TYPE_CHECKING:
    from rigbridge.model.attachment import Attachment, FileOpener, SettledFile
    from rigbridge.model.instrument import Instrument
    from rigbridge.model.limit import Limit
    from rigbridge.model.measurement import (
        Measurement,
        MeasurementRow,
        MeasurementStamp,
        MeasurementValue,
    )
    from rigbridge.model.outcome import (
        LogLevel,
        MeasurementOutcome,
        PhaseOutcome,
        RunOutcome,
    )
    from rigbridge.model.phase import Phase
    from rigbridge.model.provenance import Provenance, run_id
    from rigbridge.model.run import LogEntry, Run
    from rigbridge.model.series import Axis, Series
    from rigbridge.model.unit import ProcedureRef, SubUnit, Unit
    from rigbridge.model.values import JSONObject, JSONScalar, JSONValue, Scalar

__all__ = [
    "Attachment",
    "Axis",
    "FileOpener",
    "Instrument",
    "JSONObject",
    "JSONScalar",
    "JSONValue",
    "Limit",
    "LogEntry",
    "LogLevel",
    "Measurement",
    "MeasurementOutcome",
    "MeasurementRow",
    "MeasurementStamp",
    "MeasurementValue",
    "Phase",
    "PhaseOutcome",
    "ProcedureRef",
    "Provenance",
    "Run",
    "RunOutcome",
    "Scalar",
    "Series",
    "SettledFile",
    "SubUnit",
    "Unit",
    "run_id",
]

__getattr__ = deferred_names(
    __name__,
    {
        "Attachment": "attachment",
        "Axis": "series",
        "FileOpener": "attachment",
        "Instrument": "instrument",
        "JSONObject": "values",
        "JSONScalar": "values",
        "JSONValue": "values",
        "Limit": "limit",
        "LogEntry": "run",
        "LogLevel": "outcome",
        "Measurement": "measurement",
        "MeasurementOutcome": "outcome",
        "MeasurementRow": "measurement",
        "MeasurementStamp": "measurement",
        "MeasurementValue": "measurement",
        "Phase": "phase",
        "PhaseOutcome": "outcome",
        "ProcedureRef": "unit",
        "Provenance": "provenance",
        "Run": "run",
        "RunOutcome": "outcome",
        "Scalar": "values",
        "Series": "series",
        "SettledFile": "attachment",
        "SubUnit": "unit",
        "Unit": "unit",
        "run_id": "provenance",
    },
)

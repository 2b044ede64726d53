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
        "attachment": "Attachment FileOpener SettledFile",
        "instrument": "Instrument",
        "limit": "Limit",
        "measurement": "Measurement MeasurementRow MeasurementStamp MeasurementValue",
        "outcome": "LogLevel MeasurementOutcome PhaseOutcome RunOutcome",
        "phase": "Phase",
        "provenance": "Provenance run_id",
        "run": "LogEntry Run",
        "series": "Axis Series",
        "unit": "ProcedureRef SubUnit Unit",
        "values": "JSONObject JSONScalar JSONValue Scalar",
    },
)

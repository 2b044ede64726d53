"""Read models: what the web pages show, each by as few statements as can be."""

from rigbridge_store.reading.conditions import DAY, Period
from rigbridge_store.reading.measurement_trend import (
    MeasurementName,
    MeasurementTrend,
    PointSource,
)
from rigbridge_store.reading.reader import NamedProcedure, RunReader
from rigbridge_store.reading.run_details import RunDetails
from rigbridge_store.reading.run_search import Cursor, RunPage, RunRow
from rigbridge_store.reading.selecting import RunSearch
from rigbridge_store.reading.unit_history import ProcedureState, UnitHistory
from rigbridge_store.reading.yields import Bucket, Failure, ProcedureYield

__all__ = [
    "DAY",
    "Bucket",
    "Cursor",
    "Failure",
    "MeasurementName",
    "MeasurementTrend",
    "NamedProcedure",
    "Period",
    "PointSource",
    "ProcedureState",
    "ProcedureYield",
    "RunDetails",
    "RunPage",
    "RunReader",
    "RunRow",
    "RunSearch",
    "UnitHistory",
]

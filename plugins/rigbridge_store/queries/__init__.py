"""Read models: what the web pages show, each by as few statements as can be."""

from rigbridge_store.queries.columns import DAY, Period
from rigbridge_store.queries.filters import RunFilter
from rigbridge_store.queries.measurement_trend import (
    MeasurementName,
    MeasurementTrend,
    PointSource,
)
from rigbridge_store.queries.reader import NamedProcedure, RunReader
from rigbridge_store.queries.run_details import RunDetails
from rigbridge_store.queries.run_search import Cursor, RunPage, RunRow
from rigbridge_store.queries.unit_history import ProcedureState, UnitHistory
from rigbridge_store.queries.yields import Bucket, Failure, ProcedureYield

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
    "RunFilter",
    "RunPage",
    "RunReader",
    "RunRow",
    "UnitHistory",
]

"""Which of TestStand's report options say something about the results in the file."""

from __future__ import annotations

__all__ = ["KEPT_OPTIONS", "NOT_KEPT"]

KEPT_OPTIONS = frozenset(
    {
        "AppendToFileIfItExists",
        "ArrayMeasurementFilter",
        "ArrayMeasurementMax",
        "IncludeArrayMeasurement",
        "IncludeAttributes",
        "IncludeLimits",
        "IncludeMeasurements",
        "IncludeStepResults",
        "IncludeTSExtensionElements",
        "IncludeTimes",
        "NumericFormat",
        "ProcessOnTheFly",
        "ResultFilterExpression",
        "StoreUUTReportWithBatchReport",
        "UseLocalizedDecimalPoint",
        "UseOnTheFlyReporting",
    }
)
"""
The options that filter, round or leave out results. They are metadata of the run.

The other ones, some fifty, choose colours, folders, file names and stylesheets.
"""

NOT_KEPT = "colours, paths and stylesheets left out, what concerns the results kept"
"""The rule that is recorded where report options stand."""

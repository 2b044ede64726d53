"""
Runs out of a store: one row a measurement, or whole runs as JSON lines.

- :func:`export_runs` writes a file, :func:`stream_runs` gives it piece by piece,
- :class:`ExportFormat` names the formats,
- :data:`COLUMNS` are the columns of a row.
"""

from rigbridge.export.rows import COLUMNS, measurement_rows
from rigbridge.export.writing import (
    ExportFormat,
    ExportResult,
    export_runs,
    stream_runs,
)

__all__ = [
    "COLUMNS",
    "ExportFormat",
    "ExportResult",
    "export_runs",
    "measurement_rows",
    "stream_runs",
]

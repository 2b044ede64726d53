"""
Runs out of a store: one row a measurement, or whole runs as JSON lines.

- :func:`export_runs` writes a file, :func:`stream_rows` gives it piece by piece,
- :func:`export_rows` writes one of rows that a store has made of them,
- :class:`ExportFormat` names the formats,
- :data:`COLUMNS` are the columns of a row.
"""

from rigbridge.export.formats import ExportFormat
from rigbridge.export.writing import (
    ExportResult,
    export_rows,
    export_runs,
    stream_rows,
)
from rigbridge.kept.rows import COLUMNS, measurement_rows

__all__ = [
    "COLUMNS",
    "ExportFormat",
    "ExportResult",
    "export_rows",
    "export_runs",
    "measurement_rows",
    "stream_rows",
]

"""
Measurements of many runs as rows of cells, straight from the tables.

What :func:`rigbridge.export.measurement_rows` gives of a restored run, at a tenth of
the time: neither the run nor its measurements are made. A run of which anything is
unusual, such as a sidecar that does not fit, is restored after all, so that both say
the same of every run.
"""

from rigbridge_store.reading.rows.run_rows import FoundRows, rows_of_runs

__all__ = ["FoundRows", "rows_of_runs"]

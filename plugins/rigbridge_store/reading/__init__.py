"""
What the store answers: plain functions that read in a transaction of the caller.

- ``conditions``, ``selecting`` and ``searching`` choose runs,
- ``one_run`` and ``details`` read whole runs, ``listing`` many for the v1 API,
- ``run_search``, ``unit_history``, ``yields``, ``failures`` and ``trends`` are for the
  pages, with ``statistics``,
- ``lists`` holds the lists of the v2 API.
"""

__all__: list[str] = []

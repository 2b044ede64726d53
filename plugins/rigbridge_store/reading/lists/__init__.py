"""
What the store knows, found by filters and changed one by one.

Plain functions on a transaction: runs, units, parts, batches, stations, procedures and
people, as the v2 calls ask for them. ``allowed`` names the procedures that the caller
may see (see :func:`rigbridge_store.access.permissions.visible_procedures`); None stands
for all.
"""

__all__: list[str] = []

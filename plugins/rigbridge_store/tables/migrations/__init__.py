"""
The way of a store from each version of its tables to the next, by Alembic.

A store that is opened is brought to the present version (see
:mod:`rigbridge_store.tables.migrating`). A change of
:mod:`rigbridge_store.tables.schema` needs:

1. a higher ``SCHEMA_VERSION`` there,
2. a module in ``versions`` whose revision is that number in four digits,
3. a test that data get through it.

What stands in ``versions`` imports nothing of ours, since that goes on changing.
"""

__all__: list[str] = []

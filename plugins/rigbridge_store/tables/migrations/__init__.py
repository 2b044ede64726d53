"""
The upgrades of a store from each version of its tables to the next, by Alembic.

A store that is opened is brought to the present version (see
:mod:`rigbridge_store.tables.migrating`). Until the first release, a change of
:mod:`rigbridge_store.tables.schema` is part of version 1. After it, a change needs:

1. a higher ``SCHEMA_VERSION`` there,
2. a module in ``versions`` whose revision is that number in four digits,
3. a test that shows that the data of an older store survive the upgrade.

Modules in ``versions`` must not import the schema, which goes on changing. Only the
first one does, for as long as it is the only one.
"""

__all__: list[str] = []

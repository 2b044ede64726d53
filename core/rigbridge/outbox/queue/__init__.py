"""The queue on the disk: a SQLite database of entries, their leases, past runs."""

__all__: list[str] = []

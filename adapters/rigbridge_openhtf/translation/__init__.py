"""A raw record to a run, shared by live records and JSON."""

__all__: list[str] = []

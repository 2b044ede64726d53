"""From the records of a file to its parts, each of which is a run."""

__all__: list[str] = []

"""Forms: what the rows of a table mean, as runs."""

__all__: list[str] = []

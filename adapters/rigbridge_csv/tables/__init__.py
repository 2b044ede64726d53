"""The text of a log to rows and cells."""

__all__: list[str] = []

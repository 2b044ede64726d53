"""Text: bytes to records of cells, and cells to numbers and times."""

__all__: list[str] = []

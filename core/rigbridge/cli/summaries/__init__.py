"""What an import shows in its end: sums, and what went wrong by its reason."""

__all__: list[str] = []

"""The summary at the end of an import: totals, and failures grouped by reason."""

__all__: list[str] = []

"""What is remembered of a store: who its runs belong to, and what its list shows."""

__all__: list[str] = []

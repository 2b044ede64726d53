"""Authentication and permissions."""

__all__: list[str] = []

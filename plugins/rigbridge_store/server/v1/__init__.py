"""The calls of the v1 contract."""

__all__: list[str] = []

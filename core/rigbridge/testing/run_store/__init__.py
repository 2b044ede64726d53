"""A run store of the v1 contract on loopback that fails on demand, for tests."""

__all__: list[str] = []

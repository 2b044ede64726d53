"""Tables: where header, keys, roles and rows of a file stand, by its profile."""

__all__: list[str] = []

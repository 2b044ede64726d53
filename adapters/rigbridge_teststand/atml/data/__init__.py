"""The data of ATML: values, limits and results."""

__all__: list[str] = []

"""The data of ATML steps: values, arrays, limits and results."""

__all__: list[str] = []

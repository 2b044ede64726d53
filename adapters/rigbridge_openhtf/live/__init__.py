"""Live tests: the output callback, the station, and live records."""

__all__: list[str] = []

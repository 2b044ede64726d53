"""A delivery: the run is created, its files are sent and linked."""

__all__: list[str] = []

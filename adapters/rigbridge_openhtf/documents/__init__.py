"""OpenHTF's JSON records to raw records."""

__all__: list[str] = []

"""The machine below everything: its folders, its threads, what is installed on it."""

__all__: list[str] = []

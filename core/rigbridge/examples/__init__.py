"""Example reports of each kind, written for the demo."""

__all__: list[str] = []

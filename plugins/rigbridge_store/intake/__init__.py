"""Runs on their way into the tables."""

__all__: list[str] = []

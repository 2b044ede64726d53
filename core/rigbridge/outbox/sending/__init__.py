"""Sending what waits: the thread, one attempt to deliver, and what came of it."""

__all__: list[str] = []

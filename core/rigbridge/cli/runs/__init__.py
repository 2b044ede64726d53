"""``runs``: what a store holds, here or on a server."""

__all__: list[str] = []

"""Learning: a draft of a profile from an example, and what a profile makes of it."""

__all__: list[str] = []

"""The conformance suite of adapters, and what it is made of."""

__all__: list[str] = []

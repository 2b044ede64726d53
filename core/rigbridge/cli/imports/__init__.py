"""What the command ``import`` shows while it runs."""

__all__: list[str] = []

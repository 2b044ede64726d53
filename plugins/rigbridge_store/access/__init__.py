"""Who asks, and what each may reach."""

__all__: list[str] = []

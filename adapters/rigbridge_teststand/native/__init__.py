"""TestStand's native XML reports."""

__all__: list[str] = []

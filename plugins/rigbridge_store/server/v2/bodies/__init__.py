"""The bodies of the v2 calls, as the typed models of ``tofupilot.v2`` define them."""

__all__: list[str] = []

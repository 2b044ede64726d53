"""Profiles: how a kind of log is declared, matched and bound."""

__all__: list[str] = []

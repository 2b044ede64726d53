"""Texts as TestStand writes them into reports of either kind."""

from __future__ import annotations

__all__ = ["clean_text"]


def clean_text(content: str) -> str:
    r"""Take away the ``\r`` that TestStand spells out before a new line."""
    return content.replace("\\r\n", "\n").strip("\r\n")

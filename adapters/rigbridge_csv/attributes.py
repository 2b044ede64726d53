"""What a log says beyond the model's fields, kept under names that stay apart."""

from __future__ import annotations

__all__ = ["keep"]


def keep(target: dict[str, str], label: str, text: str) -> None:
    """Add a text under a label; a further text of one label gets a number."""
    name, count = label, 1
    while target.get(name, text) != text:
        count += 1
        name = f"{label} ({count})"
    target[name] = text

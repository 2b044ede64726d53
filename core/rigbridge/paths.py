"""Paths as text that every encoding can write."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["path_text"]


def path_text(path: Path) -> str:
    r"""
    Give a path as text.

    POSIX lets a name hold any bytes. What is no UTF-8 is spelled ``\xff``, since
    neither a database nor JSON can hold what Python makes of them.
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")

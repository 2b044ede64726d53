"""Texts as TestStand writes them into reports of either kind."""

from __future__ import annotations

import re

from rigbridge.model import LogLevel

__all__ = ["SAID_AS", "clean_text", "direction_of"]

# How the names of parameters end, also of those that hold others.
_DIRECTION = re.compile(r"\[(In|Out)\](?:[.\[]|$)")

SAID_AS = {LogLevel.INFO: "report_text", LogLevel.ERROR: "error_message"}
"""
The attribute of a phase that says what its step wrote into the log, by its level.

A log entry does not name its phase; that the same text stands in both links them.
"""


def clean_text(content: str) -> str:
    r"""Take away the ``\r`` that TestStand spells out before a new line."""
    return content.replace("\\r\n", "\n").strip("\r\n")


def direction_of(name: str) -> str | None:
    """Tell which way a parameter went by its name: ``in``, ``out``, or None."""
    way = _DIRECTION.search(name) if "[" in name else None
    return None if way is None else way[1].lower()

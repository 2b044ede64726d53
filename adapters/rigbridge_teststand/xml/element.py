"""The one name that the type hints of lxml keep private."""

from __future__ import annotations

from typing import TypeAlias

from lxml import etree

__all__ = ["Element"]

Element: TypeAlias = etree._Element  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
"""An element of a parsed report."""

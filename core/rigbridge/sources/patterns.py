"""Which files below a folder are meant: patterns to include and to exclude."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

import attrs

from rigbridge.errors import ConfigurationError

__all__ = ["Selection", "has_pattern", "split_pattern"]

_WILD = re.compile(r"[*?\[]")


@attrs.frozen(kw_only=True)
class Selection:
    """
    Patterns for the paths of files below the folder that was named.

    A pattern without a slash is for the name in whichever folder, one with a slash for
    the path from the named folder on. ``*`` and ``?`` stop at a slash, ``**`` stands
    for any folders. The members of an archive count as files in a folder of its name.

    Attributes:
        include: files that match none of them are left out; empty for all files.
        exclude: files that match one are left out, folders with all that is in them.
        ignore_case: whether capitals do not matter, as on Windows.
    """

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    ignore_case: bool = os.name == "nt"

    @property
    def is_all(self) -> bool:
        """Whether every file is meant."""
        return not self.include and not self.exclude

    def check(self) -> None:
        """
        Look at the patterns.

        Raises:
            ConfigurationError: one is empty or cannot match anything.
        """
        for pattern in (*self.include, *self.exclude):
            if not pattern.strip("/"):
                raise ConfigurationError(
                    f"{pattern!r} is no pattern for files",
                    remedy="write one such as '*.xml' or 'line-2/**'",
                )

    def takes(self, relative: str) -> bool:
        """Tell whether a file is meant, by its path below the named folder."""
        if self.include and not self._any(self.include, relative):
            return False
        return not self.bars(relative)

    def bars(self, relative: str) -> bool:
        """Tell whether a file or a folder is excluded, with all that is in it."""
        return bool(self.exclude) and self._any(self.exclude, relative)

    def _any(self, patterns: Sequence[str], relative: str) -> bool:
        # As Windows itself finds files.
        if self.ignore_case:
            relative = relative.lower()
            patterns = [pattern.lower() for pattern in patterns]
        parts = relative.split("/")
        return any(_matches(parts, _parts(pattern)) for pattern in patterns)


def has_pattern(text: str) -> bool:
    """Tell whether a path holds a character of patterns."""
    return _WILD.search(text) is not None


def split_pattern(text: str) -> tuple[str, str]:
    """
    Split a path with a pattern into the folder above it and the pattern below that.

    The pattern is anchored, also where it has no slash.
    """
    # Windows takes both separators; elsewhere a backslash may be part of a name.
    parts = text.replace("\\", "/").split("/") if os.name == "nt" else text.split("/")
    first = next(at for at, part in enumerate(parts) if has_pattern(part))
    return "/".join(parts[:first]), "/" + "/".join(parts[first:])


def _parts(pattern: str) -> tuple[str, ...]:
    parts = tuple(part for part in pattern.split("/") if part)
    # Without a slash the folders in front of the name do not matter.
    return parts if "/" in pattern.rstrip("/") else ("**", *parts)


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        rest = pattern[1:]
        # "**" stands for no folder as well.
        return any(_matches(parts[at:], rest) for at in range(len(parts) + 1))
    if not parts or not fnmatchcase(parts[0], pattern[0]):
        return False
    return _matches(parts[1:], pattern[1:])

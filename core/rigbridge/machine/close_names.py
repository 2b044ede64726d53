"""Names that are the same to people, and names that are close to a misspelled one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from unicodedata import normalize

__all__ = ["close_names", "did_you_mean", "folded"]

_MOST = 3


def close_names(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """
    Give the known names that are close to one, the closest first, three at most.

    Case and the characters that people leave out (space, hyphen, underscore) do not
    count; the name itself is not among them.
    """
    spelled = {word: _bare(word) for word in known if word != name}
    close = get_close_matches(_bare(name), spelled.values(), n=_MOST)
    return tuple(
        word
        for bare in dict.fromkeys(close)
        for word in spelled
        if spelled[word] == bare
    )[:_MOST]


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Ask for the names that are close, in words; None where there are none."""
    close = close_names(name, known)
    return f"did you mean {' or '.join(map(repr, close))}?" if close else None


def folded(text: str) -> str:
    """
    Fold a text, so that what people take for the same is the same.

    Neither case counts nor blanks around it, nor whether an accent is a character of
    its own: scanners, keyboards and file systems differ in these.
    """
    text = text.strip()
    if text.isascii():
        return text.lower()
    # Composed before it is folded, and again, since folding may take characters apart.
    return normalize("NFC", normalize("NFC", text).casefold())


def _bare(name: str) -> str:
    return "".join(char for char in name.casefold() if char not in " -_")

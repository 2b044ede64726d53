"""
Masks passwords and keys in the configuration that a test tool writes into its report.

Passwords of instruments, networks and registries stand among its properties. A value
whose name looks secret is masked by an adapter, which records that; so is a password
within an address (``postgres://user:...@host``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

__all__ = ["MASK", "fits_pattern", "mask_addresses", "names_secret"]

MASK = "(masked)"
"""What stands where a secret was."""

_SECRET = re.compile(
    r"pass(word|wd|phrase|code)?($|[_\W\d])|passw|pwd|secret|token|credential"
    r"|api_?key|access_?key|private_?key|auth_?key|(^|_)psk($|_)",
    re.IGNORECASE,
)
_IN_ADDRESS = re.compile(r"(?<=://)([^/\s:@]*):([^/\s@]+)@")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def names_secret(name: str) -> bool:
    """Say whether a name is one of a password, a token or a key."""
    return _SECRET.search(_CAMEL.sub("_", name)) is not None


def mask_addresses(text: str) -> str:
    """Mask the passwords within the addresses of a text."""
    return _IN_ADDRESS.sub(rf"\1:{MASK}@", text)


def fits_pattern(name: str, patterns: Iterable[str]) -> bool:
    """Say whether a name fits one of some patterns (``wifi_*``); case is ignored."""
    return any(fnmatchcase(name.casefold(), each.casefold()) for each in patterns)

r"""
How the ledger names a source: by bytes, since a name need not be text.

Two spellings of one place must be one key, wherever a command is started: a path is
absolute. What is no file of this machine (a member of an archive, an object of a store)
is named by its address.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["ledger_path", "parted", "shown_path"]


def ledger_path(path: Path | str) -> bytes:
    """
    Give the key of a source.

    Args:
        path: of a file; or the address of something else, as text with a scheme
            (``s3://bucket/name``), which is taken as it stands.
    """
    if isinstance(path, str) and "://" in path:
        return os.fsencode(path)
    # Not resolved: a link and its target are two files with names of their own.
    return os.fsencode(os.path.abspath(path))  # noqa: PTH100 - Path keeps ".."


def shown_path(path: bytes) -> str:
    r"""Give the key of a source as text; bytes that are none are spelled ``\xff``."""
    return path.decode("utf-8", "backslashreplace")


def parted(path: bytes) -> tuple[bytes, bytes]:
    """
    Part a key behind its last separator; joined, both halves are the key again.

    A million files of one folder share the first half.
    """
    # Addresses and POSIX paths have slashes, paths of Windows backslashes.
    at = path.rfind(b"/") + 1 or path.rfind(b"\\") + 1
    return path[:at], path[at:]

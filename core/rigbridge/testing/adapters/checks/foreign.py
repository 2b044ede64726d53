"""
Sources that no adapter under test knows: other kinds, and nothing at all.

A folder of reports holds such files sooner or later. An adapter that claims one takes
it from the adapter that can read it, or makes runs of what is none.
"""

from __future__ import annotations

import random

__all__ = ["FOREIGN", "NOTHING"]


def _noise() -> bytes:
    # The same at each run, so that a failure can be looked into.
    return random.Random(7).randbytes(4096)  # noqa: S311 - not for secrets


# Each is of a kind that people do drop into a folder of reports by mistake.
FOREIGN: dict[str, bytes] = {
    "empty.txt": b"",
    "blank.txt": b" \r\n\t\n",
    "zeros.bin": bytes(4096),
    "noise.bin": _noise(),
    "picture.png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    "other.xml": b'<?xml version="1.0"?><shopping><item>bread</item></shopping>',
    "other.json": b'{"shopping": ["bread", 1, null]}',
    "other.csv": b"bread,butter\n1,2\n",
    "text.txt": "Grüße aus der Werkstatt\n".encode("utf-16"),
    "archive.zip": b"PK\x03\x04\x14\x00\x00\x00\x08\x00" + bytes(64),
    "page.html": b"<!DOCTYPE html><html><body><p>Not found</p></body></html>",
    "settings.ini": b"[bench]\nport = 7\nname = B2\n",
    "program.py": b"import sys\n\nprint('PASS', file=sys.stderr)\n",
    "letter.txt": b"Dear Sir or Madam,\n\nthe bench is broken; OK? PASS the salt.\n",
}
"""The content of each by its name."""

NOTHING = frozenset({"empty.txt", "blank.txt", "zeros.bin", "noise.bin", "picture.png"})
"""The names of those that hold no report of any kind: nobody may claim them."""

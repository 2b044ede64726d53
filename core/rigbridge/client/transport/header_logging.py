"""
Masks the header values that the HTTP/2 library would write into logs.

``hpack`` writes the headers that it packs and unpacks, the API key among them, at the
level DEBUG. A program that turns that level on for all libraries would write the key
into its log.
"""

from __future__ import annotations

import logging

__all__ = ["mask_logged_headers"]

# A filter of a logger is not asked about the records of its children.
_LOGGERS = ("hpack", "hpack.hpack", "hpack.table")


def mask_logged_headers() -> None:
    """
    Have the names and values of HTTP/2 headers left out of logs from now on.

    The only thing of logging that this library touches; it holds for the process, and
    doing it again changes nothing.
    """
    for name in _LOGGERS:
        # One and the same object, which a logger takes once.
        logging.getLogger(name).addFilter(_masked)


def _masked(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        # The record is changed and not dropped: whoever debugs still sees that a header
        # was packed.
        record.args = tuple(map(_without_content, record.args))
    return True


def _without_content(argument: object) -> object:
    # Numbers and flags are lengths and positions. Anything else may be or hold a value.
    if argument is None or isinstance(argument, (bool, int, float)):
        return argument
    length = len(argument) if isinstance(argument, (bytes, bytearray)) else None
    return "(masked)" if length is None else f"({length} bytes masked)"

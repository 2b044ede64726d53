"""A record, whichever of the two forms of the format it was written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import attrs

from rigbridge.adapters import Place
from rigbridge.errors import MalformedSourceError

__all__ = ["Decoder", "Fields", "Record", "RecordDamageError"]

Fields: TypeAlias = Mapping[str, Any]
"""
The fields of a record by their names in the standard; those that are missing are left
out. Integers, floats and texts stand for themselves, bits for the indexes of those
that are set, arrays for lists. Times are seconds, as STDF counts them.
"""

Decoder: TypeAlias = Callable[[bytes], Fields]
"""Gives the fields of a record's content; raises RecordDamageError."""


class RecordDamageError(Exception):
    """A record whose fields do not fit its length; the text says which."""


_SITE = ("HEAD_NUM", "SITE_NUM")
_TEST = ("TEST_NUM", *_SITE)
_REQUIRED = {"PIR": _SITE, "PRR": _SITE, "PTR": _TEST, "MPR": _TEST, "FTR": _TEST}
"""Fields without which nobody knows what a record belongs to."""


# Not frozen: a file has millions of them, and freezing takes longer than reading.
@attrs.define(slots=True)
class Record:
    """
    One record of a file; it is never changed.

    Attributes:
        name: its three letters, or its two numbers where it has no name (``180.1``).
        number: its position in the file, counted from 1.
        position: the byte where it begins, counted from 0; in ATDF its line, from 1.
        decoder: reads the content; None for a record that V4 does not have.
        is_line: whether it was written in ATDF.
    """

    name: str
    number: int
    position: int
    content: bytes
    decoder: Decoder | None
    is_line: bool = False

    @property
    def place(self) -> Place:
        """Where it stands."""
        if self.is_line:
            return Place(line=self.position, path=self.name)
        return Place(path=f"record {self.number} ({self.name}) at byte {self.position}")

    def fields(self, source: str) -> Fields:
        """
        Give the fields.

        Raises:
            MalformedSourceError: they do not fit the length of the record.
        """
        if self.decoder is None:
            return {}
        try:
            return self._complete(self.decoder(self.content))
        except RecordDamageError as damage:
            raise MalformedSourceError(
                f"{self.name} is damaged: {damage}",
                source=source,
                place=str(self.place),
                remedy="copy the file again; what stands in other records is kept",
            ) from None

    def _complete(self, fields: Fields) -> Fields:
        for name in _REQUIRED.get(self.name, ()):
            if name not in fields:
                raise RecordDamageError(f"it ends before {name}")
        return fields

"""The reader of STDF V4 and of ATDF, its text form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rigbridge.adapters import Match, ReadContext, Source, is_blank
from rigbridge.errors import NoRunError
from rigbridge.model import Run
from rigbridge_stdf.records.files import claim
from rigbridge_stdf.settings import STDFSettings

__all__ = ["STDFAdapter"]


class STDFAdapter:
    """
    Reads test data of semiconductors: STDF V4 and ATDF.

    One adapter for both: the first record says which form a file has, and what follows
    from their records, the settings above all, is the same.
    """

    name: ClassVar[str] = "stdf"
    settings_type: ClassVar[type[STDFSettings]] = STDFSettings

    def __init__(self, settings: STDFSettings | None = None) -> None:
        self._settings = STDFSettings() if settings is None else settings

    def detect(self, head: bytes, name: str) -> Match | None:
        """Recognize the first records."""
        return claim(head, name)

    def read(self, source: Source, context: ReadContext) -> Iterator[Run]:
        """
        Read the parts, each of which is a run, in the order in which they end.

        Raises:
            UnrecognizedSourceError: it is no file of the format, or of another version.
            MalformedSourceError: it is cut off or holds something else; what was whole
                has been given.
            UnsafeSourceError: its parts do not end.
            NoRunError: it holds no part.
        """
        if is_blank(source.head):
            raise NoRunError("the file is empty", source=source.uri)
        # Imported here: most files that are looked at are no STDF files.
        from rigbridge_stdf.parts.reading import read_parts

        yield from read_parts(source, context, self._settings)

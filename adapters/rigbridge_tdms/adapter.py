"""The reader of NI TDMS files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rigbridge.adapters import Match, ReadContext, Source, is_blank
from rigbridge.errors import MalformedSourceError, NoRunError
from rigbridge.model import Run
from rigbridge_tdms.settings import TDMSSettings

__all__ = ["TDMSAdapter"]

_DATA, _INDEX = b"TDSm", b"TDSh"


class TDMSAdapter:
    """
    Reads TDMS files of LabVIEW and others, each as one run, or a run for each group.

    A group is a phase, a channel a series, or one value where it has a single point and
    limits or a verdict. What the file says of the unit and the
    procedure stands in properties whose names differ from site to site: see
    :class:`~rigbridge_tdms.settings.TDMSSettings`.
    """

    name: ClassVar[str] = "tdms"
    settings_type: ClassVar[type[TDMSSettings]] = TDMSSettings

    def __init__(self, settings: TDMSSettings | None = None) -> None:
        self._settings = TDMSSettings() if settings is None else settings

    def detect(self, head: bytes, name: str) -> Match | None:
        """Recognize the first four bytes of a file, or of its index."""
        del name
        if head.startswith(_DATA):
            return Match(0.99, "the first segment of a TDMS file")
        if head.startswith(_INDEX):
            return Match(0.99, "the index of a TDMS file")
        return None

    def read(self, source: Source, context: ReadContext) -> Iterator[Run]:
        """
        Read the run of a file.

        Raises:
            UnrecognizedSourceError: the library that reads TDMS is not installed.
            MalformedSourceError: it is no TDMS file, or its segments are damaged.
            NoRunError: it is empty, or an index without data.
            SourceUnreadableError: its bytes cannot be read.
        """
        if is_blank(source.head):
            raise NoRunError("the file is empty", source=source.uri)
        if source.head.startswith(_INDEX):
            raise NoRunError(
                "is the index of a TDMS file, and holds no data",
                source=source.uri,
                remedy="import the .tdms file; its index is not needed",
            )
        if not source.head.startswith(_DATA):
            raise MalformedSourceError(
                "is no TDMS file: it does not begin with TDSm",
                source=source.uri,
                remedy="leave --adapter out, or give it its right name",
            )
        # Imported here: most files that are looked at are no TDMS files.
        from rigbridge_tdms.reading import read_runs

        yield from read_runs(source, context, self._settings)

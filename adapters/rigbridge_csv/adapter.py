"""The reader of delimited logs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rigbridge.adapters import Match, ReadContext, Source
from rigbridge.model import Run
from rigbridge_csv.settings import CSVSettings
from rigbridge_csv.text.foreign import (
    TABULAR_NAMES,
    foreign_format,
    is_text_table,
    is_workbook,
)

__all__ = ["CSVAdapter"]

_TOLD_BY_NAME = 0.1


class CSVAdapter:
    """
    Reads delimited logs by declared profiles.

    A log whose header has our own field names needs no declaration, nor do the exports
    of LabVIEW, of the usual oscilloscopes and of in-circuit testers. See
    :class:`~rigbridge_csv.profiles.profile.CSVProfile` for what a profile says.

    Args:
        settings: the site's profiles; none by default.
    """

    name: ClassVar[str] = "csv"
    settings_type: ClassVar[type[CSVSettings]] = CSVSettings

    def __init__(self, settings: CSVSettings | None = None) -> None:
        self.settings = CSVSettings() if settings is None else settings

    def detect(self, head: bytes, name: str) -> Match | None:
        """Compare the header and the file name with the profiles."""
        # Reports of other formats go no further: they cost no module of this adapter.
        if not is_text_table(head):
            return self._foreign(head, name)
        # Imported here: most files that are looked at are no logs.
        from rigbridge_csv.selection import best_claims

        best = best_claims(
            self.settings.asked(), head, name, only=self.settings.profile is not None
        )
        if not best:
            return None
        reason = best[0].reason
        if len(best) > 1:
            names = " and ".join(claim.profile.name for claim in best)
            reason = f"profiles {names} fit equally well"
        return Match(best[0].score, reason)

    def _foreign(self, head: bytes, name: str) -> Match | None:
        found = foreign_format(head)
        # Claimed so that reading can say what it is; every other adapter is surer.
        if found is None or not name.lower().endswith(TABULAR_NAMES):
            return None
        if is_workbook(head) and self.settings.profiles:
            return Match(0.5, "an Excel workbook, for which a profile may be declared")
        return Match(_TOLD_BY_NAME, f"named as a log, but it is {found}")

    def read(self, source: Source, context: ReadContext) -> Iterator[Run]:
        """
        Read the runs of a log, one after the other.

        Raises:
            SourceUnreadableError: its bytes cannot be read.
            UnrecognizedSourceError: no profile fits it, or several equally well, or
                it is a file of another format.
            MalformedSourceError: its header does not fit the profile, or it is not
                text; a row that does not fit costs only its own run.
            NoRunError: it is empty, or a header without rows.
        """
        from rigbridge_csv.selection import read_log

        yield from read_log(
            self.settings.asked(),
            source,
            context,
            only=self.settings.profile is not None,
        )

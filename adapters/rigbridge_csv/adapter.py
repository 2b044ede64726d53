"""The reader of delimited logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from rigbridge.adapters import Match, ReadContext, Source
from rigbridge.errors import NoRunError, UnrecognizedSourceError
from rigbridge.model import Run
from rigbridge_csv.long_layout import LongLayout
from rigbridge_csv.profiles.matching import LayoutReader, ProfileClaim
from rigbridge_csv.profiles.profile import Layout
from rigbridge_csv.settings import BUILT_IN, CSVSettings
from rigbridge_csv.tables.decoding import decode_head

__all__ = ["CSVAdapter"]

# A profile chooses by name; another layout is another entry here.
_LAYOUTS: Mapping[Layout, LayoutReader] = {Layout.LONG: LongLayout()}


class CSVAdapter:
    """
    Reads delimited logs by declared profiles.

    A log whose header has our own field names needs no declaration. See
    :class:`~rigbridge_csv.profiles.profile.CSVProfile` for what a profile says, and
    :mod:`rigbridge_csv.long_layout` for how rows become runs.

    Args:
        settings: the site's profiles; none by default.
    """

    name: ClassVar[str] = "csv"
    settings_type: ClassVar[type[CSVSettings]] = CSVSettings

    def __init__(self, settings: CSVSettings | None = None) -> None:
        self.settings = CSVSettings() if settings is None else settings

    def detect(self, head: bytes, name: str) -> Match | None:
        """Compare the header and the file name with the profiles."""
        best = self._best(head, name)
        if not best:
            return None
        reason = best[0].reason
        if len(best) > 1:
            names = " and ".join(claim.profile.name for claim in best)
            reason = f"profiles {names} fit equally well"
        return Match(best[0].score, reason)

    def read(self, source: Source, context: ReadContext) -> Iterator[Run]:
        """
        Read the runs of a log, one after the other.

        Raises:
            SourceUnreadableError: its bytes cannot be read.
            UnrecognizedSourceError: no profile fits it, or several equally well.
            MalformedSourceError: its header does not fit the profile, or it is not
                text; a row that does not fit costs only its own run.
            NoRunError: it is empty, or a header without rows.
        """
        claim = self._choose(source)
        yield from _LAYOUTS[claim.profile.layout].read(claim, source, context)

    def _claims(
        self, head: bytes, name: str, *, built_in: bool = False
    ) -> list[ProfileClaim]:
        profiles = (BUILT_IN,) if built_in else self.settings.profiles
        claims = (
            _LAYOUTS[profile.layout].claim(profile, head, name) for profile in profiles
        )
        return [claim for claim in claims if claim is not None]

    def _best(self, head: bytes, name: str) -> list[ProfileClaim]:
        """Give the best claims: one, or several that are equally good, or none."""
        # What the site declared goes before the built-in profile.
        declared = self._claims(head, name)
        sure = [claim for claim in declared if not claim.lacking]
        claims = sure or self._claims(head, name, built_in=True) or declared
        top = max((claim.score for claim in claims), default=0.0)
        return [claim for claim in claims if claim.score == top]

    def _choose(self, source: Source) -> ProfileClaim:
        # The content is decompressed already; patterns name the log itself.
        head, name = source.head, source.name.removesuffix(".gz")
        best = self._best(head, name)
        # Detection says this as a reason; reading must not choose one by chance.
        if len(best) > 1:
            names = " and ".join(repr(claim.profile.name) for claim in best)
            raise UnrecognizedSourceError(
                f"ambiguous profile: {names} fit equally well",
                source=source.uri,
                remedy="tell them apart by match.file_name or match.columns",
            )
        if not best:
            # 0x1a is the end mark of DOS files.
            if not decode_head(None, head).strip("\ufeff \t\r\n\x1a"):
                raise NoRunError("the file is empty", source=source.uri)
            known = (*self.settings.profiles, BUILT_IN)
            raise UnrecognizedSourceError(
                "no profile of the csv adapter fits its header",
                source=source.uri,
                remedy="declare one in adapters.csv.profiles; known are "
                + ", ".join(profile.name for profile in known),
            )
        claim = best[0]
        if claim.lacking:
            raise UnrecognizedSourceError(
                claim.reason,
                source=source.uri,
                remedy=f"correct profile {claim.profile.name!r} or its match.file_name",
            )
        return claim

"""The profile that reads a log: the best claim, or an error that says why none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from rigbridge.adapters import ReadContext, Source
from rigbridge.adapters.text.decoding import decode_head
from rigbridge.errors import (
    MalformedSourceError,
    NoRunError,
    UnrecognizedSourceError,
)
from rigbridge.model import Run
from rigbridge_csv.forms.long import read_long
from rigbridge_csv.forms.reading import LogReading
from rigbridge_csv.forms.record import read_records
from rigbridge_csv.forms.series import read_series
from rigbridge_csv.forms.wide import read_wide
from rigbridge_csv.matching import LogHead, ProfileClaim, claim_profile
from rigbridge_csv.profiles.choice import built_in_profiles
from rigbridge_csv.profiles.forms import LogForm
from rigbridge_csv.profiles.profile import CSVProfile
from rigbridge_csv.text.foreign import foreign_format, is_workbook
from rigbridge_csv.text.workbook import can_read_workbooks, workbook_head

__all__ = ["best_claims", "read_log"]

_READERS: Mapping[LogForm, Callable[[LogReading], Iterator[Run]]] = {
    LogForm.LONG: read_long,
    LogForm.WIDE: read_wide,
    LogForm.SERIES: read_series,
    LogForm.RECORD: read_records,
}


class _Heads:
    """The beginnings of a log: of a workbook, that of the sheet of each profile."""

    def __init__(self, first: LogHead, sheet: Callable[[str], bytes] | None) -> None:
        self._first, self._sheet = first, sheet

    def of(self, profile: CSVProfile) -> LogHead:
        """Give what a profile looks at."""
        if self._sheet is None or profile.sheet is None:
            return self._first
        try:
            return LogHead(self._sheet(profile.sheet))
        except MalformedSourceError:
            # No such sheet: the workbook is none of this profile.
            return LogHead(b"")


def best_claims(
    profiles: Sequence[CSVProfile],
    head: bytes,
    name: str,
    *,
    chosen: bool = False,
    only: bool = False,
    sheet: Callable[[str], bytes] | None = None,
) -> list[ProfileClaim]:
    """
    Give the best claims: one, or several that are equally good, or none.

    Args:
        chosen: whether the adapter was asked for, or chosen: the one profile of a site
            then takes a log without a mark of its own.
        only: whether they take every log: no built-in profile is asked, and one that
            does not fit says what the log lacks.
        sheet: gives the beginning of another sheet of a workbook.
    """
    seen = _Heads(LogHead(head), sheet)
    if only:
        return _claims(profiles, seen, name, alone=True, only=True)[:1]
    # What the site declared goes before the built-in profiles.
    declared = _claims(profiles, seen, name)
    sure = [claim for claim in declared if not claim.lacking]
    claims = sure or _claims(built_in_profiles(), seen, name) or declared
    if not claims and chosen and len(profiles) == 1:
        claims = _claims(profiles, seen, name, alone=True)
    top = max((claim.score for claim in claims), default=0.0)
    return [claim for claim in claims if claim.score == top]


def _claims(
    profiles: Sequence[CSVProfile],
    heads: _Heads,
    name: str,
    *,
    alone: bool = False,
    only: bool = False,
) -> list[ProfileClaim]:
    found = (
        claim_profile(profile, heads.of(profile), name, alone=alone, only=only)
        for profile in profiles
    )
    return [claim for claim in found if claim is not None]


def read_log(
    profiles: Sequence[CSVProfile],
    source: Source,
    context: ReadContext,
    *,
    only: bool = False,
) -> Iterator[Run]:
    """
    Read the runs of a log by the profile that fits it best.

    Args:
        only: whether the one profile among them takes every log.

    Raises:
        UnrecognizedSourceError: no profile fits it, or several equally well.
        NoRunError: it is empty.
        SourceError: whatever else is wrong with it.
    """
    claim = _choose(profiles, source, only=only)
    reading = LogReading(claim.profile, claim.delimiter, source, context)
    yield from _READERS[claim.profile.form](reading)


def _head(source: Source) -> bytes:
    head = source.head
    found = foreign_format(head)
    if found is None:
        return head
    if is_workbook(head):
        if can_read_workbooks():
            return workbook_head(source)
        raise UnrecognizedSourceError(
            f"is {found}, not text",
            source=source.uri,
            remedy="save it as CSV, or pip install 'rigbridge[excel]'",
        )
    raise UnrecognizedSourceError(
        f"is {found}, not a delimited log",
        source=source.uri,
        remedy="give it its right name, or leave it out",
    )


def _choose(
    profiles: Sequence[CSVProfile], source: Source, *, only: bool
) -> ProfileClaim:
    # The content is decompressed already; patterns name the log itself.
    head, name = _head(source), source.content_name
    sheet = partial(workbook_head, source) if is_workbook(source.head) else None
    best = best_claims(profiles, head, name, chosen=True, only=only, sheet=sheet)
    # Detection says this as a reason; reading must not choose one by chance.
    if len(best) > 1:
        names = " and ".join(repr(claim.profile.name) for claim in best)
        raise UnrecognizedSourceError(
            f"ambiguous profile: {names} fit equally well",
            source=source.uri,
            remedy="tell them apart by match.file_name, match.columns or match.header",
        )
    if not best:
        # 0x1a is the end mark of DOS files.
        if not decode_head(None, head).strip("\ufeff \t\r\n\x1a"):
            raise NoRunError("the file is empty", source=source.uri)
        known = (*profiles, *built_in_profiles())
        raise UnrecognizedSourceError(
            "no profile of the csv adapter fits its header",
            source=source.uri,
            remedy="run `rigbridge csv learn` on it and declare what that writes in "
            "adapters.csv.profiles; known are "
            + ", ".join(profile.name for profile in known),
        )
    claim = best[0]
    if claim.lacking:
        raise UnrecognizedSourceError(
            claim.reason,
            source=source.uri,
            remedy=f"correct profile {claim.profile.name!r}"
            + ("" if only else " or its match.file_name"),
        )
    return claim

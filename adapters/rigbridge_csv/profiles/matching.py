"""Which profile fits a log: the claim of each, with its score and reason."""

from __future__ import annotations

import csv
import fnmatch
import io
from collections.abc import Iterator
from typing import Protocol

import attrs

from rigbridge.adapters import HEAD_SIZE, ReadContext, Source
from rigbridge.model import Run
from rigbridge_csv.profiles.header import find_column, normal
from rigbridge_csv.profiles.profile import CSVProfile
from rigbridge_csv.tables.decoding import decode_head
from rigbridge_csv.tables.table import blank, csv_reader

__all__ = ["LayoutReader", "ProfileClaim", "claim_by_header", "separator_line"]

# Tried where the profile declares none.
_DELIMITERS = (",", ";", "\t", "|")
_BY_NAME_ONLY, _BY_COLUMNS, _SHARE, _AND_NAME = 0.1, 0.4, 0.5, 0.05


@attrs.frozen(kw_only=True)
class ProfileClaim:
    """
    A profile's claim on a log.

    Attributes:
        profile: the profile.
        score: how sure it is, above 0 and below 1.
        reason: what it saw.
        delimiter: the sign between cells, where it was found.
        lacking: required columns that are not there; then only the file's name fits,
            and reading ends in an error that names them.
    """

    profile: CSVProfile
    score: float
    reason: str
    delimiter: str = ","
    lacking: tuple[str, ...] = ()


class LayoutReader(Protocol):
    """Claims and reads the logs of one layout."""

    def claim(self, profile: CSVProfile, head: bytes, name: str) -> ProfileClaim | None:
        """Say whether a log is of a profile, by its head and file name."""
        ...

    def read(
        self, claim: ProfileClaim, source: Source, context: ReadContext
    ) -> Iterator[Run]:
        """Read the runs of a log by the profile that claimed it."""
        ...


def separator_line(cells: list[str]) -> bool:
    """Say whether a first line is the one that tells Excel the delimiter."""
    return cells[0].lower().startswith("sep=") and not any(cells[1:])


def _header(text: str, delimiter: str, quote: str | None) -> list[str]:
    lines = io.StringIO(text, newline="")
    try:
        # Not strict: the head may be cut off inside a quoted cell.
        for cells in csv_reader(lines, delimiter, quote, strict=False):
            if not blank(cells) and not separator_line(cells):
                return [normal(cell) for cell in cells]
    except csv.Error:
        pass  # Such a text has no header, which is the answer.
    return []


def _is_other_format(text: str) -> bool:
    # Without this, a profile with numbered columns would fit nearly every file.
    # XML and JSON have their own adapters; a binary file has no printable first line.
    start = text.lstrip("\ufeff \t\r\n")[:1024]
    line = start.splitlines()[0] if start else ""
    return start.startswith(("<", "{", "[")) or not line.replace("\t", "").isprintable()


def _lacking(profile: CSVProfile, header: list[str]) -> tuple[str, ...]:
    lacking = [name for name in profile.required() if not find_column(header, name)]
    beyond = [
        f"number {column}"
        for column in profile.columns.values()
        if isinstance(column, int) and column > len(header)
    ]
    return (*dict.fromkeys(lacking), *beyond)


def _share(profile: CSVProfile, header: list[str]) -> float:
    # Positions, so that a column that is declared twice counts once.
    declared = {
        at
        for column in (*profile.columns.values(), *profile.metadata)
        for at in (
            (column - 1,) if isinstance(column, int) else find_column(header, column)
        )
    }
    return len(declared) / max(1, len(header))


def claim_by_header(profile: CSVProfile, head: bytes, name: str) -> ProfileClaim | None:
    """
    ProfileClaim a log whose header has the columns that a profile requires.

    The score grows with the share of the header that the profile declares. A profile
    that names files claims those whose header does not fit as well, with the lowest
    score, so that reading can say what is wrong.

    Args:
        profile: the profile.
        head: the beginning of the log.
        name: its file name.
    """
    pattern = profile.match.file_name
    named = pattern is not None and fnmatch.fnmatchcase(
        name.casefold(), pattern.casefold()
    )
    if pattern is not None and not named:
        return None
    text = decode_head(profile.encoding, head)
    if _is_other_format(text):
        return None
    # A header longer than the head is cut off in its last column, which does not count.
    cut = len(head) >= HEAD_SIZE and "\n" not in text and "\r" not in text
    # The delimiter that gives the best header is the right one.
    candidates: list[ProfileClaim] = []
    for delimiter in (profile.delimiter,) if profile.delimiter else _DELIMITERS:
        header = _header(text, delimiter, profile.quote)
        header = header[:-1] if cut else header
        lacking = _lacking(profile, header)
        if not header or (lacking and not named):
            continue
        share = _share(profile, header)
        candidates.append(
            ProfileClaim(
                profile=profile,
                score=_BY_NAME_ONLY
                if lacking
                else _BY_COLUMNS + _SHARE * share + _AND_NAME * named,
                reason=f"the file name fits profile {profile.name}, but its header "
                f"lacks {', '.join(lacking)}"
                if lacking
                else f"profile {profile.name} declares {share:.0%} of its columns",
                delimiter=delimiter,
                lacking=lacking,
            )
        )
    return max(candidates, key=lambda claim: claim.score, default=None)

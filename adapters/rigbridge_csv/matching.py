"""Which profile fits a log: the claim of each, with its score and reason."""

from __future__ import annotations

import codecs
import csv
import fnmatch
import io
import re

import attrs

from rigbridge.adapters import HEAD_SIZE
from rigbridge.adapters.text.decoding import decode_head, find_decoding
from rigbridge.errors import RigbridgeError
from rigbridge.model.report import ConversionReport
from rigbridge_csv.profiles.forms import LogForm
from rigbridge_csv.profiles.profile import CSVProfile
from rigbridge_csv.profiles.signs import BLANKS, plain_sign
from rigbridge_csv.tables.head import TableHead
from rigbridge_csv.tables.header import find_column, normal
from rigbridge_csv.tables.splitting import kind_records
from rigbridge_csv.tables.table import Bound, TableReader
from rigbridge_csv.text.records import CSVRecords, Signs, csv_reader

__all__ = ["LogHead", "ProfileClaim", "claim_profile", "make_signs"]

# Tried where the profile declares none.
_DELIMITERS = (",", ";", "\t", "|")
_BY_NAME_ONLY, _BY_COLUMNS, _SHARE, _AND_NAME = 0.1, 0.4, 0.5, 0.05
_BY_HEADER = 0.9
_LINES = 400


@attrs.frozen(kw_only=True)
class ProfileClaim:
    """
    A profile's claim on a log.

    Attributes:
        score: how sure it is, above 0 and below 1.
        delimiter: the sign between cells, where it was found.
        lacking: what is required and not there; then only the file's name fits, and
            reading ends in an error that names it.
        width: how many columns the header has, to choose between delimiters.
    """

    profile: CSVProfile
    score: float
    reason: str
    delimiter: str = ","
    lacking: tuple[str, ...] = ()
    width: int = 0


class LogHead:
    """
    The beginning of a log, which every profile looks at.

    Args:
        content: its bytes.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._texts: dict[str | None, str] = {}
        self._lines: dict[str | None, list[str]] = {}

    def text(self, encoding: str | None) -> str:
        """Give it as text, in the encoding of a profile or that which is found."""
        if encoding not in self._texts:
            self._texts[encoding] = decode_head(encoding, self.content)
        return self._texts[encoding]

    def first_lines(self, encoding: str | None) -> list[str]:
        """Give the first lines of that text."""
        if encoding not in self._lines:
            self._lines[encoding] = self.text(encoding).splitlines()[:_LINES]
        return self._lines[encoding]


class _HeadOnly(Bound):
    """A header that is looked at and not read."""

    def __init__(self, head: TableHead) -> None:
        self.names = [normal(cell) for cell in head.header]


def _nothing(*_: object) -> None:
    return None


def _header(text: str, profile: CSVProfile, signs: Signs) -> list[str] | None:
    """Find the header in the beginning of a log; None if it has none."""
    records = CSVRecords(
        io.StringIO(text, newline=""),
        # Not strict: the head may be cut off inside a quoted cell.
        attrs.evolve(signs, amid=True),
        uri="",
        on_comment=_nothing,
        on_mark=_nothing,
    )
    reader = TableReader(
        records,
        profile,
        _HeadOnly,
        uri="",
        delimiter=signs.delimiter,
        report=ConversionReport(),
    )
    try:
        for table in reader.tables():
            return table.columns.names
    # Such a text has no header, which is the answer.
    except (csv.Error, RigbridgeError):
        return None
    return None


def _first_line(text: str, signs: Signs) -> list[str]:
    try:
        for cells in csv_reader(io.StringIO(text, newline=""), signs, strict=False):
            if any(cells):
                return [normal(cell) for cell in cells]
    except csv.Error:
        pass  # Such a text has no header, which is the answer.
    return []


def _looks_binary(text: str) -> bool:
    # Without this, a profile with numbered columns would fit nearly every file.
    start = text.lstrip("\ufeff \t\r\n")[:1024]
    line = start.splitlines()[0] if start else ""
    return not line.replace("\t", "").isprintable()


def _lacking(profile: CSVProfile, header: list[str]) -> tuple[str, ...]:
    lacking = [name for name in profile.required() if not find_column(header, name)]
    beyond = [
        f"number {column}"
        for source in profile.fields.values()
        for column in source.in_rows
        if isinstance(column, int) and column > len(header)
    ]
    return (*dict.fromkeys(lacking), *beyond)


def _share(profile: CSVProfile, header: list[str]) -> float:
    # Positions, so that a column that is declared twice counts once.
    declared = {
        at
        for column in (
            *(
                column
                for source in profile.fields.values()
                for column in source.in_rows
            ),
            *(text.column for text in profile.metadata if text.column),
            *profile.series.x,
            *profile.series.by,
        )
        for at in (
            (column - 1,) if isinstance(column, int) else find_column(header, column)
        )
    }
    chosen = (
        profile.series.y
        if profile.form is LogForm.SERIES
        else profile.measurements.columns
    )
    if chosen is not None:
        declared |= {at for at, name in enumerate(header) if chosen.has(name)}
    return len(declared) / max(1, len(header))


def _codec(name: str) -> str:
    found = codecs.lookup(name).name
    return "utf-8" if found in {"utf-8-sig", "ascii"} else found


def _fits(pattern: re.Pattern[str] | None, text: str, lines: list[str]) -> bool:
    if pattern is None:
        return False
    # A pattern with flags of its own looks at all lines together.
    if pattern.pattern.startswith("(?"):
        return pattern.search(text) is not None
    # Line by line as well, so that ^ and $ mean the line's own.
    return pattern.search(text) is not None or any(map(pattern.search, lines))


def claim_profile(
    profile: CSVProfile,
    head: LogHead,
    name: str,
    *,
    alone: bool = False,
    only: bool = False,
) -> ProfileClaim | None:
    """
    Claim a log whose header has the columns that a profile requires.

    The score grows with the share of the header that the profile declares. A profile
    that names files claims those whose header does not fit as well, with the lowest
    score, so that reading can say what is wrong.

    Args:
        alone: whether no other profile is to be had: one that names no mark of its
            files then takes any.
        only: whether it was chosen by its name: what it says of its files is not
            asked, and one that does not fit says what is lacking.
    """
    match = profile.match
    named = only or (
        match.file_name is not None
        and fnmatch.fnmatchcase(name.casefold(), match.file_name.casefold())
    )
    if match.file_name is not None and not named:
        return None
    text = head.text(profile.encoding)
    if _looks_binary(text):
        return None
    if match.encoding is not None and not only:
        found = find_decoding(None, (head.content,), whole=False).encoding
        if _codec(found) != _codec(match.encoding):
            return None
    marked = _fits(match.header, text, head.first_lines(profile.encoding))
    if match.header is not None and not (marked or only):
        return _lacking_claim(profile, ("match.header",)) if named else None
    if profile.form is LogForm.RECORD:
        return _record_claim(profile, text, sure=named or marked or alone)
    return _table_claim(
        profile,
        text,
        named=named,
        marked=marked,
        alone=alone,
        whole=len(head.content) < HEAD_SIZE,
    )


def _lacking_claim(
    profile: CSVProfile, lacking: tuple[str, ...], delimiter: str = ","
) -> ProfileClaim:
    return ProfileClaim(
        profile=profile,
        score=_BY_NAME_ONLY,
        reason=f"its header lacks {', '.join(lacking)}, and profile "
        f"{profile.name!r}, which is the one for this file, needs it",
        delimiter=delimiter,
        lacking=lacking,
    )


def make_signs(profile: CSVProfile, delimiter: str) -> Signs:
    """Give the signs of a profile, with a delimiter that was found."""
    squeezed = BLANKS.get(delimiter, 0)
    return Signs(
        delimiter=plain_sign(delimiter),
        quote=profile.quote.sign,
        amid=profile.quote.amid,
        comments=profile.comment,
        squeezed=squeezed,
    )


def _table_claim(
    profile: CSVProfile,
    text: str,
    *,
    named: bool,
    marked: bool,
    alone: bool,
    whole: bool,
) -> ProfileClaim | None:
    place = profile.header
    # A header longer than the head is cut off in its last column.
    cut = not whole and "\n" not in text and "\r" not in text
    tells = bool(profile.required() or place.find or named or marked)
    numbered = any(
        isinstance(column, int)
        for source in profile.fields.values()
        for column in source.in_rows
    )
    if not (tells or numbered or alone):
        return None
    # The delimiter that gives the best header is the right one.
    candidates: list[ProfileClaim] = []
    for delimiter in (profile.delimiter,) if profile.delimiter else _DELIMITERS:
        header = _header(text, profile, make_signs(profile, delimiter))
        if header is not None and cut:
            header = header[:-1]
        lacking = _lacking(
            profile, header or _first_line(text, make_signs(profile, delimiter))
        )
        if header is None or not header or lacking:
            if named:
                what = lacking or ("header.find",)
                candidates.append(_lacking_claim(profile, what, delimiter))
            continue
        share = _share(profile, header)
        score = _BY_COLUMNS + _SHARE * min(1, share)
        if marked:
            score = max(score, _BY_HEADER)
        candidates.append(
            ProfileClaim(
                profile=profile,
                score=min(0.99, score + _AND_NAME * named),
                reason=f"profile {profile.name} declares {share:.0%} of its columns"
                if not marked
                else f"profile {profile.name} knows its first lines",
                delimiter=delimiter,
                width=len(header),
            )
        )
    return max(
        candidates,
        key=lambda claim: (not claim.lacking, claim.score, claim.width),
        default=None,
    )


def _record_claim(profile: CSVProfile, text: str, *, sure: bool) -> ProfileClaim | None:
    rules = profile.record_rules
    best: ProfileClaim | None = None
    # The last line may be cut off.
    body = text.rpartition("\n")[0] or text
    for delimiter in (profile.delimiter,) if profile.delimiter else _DELIMITERS:
        signs = make_signs(profile, delimiter)
        records = CSVRecords(
            io.StringIO(body, newline=""),
            attrs.evolve(signs, amid=True),
            uri="",
            on_comment=_nothing,
            on_mark=_nothing,
        )
        kinds = [
            record.kind
            for record in kind_records(records, rules, signs.delimiter)
            if record.cells
        ]
        known = [kind for kind in kinds if rules.find(kind) is not None]
        share = len(known) / max(1, len(kinds))
        if not known or (share < 0.5 and not sure):  # the larger part
            continue
        claim = ProfileClaim(
            profile=profile,
            score=_BY_COLUMNS + _SHARE * share + _AND_NAME * sure,
            reason=f"profile {profile.name} declares {share:.0%} of its records",
            delimiter=delimiter,
            width=len(set(known)),
        )
        if best is None or (claim.score, claim.width) > (best.score, best.width):
            best = claim
    return best

"""
The records of an ATDF file, with the fields that their twins in STDF have.

A record is a line ``PTR:1|2|...``; the sign behind ``FAR:A`` stands between the fields
of the whole file. A line that begins with a blank goes on with the record above it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import IO, Any

from rigbridge.adapters import ConversionReport
from rigbridge.errors import MalformedSourceError, UnrecognizedSourceError
from rigbridge_stdf.records.ascii_layouts import ALARMS, ASCII_LAYOUTS
from rigbridge_stdf.records.decoding import BEYOND, as_text
from rigbridge_stdf.records.record import Decoder, Fields, Record, RecordDamageError

__all__ = ["NO_RECORD", "AsciiRecords", "begins_as_ascii"]

NO_RECORD = "line"
"""The name of a line that does not begin as a record does."""

# A byte order mark is no part of the format, but editors write one.
_BEGIN = re.compile(rb"(?:\xef\xbb\xbf)?\s*FAR:A([^\w\r\n])(\d+)")
_NAME = re.compile(rb"([A-Z0-9]{3}):")
_VERSION = 4
_LONGEST = 1 << 22
"""Bytes of a record: the longest of STDF, written out, has a tenth of them."""

_TIME = re.compile(
    r"(\d{1,2}):(\d\d):(\d\d)\s+(\d{1,2})-([A-Z]{3})-(\d{4})", re.IGNORECASE
)
_MONTHS = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"
# The sign is that of RES_SCAL: a value in milli is stored with the exponent 3.
_PREFIXES = {
    15: "f",
    12: "p",
    9: "n",
    6: "u",
    3: "m",
    -3: "K",
    -6: "M",
    -9: "G",
    -12: "T",
}
_LIST_END = "*"


def begins_as_ascii(head: bytes) -> bool:
    """Tell whether a file begins as ATDF does."""
    return _BEGIN.match(head) is not None


class AsciiRecords:
    """
    Reads the records of an ATDF file.

    Args:
        head: its first bytes, which the stream gives again.
        report: where what is odd about the file as a whole is recorded.

    Raises:
        UnrecognizedSourceError: it does not begin with a FAR of ATDF.
    """

    def __init__(
        self, stream: IO[bytes], head: bytes, source: str, report: ConversionReport
    ) -> None:
        self._stream = stream
        self._source = source
        self._report = report
        begin = _BEGIN.match(head)
        if begin is None:
            raise UnrecognizedSourceError(
                "does not begin with 'FAR:A'",
                source=source,
                place="line 1",
                remedy="look at what the file is",
            )
        if int(begin[2]) != _VERSION:
            raise UnrecognizedSourceError(
                f"is the text form of STDF version {int(begin[2])}, not of 4",
                source=source,
                place="line 1",
                remedy="let the tester write V4, or convert the file",
            )
        self._separator = as_text(begin[1])
        self._is_scaled = True
        self._decoders: dict[str, Decoder] = {
            name: _AsciiDecoder(self, name) for name in ASCII_LAYOUTS
        }

    @property
    def separator(self) -> str:
        """What stands between two fields."""
        return self._separator

    @property
    def is_scaled(self) -> bool:
        """Whether results and limits are written in the scale of their display."""
        return self._is_scaled

    def __iter__(self) -> Iterator[Record]:
        """
        Give the records in order.

        A line that is none is given as one of that name, which no one can read.

        Raises:
            MalformedSourceError: a line is endless.
        """
        for number, (line, content) in enumerate(self._joined(), start=1):
            named = _NAME.match(content)
            if named is None:
                yield Record(NO_RECORD, number, line, content, _refuse, True)
                continue
            name = named[1].decode()
            if name == "FAR":
                self._begin(content)
            yield Record(
                name, number, line, content[4:], self._decoders.get(name), True
            )

    def _begin(self, content: bytes) -> None:
        fields = as_text(content).split(self._separator)
        # The standard takes the data for scaled where nothing is said.
        flag = fields[3].strip().upper() if len(fields) > 3 else "S"
        self._is_scaled = flag != "U"

    def _joined(self) -> Iterator[tuple[int, bytes]]:
        """Give each record with its first line; continued lines are joined."""
        record, first = b"", 0
        number = 0
        while line := self._stream.readline(_LONGEST):
            number += 1
            # Bounded while it is joined: a line that only goes on would grow without
            # end.
            if len(line) + len(record) > _LONGEST:
                raise MalformedSourceError(
                    f"a record has more than {_LONGEST:,} bytes",
                    source=self._source,
                    place=f"line {number}",
                    remedy="look at what the file is; the runs before are kept",
                )
            line = line.rstrip(b"\r\n")
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            # The first blank only says that the line goes on.
            if line[:1] in (b" ", b"\t") and record:
                record += line[1:]
            elif line.strip(b" \t\x1a\0"):
                # DOS ends a text with 0x1A, tapes with zeros.
                if record:
                    yield first, record
                record, first = line.lstrip(), number
        if record:
            yield first, record


def _refuse(content: bytes) -> Fields:
    """Say that a line is no record: it may have been any."""
    raise RecordDamageError(
        f"{as_text(content[:40])!r} is no record: one begins with three letters and a "
        "colon"
    )


class _AsciiDecoder:
    """Reads the fields of one kind of record."""

    def __init__(self, file: AsciiRecords, name: str) -> None:
        self._file = file
        self._name = name
        self._fields = ASCII_LAYOUTS[name]

    def __call__(self, content: bytes) -> Fields:
        text = as_text(content)
        # A text of its own may hold the sign that separates fields.
        if self._name == "DTR":
            return {"TEXT_DAT": text}
        written = text.split(self._file.separator)
        if self._name == "GDR":
            values = [_generic(value) for value in written if value]
            return {"GEN_DATA": values}
        fields: dict[str, Any] = {}
        # Not strict: fields at the end may be left out.
        for (name, kind), value in zip(self._fields, written, strict=False):
            stripped = value.strip()
            if stripped:
                try:
                    fields[name] = _read(kind, stripped, value)
                except ValueError:
                    raise RecordDamageError(
                        f"{name} is {value[:40]!r}, which does not fit"
                    ) from None
            elif value and kind == "T":
                # A single blank says that there is none, against the default.
                fields[name] = "\0"
        beyond = written[len(self._fields) :]
        if any(value.strip() for value in beyond):
            fields[BEYOND] = len("".join(beyond))
        return _as_binary(self._name, fields, is_scaled=self._file.is_scaled)


def _read(kind: str, value: str, raw: str) -> Any:
    if kind.endswith(_LIST_END):
        one = kind.removesuffix(_LIST_END)
        return [_read(one, item.strip(), item) for item in value.split(",") if item]
    return _READERS.get(kind, str)(raw if kind == "T" else value)


# As wide as the widest integer of STDF; a longer one would not fit its twin.
def _integer(value: str, base: int = 10) -> int:
    number = int(value, base)
    if not -(1 << 31) <= number < 1 << 32:
        raise ValueError(value)
    return number


def _exponent(value: str) -> int:
    number = int(value)
    if not -(1 << 7) <= number < 1 << 7:
        raise ValueError(value)
    return number


def _seconds(value: str) -> int:
    """Read a date as the seconds that STDF would count, of a wall clock."""
    found = _TIME.fullmatch(value)
    if found is None:
        raise ValueError(value)
    hour, minute, second, day = (int(found[index]) for index in (1, 2, 3, 4))
    month, within = divmod(_MONTHS.index(found[5].upper()), 3)
    if within:
        raise ValueError(value)
    # As if it were UTC, so that both forms give the seconds of the wall clock.
    wall = datetime(int(found[6]), month + 1, day, hour, minute, second, tzinfo=UTC)
    return int(wall.timestamp())


_READERS: dict[str, Callable[[str], Any]] = {
    "U": _integer,
    "N": partial(_integer, base=16),
    "X": partial(_integer, base=16),
    "I": _exponent,
    "R": float,
    "time": _seconds,
}


def _generic(value: str) -> Any:
    code, text = value[0].upper(), value[1:]
    try:
        if code in "UMBISL":
            return int(text)
        if code in "FD":
            return float(text)
        if code == "N":
            return int(text, 16)
    except ValueError:
        raise RecordDamageError(f"the value {value[:40]!r} does not fit") from None
    return text


def _as_binary(name: str, fields: dict[str, Any], *, is_scaled: bool) -> Fields:
    """Give the letters of ATDF as the flags of STDF."""
    if name in {"PTR", "MPR", "FTR"}:
        _set_test_flags(name, fields)
        if is_scaled and name != "FTR":
            _unscale(fields)
    elif name == "PRR":
        verdict = fields.pop("pass", "").strip().upper()
        flags = {"F": 1 << 3, "P": 0}.get(verdict[:1], 1 << 4)
        flags |= {"I": 1 << 0, "C": 1 << 1}.get(fields.pop("retest", "")[:1].upper(), 0)
        if fields.pop("aborted", "").strip():
            flags |= 1 << 2
        fields["PART_FLG"] = flags
    elif name in {"PCR", "HBR", "SBR", "TSR"}:
        # ATDF leaves the head out of a summary of all; STDF writes 255.
        fields.setdefault("HEAD_NUM", 255)
    return fields


def _set_test_flags(name: str, fields: dict[str, Any]) -> None:
    verdict = fields.pop("pass", "").strip().upper()[:1]
    test = {"P": 0, "A": 0, "F": 1 << 7}.get(verdict, 1 << 6)
    parametric = 1 << 5 if verdict == "A" else 0
    for letter in fields.pop("alarms", "").strip().upper():
        bits = ALARMS.get(letter)
        if bits is None:
            raise RecordDamageError(f"the alarm flag {letter!r} is unknown")
        test |= bits[0]
        parametric |= bits[1]
    if name == "FTR":
        fields["TEST_FLG"] = test
        return
    # Without a result the twin in STDF is not valid.
    if name == "PTR" and "RESULT" not in fields:
        test |= 1 << 1
    compared = fields.pop("compare", "").upper()
    parametric |= (1 << 6 if "L" in compared else 0) | (
        1 << 7 if "H" in compared else 0
    )
    fields["TEST_FLG"], fields["PARM_FLG"] = test, parametric


def _unscale(fields: dict[str, Any]) -> None:
    """
    Bring scaled results and limits to the base unit that STDF stores them in.

    Without exponents they stay as they are: the unit that is written is theirs.
    """
    scale = fields.get("RES_SCAL", 0)
    for name, by in (
        ("RESULT", scale),
        ("LO_LIMIT", fields.get("LLM_SCAL", 0)),
        ("HI_LIMIT", fields.get("HLM_SCAL", 0)),
        ("LO_SPEC", fields.get("LLM_SCAL", 0)),
        ("HI_SPEC", fields.get("HLM_SCAL", 0)),
    ):
        if by and name in fields:
            fields[name] = _moved(fields[name], by)
    if scale and "RTN_RSLT" in fields:
        fields["RTN_RSLT"] = [_moved(value, scale) for value in fields["RTN_RSLT"]]
    prefix = _PREFIXES.get(scale, "")
    unit = fields.get("UNITS", "")
    # The unit is written with its prefix, which the exponent has just taken off.
    if prefix and len(unit) > 1 and unit[0].lower() == prefix.lower():
        fields["UNITS"] = unit[1:]


def _moved(value: float, scale: int) -> float:
    # By the digits: a division would leave 0.9973000000000001 of 997.3.
    return float(Decimal(repr(value)).scaleb(-scale))

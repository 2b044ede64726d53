"""Rows as lines of CSV."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import IO, Any

import msgspec

from rigbridge.destinations import MeasurementKind, MeasurementRow, RunRows
from rigbridge.export.formats import FormatWriter, make_room
from rigbridge.kept.rows import COLUMNS

__all__ = ["csv_writer"]

_encode = msgspec.json.Encoder().encode

# The line ending is fixed, so that one export is the same on every system.
_END = "\n"
_QUOTED = re.compile(r'[",\r\n]')

_FORMULAS = frozenset("=+-@\t\r")
"""What a spreadsheet takes for the beginning of a formula, which it runs."""


class _CSVWriter:
    """
    Writes lines as :mod:`csv` does, at a fraction of its time.

    What the rows of a run, of a phase and of a kind of measurements have in common
    becomes text once.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._stream.write(",".join(COLUMNS) + _END)
        self._kinds: dict[MeasurementKind, tuple[str, str]] = {}

    def add(self, rows: RunRows) -> None:
        lines: list[str] = []
        known = self._kinds
        of_run = _joined(rows.cells)
        for cells, measured in rows.phases:
            shared = f"{of_run},{_joined(cells)}"
            for kind, number, text in measured:
                before, after = known.get(kind) or self._around(kind)
                if number is None or text is None:
                    value = "" if text is None else _text(text)
                    spelled = "" if number is None else repr(number)
                    lines.append(f"{shared},{before},{spelled},{value},{after}")
                # What spells a number has no sign that means something else here.
                elif "." in text and "e" not in text:
                    lines.append(f"{shared},{before},{text},{text},{after}")
                else:
                    # A whole number, or one with an exponent, is spelled otherwise.
                    lines.append(f"{shared},{before},{number!r},{text},{after}")
        if lines:
            self._stream.write(_END.join(lines) + _END)

    def _around(self, kind: MeasurementKind) -> tuple[str, str]:
        """Write what stands around the value of a measurement."""
        make_room(self._kinds)
        around = self._kinds[kind] = _joined(kind.start), _joined(kind.end)
        return around

    def finish(self) -> None:
        self._stream.flush()


def _joined(cells: MeasurementRow) -> str:
    return ",".join([_SPELLED[type(cell)](cell) for cell in cells])


def _text(text: str) -> str:
    # A number may begin with a sign; anything else that does is shown as text.
    if text[:1] in _FORMULAS and not _is_number(text):
        text = f"'{text}"
    if _QUOTED.search(text) is None:
        return text
    return '"' + text.replace('"', '""') + '"'


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _moment(moment: datetime) -> str:
    """Write a time as ``isoformat`` does."""
    if moment.tzinfo is not UTC:
        return moment.isoformat()
    # Nearly all are in UTC, which JSON spells in other words, and in a fifth of the
    # time.
    return f"{_encode(moment).decode()[1:-2]}+00:00"


_SPELLED: Mapping[type, Callable[[Any], str]] = {
    type(None): lambda _: "",
    # What all runs of a rig have in common is looked at once; serial numbers pass by.
    str: lru_cache(maxsize=1024)(_text),
    int: repr,
    float: repr,
    bool: lambda flag: "true" if flag else "false",
    datetime: _moment,
}
"""How cells are written, by their kinds."""


@contextmanager
def csv_writer(stream: IO[bytes]) -> Generator[FormatWriter]:
    """Make what writes lines of CSV to a stream, which stays open."""
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
    try:
        yield _CSVWriter(text)
    finally:
        # Whoever opened the stream closes it.
        text.detach()

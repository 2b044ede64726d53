"""The lines and cells of a text, and how one of them is changed for a trial."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from operator import itemgetter
from typing import TypeVar

import attrs

from rigbridge.testing.adapters.cases import Sample

__all__ = ["Cell", "SampleText", "spread"]

_Item = TypeVar("_Item")

_CELL = re.compile(r"[+\-.]?\w(?:[^\s;,|=<>\"'{}\[\]()&\\]*\w)?")
_TAG = re.compile(r"<!--.*?-->|<[?!][^>]*>|<[^>]*>", re.DOTALL)
_NAMESPACE = re.compile(
    r"(?:xmlns(?::[\w.-]+)?|\w+:(?:schemaLocation|type))\s*=\s*(?:\"[^\"]*\"|'[^']*')"
)
_VALUE = re.compile(r"\"[^\"]*\"|'[^']*'")
_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"(\s*:)?")
_EMPTY_MEMBER = re.compile(r":\s*(?:null|\[\s*\]|\{\s*\}|\"\"),?\s*$")


def spread(items: Sequence[_Item], most: int) -> Sequence[_Item]:
    """Take some of many, evenly, so that a large sample costs no more time."""
    if len(items) <= most:
        return items
    return [items[index * len(items) // most] for index in range(most)]


@attrs.frozen
class Cell:
    """
    A word or a number of a text.

    Attributes:
        line: the line that it stands in, counted from 1.
        free: whether any other text may stand in its place: no part of the grammar.
    """

    start: int
    text: str
    line: int
    free: bool

    @property
    def is_number(self) -> bool:
        """Whether it is a decimal number."""
        return re.fullmatch(r"[+-]?\d+(?:[.,]\d+)?", self.text) is not None

    def changed(self, last: str | None = None) -> str:
        """Give another cell of the same kind, which differs in its last sign."""
        sign = self.text[-1]
        if last is None:
            if sign.isdecimal():
                # 59 becomes 58 and 31 becomes 30: a time stays one.
                last = str(int(sign) - 1) if sign != "0" else "1"
            else:
                last = "x" if sign.islower() else "X"
                last = "y" if sign in "xX" else last
        return self.text[:-1] + last


class SampleText:
    """A sample as text."""

    def __init__(self, sample: Sample, text: str) -> None:
        self.sample = sample
        self.text = text
        self.lines = re.findall(r"[^\n]*\n|[^\n]+", text)
        start = text.lstrip("\ufeff \t\r\n")[:1]
        self.is_xml = start == "<"
        self.is_json = start in {"{", "["}

    @classmethod
    def of(cls, sample: Sample) -> SampleText | None:
        """Take a sample that is UTF-8; None for any other."""
        if b"\0" in sample.content:
            return None
        try:
            return cls(sample, sample.content.decode())
        except UnicodeDecodeError:
            return None

    @cached_property
    def cells(self) -> list[Cell]:
        """Every cell that may mean something."""
        return list(self._cells())

    @property
    def fields(self) -> list[Cell]:
        """Cells with only a blank between them, such as date and hour, as one."""
        found: list[Cell] = []
        before: Cell | None = None
        for cell in self.cells:
            if before is not None:
                end = before.start + len(before.text)
                if self.text[end : cell.start] == " " and before.free and cell.free:
                    whole = self.text[before.start : cell.start + len(cell.text)]
                    before = Cell(before.start, whole, before.line, free=True)
                    continue
                found += [before] if " " in before.text else []
            before = cell
        return found

    def _cells(self) -> Iterator[Cell]:
        ends = [0]
        for line in self.lines:
            ends.append(ends[-1] + len(line))
        # The key of an object belongs to the grammar.
        quoted = [found.span() for found in _STRING.finditer(self.text) if not found[1]]
        tags = self._tags() if self.is_xml else []
        for found in _CELL.finditer(self.text):
            number = bisect.bisect_right(ends, found.start())
            if self._says_nothing(self.lines[number - 1]):
                continue
            if _within(found.start(), tags):
                continue
            free = not self.is_json or _within(found.start(), quoted)
            yield Cell(found.start(), found[0], number, free)

    def _tags(self) -> list[tuple[int, int]]:
        """Tell where the grammar of XML stands: what is no text and no value."""
        spans: list[tuple[int, int]] = []
        for tag in _TAG.finditer(self.text):
            at = tag.start()
            if tag[0][1] not in "!?":
                # A namespace belongs to the grammar, as a tag does.
                for value in _VALUE.finditer(_NAMESPACE.sub(_blanked, tag[0])):
                    spans.append((at, tag.start() + value.start()))
                    at = tag.start() + value.end()
            spans.append((at, tag.end()))
        return spans

    @cached_property
    def telling_lines(self) -> list[int]:
        """The numbers of the lines that may mean something."""
        return [
            number
            for number, line in enumerate(self.lines, start=1)
            if line.strip() and not self._says_nothing(line)
        ]

    def telling_lines_of_a_kind(self, most: int) -> set[int]:
        """Give the numbers of some lines of each kind: of one first word, and signs."""
        kinds: dict[str, list[int]] = {}
        for number in self.telling_lines:
            line = self.lines[number - 1]
            kind = re.sub(r"(?<=[^\w])[\w.+\- ]+", "_", re.sub(r"\d+", "0", line))
            kinds.setdefault(kind, []).append(number)
        return {number for some in kinds.values() for number in some[:most]}

    def _says_nothing(self, line: str) -> bool:
        # In JSON a member without a content says what its absence says.
        if self.is_json and _EMPTY_MEMBER.search(line):
            return True
        if self.is_xml and line.lstrip("\ufeff \t").startswith(("<?", "<!--")):
            return True
        return self.sample.says_nothing(line.rstrip("\r\n"))

    def with_cell(self, cell: Cell, text: str) -> str:
        """Give the whole text with another text in place of a cell."""
        return self.text[: cell.start] + text + self.text[cell.start + len(cell.text) :]

    def with_line(self, number: int, times: int) -> str:
        """Give the whole text with a line left out (0) or repeated."""
        index = number - 1
        repeated = [self.lines[index]] * times
        return "".join([*self.lines[:index], *repeated, *self.lines[index + 1 :]])


def _blanked(found: re.Match[str]) -> str:
    return " " * len(found[0])


def _within(at: int, spans: list[tuple[int, int]]) -> bool:
    index = bisect.bisect_right(spans, at, key=itemgetter(0)) - 1
    return index >= 0 and spans[index][0] <= at < spans[index][1]

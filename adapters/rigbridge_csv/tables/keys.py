"""Lines of a name and its text: before the header, beside it, or as comments."""

from __future__ import annotations

import re
from typing import NamedTuple

from rigbridge.model.report import ConversionReport, Place
from rigbridge_csv.profiles.place import KeyPlace
from rigbridge_csv.profiles.profile import CSVProfile

__all__ = ["FilledCell", "KeyLines", "colon_pairs", "keep_text", "parted_keys"]

_ENDS = " \t:="
_DATE = re.compile(
    r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}$|\d{1,2}[- .][^\W\d]{3,}[- .]\d{2,4}$"
)
_CLOCK = re.compile(r"\d{1,2}:\d{2}")
_MOMENT = re.compile(
    r"\W*\d{1,4}([-/.])\d{1,2}\1\d{1,4}[ T]+\d{1,2}:\d{2}[\d:., APMapm]*"
)


class FilledCell(NamedTuple):
    """The text of a cell that is not blank, its line, and the name of its column."""

    text: str
    line: int
    column: str

    @property
    def place(self) -> Place:
        """Its place in the log."""
        return Place(line=self.line, path=self.column)


def keep_text(
    target: dict[str, str],
    label: str,
    text: str,
    counts: dict[str, int] | None = None,
) -> None:
    """
    Add a text under a label; another text of the same label gets a number.

    Args:
        target: what it is added to.
        counts: the last number of each label, where many texts of one are expected.
    """
    if target.get(label, text) == text:
        target[label] = text
        return
    count = 1 if counts is None else counts.get(label, 1)
    name = label
    while target.get(name, text) != text:
        count += 1
        name = f"{label} ({count})"
    target[name] = text
    if counts is not None:
        counts[label] = count


class KeyLines:
    """
    The keys of one table.

    Args:
        profile: says how a key and its text are written.
        report: where texts of such lines are recorded that become no key.
    """

    def __init__(
        self, profile: CSVProfile, delimiter: str, report: ConversionReport
    ) -> None:
        self._place = profile.keys
        self._data = profile.data
        self._report = report
        self._comments = profile.comment
        self._delimiter = delimiter
        self.texts: dict[str, FilledCell] = {}
        self._first: dict[str, FilledCell] = {}

    @property
    def declared(self) -> bool:
        """Whether the profile says that there are keys."""
        return self._place is not None

    def copy_from(self, other: KeyLines) -> None:
        """Take over the keys of the lines before the first block."""
        self.texts.update(other.texts)
        self._first.update(other._first)

    def add(self, line: int, name: str, first: str, text: str) -> None:
        """Add a key; another text of the same name gets a number."""
        label, count = name, 1
        while label in self.texts and self.texts[label].text != text:
            count += 1
            label = f"{name} ({count})"
        self.texts.setdefault(label, FilledCell(text, line, label))
        self._first.setdefault(name, FilledCell(first, line, name))

    def find(self, name: str) -> FilledCell | None:
        """Find the text of a key; of several cells the first. Case is ignored."""
        found = self._first.get(name)
        if found is None:
            folded = name.casefold()
            for key, cell in self._first.items():
                if key.casefold() == folded:
                    return cell
        return found

    def take(self, line: int, cells: list[str], text: str) -> bool:
        """Take a line as a key if it is one."""
        if self._place is None:
            return False
        for sign in self._comments:
            stripped = text.lstrip()
            if stripped.startswith(sign):
                text = stripped.removeprefix(sign).strip()
                cells = text.split(self._delimiter)
                break
        if self._place.pairs:
            return self._take_pairs(line, cells)
        several = parted_keys(self._place.separator, text)
        for part in several:
            self.take(line, [part], part)
        if several:
            return True
        found = self._parts(self._place, cells, text)
        if found is None:
            return False
        self._account(self._place, line, cells, text)
        name, texts = found
        filled = [part.strip() for part in texts if part.strip()]
        # Channels of one instrument repeat what is the same for all.
        same = len(set(filled)) == 1
        sign = "\t" if self._delimiter == "\t" else f"{self._delimiter} "
        shown = filled[0] if same else sign.join(filled)
        if not filled:
            self._leave(line, "a name without a text", name)
        else:
            first = filled[0]
            # A date and its time of day in two cells are one time.
            if len(filled) > 1 and _DATE.match(first) and _CLOCK.match(filled[1]):
                first = f"{first} {filled[1]}"
            self.add(line, name, first, shown)
        return True

    def _account(self, place: KeyPlace, line: int, cells: list[str], text: str) -> None:
        """Record what else a line of a key holds."""
        if place.pattern is not None:
            rest = place.pattern.sub("", text, count=1).strip(f"{self._delimiter} \t")
            if rest:
                self._leave(line, "beside what keys.pattern finds", rest)
        if place.columns is not None:
            known = [at - 1 for at in place.columns]
            for at, cell in enumerate(cells):
                if cell.strip() and at not in known and not self._data.has(at):
                    self._leave(line, "beside the columns of keys", cell.strip())

    def _leave(self, line: int, rule: str, text: str) -> None:
        place = Place(line=line)
        self._report.omitted("key", rule, place=place, detail=text[:200])

    def _take_pairs(self, line: int, cells: list[str]) -> bool:
        """Take a name and its text, then the next name and its text."""
        if sum(cell.rstrip().endswith(":") for cell in cells) > 1:
            # Blank cells may stand between the pairs, and more than one in a text.
            for name, text in colon_pairs(cells):
                if name and text:
                    self.add(line, name, text, text)
                else:
                    self._leave(line, "a name or a text alone", name or text)
            return True
        names = [cell.strip().rstrip(_ENDS) for cell in cells[::2]]
        for at, name in enumerate(names):
            text = "".join(cells[2 * at + 1 : 2 * at + 2]).strip()
            if text:
                self.add(line, name or f"column {2 * at + 1}", text, text)
            elif name:
                self._leave(line, "a name without a text", name)
        return bool(names and names[0])

    def _parts(
        self, place: KeyPlace, cells: list[str], text: str
    ) -> tuple[str, list[str]] | None:
        if place.pattern is not None:
            found = place.pattern.search(text)
            return None if found is None else (found["key"].strip(), [found["value"]])
        if place.columns is not None:
            at_name, at_text = (at - 1 for at in place.columns)
            if at_text >= len(cells) or not cells[at_name].strip():
                return None
            return cells[at_name].strip().rstrip(_ENDS), [cells[at_text]]
        filled = [at for at, cell in enumerate(cells) if cell.strip()]
        if place.separator is not None:
            whole = cells[filled[0]] if len(filled) == 1 else text
            return _separated(place.separator, whole)
        return _by_cells(cells, filled) if filled else None


def colon_pairs(cells: list[str]) -> list[tuple[str, str]]:
    """
    Give each name that ends with a colon, and what stands before the next one.

    Either is blank where it stands alone.
    """
    found: list[tuple[str, list[str]]] = []
    for cell in (cell.strip() for cell in cells if cell.strip()):
        if cell.endswith(":"):
            found.append((cell.rstrip(_ENDS), []))
        elif found:
            found[-1][1].append(cell)
        else:
            found.append(("", [cell]))
    return [(name, " ".join(texts)) for name, texts in found]


_APART = re.compile(r"\s{2,}|\t")


def parted_keys(sign: str | None, text: str) -> list[str]:
    """Part a line that holds several names with their texts, blanks apart."""
    if sign is None or sign == "tab" or text.count(sign) < 2:  # more than one
        return []
    parts = [part for part in _APART.split(text.strip()) if part]
    # Each a name of letters: the colons of a time of day make none.
    named = all(
        re.match(rf"[^\W\d][^{re.escape(sign)}]*{re.escape(sign)}", p) for p in parts
    )
    return parts if named and len(parts) > 1 else []


def _separated(separator: str, text: str) -> tuple[str, list[str]] | None:
    sign = "\t" if separator == "tab" else separator
    if _MOMENT.fullmatch(text):
        # The colon of a time of day parts no name from its text.
        return "date", [text.strip()]
    name, found, rest = text.partition(sign)
    name = name.strip().strip('"').rstrip(_ENDS)
    return (name, [rest.strip().strip('"')]) if found and name else None


def _by_cells(cells: list[str], filled: list[int]) -> tuple[str, list[str]] | None:
    name = cells[filled[0]].strip()
    if len(filled) > 1:
        return name.rstrip(_ENDS), cells[filled[0] + 1 :]
    # A name whose text is blank, or both in one cell.
    for sign in (":", "="):
        before, found, after = name.partition(sign)
        if found and before.strip():
            return before.strip(), [after]
    return (name, []) if len(cells) > 1 else None

"""The lines before the rows of a table: keys, rows with roles, the header."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import attrs

from rigbridge.model.report import ConversionReport, Place
from rigbridge_csv.profiles.fields import Field
from rigbridge_csv.profiles.place import FURTHEST, Role, RolePlace
from rigbridge_csv.profiles.profile import CSVProfile
from rigbridge_csv.tables.header import find_column, normal
from rigbridge_csv.tables.keys import FilledCell, KeyLines

__all__ = [
    "HeadReader",
    "RoleRow",
    "TableHead",
    "constant_fields",
    "separator_line",
]


@attrs.frozen
class RoleRow:
    """A row that says something of the columns: its role, label, line and cells."""

    role: Role
    label: str
    line: int
    cells: tuple[str, ...]


@attrs.define(kw_only=True)
class TableHead:
    """
    What stands before the rows of a table.

    Attributes:
        line: the line of the header, or of the first row where there is none.
        header: its cells, by the columns of the data.
        roles: the rows with roles so far.
        name: the name of the block, or None.
        number: the table's number in the file, counted from 0.
    """

    line: int
    header: list[str]
    keys: KeyLines
    roles: list[RoleRow]
    name: str | None = None
    number: int = 0


def separator_line(cells: Sequence[str]) -> bool:
    """Say whether a first line is the one that tells Excel the delimiter."""
    return cells[0].lower().startswith("sep=") and not any(cells[1:])


def _first_filled(cells: Sequence[str]) -> str:
    return next((text for cell in cells if (text := normal(cell))), "")


class HeadReader:
    """Reads the lines before the rows of one table, one after the other."""

    def __init__(
        self, profile: CSVProfile, keys: KeyLines, report: ConversionReport
    ) -> None:
        self.profile = profile
        self.keys = keys
        self.roles: list[RoleRow] = []
        self._places: list[RolePlace] = []
        self._above_rows = 0
        self._report = report
        self._labels = {role.row: role for role in profile.roles if role.row}
        self._offsets = {
            role.offset: role for role in profile.roles if role.offset is not None
        }
        self._above: deque[tuple[int, list[str], str, bool]] = deque()
        self._required = [
            name for name in profile.required() if name not in profile.match.columns
        ]
        # Named groups of a block's first line may be the name and keys of it.
        self.name: str | None = None

    def role_row(self, line: int, cells: Sequence[str]) -> bool:
        """Take a row if its label gives it a role."""
        if not self._labels:
            return False
        label = _first_filled(cells)
        place = self._labels.get(label)
        if place is None:
            return False
        self._take(place, label, line, cells)
        return True

    def role_at(self, offset: int, line: int, cells: Sequence[str]) -> bool:
        """Take a row if its distance from the header gives it a role."""
        place = self._offsets.get(offset)
        if place is None:
            return False
        self._take(place, place.is_.value, line, cells)
        return True

    def begin_rows(self) -> None:
        """Know that the rows of the table begin, or go on, behind what was taken."""
        self._above_rows = len(self._places)

    @property
    def deepest(self) -> int:
        """How many lines below the header may have a role by their distance."""
        return max([0, *self._offsets])

    def _take(
        self, place: RolePlace, label: str, line: int, cells: Sequence[str]
    ) -> None:
        if place.is_ is Role.DROP:
            self._report.omitted(
                "row",
                "dropped, as the profile asks",
                place=Place(line=line),
                detail=label,
            )
            return
        self._report.mapped("role row")
        # A row with its role that comes again below the rows counts from there on.
        for at, known in enumerate(self._places[: self._above_rows]):
            if known is place:
                del self.roles[at], self._places[at]
                self._above_rows -= 1
                break
        self._places.append(place)
        moved = [*([""] * place.shift), *cells[max(0, -place.shift) :]]
        self.take_side_cells(line, cells)
        self.roles.append(RoleRow(place.is_, label, line, tuple(self.cut(moved))))

    def cut(self, cells: list[str]) -> list[str]:
        """Give the cells of the data's columns."""
        columns = self.profile.data.columns
        return cells if columns is None else cells[columns[0] - 1 : columns[1]]

    def take_side_cells(self, line: int, cells: Sequence[str]) -> None:
        """Take what stands beside the table's own columns: keys, or recorded."""
        data, place = self.profile.data, self.profile.keys
        if data.columns is None:
            return
        known: Sequence[int] = ()
        if self.profile.header.beside:
            self.keys.take(line, list(cells), "")
            known = () if place is None or place.columns is None else place.columns
        for at, cell in enumerate(cells):
            if cell.strip() and not data.has(at) and at + 1 not in known:
                self._report.omitted(
                    "cell",
                    "outside of data.columns, as the profile asks",
                    place=Place(line=line, path=f"column {at + 1}"),
                    detail=cell.strip(),
                )

    def begin_block(self, line: int, groups: dict[str, str | None]) -> None:
        """Take the named groups of the line that begins a block."""
        for name, text in groups.items():
            if text:
                if name == "name":
                    self.name = text.strip()
                self.keys.add(line, name, text.strip(), text.strip())

    def take(self, line: int, cells: list[str], text: str) -> list[str] | None:
        """
        Take a line before the rows.

        Returns:
            The cells of the header if it is the header or the first row of a table
            that has none; else None.
        """
        place = self.profile.header
        if place.names:
            if self._begins(line, cells, text):
                return list(place.names)
        elif self._is_header(line, cells, text):
            header = self.cut(cells)
            self.take_side_cells(line, cells)
            for distance, (above, row, shown, told) in enumerate(
                reversed(self._above), start=1
            ):
                if not self.role_at(-distance, above, row) and not told:
                    self._record_line(above, row, shown)
            return self._named(header)
        told = (
            # Text that stands for a channel each is of use to a person as well.
            self.role_row(line, cells)
            or separator_line(cells)
            or self.keys.take(line, cells, text)
        )
        if not self._pending_role():
            if not told:
                self._record_line(line, cells, text)
            return None
        self._above.append((line, cells, text, told))
        if len(self._above) > FURTHEST:
            above, row, shown, told = self._above.popleft()
            if not told:
                self._record_line(above, row, shown)
        return None

    def _record_line(self, line: int, cells: list[str], text: str) -> None:
        title = sum(bool(cell.strip()) for cell in cells) == 1
        # A title says nothing of the units; a line of more may be a key.
        record = self._report.omitted if title else self._report.dropped
        record(
            "line",
            "before the table, a title"
            if title
            else "before the table, neither key nor header: declare keys or roles",
            place=Place(line=line),
            detail=text[:200],
        )

    def _named(self, header: list[str]) -> list[str]:
        """Give the header with the names of the rows that have this role."""
        for row in self.roles:
            if row.role is not Role.NAME:
                continue
            header += [""] * (len(row.cells) - len(header))
            for at, cell in enumerate(row.cells):
                if not header[at].strip() and normal(cell) != row.label:
                    header[at] = cell
        return header

    def _pending_role(self) -> bool:
        return any(offset < 0 for offset in self._offsets)

    def _begins(self, line: int, cells: list[str], text: str) -> bool:
        place = self.profile.header
        if place.beside:
            return True
        if place.line is not None:
            return line >= place.line
        if place.find is not None:
            return place.find.search(text) is not None
        if len(self.cut(cells)) < len(place.names):
            return False
        if not self.keys.declared:
            return True
        # Keys may have as many cells; rows begin with a number.
        return _first_filled(self.cut(cells))[:1] in "+-.0123456789"

    @property
    def follows(self) -> bool:
        """Whether the line that is found comes before the rows, not among them."""
        place = self.profile.header
        return not place.names or place.find is not None

    def _is_header(self, line: int, cells: list[str], text: str) -> bool:
        place = self.profile.header
        if place.line is not None:
            return line >= place.line
        if place.find is not None:
            return place.find.search(text) is not None
        if separator_line(cells):
            return False
        if not self._required:
            # A line of keys has few cells; the first other one is the header.
            return not (self.keys.declared and self._may_be_key(cells, text))
        shown = [normal(cell) for cell in self.cut(cells)]
        return all(find_column(shown, name) for name in self._required)

    def _may_be_key(self, cells: list[str], text: str) -> bool:
        if self.role_label(cells):
            return True
        probe = KeyLines(self.profile, ",", ConversionReport())
        filled = sum(bool(cell.strip()) for cell in cells)
        return probe.take(0, cells, text) and filled <= 2  # name, text

    def role_label(self, cells: Sequence[str]) -> bool:
        """Say whether a row has the label of a role."""
        return _first_filled(cells) in self._labels


def constant_fields(
    profile: CSVProfile, keys: KeyLines, file_name: str
) -> dict[Field, FilledCell]:
    """Give the fields that are the same for a whole table."""
    found: dict[Field, FilledCell] = {}
    for field, source in profile.fields.items():
        cell: FilledCell | None = None
        if source.value is not None:
            cell = FilledCell(source.value, 0, field.value)
        elif source.key and not source.in_rows:
            parts = [part for name in source.key if (part := keys.find(name))]
            if parts:
                text = " ".join(part.text for part in parts)
                cell = FilledCell(text, parts[0].line, " ".join(source.key))
        elif source.file is not None:
            name = file_name
            if source.file == "stem":
                name = name.rpartition(".")[0] or name
            cell = FilledCell(name, 0, "file name")
        if cell is not None:
            extracted = source.extract(cell.text)
            if extracted is not None and extracted.strip():
                found[field] = cell._replace(text=extracted.strip())
    return found

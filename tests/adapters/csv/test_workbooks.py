"""Workbooks: the same profiles, and nothing that a workbook hides is lost."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import openpyxl
import pytest

from rigbridge.adapters import Source
from rigbridge.errors import MalformedSourceError, UnrecognizedSourceError
from rigbridge.testing import Reading, read_all
from rigbridge_csv import CSVAdapter, CSVSettings

WIDE: dict[str, Any] = {
    "form": "wide",
    "fields": {"serial_number": "SN", "run_outcome": "R"},
}


def read(build: Callable[[Any], None], **profile: Any) -> Reading:
    """Read a workbook that a function fills in."""
    book = openpyxl.Workbook()
    build(book)
    content = io.BytesIO()
    book.save(content)
    return read_bytes(content.getvalue(), **profile)


def read_bytes(content: bytes, name: str = "log.xlsx", **profile: Any) -> Reading:
    """Read a file by one profile."""
    settings = CSVSettings.from_mapping({"profiles": [{"name": "site", **profile}]})
    return read_all(CSVAdapter(settings), Source.from_bytes(content, name))


def values(found: Reading) -> list[tuple[str | None, list[object]]]:
    """Give the serial number and the values of each run."""
    return [
        (
            run.unit.serial_number,
            [m.value for phase in run.phases for m in phase.measurements],
        )
        for run in found.runs
    ]


def fill(book: Any) -> None:
    """Write a log to a second sheet, behind a page of words."""
    book.active.title = "Cover"
    book.active.append(["Report of the day"])
    sheet = book.create_sheet("Data 1")
    sheet.append(["SN", "a", "R"])
    sheet.append(["1", 1.5, "PASS"])


class TestSheets:
    """Which sheet is read, and what becomes of the others."""

    @pytest.mark.parametrize("wanted", ["Data*", "2", 2])
    def test_a_profile_names_its_sheet(self, wanted: object) -> None:
        """By a pattern of its name, or by its number."""
        assert values(read(fill, **WIDE, sheet=wanted)) == [("1", [1.5])]

    def test_what_is_not_read_is_recorded(self) -> None:
        """Each sheet that holds anything else is named."""
        found = read(fill, **WIDE, sheet="Data*")
        (entry,) = (e for e in found.report.entries if e.item == "sheet")
        assert entry.detail == "Cover"
        assert "a profile names it by sheet" in str(entry)

    def test_the_first_that_is_filled_and_shown(self) -> None:
        """A blank sheet and a hidden one are passed over."""

        def build(book: Any) -> None:
            hidden = book.create_sheet("Old")
            hidden.sheet_state = "hidden"
            hidden.append(["SN", "a", "R"])
            hidden.append(["9", 9.0, "FAIL"])
            sheet = book.create_sheet("New")
            sheet.append(["SN", "a", "R"])
            sheet.append(["1", 1.5, "PASS"])

        assert values(read(build, **WIDE)) == [("1", [1.5])]

    def test_a_sheet_that_is_not_there(self) -> None:
        """The error of its profile names those that are."""
        with pytest.raises((MalformedSourceError, UnrecognizedSourceError)):
            read(fill, **WIDE, sheet="Results")


class TestCells:
    """What a cell shows is not always what it holds."""

    def test_a_formula_without_its_result(self) -> None:
        """It is no blank cell: its run is refused."""

        def build(book: Any) -> None:
            book.active.append(["SN", "a", "R"])
            book.active.append(["1", "=1+1", "PASS"])
            book.active.append(["2", 1.5, "PASS"])

        found = read(build, **WIDE)
        assert values(found) == [("2", [1.5])]
        (error,) = found.failures
        assert error.place == "line 2"
        assert "save it" in (error.remedy or "")

    def test_a_serial_number_that_is_merged_over_its_rows(self) -> None:
        """It is that of each row, and recorded."""

        def build(book: Any) -> None:
            sheet = book.active
            sheet.append(["SN", "T", "V", "R"])
            for row in (("1", "a", 1.0), (None, "b", 2.0), ("2", "a", 3.0)):
                sheet.append([*row, "PASS"])
            sheet.merge_cells("A2:A3")

        found = read(
            build,
            fields={
                "serial_number": "SN",
                "measurement": "T",
                "value": "V",
                "outcome": "R",
            },
        )
        assert values(found) == [("1", [1.0, 2.0]), ("2", [3.0])]
        assert any(e.item == "cell" for e in found.report.entries)

    @pytest.mark.parametrize("epoch_1904", [False, True])
    def test_a_date_is_a_date_in_either_calendar(self, *, epoch_1904: bool) -> None:
        """Workbooks of old Macintoshes count from 1904."""

        def build(book: Any) -> None:
            if epoch_1904:
                book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
            book.active.append(["SN", "When", "a", "R"])
            when = datetime(2024, 3, 13, 14, 5)  # noqa: DTZ001 - a wall time
            book.active.append(["1", when, timedelta(minutes=2), "PASS"])

        fields = {**WIDE["fields"], "started_at": "When"}
        found = read(build, form="wide", fields=fields)
        assert found.runs[0].started_at is not None
        assert found.runs[0].started_at.date().isoformat() == "2024-03-13"
        assert values(found)[0][1] == [120]

    def test_errors_and_hidden_rows_stay(self) -> None:
        """An error is a text, and a row that is hidden is a row."""

        def build(book: Any) -> None:
            sheet = book.active
            sheet.append(["SN", "a", "b", "R"])
            sheet.append(["1", "#DIV/0!", True, "PASS"])
            sheet.append(["2", 7, 0.125, "PASS"])
            sheet.row_dimensions[3].hidden = True

        found = read(build, **WIDE)
        assert values(found)[0] == ("1", ["#DIV/0!", "TRUE"])
        assert values(found)[1][1][1] == 0.125


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504), "old Excel"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
            + bytes(504)
            + "EncryptedPackage".encode("utf-16-le"),
            "password",
        ),
    ],
)
def test_other_books_are_told_by_name(content: bytes, words: str) -> None:
    """Each says what it is."""
    with pytest.raises(UnrecognizedSourceError, match=words):
        read_bytes(content, "log.xls", **WIDE)


def test_an_open_document_is_told_by_name() -> None:
    """LibreOffice's own format is named."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    with pytest.raises(UnrecognizedSourceError, match="OpenDocument"):
        read_bytes(content.getvalue(), "log.ods", **WIDE)

"""What a damage costs: its own run, and a line that says where."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Generator

import pytest

from rigbridge.adapters import ReadContext, Source, Spool
from rigbridge.errors import MalformedSourceError, SourceUnreadableError
from rigbridge.testing import Reading
from rigbridge_csv import CSVAdapter

Read = Callable[..., Reading]

HEAD = "serial_number,measurement,value,outcome\n"
FOUR = ("1,a,1,PASS\n", "2,a,1,PASS\n", "2,b,2,PASS\n", "3,a,1,PASS\n")


def outcome(reading: Reading) -> tuple[list[str | None], list[str | None]]:
    """Give the serial numbers that arrived, and the places of the failures."""
    return (
        [run.unit.serial_number for run in reading.runs],
        [error.place for error in reading.failures],
    )


class TestRowsOfAnotherWidth:
    """Reading on by position would give every value another's name."""

    @pytest.mark.parametrize("row", ["2,b,2\n", "2,b,2,PASS,x\n", '2,"b,2",PASS\n'])
    def test_costs_its_own_run(self, read: Read, row: str) -> None:
        """A wider or narrower row fails the run that its key names."""
        reading = read(HEAD + FOUR[0] + FOUR[1] + row + FOUR[3])
        assert outcome(reading) == (["1", "3"], ["line 4"])
        assert "where the header in line 1 has 4" in str(reading.failures[0])

    def test_a_run_of_that_row_alone(self, read: Read) -> None:
        """A unit whose only row is damaged fails, and its neighbours arrive."""
        reading = read(HEAD + FOUR[0] + "2,b\n" + FOUR[3])
        assert outcome(reading) == (["1", "3"], ["line 3"])

    def test_new_columns_without_a_header(self, read: Read) -> None:
        """A log whose columns change in mid-file loses what comes behind, loudly."""
        wider = "".join(f"{number},F1,a,1,PASS\n" for number in (4, 5))
        reading = read(HEAD + FOUR[0] + wider)
        assert outcome(reading) == (["1"], ["line 3", "line 4"])

    def test_a_row_too_short_for_its_key(self, read: Read) -> None:
        """A row whose run cannot be told fails the runs before and behind it."""
        head = "measurement,value,serial_number\n"
        reading = read(head + "a,1,1\na,1,2\na\na,1,3\na,1,4\n")
        assert outcome(reading) == (["1", "4"], ["line 4", "line 4"])

    @pytest.mark.parametrize(
        ("rows", "arrived", "lines"),
        [
            ("1@a,1\n# swapped\n2@a,1\n", ["1", "2"], ["line 3"]),
            ("1@a,1\n# swapped\n1@b,1\n2@a,1\n", ["2"], ["line 3"]),
            ("1@a,1\nend of log\n", ["1"], ["line 3"]),
            # The beginning of a row: of the run before, and of the one behind.
            ("1@a,1\n1\n2@a,1\n", [], ["line 3", "line 3"]),
            ("1@a,1\n2\n2@a,1\n", ["1"], ["line 3"]),
        ],
    )
    def test_a_line_that_is_no_row(
        self, read: Read, rows: str, arrived: list[str], lines: list[str]
    ) -> None:
        """It costs the run in which it stands, and not its neighbours."""
        head = "serial_number,started_at,measurement,value\n"
        rows = rows.replace("@", ",2024-05-01T10:00:00,")
        assert outcome(read(head + rows)) == (arrived, lines)

    def test_a_damage_with_nothing_around(self, read: Read) -> None:
        """A file of one damaged row is one failure."""
        head = "measurement,value,serial_number\n"
        assert outcome(read(head + "a\n")) == ([], ["line 2"])

    def test_a_cut_file(self, read: Read) -> None:
        """A file that was cut in its last row loses the run of that row only."""
        reading = read(HEAD + "".join(FOUR[:3]) + "3,a")
        assert outcome(reading) == (["1", "2"], ["line 5"])
        assert "may still be written" in str(reading.failures[0])

    def test_a_short_last_row_with_a_line_end(self, read: Read) -> None:
        """A last row with a line end is a damaged one, not one being written."""
        reading = read(HEAD + FOUR[0] + "3,a\n")
        assert "may still be written" not in str(reading.failures[0])


class TestQuotes:
    """A quote that is never closed swallows nothing."""

    @pytest.mark.parametrize(
        "row",
        ['2,"b,2,PASS\n', '2,"b"x,2,PASS\n', '2,"' + "b" * 140_000 + '",2,PASS\n'],
    )
    def test_costs_its_own_run(self, read: Read, row: str) -> None:
        """A badly quoted row fails its run; the rows behind it are read."""
        reading = read(HEAD + FOUR[0] + FOUR[1] + row + FOUR[3])
        assert outcome(reading) == (["1", "3"], ["line 4"])

    def test_a_quote_closed_rows_later(self, read: Read) -> None:
        """Rows between two stray quotes are not taken for one cell."""
        rows = '1,"a,1,PASS\n', "2,a,1,PASS\n", '3,5",1,PASS\n', "4,a,1,PASS\n"
        reading = read(HEAD + "".join(rows))
        assert outcome(reading)[0] == ["2", "3", "4"]
        assert outcome(reading)[1] == ["line 2"]

    def test_line_breaks_within_quotes(self, read: Read) -> None:
        """A quoted cell may hold line breaks; lines are still counted right."""
        rows = '1,"a\nb\r\nc",1,PASS\n', "2,a,1,what\n"
        reading = read(HEAD + "".join(rows))
        assert reading.runs[0].phases[0].measurements[0].name == "a\nb\r\nc"
        assert outcome(reading) == (["1"], ["line 5, column 'outcome'"])

    def test_without_quotes(self, read: Read) -> None:
        """Where a profile has no quote sign, a quote is a sign like any other."""
        columns = {"measurement": "T", "value": "V"}
        reading = read('T\tV\n5" disk\t1\n', fields=columns, quote=None)
        assert reading.runs[0].phases[0].measurements[0].name == '5" disk'

    def test_a_broken_header(self, read: Read) -> None:
        """A header that cannot be split is an error of the whole file."""
        with pytest.raises(MalformedSourceError, match="line 1: the header cannot"):
            read('serial_number,measurement,value,"note\n1,a,1,x\n')


class TestStream:
    """A log is never held as a whole."""

    def test_runs_are_given_as_they_end(self) -> None:
        """The first run is there while most of the log is still to be read."""
        rows = "".join(f"{number},a,{number},PASS\n" for number in range(100_000))
        content = (HEAD + rows).encode()
        opened: list[io.BytesIO] = []

        def opener() -> io.BytesIO:
            opened.append(io.BytesIO(content))
            return opened[-1]

        source = Source(name="log.csv", uri="log.csv", opener=opener)
        with Spool() as spool:
            runs = CSVAdapter().read(source, ReadContext(adapter="csv", spool=spool))
            assert next(iter(runs)).unit.serial_number == "0"
            (reading,) = [stream for stream in opened if not stream.closed]
            assert reading.tell() < len(content) // 4
            assert isinstance(runs, Generator)
            runs.close()
        assert all(stream.closed for stream in opened)


class TestBytes:
    """Bytes that are no text cost their own run."""

    def test_nul(self, read: Read) -> None:
        """NUL characters, as a loss of power leaves them, fail the run before."""
        reading = read(HEAD + "".join(FOUR) + "\0" * 500)
        assert outcome(reading) == (["1", "2"], ["line 6"])
        assert "NUL" in str(reading.failures[0])

    def test_nul_in_a_key(self, read: Read) -> None:
        """A damaged key tells no run."""
        reading = read(HEAD + FOUR[0] + "\0,a,1,PASS\n" + FOUR[3] + "4,a,1,PASS\n")
        assert outcome(reading) == (["4"], ["line 3", "line 3"])

    def test_a_byte_that_is_no_utf_8(self, read: Read) -> None:
        """One bad byte in a UTF-8 log fails one run and is named."""
        rows = "1,Größe µ,1,PASS\n2,Größe,1,PASS\n3,Größe,1,PASS\n"
        content = (HEAD + rows).encode().replace("2,Größe".encode(), b"2,Gr\x98e")
        reading = read(content)
        assert outcome(reading) == (["1", "3"], ["line 3"])
        assert "0x98" in str(reading.failures[0])

    def test_utf_16_cut_within_a_character(self, read: Read) -> None:
        """UTF-16 that ends within a character is a clear error with its line."""
        content = (HEAD + FOUR[0] + FOUR[3]).encode("utf-16")[:-1]
        with pytest.raises(MalformedSourceError, match="line 3"):
            read(content)

    def test_a_line_without_end(
        self, read: Read, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A line that would fill the memory is refused."""
        monkeypatch.setattr("rigbridge_csv.text.records.MAX_LINE", 1000)
        with pytest.raises(MalformedSourceError, match="line 2: is longer than 1000"):
            read(HEAD + "x" * 2000)

    def test_cut_gzip(self, read: Read) -> None:
        """A compressed log that was cut says that it cannot be read to its end."""
        rows = "".join(f"{number},a,{number**7},PASS\n" for number in range(50_000))
        with pytest.raises(SourceUnreadableError, match="compression is damaged"):
            read(gzip.compress((HEAD + rows).encode())[:-5000])

    def test_blank_rows_are_nothing(self, read: Read) -> None:
        """Blank lines, rows of delimiters and the end mark of DOS are passed over."""
        reading = read(HEAD + "\n" + FOUR[0] + ",,,\n , ,\t,\n" + FOUR[3] + "\x1a")
        assert outcome(reading) == (["1", "3"], [])

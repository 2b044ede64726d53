"""Which columns are read, and what a header binds."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rigbridge.errors import MalformedSourceError, NoRunError
from rigbridge.testing import Reading

Read = Callable[..., Reading]

COLUMNS = {"serial_number": "SN", "measurement": "Test", "value": "Value"}


def serials(reading: Reading) -> list[str | None]:
    """Give the serial numbers of the runs, in order."""
    return [run.unit.serial_number for run in reading.runs]


class TestUndeclaredColumns:
    """What a profile does not name is kept, dropped or refused, as it says."""

    LOG = "SN,Test,Value,Rack,Lot\n1,a,1,R1,L7\n1,b,2,,L7\n"

    def test_kept_with_the_measurement(self, read: Read) -> None:
        """By default the cells are attributes, as their exact text; blanks are not."""
        run = read(self.LOG, fields=COLUMNS).runs[0]
        assert [m.attributes for m in run.phases[0].measurements] == [
            {"Rack": "R1", "Lot": "L7"},
            {"Lot": "L7"},
        ]

    def test_declared_for_the_run(self, read: Read) -> None:
        """A column declared as metadata is said once, of the run."""
        run = read(self.LOG, fields=COLUMNS, metadata=["Lot"]).runs[0]
        assert run.metadata == {"Lot": "L7"}
        assert run.phases[0].measurements[1].attributes == {}

    def test_differing_metadata_stay_with_the_row(self, read: Read) -> None:
        """Of metadata that change within a run none is lost."""
        log = "SN,Test,Value,Lot\n1,a,1,L7\n1,b,2,L8\n1,c,3,\n"
        run = read(log, fields=COLUMNS, metadata=["Lot"]).runs[0]
        assert run.metadata == {"Lot": "L7"}
        assert run.phases[0].measurements[1].attributes == {"Lot": "L8"}

    def test_dropped_and_recorded(self, read: Read) -> None:
        """With drop each left-out column is recorded with the header's line."""
        reading = read(self.LOG, fields=COLUMNS, undeclared="drop")
        assert reading.runs[0].phases[0].measurements[0].attributes == {}
        dropped = [e for e in reading.report.entries if e.disposition == "omitted"]
        assert [(str(e.place), e.item) for e in dropped] == [
            ("line 1, Rack", "column"),
            ("line 1, Lot", "column"),
        ]

    def test_an_unknown_column_is_an_error(self, read: Read) -> None:
        """With error the file is refused; file, column and remedy are named."""
        with pytest.raises(MalformedSourceError, match="unknown column") as caught:
            read(self.LOG, fields=COLUMNS, undeclared="error")
        assert str(caught.value) == (
            "log.csv: line 1, column 'Rack': unknown column (declare it in profile "
            "'site', or set its undeclared to attributes or drop)"
        )

    def test_double_and_blank_names_are_numbered(self, read: Read) -> None:
        """Undeclared columns of one name, or of none, keep their cells apart."""
        run = read("SN,Test,Value,X,X,\n1,a,1,p,q,r\n", fields=COLUMNS).runs[0]
        assert run.phases[0].measurements[0].attributes == {
            "X": "p",
            "X (2)": "q",
            "column 6": "r",
        }


class TestHeader:
    """The header binds columns by name."""

    def test_order_blanks_and_case_do_not_matter(self, read: Read) -> None:
        """A name is found whatever stands around it."""
        run = read(" VALUE , Measurement\n1,a\n").runs[0]
        assert run.phases[0].measurements[0].value == 1

    def test_a_double_name_needs_a_number(self, read: Read) -> None:
        """A declared column that exists twice is refused, and the remedy is named."""
        with pytest.raises(
            MalformedSourceError, match="declare it by its number: 3, 4"
        ):
            read("SN,Test,Value,Value\n1,a,1,2\n", fields=COLUMNS)

    def test_columns_by_number(self, read: Read) -> None:
        """A number counts columns from 1."""
        columns = {**COLUMNS, "value": 4}
        run = read("SN,Test,Value,Value\n1,a,1,2\n", fields=columns).runs[0]
        assert run.phases[0].measurements[0].value == 2

    def test_a_repeated_header_is_passed_over(self, read: Read) -> None:
        """A header inside the file is no row."""
        head = "serial_number,measurement,value\n"
        reading = read(head + "1,a,1\n" + head + "2,a,2\n")
        assert serials(reading) == ["1", "2"]

    def test_a_changed_header_binds_anew(self, read: Read) -> None:
        """Behind a header with other columns values keep their right names."""
        reading = read(
            "serial_number,measurement,value\n1,a,1\n"
            "measurement,fixture,value,serial_number\na,F1,2,2\n"
        )
        assert serials(reading) == ["1", "2"]
        measurement = reading.runs[1].phases[0].measurements[0]
        assert measurement.value == 2
        assert measurement.attributes == {"fixture": "F1"}

    def test_a_changed_header_that_lacks_something(self, read: Read) -> None:
        """A header in mid-file that lacks what the profile needs is an error."""
        log = "SN,Test,Value,Lot\n1,a,1,L\nSN,Test,Value\n2,a,1\n"
        with pytest.raises(MalformedSourceError, match="line 3, column 'Lot'"):
            read(log, fields=COLUMNS, metadata=["Lot"])

    def test_the_line_for_excel(self, read: Read) -> None:
        """A first line that tells Excel the delimiter is no header."""
        reading = read("sep=;\nserial_number;measurement;value\n1;a;1\n")
        assert serials(reading) == ["1"]

    @pytest.mark.parametrize(
        "content", ["measurement,value\n", "measurement,value\r\n\r\n,\r\n\x1a"]
    )
    def test_a_header_alone_holds_no_run(self, read: Read, content: str) -> None:
        """A header without rows is no run, and no failure of the parser."""
        with pytest.raises(NoRunError):
            read(content)

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
    def test_any_line_end(self, read: Read, end: str) -> None:
        """Line ends of any system, doubled ones included, part the rows."""
        log = end.join(["serial_number,measurement,value", "1,a,1", "2,b,2", ""])
        assert serials(read(log)) == ["1", "2"]


class TestTables:
    """Tables as recorders and testers write them."""

    LOG = "Report\n2024-03-13 14:05:06\nLot: A7\nNo Test\n1,vcc,3.3\n2,icc,12\n"

    def test_names_in_place_of_those_that_are_found(self, read: Read) -> None:
        """The line that is found is the header, and the row below it the first."""
        names = ["No", "Test", "Value"]
        reading = read(
            self.LOG,
            header={"find": "^No", "names": names},
            keys={"separator": ":"},
            fields={
                "measurement": "Test",
                "value": "Value",
                "batch_number": {"key": "Lot"},
                "started_at": {"key": "date"},
            },
        )
        (run,) = reading.runs
        assert [m.name for m in run.phases[0].measurements] == ["vcc", "icc"]
        assert (run.unit.batch_number, run.started_at is None) == ("A7", False)

    def test_points_behind_the_end_are_no_keys(self, read: Read) -> None:
        """The curve below a table is left out by its end, and said so."""
        reading = read(
            "Test,Value\nvcc,3.3\nVerdict,PASS\nCurve,\n0.0,1.5\n0.1,1.6\n",
            keys={},
            data={"end": "^Verdict"},
            fields={
                "measurement": "Test",
                "value": "Value",
                "run_outcome": {"key": "Verdict"},
            },
        )
        assert dict(reading.runs[0].metadata) == {}
        assert [e.detail for e in reading.report.entries if e.item == "line"] == [
            "0.0,1.5",
            "0.1,1.6",
        ]

    def test_names_that_only_their_units_tell_apart(self, read: Read) -> None:
        """Two columns are two measurements, each with its whole name."""
        reading = read(
            "SN,S11(DB),S11(DEG),Gain(DB)\n1,-30,12,7\n",
            form="wide",
            names=r"^(?P<name>.+)\((?P<unit>.+)\)$",
            fields={"serial_number": "SN"},
        )
        assert [(m.name, m.unit) for m in reading.runs[0].phases[0].measurements] == [
            ("S11(DB)", "DB"),
            ("S11(DEG)", "DEG"),
            ("Gain", "DB"),
        ]

    def test_a_unit_that_a_row_contradicts_stays_in_the_name(self, read: Read) -> None:
        """What stands in the brackets is not lost where a row says another unit."""
        reading = read(
            "SN,T(1),T(2),U(V)\nunit,degC,degC,V\n1,20,21,3.3\n",
            form="wide",
            names=r"^(?P<name>.+)\((?P<unit>.+)\)$",
            roles=[{"row": "unit", "is": "unit"}],
            fields={"serial_number": "SN"},
        )
        assert [(m.name, m.unit) for m in reading.runs[0].phases[0].measurements] == [
            ("T(1)", "degC"),
            ("T(2)", "degC"),
            ("U", "V"),
        ]

    def test_a_date_above_the_table_of_times(self, read: Read) -> None:
        """What begins before a row above may be of the next day, and is refused."""
        reading = read(
            "Date: 2024-03-13\nSN,Time,U\n1,23:58:00,3.1\n2,23:59:30,3.2\n"
            "3,00:01:00,3.3\n4,,3.4\n",
            form="wide",
            keys={"separator": ":"},
            fields={
                "serial_number": "SN",
                "started_at": {"key": "Date", "column": "Time"},
            },
        )
        starts = [run.started_at and f"{run.started_at:%H:%M}" for run in reading.runs]
        assert (serials(reading), starts) == (
            ["1", "2", "4"],
            ["23:58", "23:59", None],
        )
        assert "may be the next one" in str(reading.failures[0])

"""How rows become runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from rigbridge.testing import Reading

Read = Callable[..., Reading]

COLUMNS = {"serial_number": "SN", "measurement": "Test", "value": "Value"}


def serials(reading: Reading) -> list[str | None]:
    """Give the serial numbers of the runs, in order."""
    return [run.unit.serial_number for run in reading.runs]


def rules(reading: Reading) -> list[str]:
    """Give the rules of what was coerced or dropped."""
    return [entry.rule for entry in reading.report.entries]


class TestRunKey:
    """A run ends where its key changes."""

    def test_serial_and_start_by_default(self, read: Read) -> None:
        """The same serial number with another start is another run."""
        reading = read(
            "serial_number,started_at,measurement,value\n"
            "7,2024-01-01T10:00:00Z,a,1\n"
            "7,2024-01-01T10:00:00Z,b,2\n"
            "7,2024-01-01T11:00:00Z,a,3\n"
        )
        assert serials(reading) == ["7", "7"]
        assert [len(run.phases[0].measurements) for run in reading.runs] == [2, 1]

    def test_a_declared_column_divides(self, read: Read) -> None:
        """A header name in run_key divides runs and is kept with the run."""
        reading = read(
            "SN,Test ID,Test,Value\n7,A1,a,1\n7,A1,b,2\n7,A2,a,3\n",
            fields=COLUMNS,
            runs=["Test ID"],
        )
        assert [run.metadata for run in reading.runs] == [
            {"Test ID": "A1"},
            {"Test ID": "A2"},
        ]

    def test_without_key_columns_one_run(self, read: Read) -> None:
        """A log without any key column is one run without a serial number."""
        reading = read("measurement,value\na,1\nb,2\n")
        assert serials(reading) == [None]

    def test_retest_is_a_new_run(self, read: Read) -> None:
        """Without a start in the key, a unit that comes again was tested again."""
        reading = read("serial_number,measurement,value\n1,a,1\n2,a,1\n1,a,2\n")
        assert serials(reading) == ["1", "2", "1"]
        assert len({run.id for run in reading.runs}) == 3
        assert "the same key again, read as another run of the unit" in rules(reading)

    def test_other_names_are_an_interrupted_run(self, read: Read) -> None:
        """A unit that comes again with other measurements was tested by turns."""
        reading = read(
            "serial_number,measurement,value,outcome\n"
            "1,a,1,PASS\n2,a,1,PASS\n1,b,2,FAIL\n2,b,2,PASS\n"
        )
        assert serials(reading) == []
        assert [error.place for error in reading.failures] == ["line 2", "line 3"]
        assert 'runs = "by key"' in str(reading.failures[0])

    def test_runs_by_key_are_joined(self, read: Read) -> None:
        """With runs = "by key" the rows of a unit are one run wherever they stand."""
        reading = read(
            "SN,Test,Value,O\n1,a,1,PASS\n2,a,1,PASS\n1,b,2,FAIL\n2,b,2,PASS\n3,a,1,PASS\n",
            fields={**COLUMNS, "outcome": "O"},
            runs="by key",
        )
        assert serials(reading) == ["1", "2", "3"]
        assert [run.outcome for run in reading.runs] == ["FAIL", "PASS", "PASS"]

    def test_an_appended_part_is_a_new_run(self, read: Read) -> None:
        """Behind a byte order mark amid the log a unit that comes again is retested."""
        mark = "\ufeff"
        reading = read(
            f"{mark}serial_number,measurement,value\n07,a,1\n{mark}08,a,1\n{mark}07,b,2\n"
        )
        assert serials(reading) == ["07", "08", "07"]
        assert rules(reading).count("a byte order mark at its beginning, left out") == 1

    def test_interrupted_run_is_refused(self, read: Read) -> None:
        """A run whose rows others interrupt fails as a whole; the others arrive."""
        reading = read(
            "serial_number,started_at,measurement,value,outcome\n"
            "1,2024-01-01T10:00:00Z,a,1,PASS\n"
            "2,2024-01-01T10:00:00Z,a,1,PASS\n"
            "1,2024-01-01T10:00:00Z,b,9,FAIL\n"
        )
        assert serials(reading) == ["2"]
        assert str(reading.failures[0]).startswith("log.csv: line 2: the rows of")
        assert "before line 4" in str(reading.failures[0])
        assert len(reading.failures) == 1

    def test_failed_runs_keep_their_index(self, read: Read) -> None:
        """A run behind a failed one has the id that its place in the file gives."""
        reading = read(
            "serial_number,measurement,value,outcome\n1,a,1,what?\n2,a,1,PASS\n"
        )
        source = reading.runs[0].source
        assert source is not None
        assert source.index == 1


class TestRunFields:
    """What is said of the whole run."""

    def test_all_fields(self, read: Read) -> None:
        """Every field of the built-in profile has its place in the run."""
        run = read(
            "serial_number,part_number,part_name,revision,batch_number,procedure,"
            "procedure_id,procedure_version,station,operator,started_at,ended_at,"
            "run_outcome,measurement,value\n"
            "0007,P-1,Lamp,C,B9,ICT,FVT1,1.2,S3,me,2024-01-01T10:00:00+02:00,"
            "2024-01-01 08:01:00,Terminated,a,1\n"
        ).runs[0]
        unit, procedure = run.unit, run.procedure
        assert unit.serial_number == "0007"
        assert (unit.part_number, unit.part_name) == ("P-1", "Lamp")
        assert (unit.revision, unit.batch_number) == ("C", "B9")
        assert (procedure.name, procedure.id, procedure.version) == (
            "ICT",
            "FVT1",
            "1.2",
        )
        assert (run.station, run.operator, run.outcome) == ("S3", "me", "ABORTED")
        assert run.started_at == datetime(2024, 1, 1, 8, tzinfo=UTC)
        assert run.ended_at == datetime(2024, 1, 1, 8, 1, tzinfo=UTC)

    def test_blank_serial_number_is_none(self, read: Read) -> None:
        """A blank serial number is unknown, never an empty text."""
        assert serials(read("serial_number,measurement,value\n  ,a,1\n")) == [None]

    def test_a_missing_word_is_none(self, read: Read) -> None:
        """A marker that the profile declares means nothing."""
        reading = read("SN,Test,Value\n-,a,-\n", fields=COLUMNS, missing=["-"])
        assert serials(reading) == [None]
        assert reading.runs[0].phases[0].measurements[0].value is None

    def test_constants_fill_what_the_log_lacks(self, read: Read) -> None:
        """Constants stand in for columns that do not exist."""
        run = read(
            "SN,Test,Value\n1,a,1\n",
            fields={
                **COLUMNS,
                "procedure": {"value": "ICT"},
                "phase": {"value": "Power"},
                "unit": {"value": "V"},
            },
        ).runs[0]
        assert run.procedure.name == "ICT"
        assert run.phases[0].name == "Power"
        assert run.phases[0].measurements[0].unit == "V"

    def test_a_differing_cell_stays_with_its_row(self, read: Read) -> None:
        """A second operator within a run is kept where it stands, and recorded."""
        reading = read(
            "serial_number,operator,measurement,value\n1,ann,a,1\n1,bob,b,2\n1,ann,c,3\n"
        )
        run = reading.runs[0]
        assert run.operator == "ann"
        assert [m.attributes for m in run.phases[0].measurements] == [
            {},
            {"operator": "bob"},
            {},
        ]
        assert "differs within the run, kept with its row" in rules(reading)

    def test_the_latest_end_counts(self, read: Read) -> None:
        """Where every row has the time of its own end, the run ends with the latest."""
        run = read(
            "serial_number,ended_at,measurement,value\n"
            "1,2024-01-01T10:00:00Z,a,1\n1,2024-01-01T10:00:05Z,b,1\n"
        ).runs[0]
        assert run.ended_at == datetime(2024, 1, 1, 10, 0, 5, tzinfo=UTC)

    def test_two_serial_numbers_are_an_error(self, read: Read) -> None:
        """A run of two units is refused, since its values would be mixed."""
        reading = read(
            "SN,Test ID,Test,Value\n1,A,a,1\n2,A,b,1\n3,B,a,1\n",
            fields=COLUMNS,
            runs=["Test ID"],
        )
        assert serials(reading) == ["3"]
        assert reading.failures[0].place == "line 3, column 'SN'"

    @pytest.mark.parametrize("text", ["yesterday", "0001-01-01T00:00:00+14:00", "1.2."])
    def test_an_odd_time_is_an_error(self, read: Read, text: str) -> None:
        """A time in no declared format fails its run and names the cell."""
        reading = read(f"serial_number,started_at,measurement,value\n1,{text},a,1\n")
        assert reading.runs == ()
        assert reading.failures[0].place == "line 2, column 'started_at'"
        assert "dates" in str(reading.failures[0])


class TestPhases:
    """Consecutive rows that agree on their phase are one phase."""

    def test_phases_in_document_order(self, read: Read) -> None:
        """A phase that comes again later is another phase."""
        run = read(
            "phase,phase_outcome,measurement,value\n"
            "A,PASS,a,1\nA,PASS,b,1\nB,FAIL,a,1\nA,PASS,c,1\n"
        ).runs[0]
        assert [(phase.name, phase.outcome) for phase in run.phases] == [
            ("A", "PASS"),
            ("B", "FAIL"),
            ("A", "PASS"),
        ]

    def test_two_loops_stay_two_phases(self, read: Read) -> None:
        """Neighbouring rows of one name but other times are two phases."""
        run = read(
            "phase,phase_started_at,measurement,value\n"
            "A,2024-01-01T10:00:00Z,a,1\nA,2024-01-01T10:00:09Z,a,1\n"
        ).runs[0]
        assert [phase.started_at for phase in run.phases] == [
            datetime(2024, 1, 1, 10, tzinfo=UTC),
            datetime(2024, 1, 1, 10, 0, 9, tzinfo=UTC),
        ]

    def test_blank_phase_cells_agree(self, read: Read) -> None:
        """A verdict that stands only in the last row of a phase is the phase's."""
        run = read(
            "phase,phase_outcome,measurement,value\nA,,a,1\nA,,b,1\nA,FAIL,c,1\n"
        ).runs[0]
        assert [(phase.name, phase.outcome) for phase in run.phases] == [("A", "FAIL")]

    def test_rows_without_a_measurement(self, read: Read) -> None:
        """A row that only has a verdict and a remark speaks of its phase."""
        phase = (
            read(
                "phase,measurement,value,outcome,docstring,rack\n"
                "Init,,,FAIL,Boots,R1\nInit,,,,Twice,R2\n"
            )
            .runs[0]
            .phases[0]
        )
        assert (phase.name, phase.outcome, phase.docstring) == ("Init", "FAIL", "Boots")
        assert phase.attributes == {
            "rack": "R1",
            "docstring": "Twice",
            "rack (2)": "R2",
        }

    def test_a_remark_amid_the_measurements(self, read: Read) -> None:
        """A row that only remarks changes nothing for the measurements around it."""
        reading = read(
            "serial_number,phase,measurement,value,docstring,fixture\n"
            "1,ICT,a,1,,F1\n1,ICT,,,warm,F1\n1,ICT,b,2,,F1\n1,ICT,c,3,,F1\n"
        )
        (phase,) = reading.runs[0].phases
        assert phase.docstring == "warm"
        assert [
            (measurement.name, measurement.attributes)
            for measurement in phase.measurements
        ] == [(name, {"fixture": "F1"}) for name in "abc"]

    def test_two_verdicts_of_a_step_are_two_phases(self, read: Read) -> None:
        """A step that failed and was repeated with success is there twice."""
        run = read(
            "phase,measurement,value,outcome\nInit,,,FAIL\nInit,,,PASS\nInit,a,1,\n"
        ).runs[0]
        assert [(p.outcome, len(p.measurements)) for p in run.phases] == [
            ("FAIL", 0),
            ("PASS", 1),
        ]
        assert run.outcome == "FAIL"

    def test_a_second_verdict_in_a_row_counts_for_the_run(self, read: Read) -> None:
        """A failure that stands beside the phase's own verdict is not lost."""
        log = "phase,phase_outcome,measurement,value,outcome\nInit,PASS,,,FAIL\n"
        run = read(log).runs[0]
        assert run.phases[0].outcome == "PASS"
        assert run.phases[0].attributes == {"outcome": "FAIL"}
        assert run.outcome == "FAIL"

    def test_a_measurement_without_a_phase(self, read: Read) -> None:
        """A blank phase is no phase, and not that of the row above."""
        run = read("phase,measurement,value\nA,a,1\n,b,1\n").runs[0]
        assert [phase.name for phase in run.phases] == ["A", "measurements"]

    def test_a_lone_verdict_is_an_error(self, read: Read) -> None:
        """A verdict that belongs to nothing fails its run."""
        reading = read("phase,measurement,value,outcome\nA,a,1,PASS\n,,,FAIL\n")
        assert reading.runs == ()
        assert reading.failures[0].place == "line 3, column 'outcome'"

    def test_rows_of_the_run_alone(self, read: Read) -> None:
        """A row without phase and measurement speaks of the run."""
        run = read(
            "serial_number,run_outcome,measurement,value,note,docstring\n"
            "1,,a,1,,\n1,FAIL,,,stopped,by hand\n"
        ).runs[0]
        assert run.outcome == "FAIL"
        assert [entry.message for entry in run.logs] == [
            "note: stopped, docstring: by hand"
        ]

    def test_a_value_without_a_name_is_an_error(self, read: Read) -> None:
        """A value that nothing names fails its run."""
        reading = read("serial_number,measurement,value\n1,,5\n2,a,1\n")
        assert serials(reading) == ["2"]
        assert reading.failures[0].place == "line 2, column 'value'"

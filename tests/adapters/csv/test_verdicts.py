"""Where verdicts come from."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rigbridge.model import Run
from rigbridge.testing import Reading

Read = Callable[..., Reading]


def only(reading: Reading) -> Run:
    """Give the one run."""
    assert reading.failures == ()
    (run,) = reading.runs
    return run


def changes(reading: Reading, item: str) -> list[str]:
    """Give the rules by which an item was coerced."""
    return [entry.rule for entry in reading.report.entries if entry.item == item]


class TestMeasurementVerdict:
    """The verdict of a measurement is the word beside it."""

    @pytest.mark.parametrize(
        ("word", "outcome"),
        [
            ("PASS", "PASS"),
            ("passed", "PASS"),
            (" Ok ", "PASS"),
            ("FAIL(+)", "FAIL"),
            ("NOK", "FAIL"),
            ("", "UNSET"),
            ("Done", "UNSET"),
        ],
    )
    def test_usual_words(self, read: Read, word: str, outcome: str) -> None:
        """The usual words need no declaration; none is unset."""
        run = only(read(f"measurement,value,outcome\na,1,{word}\n"))
        assert run.phases[0].measurements[0].outcome == outcome

    def test_declared_words(self, read: Read) -> None:
        """A profile adds words, and changes the usual ones."""
        run = only(
            read(
                "T,V,O\na,1,Gut\nb,1,ok\n",
                fields={"measurement": "T", "value": "V", "outcome": "O"},
                outcomes={"gut": "PASS", "OK": "UNSET"},
            )
        )
        assert [m.outcome for m in run.phases[0].measurements] == ["PASS", "UNSET"]

    def test_an_unknown_word_is_an_error(self, read: Read) -> None:
        """A word that may mean a failure is never passed over."""
        reading = read("measurement,value,outcome\na,1,defekt\n")
        assert reading.runs == ()
        assert "declare it under outcomes" in str(reading.failures[0])

    def test_limits_are_never_compared(self, read: Read) -> None:
        """A value outside of its limits that the log passes has passed."""
        run = only(
            read("measurement,value,lower_limit,upper_limit,outcome\na,9,1,2,PASS\n")
        )
        assert run.phases[0].measurements[0].outcome == "PASS"
        assert run.outcome == "PASS"

    @pytest.mark.parametrize("word", ["SKIPPED", "ERROR", "TIMEOUT"])
    def test_words_that_judge_no_value(self, read: Read, word: str) -> None:
        """A word that is no verdict on a value is unset and kept."""
        run = only(read(f"measurement,value,outcome\na,1,{word}\n"))
        measurement = run.phases[0].measurements[0]
        assert measurement.outcome == "UNSET"
        assert measurement.attributes == {"outcome": word}


class TestPhaseVerdict:
    """The verdict of a phase is written, or follows from what is written."""

    @pytest.mark.parametrize(
        ("rows", "outcome", "rule"),
        [
            (["1,PASS", "1,FAIL"], "FAIL", "none written: the worst of its measure"),
            (["1,PASS", "1,ERROR"], "ERROR", "none written: the worst of its measure"),
            (["1,PASS", "1,"], "PASS", "none written: the worst of its measurements"),
            ([",", ","], "SKIP", "none written and nothing measured: not run"),
            (["1,", ","], "ERROR", "no verdict at all"),
        ],
    )
    def test_derived(
        self, read: Read, rows: list[str], outcome: str, rule: str
    ) -> None:
        """Without a word of its own a phase has the worst of its measurements."""
        reading = read(
            "measurement,value,outcome\n" + "".join(f"a,{row}\n" for row in rows)
        )
        assert only(reading).phases[0].outcome == outcome
        assert changes(reading, "phase outcome")[0].startswith(rule)

    def test_follows_a_run_that_passed(self, read: Read) -> None:
        """Where only the run is judged and passed, its phases have passed."""
        run = only(read("run_outcome,phase,measurement,value\nPASS,A,a,1\n"))
        assert run.phases[0].outcome == "PASS"

    def test_does_not_follow_a_run_that_failed(self, read: Read) -> None:
        """Which phase failed is not known where only the run is judged."""
        run = only(read("run_outcome,phase,measurement,value\nFAIL,A,a,1\n"))
        assert run.phases[0].outcome == "ERROR"

    def test_a_timeout_is_an_error_and_kept(self, read: Read) -> None:
        """A word that a phase cannot have is an error of it, and kept."""
        phase = only(
            read("phase,phase_outcome,measurement,value\nA,timed out,a,1\n")
        ).phases[0]
        assert phase.outcome == "ERROR"
        assert phase.attributes == {"phase_outcome": "timed out"}


class TestRunVerdict:
    """The verdict of a run is written, or follows from what is written."""

    def test_the_declared_column_alone(self, read: Read) -> None:
        """A run that is said to have passed has, whatever its measurements."""
        reading = read("run_outcome,measurement,value,outcome\nPASS,a,1,FAIL\n")
        assert only(reading).outcome == "PASS"
        assert changes(reading, "run outcome") == []

    def test_in_the_last_row(self, read: Read) -> None:
        """A verdict that only the last row has is the run's."""
        assert only(
            read("run_outcome,measurement,value\n,a,1\nFAIL,b,1\n")
        ).outcome == ("FAIL")

    def test_a_blank_cell_is_an_error_of_the_run(self, read: Read) -> None:
        """A test that was not judged did not come to its end."""
        reading = read("run_outcome,measurement,value,outcome\n,a,1,PASS\n")
        assert only(reading).outcome == "ERROR"
        assert changes(reading, "run outcome") == ["its verdict cell holds none"]

    def test_two_verdicts_are_an_error(self, read: Read) -> None:
        """Two different verdicts for one run fail it, and both lines are named."""
        reading = read(
            "serial_number,run_outcome,measurement,value\n1,PASS,a,1\n1,FAIL,b,1\n"
        )
        assert reading.runs == ()
        assert "'FAIL' here and 'PASS' in line 2" in str(reading.failures[0])

    def test_two_words_of_one_verdict_agree(self, read: Read) -> None:
        """Two spellings of one verdict are one."""
        log = "run_outcome,measurement,value\nPASS,a,1\npassed,b,1\n"
        assert only(read(log)).outcome == "PASS"

    @pytest.mark.parametrize(
        ("rows", "outcome"),
        [
            (["A,PASS,PASS", "B,PASS,FAIL"], "FAIL"),
            (["A,FAIL,PASS"], "FAIL"),
            (["A,ERROR,PASS"], "ERROR"),
            (["A,SKIP,", "B,PASS,PASS"], "PASS"),
        ],
    )
    def test_the_worst_of_what_is_written(
        self, read: Read, rows: list[str], outcome: str
    ) -> None:
        """Without a column of its own a run has the worst verdict in it, recorded."""
        reading = read(
            "phase,phase_outcome,outcome,measurement,value\n"
            + "".join(f"{row},a,1\n" for row in rows)
        )
        assert only(reading).outcome == outcome
        assert changes(reading, "run outcome") == [
            "none written: the worst of its phases and measurements"
        ]

    def test_no_verdict_anywhere_is_an_error(self, read: Read) -> None:
        """A log that judges nothing gives no run that passed."""
        reading = read("measurement,value\na,1\n")
        assert only(reading).outcome == "ERROR"
        assert changes(reading, "run outcome") == ["no verdict anywhere in its rows"]

"""What would be read wrong without a word: refused, or recorded with its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rigbridge.errors import ConfigurationError, MalformedSourceError
from rigbridge.model import Run, Series
from rigbridge.testing import Reading

Read = Callable[..., Reading]
WIDE: dict[str, Any] = {
    "form": "wide",
    "fields": {"serial_number": "SN", "run_outcome": "R"},
}


def units(run: Run) -> list[str | None]:
    """Give the units of a run's measurements."""
    return [
        m.value.measured.unit if isinstance(m.value, Series) else m.unit
        for phase in run.phases
        for m in phase.measurements
    ]


class TestSerialNumbers:
    """A text that is no serial number makes no unit."""

    @pytest.mark.parametrize(
        "text",
        [
            "1.23457E+12",
            "1E+05",
            "########",
            "#N/A",
            "#REF!",
            "#DIV/0!",
            '"=""007"""',
            "\u200b123",
            "Mean",
            "Std. Dev.",
            "TOTAL:",
            "Mittelwert",
        ],
    )
    def test_it_is_refused(self, read: Read, text: str) -> None:
        """Its run alone is left out, with the line and what to declare."""
        found = read(f"SN,a,R\n1,1.0,PASS\n{text},1.1,PASS\n2,1.0,PASS\n", **WIDE)
        assert [run.unit.serial_number for run in found.runs] == ["1", "2"]
        (error,) = found.failures
        assert error.place == "line 3"
        assert "fields.serial_number" in (error.remedy or "")

    @pytest.mark.parametrize("text", ["1E5", "007", "MIN-4", "A#7", "Meanwell 1"])
    def test_what_only_looks_odd_is_taken(self, read: Read, text: str) -> None:
        """An identifier keeps every sign."""
        found = read(f"SN,a,R\n{text},1.0,PASS\n", **WIDE)
        assert found.runs[0].unit.serial_number == text

    def test_a_pattern_has_the_last_word(self, read: Read) -> None:
        """What it takes out of a cell is a serial number."""
        fields = {
            "serial_number": {"column": "SN", "pattern": '="(.+)"'},
            "run_outcome": "R",
        }
        found = read('SN,a,R\n"=""007""",1.0,PASS\n', form="wide", fields=fields)
        assert found.runs[0].unit.serial_number == "007"


class TestHeadersAmidTheRows:
    """A program that was restarted writes a header again."""

    def test_a_series_is_bound_anew(self, read: Read) -> None:
        """Points below a header of another order belong to its columns."""
        found = read(
            "t,a,b\n0,1,2\n1,1,2\nt,b,a\n0,3,4\n1,3,4\n",
            form="series",
            series={"x": "t"},
        )
        points = {
            (at, m.name): list(m.value.measured.values)
            for at, phase in enumerate(found.runs[0].phases)
            for m in phase.measurements
            if isinstance(m.value, Series)
        }
        assert points == {
            (0, "a"): [1, 1],
            (0, "b"): [2, 2],
            (1, "b"): [3, 3],
            (1, "a"): [4, 4],
        }

    def test_a_renamed_serial_number(self, read: Read) -> None:
        """A header that lacks what is declared is no row."""
        with pytest.raises(MalformedSourceError, match="line 3, column 'SN'"):
            read(
                "SN,volt,amp\n1,1.0,2.0\nSerial,amp,volt\n2,2.0,1.0\n",
                form="wide",
                fields={"serial_number": "SN"},
            )

    @pytest.mark.parametrize(
        ("content", "settings"),
        [
            (
                "SN,a\n,V\n1,1.0\nSN,a\n,mV\n2,1000\n",
                {"form": "wide", "roles": [{"offset": 1, "is": "unit"}]},
            ),
            (
                "SN,a\nUnit,V\n1,1.0\nUnit,mV\n2,1000\n",
                {"form": "wide", "roles": [{"row": "Unit", "is": "unit"}]},
            ),
        ],
    )
    def test_another_row_of_units(
        self, read: Read, content: str, settings: dict[str, Any]
    ) -> None:
        """Rows below it are in its units."""
        found = read(content, fields={"serial_number": "SN"}, **settings)
        assert [units(run) for run in found.runs] == [["V"], ["mV"]]

    def test_another_row_of_limits(self, read: Read) -> None:
        """Rows below it have its limits."""
        found = read(
            "SN,a,R\nMax,5,\n1,1.0,PASS\nMax,3,\n2,4.0,FAIL\n",
            **WIDE,
            roles=[{"row": "Max", "is": "upper_limit"}],
        )
        limits = [run.phases[0].measurements[0].limits for run in found.runs]
        assert [limit and limit.upper for limit in limits] == [5, 3]

    def test_another_row_of_units_in_a_series(self, read: Read) -> None:
        """It begins a phase of its own."""
        found = read(
            "t,a\nUnit,V\n0,1.0\nUnit,mV\n1,1000\n",
            form="series",
            series={"x": "t"},
            roles=[{"row": "Unit", "is": "unit"}],
        )
        assert units(found.runs[0]) == ["V", "mV"]


class TestTimes:
    """A time that may be another is none."""

    def test_both_orders_at_once(self, read: Read) -> None:
        """A profile cannot take 03/04 for either day."""
        with pytest.raises(ConfigurationError, match="day in either"):
            read("SN,a,R\n", **WIDE, dates=["day-first", "month-first"])

    @pytest.mark.parametrize(
        "text",
        ["0001-01-01 00:00:00", "1899-12-30", "1970-01-01 00:00:07", "9999-12-31"],
    )
    def test_a_clock_that_was_never_set(self, read: Read, text: str) -> None:
        """The run arrives without the time, whose text is kept and recorded."""
        fields = {**WIDE["fields"], "started_at": "When"}
        found = read(f"SN,When,R,a\n1,{text},PASS,1.0\n", form="wide", fields=fields)
        (run,) = found.runs
        assert run.started_at is None
        assert run.metadata["When"] == text
        assert any(entry.item == "started_at" for entry in found.report.entries)

    def test_an_end_before_the_start(self, read: Read) -> None:
        """A clock that has passed midnight ends nothing before it began."""
        fields = {**WIDE["fields"], "started_at": "S", "ended_at": "E"}
        found = read(
            "SN,S,E,R,a\n1,2024-03-13 23:59:00,2024-03-13 00:01:00,PASS,1.0\n",
            form="wide",
            fields=fields,
        )
        (run,) = found.runs
        assert run.ended_at is None
        assert run.metadata["E"] == "2024-03-13 00:01:00"
        assert any(entry.item == "ended_at" for entry in found.report.entries)


def test_minus_zero_keeps_its_sign(read: Read) -> None:
    """A reading of -0 is no plain zero."""
    found = read("SN,a,R\n1,-0,PASS\n", **WIDE)
    assert str(found.runs[0].phases[0].measurements[0].value) == "-0.0"

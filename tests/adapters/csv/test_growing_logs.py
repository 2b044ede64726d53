"""Logs to which a bench appends: a run keeps its id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from rigbridge.testing import Reading

Read = Callable[..., Reading]

_LONG = (
    "serial_number,started_at,measurement,value\n"
    "7,2024-01-01T10:00:01Z,a,1\n"
    "7,2024-01-01T10:00:01Z,b,2\n"
    "8,2024-01-01T10:05:02Z,a,1\n"
)
_WIDE = "SN,When,v\n7,2024-01-01T10:00:01Z,1\n8,2024-01-01T10:05:02Z,2\n"
_WIDE_FIELDS = {
    "serial_number": "SN",
    "started_at": "When",
    "run_outcome": {"value": "PASS"},
}


_RECORDS: dict[str, Any] = {
    "form": "record",
    "records": {
        "kinds": {
            "B": {"is": "batch", "fields": {"batch_number": 2}},
            "S": {"is": "unit", "fields": {"serial_number": 2, "started_at": 3}},
            "M": {"is": "measurement", "fields": {"measurement": 2, "value": 3}},
            "E": {"is": "end", "fields": {"run_outcome": 2}},
        }
    },
}


def ids(reading: Reading) -> list[UUID]:
    """Give the ids of the runs, in order."""
    return [run.id for run in reading.runs]


class TestGrowingLog:
    """A run keeps its id when the bench appends to its log."""

    def test_appended_rows_leave_the_runs_before_them(self, read: Read) -> None:
        """Only the run that was appended is new."""
        grown = read(_LONG + "9,2024-01-01T10:07:03Z,a,1\n")
        assert ids(grown)[:2] == ids(read(_LONG))
        assert len(set(ids(grown))) == 3

    def test_rows_of_one_run_each(self, read: Read) -> None:
        """The same holds where each row is a run."""
        declared = {"form": "wide", "fields": _WIDE_FIELDS}
        before = read(_WIDE, **declared)
        grown = read(_WIDE + "9,2024-01-01T10:07:03Z,3\n", **declared)
        assert ids(grown)[:2] == ids(before)

    def test_a_changed_cell_is_another_run(self, read: Read) -> None:
        """A value that was written anew is not the run that was there."""
        first, second = ids(read(_LONG))
        changed = ids(read(_LONG.replace("01Z,b,2", "01Z,b,3")))
        assert changed == [changed[0], second]
        assert changed[0] != first

    def test_another_header_is_another_run(self, read: Read) -> None:
        """Equal cells under other names say something else."""
        other = read(_LONG.replace("measurement,value", "measurement,value,limit_low"))
        assert not set(ids(other)) & set(ids(read(_LONG)))

    def test_rows_that_come_twice_are_two_runs(self, read: Read) -> None:
        """A retest that reads like the test is told apart by its position."""
        row = "9,2024-01-01T10:07:03Z,3\n"
        declared = {"form": "wide", "fields": _WIDE_FIELDS}
        twice = ids(read(_WIDE + row + row, **declared))
        assert len(set(twice)) == 4
        assert twice[:3] == ids(read(_WIDE + row, **declared))

    @pytest.mark.parametrize("start", ["", "2024-01-01"], ids=["none", "date"])
    def test_a_start_without_a_time_of_day_tells_nothing(
        self, start: str, read: Read
    ) -> None:
        """A unit may be tested twice a day with equal values: the file decides."""
        log = f"SN,When,v\n7,{start},1\n"
        declared = {"form": "wide", "fields": _WIDE_FIELDS, "dates": ["%Y-%m-%d"]}
        (before,) = ids(read(log, **declared))
        after = ids(read(log + f"8,{start},1\n", **declared))
        assert before not in after

    def test_a_clock_that_was_never_set_tells_nothing(self, read: Read) -> None:
        """It begins anew with the bench: two tests may show the same second of 1970."""
        log = "SN,When,v\n7,1970-01-01T10:00:01Z,1\n"
        declared = {"form": "wide", "fields": _WIDE_FIELDS}
        (before,) = ids(read(log, **declared))
        grown = read(log + "8,1970-01-01T10:00:09Z,1\n", **declared)
        assert before not in ids(grown)

    def test_records_that_end(self, read: Read) -> None:
        """A block of records keeps its id, whatever comes behind it."""
        log = "B,L1\nS,7,2024-01-01T10:00:01Z\nM,a,1\nE,PASS\n"
        more = "odd\nS,8,2024-01-01T10:05:01Z\nM,a,1\nE,PASS\n"
        assert ids(read(log + more, **_RECORDS))[:1] == ids(read(log, **_RECORDS))

    def test_a_record_that_was_changed_is_another_run(self, read: Read) -> None:
        """Also one that no kind fits, and the batch that the run stands in."""
        log = "B,L1\nS,7,2024-01-01T10:00:01Z\nM,a,1\nnote\nE,PASS\n"
        changed = [log.replace(*pair) for pair in (("L1", "L2"), ("note", "noted"))]
        found = [ids(read(text, **_RECORDS))[0] for text in (log, *changed)]
        assert len(set(found)) == 3

    def test_blocks_of_series_are_runs_of_their_own(self, read: Read) -> None:
        """A block that has unit and start above its rows keeps its id."""
        block = "RUN\nUnit,{0}\nAt,2024-01-01T10:0{0}:01Z\nt,U\n0,1\n1,2\n"
        one, two = block.format(1), block.format(2)
        declared: dict[str, Any] = {
            "form": "series",
            "blocks": {"begin": "^RUN", "is": "run"},
            "header": {"find": "^t,"},
            "keys": {},
            "fields": {"serial_number": {"key": "Unit"}, "started_at": {"key": "At"}},
            "series": {"x": "t"},
        }
        assert ids(read(one + two, **declared))[:1] == ids(read(one, **declared))

    def test_a_unit_that_the_name_of_the_log_tells(self, read: Read) -> None:
        """The rows of a log that has the unit's name may grow as well."""
        log = "When,v\n2024-01-01T10:00:01Z,1\n"
        fields = {**_WIDE_FIELDS, "serial_number": {"file": "stem"}}
        declared = {"form": "wide", "fields": fields}
        grown = read(log + "2024-01-01T10:05:01Z,1\n", **declared)
        assert ids(grown)[:1] == ids(read(log, **declared))

    def test_a_mended_pattern_does_not_make_another_run(self, read: Read) -> None:
        """What a profile takes out of a cell is not in the id; the cell is."""
        log = _WIDE.replace("7,", "SN7,").replace("8,", "SN8,")
        plain, taken = (
            read(log, form="wide", fields={**_WIDE_FIELDS, "serial_number": serial})
            for serial in ("SN", {"column": "SN", "pattern": r"SN(\d+)"})
        )
        assert [run.unit.serial_number for run in taken.runs] == ["7", "8"]
        assert ids(taken) == ids(plain)

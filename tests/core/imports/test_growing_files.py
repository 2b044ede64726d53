"""Files to which a station appends: only what is new is stored."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]
_COLLECTION = "urn:IEEE-1636.1:2013:TestResultsCollection"
_AROUND = {
    "<R": ("<Reports>", "</Reports>"),
    "<t": (
        f"<c:TestResultsCollection xmlns:c='{_COLLECTION}'>",
        "</c:TestResultsCollection>",
    ),
}


def summary(call: Command, *words: str | Path) -> Any:
    """Import, and give the sums."""
    result = call("import", *words, "--json", "--time-zone", "UTC")
    return json.loads(result.stdout.splitlines()[-1])


def account(call: Command) -> Any:
    """Give the account, compared with the store."""
    return json.loads(call("ledger", "report", "--verify", "--json").stdout)


def test_a_run_keeps_the_log_that_it_was_read_from(
    call: Command, tmp_path: Path
) -> None:
    """A log of each day would else be kept with each of its runs, once a day."""
    log = tmp_path / "bench.csv"
    head = "serial_number,started_at,procedure,measurement,value,outcome\n"
    log.write_text(f"{head}7,2024-01-01T10:00:01Z,P,m,1,PASS\n", "utf-8")
    for second in (2, 3):
        call("import", log, "--attach-source", "--time-zone", "UTC")
        with log.open("a", encoding="utf-8") as stream:
            stream.write(f"8,2024-01-01T10:00:0{second}Z,P,m,2,PASS\n")
    with closing(sqlite3.connect("data/store.sqlite")) as store:
        query = "SELECT run_key, count(*) FROM attachments GROUP BY run_key"
        assert store.execute(query).fetchall() == [(1, 1), (2, 1)]
    assert account(call)["verified"]["is_equal"]


def test_a_log_that_grows_brings_its_new_runs(call: Command, tmp_path: Path) -> None:
    """What a bench appends is stored; the runs before it are known, and the same."""
    log = tmp_path / "bench.csv"
    log.write_text(
        "serial_number,started_at,procedure,measurement,value,outcome\n"
        "7,2024-01-01T10:00:01Z,P,m,1,PASS\n",
        "utf-8",
    )
    assert summary(call, log)["runs"] == 1
    with log.open("a", encoding="utf-8") as stream:
        stream.write("8,2024-01-01T10:05:02Z,P,m,2,PASS\n")
    grown = summary(call, log)
    assert (grown["runs"], grown["there_already"], grown["different"]) == (2, 1, 0)
    found = account(call)
    assert (found["stored"], found["verified"]["is_equal"]) == (2, True)


def native_report(serial_number: str, value: str = "1.5") -> str:
    """Write a native report, as TestStand does."""
    step = (
        "<Value ID='[0]'><Prop Type='TEResult'>"
        "<Prop Name='Status' Type='String'><Value>Passed</Value></Prop>"
        f"<Prop Name='Numeric' Type='Number'><Value>{value}</Value></Prop>"
        "<Prop Name='TS' Type='Obj'><Prop Name='StepName' Type='String'>"
        "<Value>Rail</Value></Prop></Prop></Prop></Value>"
    )
    return (
        "<Report Type='UUT' UUTResult='Passed'><Prop Name='UUT' Type='Obj'>"
        "<Prop Name='SerialNumber' Type='String'>"
        f"<Value>{serial_number}</Value></Prop></Prop><Prop Type='TEResult'>"
        "<Prop Name='TS' Type='Obj'><Prop Name='SequenceCall' Type='Obj'>"
        "<Prop Name='Sequence' Type='String'><Value>Main €</Value></Prop>"
        "<Prop Name='ResultList' Type='Array' LBound='[0]' HBound='[0]'>"
        f"{step}</Prop></Prop></Prop></Prop></Report>\r\n"
    )


def atml_results(serial_number: str, value: str = "1.5") -> str:
    """Write the ATML results of a unit."""
    return (
        "<tr:TestResults xmlns:c='urn:IEEE-1671:2010:Common' "
        "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' "
        "xmlns:tr='urn:IEEE-1636.1:2013:TestResults'><tr:ResultSet ID='1' "
        "name='main.seq#Main €' startDateTime='2024-01-01T10:00:01Z'>"
        "<tr:Outcome value='Passed'/><tr:Test ID='2' name='Rail'>"
        "<tr:Outcome value='Passed'/><tr:TestResult ID='3' name='v'><tr:TestData>"
        f"<c:Datum xsi:type='c:double' value='{value}'/></tr:TestData>"
        "</tr:TestResult></tr:Test></tr:ResultSet><tr:UUT>"
        f"<c:SerialNumber>{serial_number}</c:SerialNumber></tr:UUT></tr:TestResults>"
    )


@pytest.mark.parametrize("write", [native_report, atml_results])
class TestGrowingReports:
    """TestStand appends to a file that was imported before."""

    def content(self, *reports: str, several: bool = True) -> bytes:
        """Write a file; one of several documents is what an append may make of it."""
        begin, end = _AROUND[reports[0][:2]]
        head = "<?xml version='1.0' encoding='iso-8859-1'?>\r\n"
        inner = [*reports] if several else ["".join(reports)]
        return "\r\n".join(f"{head}{begin}{one}{end}" for one in inner).encode("cp1252")

    @pytest.mark.parametrize("several", [True, False])
    def test_they_bring_their_new_runs(
        self, call: Command, tmp_path: Path, write: Callable[..., str], several: bool
    ) -> None:
        """The runs before them are known, and the same."""
        file = tmp_path / "line.xml"
        file.write_bytes(self.content(write("SN-1"), several=several))
        assert summary(call, file)["runs"] == 1
        file.write_bytes(self.content(write("SN-1"), write("SN-2"), several=several))
        grown = summary(call, file)
        assert (grown["runs"], grown["there_already"], grown["different"]) == (2, 1, 0)
        # Nor does what stands before it.
        file.write_bytes(
            self.content(write("SN-0"), write("SN-1"), write("SN-2"), several=several)
        )
        assert summary(call, file)["there_already"] == 2
        found = account(call)
        assert (found["stored"], found["verified"]["is_equal"]) == (3, True)

    def test_another_reading_differs(
        self, call: Command, tmp_path: Path, write: Callable[..., str]
    ) -> None:
        """The same bytes read to something else are told, and replaced on demand."""
        file = tmp_path / "line.xml"
        file.write_bytes(self.content(write("SN-1")))
        summary(call, file)
        file.write_bytes(self.content(write("SN-1"), write("SN-2")))
        rule = tmp_path / "rigbridge.toml"
        rule.write_text(
            "[[identity.fields]]\ntext = '{serial_number}'\n"
            "expression = '(?P<part_number>SN)'\n",
            "utf-8",
        )
        assert summary(call, file, "--again")["different"] == 1
        assert summary(call, file, "--again", "--replace")["replaced"] == 1

"""Small files are parsed as a whole and large ones as a stream: to the same runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from rigbridge.errors import ModelError, SourceError
from rigbridge.model import RunOutcome
from rigbridge.testing import Reading
from rigbridge_teststand.native.adapter import _NativeFile as native
from rigbridge_teststand.xml import report_files, streaming

FIXTURES = Path(__file__).parent / "fixtures"


def recorded(reading: Reading) -> list[str]:
    """
    Spell the account.

    Of the first report no index is known before the second, and what stands beside the
    reports is seen after them.
    """
    document = reading.report.as_document()
    entries: Any = document.pop("entries")
    spelled = sorted(map(str, [*entries, document]))
    return [re.sub(r"(Reports?|TestResults)\[1\]", r"\1", item) for item in spelled]


def read_both_ways(
    path: Path, read_report: Any, monkeypatch: pytest.MonkeyPatch
) -> tuple[Reading, Reading]:
    """Read a small file as a whole, and as a stream in pieces far smaller."""
    monkeypatch.setattr(streaming, "CHUNK_SIZE", 1 << 6)
    monkeypatch.setattr(streaming, "PARTIAL_SIZE", 1 << 7)
    monkeypatch.setattr(report_files, "STREAMED_ABOVE", 1 << 24)
    whole = read_report(path)
    monkeypatch.setattr(report_files, "STREAMED_ABOVE", 16)
    return whole, read_report(path)


class TestBothPaths:
    """Nothing tells the two ways apart."""

    def test_runs_and_account_are_equal(
        self,
        report_file: Path,
        reading: Reading,
        read_report: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Each file gives equal runs and reports, streamed and as a whole."""
        monkeypatch.setattr(report_files, "STREAMED_ABOVE", 16)
        streamed = read_report(report_file)
        assert streamed.runs == reading.runs
        assert recorded(streamed) == recorded(reading)

    def test_steps_before_something_that_is_none(
        self, tmp_path: Path, read_report: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Steps that were read while a report grew stay, whatever its end holds."""
        step = (
            b"<Value ID='[0]'><Prop Type='TEResult'>"
            b"<Prop Name='Status' Type='String'><Value>Passed</Value></Prop>"
            b"<Prop Name='TS' Type='Obj'>"
            b"<Prop Name='StepName' Type='String'><Value>Measure</Value></Prop>"
            b"</Prop></Prop></Value>"
        )
        path = tmp_path / "a.xml"
        path.write_bytes(
            b"<Reports><Report Type='UUT' UUTResult='Failed'>"
            b"<Prop Type='TEResult'><Prop Name='TS' Type='Obj'>"
            b"<Prop Name='SequenceCall' Type='Obj'>"
            b"<Prop Name='Sequence' Type='String'><Value>Main</Value></Prop>"
            b"<Prop Name='ResultList' Type='Array'>"
            + 4 * step
            + b"<Value ID='[4]'/><Value ID='[5]'><Prop Type='TEResult'><Prop Name='Sta"
        )
        whole, streamed = read_both_ways(path, read_report, monkeypatch)
        assert len(whole.runs[0].phases) == 4
        assert streamed.runs == whole.runs

    def test_steps_that_stand_in_a_step(
        self, tmp_path: Path, read_report: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No schema has them there; complete ones outlive the end of the outer one."""

        def step(name: bytes) -> bytes:
            return (
                b"<tr:SessionAction ID='%b' name='%b'>"
                b"<tr:ActionOutcome value='Done'/></tr:SessionAction>" % (name, name)
            )

        path = tmp_path / "a.xml"
        path.write_bytes(
            b"<tr:TestResults xmlns:tr='urn:IEEE-1636.1:2011:01:TestResults'>"
            b"<tr:ResultSet ID='1' name='a.seq#Main'>"
            + step(b"first")
            + b"<tr:SessionAction ID='2' name='outer'>"
            + b"".join(step(b"inner %d" % number) for number in range(4))
            + b"<tr:SessionAction ID='3' name='cut off'><tr:Data>"
        )
        whole, streamed = read_both_ways(path, read_report, monkeypatch)
        names = [phase.name for phase in whole.runs[0].phases]
        assert names == ["first", "outer", "inner 0", "inner 1", "inner 2", "inner 3"]
        assert streamed.runs == whole.runs

    @pytest.mark.parametrize(
        ("name", "before"),
        [
            ("native-batch-of-two.xml", b"<Report Type='UUT'"),
            ("atml-6.01-every-step.xml", b"<trc:TestResults "),
        ],
    )
    def test_a_report_that_damage_put_into_something_else(
        self,
        name: str,
        before: bytes,
        tmp_path: Path,
        read_report: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """An element without an end around them hides no results."""
        content = (FIXTURES / name).read_bytes()
        quoted = content.replace(b'Type="UUT"', b"Type='UUT'")
        at = quoted.index(before)
        path = tmp_path / "a.xml"
        path.write_bytes(quoted[:at] + b"<Prop>" + quoted[at:])
        found = []
        for large in (1 << 24, 16):
            monkeypatch.setattr(report_files, "STREAMED_ABOVE", large)
            found.append(read_report(path).runs)
        assert len(found[0]) == 2
        assert found[0] == found[1]

    def test_a_report_in_a_report_is_none(
        self, tmp_path: Path, read_report: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What damage copied into a report makes no run of its own."""
        content = (FIXTURES / "native-batch-of-two.xml").read_bytes()
        at = content.index(b"<Report Type='UUT'")
        end = content.index(b"</Report>", at)
        copy = content[at:end] + b"</Report>"
        path = tmp_path / "a.xml"
        path.write_bytes(content[:end] + copy + content[end:])
        found = []
        for large in (1 << 24, 16):
            monkeypatch.setattr(report_files, "STREAMED_ABOVE", large)
            found.append(read_report(path).runs)
        assert [len(runs) for runs in found] == [2, 2]
        assert found[0] == found[1]

    def test_growing_reports_are_read_alike(
        self,
        report_file: Path,
        reading: Reading,
        read_report: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A report that is read while it grows gives the same run."""
        monkeypatch.setattr(report_files, "STREAMED_ABOVE", 16)
        monkeypatch.setattr(streaming, "CHUNK_SIZE", 1 << 9)
        monkeypatch.setattr(streaming, "PARTIAL_SIZE", 1 << 10)
        streamed = read_report(report_file)
        assert streamed.runs == reading.runs
        assert recorded(streamed) == recorded(reading)

    @pytest.mark.parametrize("part", [1 << 10, 1 << 20])
    def test_files_that_are_cut_off_are_read_alike(
        self,
        report_file: Path,
        read_report: Any,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        part: int,
    ) -> None:
        """What is complete of a large file is the same, wherever it ends."""
        content = report_file.read_bytes()
        path = tmp_path / "a.xml"
        monkeypatch.setattr(streaming, "CHUNK_SIZE", 1 << 9)
        monkeypatch.setattr(streaming, "PARTIAL_SIZE", part)
        for tenth in range(3, 10):
            path.write_bytes(content[: len(content) * tenth // 10 + tenth])
            found = []
            for large in (1 << 24, 16):
                monkeypatch.setattr(report_files, "STREAMED_ABOVE", large)
                found.append(read_report(path))
            whole, streamed = found
            assert streamed.runs == whole.runs
            assert recorded(streamed) == recorded(whole)

    @pytest.mark.parametrize(
        ("name", "before"),
        [
            ("native-batch-of-two.xml", b"<Report Type="),
            ("atml-6.01-every-step.xml", b"<trc:TestResults "),
        ],
    )
    def test_files_that_end_within_the_first_tag_of_a_report(
        self,
        name: str,
        before: bytes,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        read_report: Any,
    ) -> None:
        """A report of which nothing is complete is the same either way."""
        content = (FIXTURES / name).read_bytes().replace(b"'", b'"')
        path = tmp_path / "a.xml"
        begin = content.index(before.replace(b"'", b'"')) + len(before)
        for end in (begin, begin + 1, content.index(b">", begin)):
            path.write_bytes(content[:end])
            found: list[object] = []
            for large in (1 << 24, 16):
                monkeypatch.setattr(report_files, "STREAMED_ABOVE", large)
                try:
                    found.append(read_report(path).runs)
                except SourceError as error:
                    found.append(type(error))
            assert found[0] == found[1]

    @pytest.mark.parametrize(
        "name", ["native-every-step.xml", "atml-6.01-every-step.xml"]
    )
    def test_a_large_file_that_is_cut_off_is_never_held_as_a_whole(
        self,
        name: str,
        read_report: Any,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Its end needs a second look at the file, and no tree of it."""

        def refuse(*given: object) -> None:
            pytest.fail(f"parsed as a whole: {given[1]}")

        content = (FIXTURES / name).read_bytes()
        path = tmp_path / "a.xml"
        path.write_bytes(content[: len(content) // 2])
        monkeypatch.setattr(report_files, "STREAMED_ABOVE", 16)
        monkeypatch.setattr(report_files, "parse_document", refuse)
        (run,) = read_report(path).runs
        assert run.phases

    def test_a_partial_report_that_makes_no_run_spares_the_next(
        self, read_report: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The error is that of the one report, whenever it is met."""

        def read_partial(self: Any, element: Any) -> None:
            del self
            if element.get("Link", "").startswith("0-"):
                raise ModelError("is wrong", path="$.phases[0]")

        path = FIXTURES / "native-batch-of-two.xml"
        monkeypatch.setattr(report_files, "STREAMED_ABOVE", 16)
        monkeypatch.setattr(streaming, "CHUNK_SIZE", 1 << 9)
        monkeypatch.setattr(streaming, "PARTIAL_SIZE", 1 << 10)
        monkeypatch.setattr(native, "read_partial", read_partial)
        reading = read_report(path)
        assert [run.outcome for run in reading.runs] == [RunOutcome.FAIL]
        assert "is wrong" in str(reading.failures[0])

    def test_places_behind_members_that_were_removed(
        self, tmp_path: Path, read_report: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A member of a long array has the place it has in the file."""
        member = "<Value ID='[{}]'>{}</Value>"
        members = "".join(member.format(at, at) for at in range(40))
        path = tmp_path / "a.xml"
        path.write_text(
            "<Reports><Report Type='UUT' UUTResult='Passed'>"
            "<Prop Type='TEResult'><Prop Name='TS' Type='Obj'>"
            "<Prop Name='SequenceCall' Type='Obj'>"
            "<Prop Name='Sequence' Type='String'><Value>Main</Value></Prop>"
            "<Prop Name='ResultList' Type='Array'><Value ID='[0]'>"
            "<Prop Type='TEResult'>"
            "<Prop Name='Status' Type='String'><Value>Passed</Value></Prop>"
            "<Prop Name='Volts' Type='Array' ElementType='Number'>"
            f"{members}<Value ID='nowhere'>7</Value></Prop>"
            "<Prop Name='TS' Type='Obj'>"
            "<Prop Name='StepName' Type='String'><Value>Measure</Value></Prop>"
            "</Prop></Prop></Value></Prop></Prop></Prop></Prop></Report></Reports>",
            "utf-8",
        )
        whole, streamed = read_both_ways(path, read_report, monkeypatch)
        assert streamed.runs == whole.runs
        assert recorded(streamed) == recorded(whole)
        assert any("Value[41]" in entry for entry in recorded(streamed))

"""The reference's checklist: cases 11, 12, 42 to 44 and 81 to 92, whole files."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from rigbridge.adapters import Disposition
from rigbridge.errors import (
    MalformedSourceError,
    UnrecognizedSourceError,
    UnsafeSourceError,
)
from rigbridge.model import PhaseOutcome, RunOutcome
from rigbridge_teststand.xml import report_files as module


class TestVerdicts:
    """Cases 11 and 12."""

    @pytest.mark.parametrize(
        ("stated", "root", "outcome"),
        [
            ("Failed", "Failed", RunOutcome.FAIL),
            ("Passed", "Failed", RunOutcome.FAIL),
            ("Error", "Error", RunOutcome.ERROR),
            ("Terminated", "Terminated", RunOutcome.ABORTED),
            ("Running", "Running", RunOutcome.ABORTED),
            ("Skipped", "Skipped", RunOutcome.ABORTED),
            ("Retest", "Retest", RunOutcome.ERROR),
        ],
    )
    def test_case_11_and_12(
        self, write: Any, run_of: Any, stated: str, root: str, outcome: RunOutcome
    ) -> None:
        """The report's and the root's status; of two the worse one counts."""
        run = run_of(write.document(write.report(result=stated, status=root)))
        assert (run.outcome, run.metadata["raw_status"]) == (outcome, stated)
        assert run.metadata.get("partial", False) is (stated == "Running")

    @pytest.mark.parametrize(
        ("stated", "root", "rule"),
        [
            ("Passed", "Failed", "two verdicts differ, the worse taken"),
            ("Skipped", "Skipped", "a run that never started, aborted"),
        ],
    )
    def test_case_11_and_12_are_flagged(  # noqa: PLR0917 - a table
        self,
        write: Any,
        read: Any,
        entries_of: Any,
        stated: str,
        root: str,
        rule: str,
    ) -> None:
        """A verdict that is not simply the stated one is said."""
        reading = read(write.document(write.report(result=stated, status=root)))
        assert [entry.rule for entry in entries_of(reading)] == [rule]

    def test_case_11_no_stated_result(self, write: Any, run_of: Any) -> None:
        """Without a stated result the root's status counts."""
        text = write.report(status="Failed").replace("UUTResult='Passed'", "")
        assert run_of(write.document(text)).outcome is RunOutcome.FAIL


class TestStart:
    """Cases 42 and 43."""

    @pytest.mark.parametrize(
        ("year", "link", "start"),
        [
            (122, "x", datetime(2022, 3, 4, 9, 5, 6, 250000, tzinfo=UTC)),
            (
                0,
                "3-2021-7-1-15-47-48-927",
                datetime(2021, 7, 1, 15, 47, 48, 927000, UTC),
            ),
            (0, "x", None),
        ],
    )
    def test_case_42_and_43(
        self, write: Any, run_of: Any, year: int, link: str, start: datetime | None
    ) -> None:
        """A year in the text stands in for an impossible one, then the link."""
        text = write.report(year=year).replace("0-2024-3-4-9-5-6-250", link)
        if year:
            shown = write.prop("Text", "fredag 1. juli 2022")
            text = text.replace(write.prop("Month", 3), write.prop("Month", 3) + shown)
        assert run_of(write.document(text)).started_at == start

    @pytest.mark.parametrize(
        ("link", "uut", "socket"),
        [
            ("3-2022-7-1-15-47-48-927", "", 3),
            ("-1-2022-7-1-15-47-48-927", "", -1),
            ("3-2022-7-1-15-47-48-927", "4", 4),
            ("x", "", None),
        ],
    )
    def test_case_43_socket_of_the_link(
        self, write: Any, run_of: Any, link: str, uut: str, socket: int | None
    ) -> None:
        """The link begins with the socket, which counts where nothing else says it."""
        stated = write.prop("TestSocketIndex", uut, "Number") if uut else ""
        text = write.report(uut=stated).replace("0-2024-3-4-9-5-6-250", link)
        run = run_of(write.document(text))
        assert run.metadata.get("test_socket_index") == socket

    def test_a_thousand_milliseconds_are_the_next_second(
        self, write: Any, run_of: Any
    ) -> None:
        """The counter of milliseconds may reach the thousand, as in ATML (oddity 6)."""
        text = write.report().replace("<Value>250<", "<Value>1000<")
        start = run_of(write.document(text)).started_at
        assert start == datetime(2024, 3, 4, 9, 5, 7, tzinfo=UTC)

    def test_oddity_21_texts_of_dates_are_not_read(
        self, write: Any, run_of: Any
    ) -> None:
        """The structured fields count, whatever the text in the station's tongue."""
        odd = write.prop("Text", "15:47:48 PM")
        text = write.report().replace(
            write.prop("Minutes", 5), write.prop("Minutes", 5) + odd
        )
        start = run_of(write.document(text)).started_at
        assert start == datetime(2024, 3, 4, 9, 5, 6, 250000, tzinfo=UTC)

    def test_without_a_start_the_engine_seconds_are_kept(
        self, write: Any, run_of: Any
    ) -> None:
        """No step has a time then; what the engine noted stays."""
        text = write.report(write.step("a"), year=0).replace(
            "0-2024-3-4-9-5-6-250", "x"
        )
        run = run_of(write.document(text))
        (phase,) = run.phases
        assert (run.started_at, phase.started_at, phase.ended_at) == (None, None, None)
        assert phase.attributes["engine_time"] == 101.5
        assert phase.attributes["total_time"] == 0.25


class TestBatches:
    """Case 44 and oddity 22."""

    def test_the_references_of_a_batch_are_said(self, write: Any, read: Any) -> None:
        """Socket, unit, verdict and file of each unit's report stand in the account."""
        units = (
            "<UUThref SocketIndex='0' LinkName='SN-1' UUTResult='Passed' "
            "FileName='a.xml' URL='file:a.xml'/><UUThref SocketIndex='1'/>"
        )
        batch = f"<Report Type='Batch'><BatchTable>{units}</BatchTable></Report>"
        report = read(write.document(batch, write.report())).report
        (entry,) = [item for item in report.entries if item.item == "batch report"]
        assert entry.detail == "socket 0 SN-1 Passed in a.xml; socket 1"

    def test_case_44_batch_report(self, write: Any, read: Any) -> None:
        """The batch report is an index; the units' reports are the runs."""
        units = "<UUThref SocketIndex='0'/><UUThref SocketIndex='1'/>"
        table = f"<BatchTable>{units}</BatchTable>"
        batch = f"<Report Type='Batch' UUTResult='Failed'>{table}</Report>{' ' * 400}"
        reports = [
            write.report(serial="", uut=write.prop("TestSocketIndex", socket))
            for socket in (0, 1)
        ]
        reading = read(write.document(batch, *reports))
        sockets = [run.metadata["test_socket_index"] for run in reading.runs]
        assert sockets == [0, 1]
        assert [run.unit.serial_number for run in reading.runs] == [None, None]
        assert len({run.id for run in reading.runs}) == 2
        assert reading.report.count(Disposition.OMITTED, "batch report") == 1


class TestTruncated:
    """Case 81: what is complete of a file that is cut off."""

    def test_earlier_steps_are_there(self, write: Any, read: Any) -> None:
        """The steps before the cut are read, the run says that it is partial."""
        text = write.document(write.report(*(write.step(name) for name in "abc")))
        cut = text[: text.index(b"<Value>c</Value>")]
        reading = read(cut)
        (run,) = reading.runs
        assert [phase.name for phase in run.phases] == ["a", "b"]
        assert (run.unit.serial_number, run.metadata["partial"]) == ("SN-1", True)
        assert run.outcome is RunOutcome.PASS
        assert reading.report.count(Disposition.COERCED, "run") == 1

    @pytest.mark.parametrize("status", ["Passed", "Failed"])
    def test_a_result_without_its_end_is_no_verdict(
        self, write: Any, run_of: Any, status: str
    ) -> None:
        """What a cut-off main sequence said may not have been its last word."""
        text = write.report(write.step("a"), write.step("b"), status=status)
        text = text.replace(" UUTResult='Passed'", "")
        content = write.document(text)
        run = run_of(content[: content.index(b"<Value>b</Value>")])
        assert (run.outcome, run.metadata["partial"]) == (RunOutcome.ABORTED, True)

    def test_a_recording_that_did_not_end_is_partial(
        self, write: Any, run_of: Any
    ) -> None:
        """TestStand says whether it closed the record of the results."""
        for closed, partial in ((False, True), (True, None)):
            record = write.obj("TSRData", write.prop("TSRFileClosed", closed))
            text = write.report().replace("</Report>", f"{record}</Report>")
            assert run_of(write.document(text)).metadata.get("partial") is partial

    def test_no_verdict_is_made_up(self, write: Any, run_of: Any) -> None:
        """Without a stated result and without its end a run is aborted."""
        text = write.report(write.step("a"), status="")
        text = text.replace("UUTResult='Passed'", "")
        cut = text[: text.index("MainSequence Callback")]
        assert run_of(cut.encode()).outcome is RunOutcome.ABORTED

    def test_what_follows_a_damage_is_said_to_be_lost(
        self, write: Any, read: Any
    ) -> None:
        """Damage gives what stands before it, and an error with its line."""
        text = write.document(
            *(write.report(serial=f"SN-{number}") + "\n" for number in (1, 2, 3))
        )
        reading = read(text.replace(b"SN-2", b"SN & 2"))
        first, second = reading.runs
        assert (first.unit.serial_number, second.metadata["partial"]) == ("SN-1", True)
        (failure,) = reading.failures
        assert isinstance(failure, MalformedSourceError)
        assert failure.place == "line 3"
        assert "what follows is not read" in failure.message

    def test_a_call_with_complete_steps_stays(self, write: Any, run_of: Any) -> None:
        """A call within which the file ends keeps its complete steps."""
        call = write.step("a", children=(write.step("b"), write.step("c")))
        text = write.document(write.report(call))
        cut = text[: text.index(b"<Value>c</Value>")]
        first, second = run_of(cut).phases
        assert (second.name, first.attributes["partial"]) == ("b", True)

    def test_times_that_are_cut_off_are_said(self, write: Any, read: Any) -> None:
        """Steps count from the engine's time, which stands behind them."""
        text = write.document(write.report(write.step("a"), write.step("b")))
        reading = read(text[: text.index(b"<Value>b</Value>")])
        (phase,) = reading.runs[0].phases
        assert phase.started_at is None
        assert reading.report.count(Disposition.COERCED, "phase time") == 1

    def test_complete_reports_stay_whole(self, write: Any, read: Any) -> None:
        """Only the report in which the file ends is partial."""
        text = write.document(write.report(), write.report(serial="SN-2"))
        runs = read(text[: text.rindex(b"StationID")]).runs
        assert [run.metadata.get("partial") for run in runs] == [None, True]

    def test_a_cut_is_no_damage(self, write: Any, read: Any) -> None:
        """However a file ends too soon, nothing is said to follow."""
        text = write.document(write.report(write.step("a", text="5 &amp; 6 @")))
        text = text.replace(b"@", b"<![CDATA[ x ]]><!-- y -->\xc2\xb5")
        begin = text.index(b"5 &amp;")
        for end in range(begin, begin + 80):
            assert read(text[:end]).failures == (), text[end - 9 : end]

    def test_strict_mode_refuses(self, write: Any, read: Any) -> None:
        """In strict mode a cut-off file is an error that names the line."""
        with pytest.raises(MalformedSourceError, match=r"report\.xml.*line"):
            read(write.document(write.report())[:-20], strict=True)

    @pytest.mark.parametrize("share", range(5, 100, 5))
    def test_any_cut_gives_the_steps_before_it(
        self, write: Any, read: Any, share: int
    ) -> None:
        """Wherever the file ends, every step whose end is there is a phase."""
        text = write.document(write.report(*(write.step(str(n)) for n in range(20))))
        cut = text[: len(text) * share // 100]
        complete = cut.count(b"</Prop></Prop></Value>")
        try:
            (run,) = read(cut).runs
        except MalformedSourceError:
            assert b"<Report " not in cut
        else:
            assert len(run.phases) == complete


class TestDamage:
    """Cases 82 to 89."""

    def test_case_84_and_87_head(self, write: Any, read: Any) -> None:
        """A mark of order, blank lines and a wrong instruction before the root."""
        text = write.document(write.report()).replace(
            b"<Reports>", b"<?xml:stylesheet href='C:\\a.xsl'?><Reports>"
        )
        assert len(read(b"\xef\xbb\xbf" + text).runs) == 1
        assert len(read(b"\r\n\r\n" + text).runs) == 1

    @pytest.mark.parametrize("control", [b"\x1b", b"\x00", b"&#27;", b"&#x1B;"])
    def test_case_87_control_characters(
        self, write: Any, read: Any, control: bytes
    ) -> None:
        """What an instrument sent stays but for what XML forbids, and is flagged."""
        text = write.document(write.report(write.step("a", text="A@B")))
        reading = read(text.replace(b"A@B", b"A" + control + b"B"))
        assert reading.runs[0].logs[0].message == "AB"
        assert reading.report.count(Disposition.COERCED, "characters") == 1

    def test_case_85_windows_characters(self, write: Any, run_of: Any) -> None:
        """Euro, bullet, micro and degree under a declaration of iso-8859-1."""
        text = write.document(
            write.report(write.step("a", text="@")), encoding="iso-8859-1"
        )
        run = run_of(text.replace(b">@<", b">\x80\x95\xb5\xb0<"))
        assert run.logs[0].message == "\u20ac\u2022\u00b5\u00b0"

    def test_case_86_wrong_utf_8(self, write: Any, read: Any) -> None:
        """Bytes of windows-1252 under a declaration of UTF-8 are repaired."""
        text = write.document(write.report(write.step("a", text="@")))
        reading = read(text.replace(b">@<", b">5 \xb5A<"))
        assert reading.runs[0].logs[0].message == "5 \u00b5A"
        assert reading.report.count(Disposition.COERCED, "encoding") == 1

    def test_control_characters_and_wrong_bytes(self, write: Any, read: Any) -> None:
        """Two damages of one file are both repaired."""
        text = write.document(write.report(write.step("a", text="@")))
        reading = read(text.replace(b">@<", b">\x1b5 \xb5A<"))
        assert reading.runs[0].logs[0].message == "5 \u00b5A"

    def test_unknown_encoding(self, write: Any, read: Any) -> None:
        """A name that no one knows is read as windows-1252, and flagged."""
        text = write.document(write.report()).replace(b"utf-8", b"klingon-1")
        reading = read(text)
        assert reading.runs[0].unit.serial_number == "SN-1"
        assert reading.report.count(Disposition.COERCED, "encoding") == 1

    def test_two_documents_of_which_one_is_cut(self, write: Any, read: Any) -> None:
        """The complete document stays, of the other what is there."""
        whole = write.document(write.report())
        runs = read(whole + write.document(write.report(serial="SN-2"))[:-90]).runs
        assert [run.unit.serial_number for run in runs] == ["SN-1", "SN-2"]

    def test_case_89_deep_nesting(self, write: Any, read: Any) -> None:
        """Two hundred calls are read."""
        step = write.step("x")
        for _ in range(200):
            step = write.step("x", children=(step,))
        assert len(read(write.document(write.report(step))).runs[0].phases) == 201

    def test_ten_thousand_levels_are_refused(self, read: Any) -> None:
        """What no report is, is refused with a clear error."""
        deep = b"<Prop Type='Obj'>" * 10_000 + b"</Prop>" * 10_000
        with pytest.raises(UnsafeSourceError, match="2,000 elements deep"):
            read(b"<Reports><Report>" + deep + b"</Report></Reports>")

    def test_a_page_is_refused(self, read: Any) -> None:
        """An HTML report is recognized, and the remedy named."""
        page = b"<!DOCTYPE HTML PUBLIC>\n<html><body>UUT Report</body></html>"
        with pytest.raises(UnrecognizedSourceError, match="HTML report"):
            read(page)

    def test_options_that_concern_results_are_kept(self, write: Any, read: Any) -> None:
        """Filter and number format are metadata; colours and paths are left out."""
        options = write.obj(
            "ReportOptions",
            write.prop("ResultFilterExpression", "Logging.Wanted"),
            write.prop("NumericFormat", "%$.13g"),
            write.prop("Directory", "C:\\reports"),
        )
        text = write.report().replace("</Report>", f"{options}</Report>")
        reading = read(write.document(text))
        (run,) = reading.runs
        kept = {key for key in run.metadata if key.startswith("report_options.")}
        assert kept == {
            "report_options.ResultFilterExpression",
            "report_options.NumericFormat",
        }
        assert reading.report.count(Disposition.OMITTED, "report options") == 1
        assert reading.report.count(Disposition.DROPPED) == 0

    def test_the_main_sequence_is_metadata(self, write: Any, run_of: Any) -> None:
        """What the engine noted of the root result has no phase to stand in."""
        text = write.report().replace(
            write.prop("StepName", "MainSequence Callback"),
            write.prop("StepId", "ID#:main") + write.prop("ModuleTime", 12.25),
        )
        metadata = run_of(write.document(text)).metadata
        assert metadata["main_sequence.step_id"] == "ID#:main"
        assert metadata["main_sequence.module_time"] == 12.25
        assert metadata["sequence"] == "MainSequence"

    def test_case_92_display_names(self, write: Any, run_of: Any) -> None:
        """Colours that are named like verdicts are none."""
        options = write.obj("ReportOptions", write.prop("Failed", "red"))
        text = write.report().replace('<Prop Name="UUT"', options + '<Prop Name="UUT"')
        assert run_of(write.document(text)).outcome is RunOutcome.PASS


class TestStepCount:
    """What the report says of itself."""

    @pytest.mark.parametrize(("stated", "flags"), [(1, 0), (3, 1)])
    def test_a_count_that_differs_is_flagged(
        self, write: Any, read: Any, stated: int, flags: int
    ) -> None:
        """Filters make the stated count differ; the results count."""
        text = write.report(write.step("a")).replace(
            "<Report ", f"<Report StepCount='{stated}' "
        )
        reading = read(write.document(text))
        assert reading.report.count(Disposition.COERCED, "step count") == flags


class TestStreamed:
    """Large files are read report by report, with the same result."""

    @pytest.fixture
    def files(self, write: Any) -> list[bytes]:
        """Give files of every kind that is streamed or read again as a whole."""
        step = write.numeric("a", 1, "GE", Low=0)
        two = write.document(write.report(step), write.report(step, serial="SN-2"))
        return [
            two,
            write.document(write.report(step), "<Report Type='Batch'/>"),
            two + two,
            f"{write.report(step)}{write.report()}".encode(),
            two[:-300],
            two.replace(b"SN-2", b"SN-\x1b2"),
            write.report(step).encode(),
        ]

    def test_same_runs(
        self, files: list[bytes], read: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whatever path a file takes, its runs and its account are the same."""
        whole = [read(content) for content in files]
        monkeypatch.setattr(module, "STREAMED_ABOVE", 16)
        for content, expected in zip(files, whole, strict=True):
            found = read(content)
            assert found.runs == expected.runs
            assert found.report.count(Disposition.DROPPED) == expected.report.count(
                Disposition.DROPPED
            )

    def test_phase_outcome_of_an_unfinished_step(self, write: Any, run_of: Any) -> None:
        """A step within which the file ends did not pass."""
        call = write.step("a", children=(write.step("b"),)).replace(
            write.prop("Status", "Passed"), "", 1
        )
        text = write.document(write.report(call))
        cut = text[: text.rindex(b"<Value>a</Value>")]
        assert run_of(cut).phases[0].outcome is PhaseOutcome.ERROR

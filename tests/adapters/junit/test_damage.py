"""Reports that are damaged, hostile, or large."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigbridge.adapters import Disposition, ReadContext, Source, Spool
from rigbridge.errors import (
    MalformedSourceError,
    SourceError,
    UnrecognizedSourceError,
    UnsafeSourceError,
)
from rigbridge.testing import Reading
from rigbridge_junit import JUnitAdapter, JUnitSettings

Read = Callable[..., Reading]

REPORT = (
    '<?xml version="1.0" encoding="utf-8"?>\n<!-- by hand -->\n'
    '<testsuite name="s">\n<testcase name="a"/>\n<testcase name="b"><system-out>'
    "{}</system-out></testcase>\n</testsuite>"
)


class TestText:
    """What programs print."""

    @pytest.mark.parametrize("printed", ["\x1b[31m", "&#27;[31m", "&#x1B;[31m"])
    def test_forbidden_characters_are_replaced(self, read: Read, printed: str) -> None:
        """Colours of a terminal; they are recorded with their line."""
        reading = read(REPORT.format(printed + "red"))
        assert reading.runs[0].logs[0].message == "\ufffd[31mred"
        (entry,) = [e for e in reading.report.entries if e.item == "text"]
        assert entry.place.line == 5

    def test_letters_of_a_reference_in_cdata_are_kept(self, read: Read) -> None:
        """There they are no reference, wherever a chunk ends."""
        for length in range(65_460, 65_500):
            text = "x" * (length - 150) + "&#27;"
            reading = read(REPORT.format(f"<![CDATA[{text}]]>&#27;"))
            assert reading.runs[0].logs[0].message == text + "\ufffd"

    def test_bytes_of_another_encoding_are_read(self, read: Read) -> None:
        """As windows-1252, and recorded."""
        content = REPORT.format("5 \xb5A").encode("cp1252")
        reading = read(content)
        assert reading.runs[0].logs[0].message == "5 µA"
        assert reading.report.count(Disposition.COERCED, "text") == 1

    def test_long_output_is_kept(self, read: Read) -> None:
        """Beyond 10 MB, across many chunks, references at their borders too."""
        text = "x&amp;&#9;" * (1 << 20)
        reading = read(REPORT.format(text))
        assert reading.runs[0].logs[0].message == "x&\t" * (1 << 20)

    @pytest.mark.parametrize(
        "encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "gb18030"]
    )
    def test_encodings_by_mark_or_declaration(self, read: Read, encoding: str) -> None:
        """Each is decoded as it says."""
        declared = encoding.removesuffix("-sig")
        content = REPORT.replace('"utf-8"', f'"{declared}"').format("für")
        assert read(content.encode(encoding)).runs[0].logs[0].message == "für"

    def test_an_unknown_encoding_is_recorded(self, read: Read) -> None:
        """UTF-8 is assumed."""
        reading = read(REPORT.replace('"utf-8"', '"klingon"').format("x"))
        assert reading.report.count(Disposition.COERCED, "encoding") == 1


class TestUnsafe:
    """What no report needs."""

    @pytest.mark.parametrize(
        "before",
        [
            "<!DOCTYPE testsuite>",
            "<!-- x -->\n<!DOCTYPE testsuite [<!ENTITY a 'b'>]>",
            "<!doctype testsuite SYSTEM 'http://127.0.0.1:9/x.dtd'>",
        ],
    )
    def test_a_doctype_is_refused(self, read: Read, before: str) -> None:
        """Before the parser sees it; detection still tells whose file it is."""
        content = f"{before}\n<testsuite><testcase name='a'/></testsuite>"
        with pytest.raises(UnsafeSourceError) as caught:
            read(content)
        assert str(caught.value.place).startswith("line ")
        assert JUnitAdapter().detect(content.encode(), "a.xml") is not None

    def test_an_entity_is_an_error(self, read: Read) -> None:
        """Without a DOCTYPE there is none but the five of XML."""
        with pytest.raises(MalformedSourceError):
            read("<testsuite name='&who;'/>")

    def test_deep_nesting_is_refused(self, read: Read) -> None:
        """No stack of ours grows with it."""
        with pytest.raises(SourceError):
            read("<testsuite>" * 5000)


class TestDamage:
    """Files that end too soon, or are something else."""

    def test_a_cut_file_gives_what_is_complete(self, read: Read) -> None:
        """The run says so; whether more failed nobody knows."""
        content = REPORT.format("x")
        reading = read(content[: content.index("<system-out>")])
        (run,) = reading.runs
        assert [phase.name for phase in run.phases] == ["a"]
        assert run.metadata["partial"] is True
        assert run.outcome == "ABORTED"

    def test_strict_refuses_it(self, read: Read) -> None:
        """With the line."""
        content = REPORT.format("x")
        with pytest.raises(MalformedSourceError, match="line 5"):
            read(content[: content.index("</system-out>")], strict=True)

    def test_damage_in_the_middle_is_an_error_as_well(self) -> None:
        """What stands before is given, what follows is not read."""
        content = REPORT.format("x").replace('<testcase name="b">', "<testcase name=>")
        with Spool() as spool:
            context = ReadContext(adapter="junit", spool=spool)
            source = Source.from_bytes(content.encode(), "a.xml")
            runs = JUnitAdapter().read(source, context)
            assert [phase.name for phase in next(runs).phases] == ["a"]
            with pytest.raises(MalformedSourceError, match="line 5"):
                next(runs)

    def test_another_document_is_told_by_its_root(self, read: Read) -> None:
        """It names the root."""
        with pytest.raises(UnrecognizedSourceError, match="'assemblies'"):
            read("<assemblies/>")

    @given(st.text("<>/testcaseuifailr =\"'&;\n", max_size=80))
    def test_any_text_gives_runs_or_errors(self, text: str) -> None:
        """There is no surprise inside of a suite."""
        with Spool() as spool:
            context = ReadContext(adapter="junit", spool=spool)
            content = f"<testsuite>{text}<testcase name='x'/></testsuite>"
            source = Source.from_bytes(content.encode(), "a.xml")
            try:
                runs = list(JUnitAdapter().read(source, context))
            except SourceError:
                return
            assert runs or context.failures


def test_memory_is_that_of_one_run() -> None:
    """With a run for each suite, three times the suites take no more memory."""
    peaks: list[int] = []
    case = f'<testcase name="t"><system-out>{"text " * 400}</system-out></testcase>'
    # The first reading imports what every reading needs.
    for count in (1, 40, 120):
        suites = f'<testsuite name="s">{case * 20}</testsuite>' * count
        content = f"<testsuites>{suites}</testsuites>".encode()
        with Spool() as spool:
            context = ReadContext(adapter="junit", spool=spool)
            source = Source.from_bytes(content, "a.xml")
            # Hashing has a window of its own, of a megabyte.
            assert source.digest
            tracemalloc.start()
            for _ in JUnitAdapter(JUnitSettings(run="suite")).read(source, context):
                context.report.split()
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[2] < peaks[1] + (1 << 18)

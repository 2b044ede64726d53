"""Large files: the same runs, in the memory of one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from rigbridge.adapters import ReadContext, Source, Spool, TimeZonePolicy
from rigbridge.errors import MalformedSourceError, NoRunError
from rigbridge.model import Series
from rigbridge.testing import read_all
from rigbridge_teststand.atml.adapter import TestStandATMLAdapter
from rigbridge_teststand.atml.data.indexed_arrays import read_early
from rigbridge_teststand.xml import report_files as module
from rigbridge_teststand.xml import streaming
from rigbridge_teststand.xml.elements import PlaceTracker

SAMPLES = Path(__file__).resolve().parents[4].parent / "shared" / "samples" / "atml"

READING = """
import resource, sys
from pathlib import Path
from rigbridge.adapters import ReadContext, Source, Spool
from rigbridge_teststand.atml.adapter import TestStandATMLAdapter
from rigbridge_teststand.xml import report_files

report_files.STREAMED_ABOVE = 1 << 20
with Spool() as spool:
    context = ReadContext(adapter="teststand-atml", spool=spool)
    source = Source.from_path(Path(sys.argv[1]))
    (run,) = TestStandATMLAdapter().read(source, context)
print(len(run.phases), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""

# The process writes its file itself, so that nothing of it is in memory before.
MEMORY = """
import resource, sys
from pathlib import Path
from rigbridge.adapters import ReadContext, Source, Spool
from rigbridge_teststand.atml.adapter import TestStandATMLAdapter
from rigbridge_teststand.xml import report_files

report_files.STREAMED_ABOVE = 1 << 20
unit, path = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2])
head, _, rest = unit.partition(b"<trc:TestResults ")
body, _, tail = rest.rpartition(b"</trc:TestResultsCollection>")
with path.open("wb") as stream:
    stream.write(head)
    for _ in range(int(sys.argv[3])):
        stream.write(b"<trc:TestResults " + body)
    stream.write(b"</trc:TestResultsCollection>" + tail)
runs = 0
with Spool() as spool:
    context = ReadContext(adapter="teststand-atml", spool=spool)
    for run in TestStandATMLAdapter().read(Source.from_path(path), context):
        runs += 1
        context.report.split()
print(runs, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def units(write: Any, count: int) -> Iterator[str]:
    """Write the results of some units."""
    for number in range(count):
        result = write.result(
            "Numeric",
            write.datum("c:double", number),
            limits=write.shape("SingleLimit", "LE", 5),
        )
        yield write.results(write.step("Rail", result), serial=f"SN-{number}")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stream every file, and read each of its runs while it grows."""
    monkeypatch.setattr(module, "STREAMED_ABOVE", 16)
    monkeypatch.setattr(streaming, "CHUNK_SIZE", 64)
    monkeypatch.setattr(streaming, "PARTIAL_SIZE", 1)


class TestStream:
    """Both ways give the same."""

    @pytest.mark.parametrize("count", [1, 3])
    def test_runs_equal_those_of_the_whole(
        self, write: Any, read: Any, monkeypatch: pytest.MonkeyPatch, count: int
    ) -> None:
        """Ids, phases, values: nothing tells the ways apart."""
        content = write.file(write.collection(*units(write, count)))
        whole = read(content).runs
        monkeypatch.setattr(module, "STREAMED_ABOVE", 16)
        assert read(content).runs == whole
        assert len(whole) == count

    @pytest.mark.skipif(
        not SAMPLES.is_dir(), reason="the real ATML samples stand beside a checkout"
    )
    def test_runs_of_real_files_equal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Every real sample: whole, run by run, and step by step."""
        for path in SAMPLES.glob("*.xml"):
            found = []
            for large, part in ((1 << 30, 1 << 20), (16, 1 << 20), (16, 1)):
                monkeypatch.setattr(module, "STREAMED_ABOVE", large)
                monkeypatch.setattr(streaming, "PARTIAL_SIZE", part)
                found.append(
                    read_all(TestStandATMLAdapter(), Source.from_path(path)).runs
                )
            assert found[0] == found[1] == found[2], path.name

    @pytest.mark.usefixtures("small")
    @pytest.mark.parametrize("part", [1, 1 << 20])
    def test_places_lead_to_the_elements(
        self, write: Any, monkeypatch: pytest.MonkeyPatch, part: int
    ) -> None:
        """A path counts the elements that were taken out before, steps or runs."""
        monkeypatch.setattr(streaming, "PARTIAL_SIZE", part)
        steps = [write.step(str(number), value="Odd") for number in range(3)]
        group = write.step("g", *steps, element="TestGroup")
        content = write.file(write.collection(*(write.results(group),) * 2))
        source = Source.from_bytes(content, "a.xml")
        report = read_all(TestStandATMLAdapter(), source).report
        tree: Any = etree.fromstring(content).getroottree()
        spaces = tree.getroot().nsmap
        found = [
            tree.xpath(str(entry.place.path), namespaces=spaces)
            for entry in report.entries
        ]
        assert [element.get("name") for (element,) in found] == ["0", "1", "2"] * 2
        assert [element.sourceline for (element,) in found] == [
            entry.place.line for entry in report.entries
        ]

    @pytest.mark.parametrize(("large", "part"), [(1 << 30, 1), (16, 1 << 20), (16, 1)])
    def test_zone_of_a_station_that_is_named_at_the_end(
        self, write: Any, monkeypatch: pytest.MonkeyPatch, large: int, part: int
    ) -> None:
        """The zone of a station holds for the steps before its name."""
        monkeypatch.setattr(module, "STREAMED_ABOVE", large)
        monkeypatch.setattr(streaming, "CHUNK_SIZE", 64)
        monkeypatch.setattr(streaming, "PARTIAL_SIZE", part)
        zones = TimeZonePolicy(default="UTC", stations={"rig-7": "Asia/Tokyo"})
        content = write.file(write.collection(*units(write, 2)))
        with Spool() as spool:
            context = ReadContext(adapter="a", spool=spool, time_zone=zones)
            source = Source.from_bytes(content, "a.xml")
            runs = list(TestStandATMLAdapter().read(source, context))
        times = [run.phases[0].started_at for run in runs]
        assert times == [datetime(2024, 2, 29, 23, 0, 1, tzinfo=UTC)] * 2

    @pytest.mark.usefixtures("small")
    def test_results_as_root(self, write: Any, read: Any) -> None:
        """A file of one unit without a collection."""
        content = write.file(write.results(version="2.02"))
        assert [run.unit.serial_number for run in read(content).runs] == ["SN-1"]

    @pytest.mark.usefixtures("small")
    def test_damage_after_complete_units(self, write: Any, read: Any) -> None:
        """Units before the damage come once, the cut one is flagged."""
        text = write.collection(*units(write, 3))
        runs = read(write.file(text[: text.rindex("<tr:TestLimits>")])).runs
        assert [run.metadata.get("partial") for run in runs] == [None, None, True]
        with pytest.raises(MalformedSourceError):
            read(write.file(text[:-200]), strict=True)

    @pytest.mark.usefixtures("small")
    def test_concatenated_documents(self, write: Any, read: Any) -> None:
        """Documents after the first are read as well."""
        parts = [write.file(write.collection(unit)) for unit in units(write, 3)]
        runs = read(b"\n".join(parts)).runs
        assert [run.unit.serial_number for run in runs] == ["SN-0", "SN-1", "SN-2"]

    @pytest.mark.usefixtures("small")
    def test_no_unit(self, write: Any, read: Any) -> None:
        """An empty collection holds no run."""
        with pytest.raises(NoRunError):
            read(write.file(write.collection()))

    def test_run_takes_the_memory_of_its_phases(
        self, write: Any, tmp_path: Path
    ) -> None:
        """A single run of 5 MB takes a fraction of what its elements would."""
        data = write.datum("ts:TS_double", 1)
        results = [write.result(str(number), data) for number in range(20)]
        path = tmp_path / "single.xml"
        peaks = []
        for count in (1, 2000):
            steps = [write.step("s", *results)] * count
            path.write_bytes(write.file(write.collection(write.results(*steps))))
            done = subprocess.run(
                [sys.executable, "-c", READING, path],
                capture_output=True,
                text=True,
                check=True,
            )
            phases, peak = map(int, done.stdout.split())
            assert phases == count
            peaks.append(peak)
        assert path.stat().st_size > 5e6
        assert peaks[1] - peaks[0] < 25

    def test_memory_does_not_grow_with_the_file(
        self, write: Any, tmp_path: Path
    ) -> None:
        """More than twice as many runs take the same memory (case 90, oddity 23)."""
        unit = tmp_path / "unit.xml"
        steps = [write.step(f"s{number}") for number in range(4)]
        unit.write_bytes(write.file(write.collection(write.results(*steps))))
        peaks = []
        for count in (1000, 2500):
            done = subprocess.run(
                [sys.executable, "-c", MEMORY, unit, tmp_path / "big.xml", str(count)],
                capture_output=True,
                text=True,
                check=True,
            )
            runs, peak = map(int, done.stdout.split())
            assert runs == count
            peaks.append(peak)
        assert (tmp_path / "big.xml").stat().st_size > 4e6
        assert peaks[1] - peaks[0] < 5


def array_of(members: str, kind: str = "double") -> str:
    """Write an array."""
    return (
        f'<c:IndexedArray xsi:type="ts:TS_{kind}Array" dimensions="[9]">{members}'
        "</c:IndexedArray>"
    )


def numbers(count: int) -> str:
    """Write the members of a list of numbers."""
    return "".join(
        f'<ts:Element position="[{at}]" value="{at / 8}"/>' for at in range(count)
    )


class TestArrays:
    """An array of any size is read while it is parsed."""

    @pytest.mark.usefixtures("small")
    def test_few_members_are_in_memory_at_a_time(
        self, write: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Members that were read are removed, so that time and memory are linear."""
        held: list[int] = []

        def watched(element: Any, account: Any) -> int:
            held.append(len(element))
            return read_early(element, account)

        reader = "rigbridge_teststand.atml.partial_runs.read_early"
        monkeypatch.setattr(reader, watched)
        step = write.step("Scan", write.result("A", array_of(numbers(2000))))
        content = write.file(write.collection(write.results(step)))
        reading = read_all(TestStandATMLAdapter(), Source.from_bytes(content, "a.xml"))
        (found,) = reading.runs[0].phases[0].measurements
        assert isinstance(found.value, Series)
        assert list(found.value.measured.values) == [at / 8 for at in range(2000)]
        assert len(held) > 1000
        assert max(held) < 8

    @pytest.mark.parametrize(
        "odd",
        [
            '<ts:Element position="[70]" value="1.5"/>',
            '<ts:Element position="[60]" value="n/a"/>',
            '<ts:Element position="[60]" value="1.5" standardUnit="V"/>',
            '<ts:Element position="[60]" value="1.5" strange="yes"/>',
            '<ts:Element position="[60]" value="1.5">text</ts:Element>',
            '<ts:Element position="[60]" value="1.5"/>text',
            '<ts:DefaultElementValue value="1"/>',
            '<ts:Element position="[60]" value="9223372036854775808"/>',
            "<ts:Strange/>",
        ],
    )
    def test_what_is_no_plain_member(self, write: Any, read: Any, odd: str) -> None:
        """From there on the array is read as a whole: the same values and account."""
        step = write.step("Scan", write.result("A", array_of(numbers(60) + odd)))
        # The reader of the tests reads both ways, and compares.
        reading = read(write.file(write.collection(write.results(step))))
        assert reading.runs[0].phases[0].measurements[0].name == "A"

    @pytest.mark.parametrize("kind", ["double", "long", "string"])
    def test_whole_numbers_stay_whole(self, write: Any, read: Any, kind: str) -> None:
        """The type of the values is the same, however they are read."""
        members = "".join(
            f'<ts:Element position="[{at}]" value="{at}"/>' for at in range(50)
        )
        step = write.step("Scan", write.result("A", array_of(members, kind)))
        reading = read(write.file(write.collection(write.results(step))))
        (found,) = reading.runs[0].phases[0].measurements
        last = found.value.measured.values[-1]
        assert last == ("49" if kind == "string" else 49)

    def test_an_emptied_element_is_removed(self) -> None:
        """Lxml takes quadratic time for what is below a removed element."""
        root = etree.fromstring(b"<a xmlns:n='urn:n'><n:b><n:c/></n:b>behind<n:b/></a>")
        first = root[0]
        PlaceTracker().take(first)
        assert (len(first), len(root), root.text) == (0, 1, None)

    def test_the_last_element_of_an_open_one_is_not_removed(self) -> None:
        """The parser may still add to the text behind it, and would do so elsewhere."""
        root = etree.fromstring(b"<a>before<b/>behind</a>")
        with pytest.raises(RuntimeError, match="last element"):
            PlaceTracker().take(root[0])
        PlaceTracker().take(root[0], is_parent_complete=True)
        assert (len(root), root.text) == (0, "before")

"""Reports that are read while they grow; the fixture ``read`` compares both ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lxml import etree

from rigbridge.adapters import ConversionReport, Disposition
from rigbridge_teststand.native.properties import child_named
from rigbridge_teststand.native.reports import result_of
from rigbridge_teststand.native.step_results import StepResultReader


def growing(content: str) -> Iterator[Any]:
    """Parse a report piece by piece, and give its element after each piece."""
    parser: Any = etree.XMLPullParser(events=("start",), tag="Report")
    element: Any = None
    for start in range(0, len(content), 100):
        parser.feed(content[start : start + 100])
        element = next((begun for _, begun in parser.read_events()), element)
        if element is not None:
            yield element


def deep(write: Any, depth: int) -> tuple[str, ...]:
    """Write sequence calls within each other, with steps on each level."""
    first, last = (write.numeric(f"{at} at {depth}", at, "GE", Low=0) for at in "12")
    if not depth:
        return first, last
    return first, write.step(f"call {depth}", children=deep(write, depth - 1)), last


class TestReadAhead:
    """A report that does not end for long is read while it grows."""

    def test_complete_steps_are_emptied(self, write: Any) -> None:
        """Of what was read only the numbers remain, whatever the report's size."""
        report = write.report(*(write.step(f"step {at}") for at in range(50)))
        reader = StepResultReader({}, ConversionReport())
        largest = 0
        for element in growing(report):
            root = result_of(element)
            if root is not None:
                reader.read_partial(root)
                largest = max(largest, sum(1 for _ in element.iter("Prop")))
        assert reader.report.count(Disposition.MAPPED, "phase") >= 48
        assert largest < 60

    def test_nested_calls_are_read_in_place(self, write: Any, run_of: Any) -> None:
        """The name of a call stands behind its steps, which are read before it."""
        calls = [
            write.step(
                f"call {at}", children=tuple(write.step(f"{at}.{n}") for n in "abc")
            )
            for at in range(4)
        ]
        phases = run_of(write.document(write.report(*calls))).phases
        assert [(p.path, p.name) for p in phases[:5]] == [
            ((), "call 0"),
            (("call 0",), "0.a"),
            (("call 0",), "0.b"),
            (("call 0",), "0.c"),
            ((), "call 1"),
        ]

    def test_only_the_first_list_of_a_name_is_read(
        self, write: Any, run_of: Any
    ) -> None:
        """A second property of a name is no container, also not while it grows."""
        steps = write.obj("SequenceCall", write.array("ResultList", write.step("a")))
        again = write.obj("SequenceCall", write.array("ResultList", write.step("b")))
        step = write.step("twice", engine=steps + again)
        phases = run_of(write.document(write.report(step))).phases
        assert [phase.name for phase in phases] == ["twice", "a"]

    def test_places_are_those_of_the_whole(
        self, write: Any, read: Callable[..., Any]
    ) -> None:
        """What was emptied still counts where a place is spelled."""
        steps = [write.step(f"s{at}", status="odd") for at in range(5)]
        report = read(write.document(write.report(), write.report(*steps))).report
        (entry,) = [e for e in report.entries if e.item == "status"][4:]
        assert entry.place.path is not None
        tree: Any = etree.fromstring(
            write.document(write.report(), write.report(*steps))
        )
        (found,) = tree.getroottree().xpath(entry.place.path)
        named = child_named(child_named(found, "TS"), "StepName")
        assert named is not None
        assert named[0].text == "s4"

    def test_a_damaged_report_is_accounted_for_once(
        self, write: Any, read: Callable[..., Any]
    ) -> None:
        """What was read before the damage is read again with the rest."""
        steps = (write.step(f"step {at}") for at in range(20))
        reading = read(write.document(write.report(*steps))[:-300])
        (run,) = reading.runs
        count = reading.report.count(Disposition.MAPPED, "phase")
        assert count == len(run.phases) == 20


class TestGrowingArrays:
    """An array of numbers that does not end for long is read while it grows."""

    def test_complete_members_are_taken_out(self, write: Any, run_of: Any) -> None:
        """Of an array of any size only the last members stand in the tree."""
        values = [at / 4 for at in range(400)]
        step = write.step("curve", write.scalars("Trace", *values))
        reader = StepResultReader({}, ConversionReport())
        largest = 0
        for element in growing(write.report(step)):
            root = result_of(element)
            if root is not None:
                reader.read_partial(root)
                largest = max(largest, sum(1 for _ in element.iter("Value")))
        assert largest < 60
        (measurement,) = (
            run_of(write.document(write.report(step))).phases[0].measurements
        )
        assert list(measurement.value.measured.values) == values

    @pytest.mark.parametrize(
        "odd", ["", "text", "3,25", 2**60, None, "nan", "0x1F", "1_0"], ids=str
    )
    @pytest.mark.parametrize("at", [0, 7, 39])
    def test_an_odd_member_changes_nothing(
        self, write: Any, run_of: Any, odd: Any, at: int
    ) -> None:
        """Whatever comes after plain numbers, they stay what they were."""
        values: list[Any] = [
            number if number % 3 else number / 2 for number in range(40)
        ]
        values[at] = odd
        step = write.step("curve", write.scalars("Trace", *values))
        (measurement,) = (
            run_of(write.document(write.report(step))).phases[0].measurements
        )
        read = dict(measurement.value.rows())
        assert [read[place] for place in (3, 8, 20)] == [1.5, 8, 20]

    @pytest.mark.parametrize("status", ["Skipped", "Passed"])
    def test_an_array_of_a_step_that_is_omitted(
        self, write: Any, read: Callable[..., Any], status: str
    ) -> None:
        """A skipped step is read as any other, and what it holds is omitted."""
        array = write.scalars("Trace", *range(40))
        reading = read(
            write.document(write.report(write.step("s", array, status=status)))
        )
        omitted = reading.report.count(Disposition.OMITTED, "measurement")
        assert omitted == (status == "Skipped")

    def test_integers_stay_integers(self, write: Any, run_of: Any) -> None:
        """Without a point in any number all are integers."""
        step = write.step("count", write.scalars("Counts", *range(30)))
        (measurement,) = (
            run_of(write.document(write.report(step))).phases[0].measurements
        )
        assert measurement.value.measured.values.typecode == "q"


@pytest.mark.parametrize("depth", [1, 5, 60])
def test_steps_of_any_depth_are_read(write: Any, run_of: Any, depth: int) -> None:
    """Results below results are found on each level."""
    phases = run_of(write.document(write.report(*deep(write, depth)))).phases
    assert max(len(phase.path) for phase in phases) == depth

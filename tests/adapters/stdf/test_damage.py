"""Files that are cut off, damaged, hostile, or something else."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigbridge.adapters import Disposition, ReadContext, Source, Spool
from rigbridge.errors import (
    MalformedSourceError,
    SourceError,
    UnrecognizedSourceError,
)
from rigbridge.testing import Reading
from rigbridge_stdf import STDFAdapter
from rigbridge_stdf.records.decoding import decoder_for
from rigbridge_stdf.records.layouts import LATER_RECORDS, LAYOUTS
from rigbridge_stdf.records.record import RecordDamageError

Read = Callable[..., Reading]


def partly(content: bytes) -> tuple[list[str | None], SourceError, ReadContext]:
    """Read what can be read; give serial numbers, the error and the context."""
    runs: list[str | None] = []
    with Spool() as spool:
        context = ReadContext(adapter="stdf", spool=spool)
        with pytest.raises(SourceError) as caught:
            runs.extend(
                run.unit.serial_number
                for run in STDFAdapter().read(
                    Source.from_bytes(content, "lot.stdf"), context
                )
            )
    return runs, caught.value, context


class TestWholeFile:
    """What ends a file."""

    @pytest.mark.parametrize("left", [1, 3, 4, 10])
    def test_a_cut_names_record_and_byte(self, lot: Any, left: int) -> None:
        """The parts before are given; the one that was tested is a failure."""
        made = lot().mir().part("S1").pir()
        whole = len(made.content)
        made.ptr(1, 1.0, text="a")
        runs, error, context = partly(made.content[: whole + left])
        assert runs == ["S1"]
        assert isinstance(error, MalformedSourceError)
        assert error.place == f"record 6 at byte {whole}"
        assert len(context.failures) == 1

    def test_a_length_beyond_the_file_names_its_record(self, lot: Any) -> None:
        """So does a length that does not fit."""
        made = lot().mir().part("S1")
        at = len(made.content)
        runs, error, _ = partly(made.content + struct.pack("<HBB", 60000, 15, 10))
        assert runs == ["S1"]
        assert error.place == f"record 5 at byte {at}"

    def test_garbage_behind_the_end_is_an_error(self, lot: Any) -> None:
        """Nothing but another lot may follow MRR."""
        made = lot().mir().part("S1").mrr()
        runs, error, _ = partly(made.content + b"\x01\x00\xfe\xfe~" * 10)
        assert runs == ["S1"]
        assert "something else than records" in str(error)
        assert f"byte {len(made.content)}" in str(error.place)

    @pytest.mark.parametrize("count", [1, 3, 600, 1 << 19])
    def test_zeros_behind_the_end_are_padding(
        self, lot: Any, read: Read, count: int
    ) -> None:
        """Blocks are filled up with zeros; that is recorded."""
        reading = read(lot().mir().part("S1").mrr().content + bytes(count))
        assert len(reading.runs) == 1
        assert reading.report.count(Disposition.OMITTED, "padding") == 1

    def test_zeros_before_something_else_are_garbage(self, lot: Any) -> None:
        """What follows them is not passed over."""
        content = lot().mir().part("S1").content + bytes(1 << 19) + b"more"
        assert "something else than records" in str(partly(content)[1])

    def test_another_version_is_refused(self, lot: Any, read: Read) -> None:
        """V3 has other records under the same numbers."""
        made = lot().mir().part()
        made.content = made.content.replace(b"\x02\x04", b"\x02\x03", 1)
        with pytest.raises(UnrecognizedSourceError, match="version 3"):
            read(made)

    def test_a_wrong_cpu_type_is_told_by_the_lengths(
        self, lot: Any, read: Read
    ) -> None:
        """Record lengths cannot be wrong, FAR can; that is recorded."""
        reading = read(lot(">", cpu=2).mir().part("S1"))
        assert reading.runs[0].unit.part_number == "CHIP"
        assert reading.report.count(Disposition.COERCED, "byte order") == 1

    @pytest.mark.parametrize("order", ["<", ">"])
    def test_a_file_without_far_is_read(self, lot: Any, read: Read, order: str) -> None:
        """The lengths of its records tell the byte order."""
        content = lot(order).mir().part("S1").mrr().content[6:]
        assert read(content).runs[0].unit.serial_number == "S1"
        found = STDFAdapter().detect(content, "lot.stdf")
        assert found is not None
        assert found.score > 0.5


class TestRecords:
    """What is wrong with one record costs no other."""

    def test_unknown_ones_are_passed_over_by_name(self, lot: Any, read: Read) -> None:
        """Those of V4-2007 and of makers are dropped by name."""
        made = lot().mir()
        for kind, subtype in (*LATER_RECORDS, (180, 7)):
            made.add(kind, subtype, b"whatever")
        reading = read(made.part("S1"))
        rules = [entry.rule for entry in reading.report.entries]
        assert "only names the version of the standard" in rules
        for name in {*LATER_RECORDS.values(), "180.7"} - {"VUR"}:
            assert f"{name} is no record of STDF V4" in rules
        assert len(reading.runs) == 1

    def test_a_damaged_test_costs_its_part(self, lot: Any, read: Read) -> None:
        """A text that is longer than its record; the part beside it is read."""
        made = lot().mir().pir(0).pir(1)
        at = len(made.content)
        made.add(15, 10, made.pack("IBBBBf", 1, 1, 0, 0, 0, 1.0) + b"\xffabc")
        reading = read(made.prr("S0", site=0).prr("S1", site=1))
        assert [run.unit.serial_number for run in reading.runs] == ["S1"]
        (failure,) = reading.failures
        assert failure.place == f"record 5 (PTR) at byte {at}"
        assert "TEST_TXT" in str(failure)

    def test_a_damaged_end_costs_its_part(self, lot: Any, read: Read) -> None:
        """A PRR whose PART_ID goes beyond it."""
        made = lot().mir().pir().prr(rest=b"\x09x").part("S2")
        reading = read(made)
        assert [run.unit.serial_number for run in reading.runs] == ["S2"]
        assert "PART_TXT" in str(reading.failures[0])

    def test_a_damaged_record_of_the_lot_is_dropped(self, lot: Any, read: Read) -> None:
        """The parts are whole without it."""
        reading = read(lot().mir().add(1, 80, b"\x01\x01\xff\x01").part("S1"))
        assert len(reading.runs) == 1
        assert reading.report.count(Disposition.DROPPED, "record") == 1

    @pytest.mark.parametrize("length", range(8))
    def test_a_test_without_its_first_fields(
        self, lot: Any, read: Read, length: int
    ) -> None:
        """A record that is too short for number, head and site is a failure or none."""
        for kind in ((15, 10), (15, 15), (15, 20)):
            made = lot().mir().pir().add(*kind, bytes(length)).prr("S1")
            reading = read(made)
            assert len(reading.runs) + len(reading.failures) >= 1

    def test_bytes_behind_the_last_field_are_recorded(
        self, lot: Any, read: Read
    ) -> None:
        """A maker's own fields are lost, and said to be."""
        made = lot().mir().add(5, 10, b"\x01\x00more").prr("S1")
        reading = read(made)
        assert len(reading.runs) == 1
        assert reading.report.count(Disposition.DROPPED, "bytes") == 1


class TestHostile:
    """Lengths and counts that promise what is not there."""

    @pytest.mark.parametrize(
        ("number", "content"),
        [
            ((1, 63), b"\xff\xff" + b"\0" * 8),
            ((1, 62), b"\0\0\0\xff\xff\0"),
            ((1, 70), b"\xff\xff\0"),
            ((1, 80), b"\x01\x01\xff\x01"),
            ((15, 15), bytes(8) + b"\xff\xff\xff\xff\0"),
            ((15, 20), bytes(34) + b"\xff\xff\xff\xff\0"),
            ((15, 20), bytes(38) + b"\xff\xff\0"),
            ((50, 10), b"\xff\xff\x0a\xff"),
            ((50, 10), b"\xff\xff\x0c\xff\xff\0"),
            ((50, 10), b"\x01\x00\x63\x00"),
        ],
    )
    def test_a_count_beyond_the_record_is_damage(
        self, number: tuple[int, int], content: bytes
    ) -> None:
        """Nothing is made of a count before the bytes are seen to be there."""
        with pytest.raises(RecordDamageError):
            decoder_for(LAYOUTS[number], "<", is_vax=False)(content)

    @given(
        st.sampled_from(sorted(LAYOUTS)), st.binary(max_size=120), st.sampled_from("<>")
    )
    def test_any_content_is_fields_or_damage(
        self, number: tuple[int, int], content: bytes, order: Any
    ) -> None:
        """No content of a record is a surprise."""
        try:
            fields = decoder_for(LAYOUTS[number], order, is_vax=order == "<")(content)
        except RecordDamageError:
            return
        assert isinstance(fields, dict)

    @given(
        st.lists(
            st.tuples(st.sampled_from([*LAYOUTS, (180, 1)]), st.binary(max_size=40)),
            max_size=12,
        )
    )
    def test_any_records_give_runs_or_errors(
        self, lot: Any, records: list[tuple[tuple[int, int], bytes]]
    ) -> None:
        """Whatever follows whatever, there is no surprise."""
        made = lot().mir().pir()
        for (kind, subtype), content in records:
            made.add(kind, subtype, content)
        with Spool() as spool:
            context = ReadContext(adapter="stdf", spool=spool)
            source = Source.from_bytes(made.content, "lot.stdf")
            try:
                runs = list(STDFAdapter().read(source, context))
            except SourceError:
                return
            assert runs or context.failures

    def test_memory_is_that_of_one_part(self, lot: Any) -> None:
        """Ten times the parts take no more memory."""
        peaks: list[int] = []
        for count in (20, 120):
            made = lot().mir()
            parts: list[bytes] = [made.content]
            for number in range(count):
                one = lot().pir()
                for test in range(30):
                    one.ptr(test, 1.5, text=f"t{test}", rest=one.limits(1.0, 2.0))
                parts.append(one.prr(f"S{number}").content[6:])
            source = Source.from_bytes(b"".join(parts), "lot.stdf")
            with Spool() as spool:
                context = ReadContext(adapter="stdf", spool=spool)
                tracemalloc.start()
                for _ in STDFAdapter().read(source, context):
                    context.report.split()
                peaks.append(tracemalloc.get_traced_memory()[1])
                tracemalloc.stop()
        # The larger file fills the window of the stream.
        assert peaks[1] < peaks[0] + (2 << 20)

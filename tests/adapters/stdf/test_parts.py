"""Parts as runs: sites, identity, bins, wafers, times and texts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rigbridge.adapters import ASSUMED_ZONE, Disposition
from rigbridge.errors import ConfigurationError, NoRunError
from rigbridge.testing import Reading
from rigbridge_stdf import STDFSettings

Read = Callable[..., Reading]
STARTED = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


class TestLot:
    """What MIR, SDR, WIR and their like say."""

    def test_has_fields_of_its_own(self, lot: Any, read: Read) -> None:
        """Lot, part type, program, operator and node have their places in a run."""
        (run,) = read(lot().mir().part("S1")).runs
        assert run.unit.serial_number == "S1"
        assert run.unit.part_number == "CHIP"
        assert run.unit.batch_number == "LOT7"
        assert (run.procedure.name, run.procedure.version) == ("prog", "1.2")
        assert (run.operator, run.station) == ("eve", "tester-3")
        assert run.metadata["MIR.SBLOT_ID"] == "sub"
        assert run.metadata["MIR.MODE_COD"] == "P"
        assert "MIR.BURN_TIM" not in run.metadata

    def test_equipment_is_that_of_the_site(self, lot: Any, read: Read) -> None:
        """SDR is told by head and site."""
        made = lot().mir()
        for site, name in ((0, b"H0"), (1, b"H1")):
            made.add(1, 80, bytes([1, site, 1, site]) + b"\0\x02" + name)
        first, second = read(made.part("S1", site=1).part("S2")).runs
        assert first.metadata["SDR.HAND_ID"] == "H1"
        assert second.metadata["SDR.HAND_ID"] == "H0"

    def test_the_wafer_is_that_of_its_end(self, lot: Any, read: Read) -> None:
        """WRR corrects WIR, although it comes behind the parts of the wafer."""
        made = lot().mir()
        for number in (1, 2):
            made.add(2, 10, b"\x01\xff" + made.pack("I", 1_700_000_500) + b"\x01?")
            made.part(f"S{number}")
            counts = made.pack("IIIIII", 1_700_000_900, 1, 0, 0, 1, 1)
            made.add(2, 20, b"\x01\xff" + counts + f"\x02W{number}".encode())
        reading = read(made)
        assert [run.metadata["wafer"] for run in reading.runs] == ["W1", "W2"]
        assert reading.runs[0].started_at == datetime.fromtimestamp(1_700_000_500, UTC)

    def test_a_second_lot_has_its_own(self, lot: Any, read: Read) -> None:
        """Files that were appended to each other are read one after the other."""
        made = lot().mir().part("S1").hbr(1, "P", "first").mrr()
        made.far(2, 4).mir(texts=("LOT8",)).part("S2").hbr(1, "P", "second").mrr()
        runs = read(made).runs
        assert [run.unit.batch_number for run in runs] == ["LOT7", "LOT8"]
        assert [run.metadata["hard_bin_name"] for run in runs] == ["first", "second"]

    def test_a_second_file_may_have_the_other_byte_order(
        self, lot: Any, read: Read
    ) -> None:
        """Each FAR says its own."""
        content = lot("<").mir().part("S1").mrr().content
        content += lot(">").mir().part("S2").mrr().content
        serials = [run.unit.serial_number for run in read(content).runs]
        assert serials == ["S1", "S2"]

    def test_no_part_is_said(self, lot: Any, read: Read) -> None:
        """A file without PRR is well formed and holds no run."""
        with pytest.raises(NoRunError):
            read(lot().mir().mrr())


class TestTimes:
    """Start and end."""

    def test_parts_begin_with_their_lot(self, lot: Any, read: Read) -> None:
        """The format has no start of a part; TEST_T gives the end. Both are said."""
        reading = read(lot().mir().pir().prr(time=1500))
        (run,) = reading.runs
        assert run.started_at == STARTED
        assert run.ended_at == STARTED + timedelta(seconds=1.5)
        assert reading.report.count(Disposition.COERCED, "start") == 1
        assert reading.report.count(Disposition.COERCED, "end") == 1

    def test_without_a_duration_the_end_is_unknown(self, lot: Any, read: Read) -> None:
        """A TEST_T of zero says nothing."""
        assert read(lot().mir().pir().prr()).runs[0].ended_at is None

    def test_they_are_those_of_a_wall_clock(self, lot: Any, read: Read) -> None:
        """The standard counts seconds in local time, whose zone the site names."""
        (run,) = read(lot().mir().part(), zone="Asia/Tokyo").runs
        assert run.started_at == STARTED - timedelta(hours=9)

    def test_a_tester_may_write_utc(self, lot: Any, read: Read) -> None:
        """A setting says so."""
        (run,) = read(lot().mir().part(), zone="Asia/Tokyo", times="utc").runs
        assert run.started_at == STARTED

    def test_a_guessed_zone_is_said_for_each_run(self, lot: Any, read: Read) -> None:
        """Without a zone that of this machine is assumed, and recorded."""
        reading = read(lot().mir().part("S1").part("S2"), zone=None)
        assert reading.report.count(Disposition.COERCED, rule=ASSUMED_ZONE) >= 2

    def test_a_time_of_zero_is_unknown(self, lot: Any, read: Read) -> None:
        """No test ran in 1970."""
        made = lot().mir(start=60)
        made.content = made.content.replace(
            made.pack("II", 0, 60), made.pack("II", 0, 0)
        )
        assert read(made.part()).runs[0].started_at is None


class TestParts:
    """PIR to PRR."""

    def test_sites_are_told_apart(self, lot: Any, read: Read) -> None:
        """Results of sites that are tested at once go to the part of their site."""
        made = lot().mir().pir(0).pir(1)
        made.ptr(1, 1.0, site=1, text="a").ptr(1, 2.0, site=0, text="a")
        made.ptr(2, 3.0, site=1, text="b").prr("S1", site=1).prr("S0", site=0)
        first, second = read(made).runs
        assert first.unit.serial_number == "S1"
        assert [m.value for m in first.phases[0].measurements] == [1.0, 3.0]
        assert [m.value for m in second.phases[0].measurements] == [2.0]
        assert (first.metadata["head"], first.metadata["site"]) == (1, 1)

    @pytest.mark.parametrize(
        ("flags", "outcome"),
        [(0, "PASS"), (8, "FAIL"), (4, "ABORTED"), (12, "ABORTED"), (16, "ERROR")],
    )
    def test_flags_give_the_verdict(
        self, lot: Any, read: Read, flags: int, outcome: str
    ) -> None:
        """PART_FLG says whether a part passed, and whether it was tested to its end."""
        (run,) = read(lot().mir().part(flags=flags)).runs
        assert run.outcome == outcome
        assert run.metadata.get("abnormal_end", False) == bool(flags & 4)

    def test_a_missing_verdict_is_that_of_the_bin(self, lot: Any, read: Read) -> None:
        """HBR says whether a bin holds good parts."""
        reading = read(lot().mir().part(flags=16).hbr(1, "F", "bad").mrr())
        assert reading.runs[0].outcome == "FAIL"
        assert reading.report.count(Disposition.COERCED, "outcome") == 1

    @pytest.mark.parametrize(
        ("flags", "said"), [(1, "PART_ID"), (2, "X_COORD, Y_COORD"), (0, None)]
    )
    def test_a_retest_says_what_it_repeats(
        self, lot: Any, read: Read, flags: int, said: str | None
    ) -> None:
        """Bits 0 and 1 of PART_FLG."""
        (run,) = read(lot().mir().part(flags=flags)).runs
        assert run.metadata.get("retest") == said

    def test_bins_have_their_names(self, lot: Any, read: Read) -> None:
        """HBR and SBR stand at the end, and name the bins of all parts before."""
        made = lot().mir().pir().prr(bins=(3, 9)).pir().prr(bins=(4, 65535))
        first, second = read(made.hbr(3, "F", "leak").sbr(9, "F", "IDDQ").mrr()).runs
        assert (first.metadata["hard_bin"], first.metadata["hard_bin_name"]) == (
            3,
            "leak",
        )
        assert first.metadata["soft_bin_name"] == "IDDQ"
        assert "soft_bin" not in second.metadata
        assert "hard_bin_name" not in second.metadata

    def test_texts_and_repair_data_are_kept(self, lot: Any, read: Read) -> None:
        """PART_TXT and PART_FIX."""
        made = lot().mir().pir().prr(rest=b"\x04edge\x02\x13\xc2")
        (run,) = read(made).runs
        assert run.metadata["part_text"] == "edge"
        assert run.metadata["part_fix"] == "13C2"

    def test_sections_are_phases(self, lot: Any, read: Read) -> None:
        """BPS and EPS nest; what stands outside of them has a phase of its own."""
        made = lot().mir().pir().ptr(1, 1.0, text="a")
        made.add(20, 10, b"\x02DC").add(20, 10, b"\x04leak").ptr(2, 1.0, text="b")
        made.add(20, 20).ptr(3, 1.0, text="c", flags=0x80).prr("S1")
        reading = read(made.pir().ptr(1, 1.0, text="a").prr("S2"))
        found = [(p.path, p.name, str(p.outcome)) for p in reading.runs[0].phases]
        assert found == [
            ((), "Tests", "PASS"),
            (("DC",), "leak", "PASS"),
            ((), "DC", "FAIL"),
        ]
        # The section that was left without its end is not one of the next part.
        assert [phase.name for phase in reading.runs[1].phases] == ["Tests"]

    def test_a_part_without_its_beginning_is_read(self, lot: Any, read: Read) -> None:
        """PRR or PTR without PIR: nothing is lost, and it is said."""
        made = lot().mir().prr("S1").ptr(1, 1.0, text="a").prr("S2")
        reading = read(made)
        assert [len(run.phases) for run in reading.runs] == [0, 1]
        assert reading.report.count(Disposition.COERCED, "part") == 2

    def test_a_part_without_its_end_fails_alone(self, lot: Any, read: Read) -> None:
        """Nobody knows its number; its neighbours are read, and keep their ids."""
        made = lot().mir().pir().ptr(1, 1.0, text="a").pir().prr("S2").pir()
        reading = read(made)
        assert [run.unit.serial_number for run in reading.runs] == ["S2"]
        assert reading.runs[0].source.index == 1  # type: ignore[union-attr]
        first, last = reading.failures
        assert "another part begins" in str(first)
        assert "the file ends" in str(last)


class TestTexts:
    """DTR and GDR."""

    def test_belong_to_the_part_around_them(self, lot: Any, read: Read) -> None:
        """A text is a log line, data are metadata; both know no site."""
        made = lot().mir().pir().dtr("slow").pir(1)
        made.add(50, 10, made.pack("H", 3) + b"\x0a\x02id\x00\x02\x07\x00\x0d\x05")
        reading = read(made.prr("S1").prr("S2", site=1))
        first, second = reading.runs
        assert [entry.message for entry in first.logs] == ["slow"]
        assert second.logs == ()
        assert first.metadata["GDR"] == second.metadata["GDR"] == [["id", 7, 5]]
        assert reading.report.count(Disposition.COERCED, "metadata") == 2

    def test_what_fills_data_up_may_be_counted(self, lot: Any, read: Read) -> None:
        """A program that counts it costs no value."""
        made = lot().mir().pir()
        made.add(50, 10, made.pack("H", 3) + b"\x0a\x02id\x00\x02\x07\x00")
        reading = read(made.prr("S1"))
        assert reading.runs[0].metadata["GDR"] == [["id", 7]]

    def test_those_between_parts_belong_to_the_next(self, lot: Any, read: Read) -> None:
        """And those behind the last part to that one; none is lost."""
        made = lot().mir().dtr("one").part("S1").dtr("two").part("S2").dtr("three")
        reading = read(made.mrr())
        texts = [[entry.message for entry in run.logs] for run in reading.runs]
        assert texts == [["one"], ["two", "three"]]
        assert reading.report.count(Disposition.DROPPED) == 0

    def test_text_that_is_not_ascii_is_read_and_recorded(
        self, lot: Any, read: Read
    ) -> None:
        """UTF-8 first, else windows-1252."""
        made = lot().mir().pir().dtr("Größe".encode()).dtr("Größe".encode("cp1252"))
        reading = read(made.prr())
        assert [entry.message for entry in reading.runs[0].logs] == ["Größe", "Größe"]
        assert reading.report.count(Disposition.COERCED, "text") == 2


class TestSerialNumbers:
    """The templates of the settings."""

    def test_a_part_without_an_id_has_lot_wafer_and_place(
        self, lot: Any, read: Read
    ) -> None:
        """The second template of the default."""
        made = lot().mir().add(2, 10, b"\x01\xff\0\0\0\0\x01W")
        reading = read(made.pir().prr("", at=(3, -4)))
        assert reading.runs[0].unit.serial_number == "LOT7-W-3--4"
        assert reading.report.count(Disposition.COERCED, "serial number") == 1

    def test_a_field_that_is_missing_leaves_it_open(self, lot: Any, read: Read) -> None:
        """Rules of identity may know it; none is made up."""
        assert read(lot().mir().pir().prr("")).runs[0].unit.serial_number is None

    def test_a_template_of_the_site(self, lot: Any, read: Read) -> None:
        """Fields by the names of the standard."""
        (run,) = read(
            lot().mir().part("5"), serial_number="{LOT}/{SBLOT_ID}/{PART_ID}"
        ).runs
        assert run.unit.serial_number == "LOT7/sub/5"
        assert run.metadata["part_id"] == "5"

    def test_a_count_is_said_to_be_one(self, lot: Any, read: Read) -> None:
        """A PART_ID of a few digits counts the parts of a lot, which is named, too."""
        reading = read(lot().mir().part("5").part("SN-0001"))
        serials = [run.unit.serial_number for run in reading.runs]
        assert serials == ["LOT7-5", "SN-0001"]
        assert reading.report.count(Disposition.COERCED, "serial number") == 1
        (alone,) = read(lot().mir().part("5"), serial_number="{PART_ID}").runs
        assert alone.unit.serial_number == "5"

    @pytest.mark.parametrize(
        ("settings", "place"),
        [
            ({"serial_number": "{NOPE}"}, "serial_number[0]"),
            ({"serial_number": ["{PART_ID}", "fixed"]}, "serial_number[1]"),
            ({"serial_number": 5}, "serial_number"),
            ({"serial_number": [5]}, "serial_number[0]"),
            ({"times": "zulu"}, "times"),
        ],
    )
    def test_a_wrong_setting_is_named(self, settings: Any, place: str) -> None:
        """The error has the path of the key."""
        with pytest.raises(ConfigurationError) as caught:
            STDFSettings(**settings)
        assert caught.value.place == place

    def test_a_procedure_of_the_settings(self, lot: Any, read: Read) -> None:
        """Where MIR has no JOB_NAM."""
        made = lot().mir(texts=("LOT7",)).part()
        assert read(made).runs[0].procedure.name is None
        assert read(made, procedure="probe").runs[0].procedure.name == "probe"

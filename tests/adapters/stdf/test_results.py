"""PTR, MPR and FTR as measurements."""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Callable
from typing import Any

import pytest

from rigbridge.adapters import Disposition
from rigbridge.model import Limit, Measurement, Series
from rigbridge.testing import Reading

Read = Callable[..., Reading]


def measured(reading: Reading, run: int = 0) -> tuple[Measurement, ...]:
    """Give the measurements of a run."""
    assert reading.failures == ()
    return tuple(m for phase in reading.runs[run].phases for m in phase.measurements)


class TestParametric:
    """PTR."""

    @pytest.mark.parametrize("order", ["<", ">"])
    def test_is_a_measurement_with_limits(
        self, lot: Any, read: Read, order: str
    ) -> None:
        """Name, value, unit, limits and number come over in both byte orders."""
        made = lot(order).mir().pir()
        made.ptr(1010, 2.5, text="VDD core", rest=made.limits(1.25, 3.5, scale=3))
        (found,) = measured(read(made.prr()))
        assert found.name == "VDD core"
        assert found.value == 2.5
        assert found.unit == "V"
        assert found.limits == Limit(lower=1.25, upper=3.5)
        assert found.outcome == "PASS"
        assert found.attributes["TEST_NUM"] == 1010
        assert found.attributes["RES_SCAL"] == 3

    def test_a_value_is_the_stored_one(self, lot: Any, read: Read) -> None:
        """The four bytes of a result are neither rounded nor scaled."""
        (found,) = measured(read(lot().mir().pir().ptr(1, 0.1, text="a").prr()))
        assert found.value == struct.unpack("<f", struct.pack("<f", 0.1))[0]

    def test_later_records_inherit(self, lot: Any, read: Read) -> None:
        """Only the first record of a number has to say name, limits and unit."""
        made = lot().mir().pir()
        made.ptr(7, 1.5, text="Idd", rest=made.limits(1.0, 2.0, units="A")).prr("S1")
        made.pir().ptr(7, 1.75).prr("S2")
        reading = read(made)
        first, second = measured(reading)[0], measured(reading, 1)[0]
        assert (second.name, second.unit) == ("Idd", "A")
        assert second.limits == first.limits == Limit(lower=1.0, upper=2.0)

    def test_a_later_record_overrides_for_itself_alone(
        self, lot: Any, read: Read
    ) -> None:
        """Limits of a later record are its own; the next one has the first's again."""
        made = lot().mir().pir()
        made.ptr(7, 1.5, text="Idd", rest=made.limits(1.0, 2.0))
        made.ptr(7, 1.5, text="Idd", rest=made.limits(1.25, 1.75))
        made.ptr(7, 1.5, text="Idd").prr()
        lower = [m.limits.lower for m in measured(read(made)) if m.limits]
        assert lower == [1.0, 1.25, 1.0]

    @pytest.mark.parametrize(
        ("optional", "lower", "upper"),
        [
            (0x4E, None, 2.0),
            (0x8E, 1.0, None),
            (0xCE, None, None),
            # A default is asked for that no record before has given.
            (0x1E, None, 2.0),
            (0x2E, 1.0, None),
        ],
    )
    def test_flags_say_which_limits_there_are(
        self,
        lot: Any,
        read: Read,
        optional: int,
        lower: float | None,
        upper: float | None,
    ) -> None:
        """The bits of OPT_FLAG take a limit away."""
        made = lot().mir().pir()
        rest = made.limits(1.0, 2.0, optional=optional)
        (found,) = measured(read(made.ptr(7, 1.5, text="Idd", rest=rest).prr()))
        limits = found.limits or Limit()
        assert (limits.lower, limits.upper) == (lower, upper)

    def test_a_default_of_the_first_is_taken_by_flag(
        self, lot: Any, read: Read
    ) -> None:
        """Bits 4 and 5 put the first record's limits in place of those written."""
        made = lot().mir().pir()
        made.ptr(7, 1.5, text="Idd", rest=made.limits(1.0, 2.0))
        made.ptr(7, 1.5, rest=made.limits(0.0, 0.0, optional=0x3F)).prr()
        assert measured(read(made))[1].limits == Limit(lower=1.0, upper=2.0)

    @pytest.mark.parametrize(
        ("parametric", "low", "high"),
        [
            (0xC0, True, True),
            (0x40, True, False),
            (0x80, False, True),
            (0, False, False),
        ],
    )
    def test_flags_say_whether_a_limit_passes(
        self, lot: Any, read: Read, parametric: int, low: bool, high: bool
    ) -> None:
        """Bits 6 and 7 of PARM_FLG tell >= from >, and <= from <."""
        made = lot().mir().pir()
        made.ptr(7, 1.5, parametric=parametric, text="a", rest=made.limits(1.0, 2.0))
        limits = measured(read(made.prr()))[0].limits
        assert limits is not None
        assert (limits.lower_inclusive, limits.upper_inclusive) == (low, high)

    @pytest.mark.parametrize(
        ("flags", "outcome", "words"),
        [
            (0x00, "PASS", None),
            (0x80, "FAIL", None),
            (0x40, "UNSET", None),
            (0xC0, "UNSET", None),
            (0x81, "FAIL", ["alarm"]),
            (0x0C, "PASS", ["unreliable", "timeout"]),
            (0x20, "PASS", ["aborted"]),
        ],
    )
    def test_flags_give_the_verdict(
        self, lot: Any, read: Read, flags: int, outcome: str, words: list[str] | None
    ) -> None:
        """TEST_FLG says whether there is a verdict, which, and what went wrong."""
        made = lot().mir().pir().ptr(7, 1.5, flags=flags, text="a").prr()
        (found,) = measured(read(made))
        assert found.outcome == outcome
        assert found.attributes.get("flags") == words
        assert found.value == 1.5

    @pytest.mark.parametrize("flags", [0x02, 0x10])
    def test_an_invalid_value_is_left_out_and_recorded(
        self, lot: Any, read: Read, flags: int
    ) -> None:
        """What TEST_FLG calls not valid or not executed is no value."""
        reading = read(lot().mir().pir().ptr(7, 1.5, flags=flags, text="a").prr())
        assert measured(reading)[0].value is None
        assert reading.report.count(Disposition.OMITTED, "value") == 1

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
    def test_no_number_is_kept_as_such(
        self, lot: Any, read: Read, value: float
    ) -> None:
        """NaN and infinity are values of a tester."""
        (found,) = measured(read(lot().mir().pir().ptr(7, value, text="a").prr()))
        assert found.value == pytest.approx(value, nan_ok=True)

    def test_an_infinite_limit_is_none(self, lot: Any, read: Read) -> None:
        """Infinity stands for no limit, and that is recorded for each part."""
        made = lot().mir().pir()
        rest = made.limits(-math.inf, 2.0)
        made.ptr(7, 1.5, text="a", rest=rest).prr("S1")
        reading = read(made.pir().ptr(7, 1.5, text="a", rest=rest).prr("S2"))
        assert measured(reading, 1)[0].limits == Limit(upper=2.0)
        assert reading.report.count(Disposition.COERCED, "limit") == 2

    def test_a_reused_number_keeps_its_names_apart(self, lot: Any, read: Read) -> None:
        """Tests that share a number have each the limits of their own name."""
        made = lot().mir().pir()
        made.ptr(7, 1.5, text="one", rest=made.limits(1.0, 2.0))
        made.ptr(7, 15.0, text="two", rest=made.limits(10.0, 20.0)).prr("S1")
        made.pir().ptr(7, 1.5, text="one").ptr(7, 15.0, text="two").prr("S2")
        lower = [m.limits.lower for m in measured(read(made), 1) if m.limits]
        assert lower == [1.0, 10.0]

    def test_limits_of_another_name_are_recorded(self, lot: Any, read: Read) -> None:
        """By the standard a number has one set of limits; names may contradict that."""
        made = lot().mir().pir()
        made.ptr(7, 1.5, text="one", rest=made.limits(1.0, 2.0))
        reading = read(made.ptr(7, 1.5, text="two").prr())
        assert measured(reading)[1].limits == Limit(lower=1.0, upper=2.0)
        assert reading.report.count(Disposition.COERCED, "limit") == 1

    def test_a_test_without_a_name_has_that_of_its_summary(
        self, lot: Any, read: Read
    ) -> None:
        """TSR at the end of the lot names tests that PTR does not."""
        made = lot().mir().pir().ptr(7, 1.5).ptr(8, 1.5).prr()
        made.add(10, 30, b"\xff\x00P" + made.pack("IIII", 7, 1, 0, 0) + b"\x03Ref")
        assert [m.name for m in measured(read(made))] == ["Ref", "Test 8"]

    def test_a_zero_overrides_the_unit(self, lot: Any, read: Read) -> None:
        """A text of a single zero says that there is none."""
        made = lot().mir().pir()
        made.ptr(7, 1.5, text="a", rest=made.limits(1.0, 2.0))
        made.ptr(7, 1.5, rest=made.limits(1.0, 2.0, units="\0")).prr()
        assert [m.unit for m in measured(read(made))] == ["V", None]

    def test_defaults_may_stand_before_all_parts(self, lot: Any, read: Read) -> None:
        """A record that was not executed and stands in no part defines its test."""
        made = lot().mir()
        made.ptr(7, 0.0, flags=0x10, text="a", rest=made.limits(1.0, 2.0))
        reading = read(made.pir().ptr(7, 1.5).prr())
        (found,) = measured(reading)
        assert (found.name, found.limits) == ("a", Limit(lower=1.0, upper=2.0))

    def test_a_new_lot_begins_anew(self, lot: Any, read: Read) -> None:
        """Defaults are those of one MIR; a file may hold several lots."""
        made = lot().mir().pir()
        made.ptr(7, 1.5, text="a", rest=made.limits(1.0, 2.0)).prr("S1").mrr()
        made.mir().pir().ptr(7, 1.5).prr("S2")
        found = measured(read(made), 1)[0]
        assert (found.name, found.limits) == ("Test 7", None)

    def test_floats_of_a_vax(self, lot: Any, read: Read) -> None:
        """CPU type 0 has swapped words and an exponent of its own."""
        made = lot("<", cpu=0).mir().pir()
        # 1.0 of a VAX is 4080 0000, the high word first.
        content = made.pack("IBBBB", 7, 1, 0, 0, 0) + b"\x80\x40\x00\x00" + b"\x01a"
        reading = read(made.add(15, 10, content).prr())
        assert measured(reading)[0].value == 1.0
        assert reading.report.count(Disposition.COERCED, "float") == 1


class TestMultiple:
    """MPR."""

    def made(self, lot: Any, optional: int, pins: int = 2) -> Any:
        """Write an MPR of two results."""
        made = lot().mir()
        for index, name in ((1, "A1"), (2, "A2")):
            made.add(1, 60, made.pack("HH", index, 0) + b"\0\0\x02" + name.encode())
        content = made.pack("IBBBBHH", 11, 1, 0, 0x80, 0xC0, pins, 2)
        content += bytes([0x21]) * ((pins + 1) // 2) + made.pack("ff", 0.5, 1.5)
        content += b"\x05Leak!\0" + made.pack("Bbbb", optional, 0, 0, 0)
        content += made.pack("ffff", 0.25, 2.0, 10.0, 2.5)
        content += made.pack(f"{pins}H", *range(1, pins + 1)) + b"\x01A\x01V"
        return made.pir().add(15, 15, content).prr()

    def test_is_a_series_over_its_input_and_pins(self, lot: Any, read: Read) -> None:
        """Start and increment make an axis, so do the names of the pins."""
        (found,) = measured(read(self.made(lot, 0x0C)))
        assert isinstance(found.value, Series)
        first, second, last = found.value.axes
        assert (first.unit, first.values) == ("V", array("d", [10.0, 12.5]))
        assert second.values == ("A1", "A2")
        assert (last.unit, last.values) == ("A", array("d", [0.5, 1.5]))
        assert found.limits == Limit(lower=0.25, upper=2.0)
        assert found.outcome == "FAIL"
        assert found.attributes["RTN_STAT"] == [1, 2]

    def test_without_a_valid_input_it_has_no_such_axis(
        self, lot: Any, read: Read
    ) -> None:
        """Bit 1 of OPT_FLAG says that there is no input."""
        (found,) = measured(read(self.made(lot, 0x0E)))
        assert isinstance(found.value, Series)
        assert [axis.name for axis in found.value.axes] == ["pin", "Leak!"]

    def test_pins_of_another_count_are_an_attribute(self, lot: Any, read: Read) -> None:
        """Only as many pins as results are an axis; nothing is lost otherwise."""
        (found,) = measured(read(self.made(lot, 0x0E, pins=3)))
        assert found.attributes["pins"] == ["A1", "A2", "pin 3"]

    def test_no_result_is_no_value(self, lot: Any, read: Read) -> None:
        """A record that ends before its counts has a verdict alone."""
        made = lot().mir().pir()
        made.add(15, 15, made.pack("IBBBB", 11, 1, 0, 0, 0)).prr()
        (found,) = measured(read(made))
        assert (found.value, found.outcome) == (None, "PASS")


class TestFunctional:
    """FTR."""

    def test_passes_or_fails(self, lot: Any, read: Read) -> None:
        """The verdict is the value; no verdict is none."""
        made = lot().mir().pir()
        for flags in (0x00, 0x80, 0x40):
            made.add(15, 20, made.pack("IBBB", 20, 1, 0, flags))
        found = measured(read(made.prr()))
        assert [m.value for m in found] == [True, False, None]
        assert [m.outcome for m in found] == ["PASS", "FAIL", "UNSET"]

    def test_keeps_what_it_says(self, lot: Any, read: Read) -> None:
        """Valid fields, pins and texts are attributes; invalid ones are none."""
        made = lot().mir().add(1, 60, made_pin(3, "D3"))
        content = made.pack("IBBBB", 20, 1, 0, 0x80, 0b11010110)
        content += made.pack("IIIIii", 100, 1, 2, 3, 4, 5) + made.pack("hHH", -1, 1, 2)
        content += made.pack("H", 3) + b"\x05" + made.pack("HH", 3, 4) + b"\x21"
        content += made.pack("H", 4) + b"\x08"
        content += b"\x03vec\x02t1\0\x04chkr\0\0\0\xff" + made.pack("H", 0)
        (found,) = measured(read(made.pir().add(15, 20, content).prr()))
        assert found.name == "chkr"
        assert found.attributes == {
            "TEST_NUM": 20,
            "CYCL_CNT": 100,
            "NUM_FAIL": 3,
            "VECT_OFF": -1,
            "RTN_INDX": [3],
            "RTN_STAT": [5],
            "PGM_INDX": [3, 4],
            "PGM_STAT": [1, 2],
            "FAIL_PIN": ["D3"],
            "VECT_NAM": "vec",
            "TIME_SET": "t1",
        }


def made_pin(index: int, name: str) -> bytes:
    """Write the content of a PMR."""
    return struct.pack("<HH", index, 0) + b"\0\0" + bytes([len(name)]) + name.encode()


def test_blanks_of_any_kind_are_no_text(lot: Any, read: Read) -> None:
    """A unit of blanks that ASCII does not have is none."""
    made = lot().mir().pir()
    made.ptr(7, 1.5, text="a", rest=made.limits(1.0, 2.0, units="\xa0\x85\0")).prr()
    (found,) = measured(read(made))
    assert (found.name, found.unit) == ("a", None)

"""ATDF, the text form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from rigbridge.adapters import Disposition
from rigbridge.errors import UnrecognizedSourceError
from rigbridge.model import Limit, Measurement, Run, Series
from rigbridge.testing import Reading
from rigbridge_stdf import STDFAdapter

Read = Callable[..., Reading]

HEAD = (
    "FAR:A|4|2|U\n"
    "MIR:LOT7|CHIP|prog|tester-3|T9|22:12:20 14-NOV-2023|22:13:20 14-NOV-2023|eve|P|1"
    "|sub|||1.2\n"
)


def measured(reading: Reading) -> tuple[Measurement, ...]:
    """Give the measurements of the first run."""
    return reading.runs[0].phases[0].measurements


def bare(run: Run) -> Run:
    """Take away what says where a run was read from."""
    return attrs.evolve(run, source=None, id="00000000-0000-0000-0000-000000000000")


def test_a_file_and_its_twin_are_the_same_runs(lot: Any, read: Read) -> None:
    """What STDF says in bits ATDF says in letters."""
    made = lot().mir().pir()
    made.ptr(10, 1.5, text="Vdd", rest=made.limits(1.0, 2.0, optional=0x0F))
    made.ptr(10, 2.5, flags=0x81, parametric=0xC8).dtr("a|note")
    made.add(15, 20, made.pack("IBBB", 20, 1, 0, 0x00) + b"\xff" + bytes(34) + b"\x01f")
    made.prr("SN-0001", flags=0x0A, bins=(3, 9), at=(3, -4), time=644)
    made.hbr(3, "F", "leak").mrr()
    text = HEAD + (
        "PIR:1|0\n"
        "PTR:10|1|0|1.5|P||Vdd||LH|V|1.0|2.0\n"
        "PTR:10|1|0|2.5|F|AH|||LH\n"
        "DTR:a|note\n"
        "FTR:20|1|0|P||||||||||||||||f\n"
        "PRR:1|0|SN-0001|1|F|3|9|3|-4|C||644\n"
        "HBR:||3|1|F|leak\n"
        "MRR:23:13:20 14-NOV-2023\n"
    )
    (binary,) = read(made).runs
    (ascii_,) = read(text).runs
    # The writer of the binary form writes an empty FTR field by field.
    assert bare(ascii_).metadata == bare(binary).metadata
    for name in ("unit", "procedure", "outcome", "started_at", "ended_at", "logs"):
        assert getattr(ascii_, name) == getattr(binary, name)
    first, second = ascii_.phases[0].measurements[:2]
    assert (first, second) == binary.phases[0].measurements[:2]
    assert second.attributes["flags"] == ["alarm", "above the high limit"]


def test_the_sign_between_fields_is_that_of_far(read: Read) -> None:
    """It may be any but a letter or a digit."""
    text = (HEAD + "PIR:1|0\nPTR:1|1|0|1.5|P||a b\nPRR:1|0|S1|1|P|1\n").replace(
        "|", ";"
    )
    reading = read(text)
    assert reading.runs[0].unit.serial_number == "S1"
    assert measured(reading)[0].value == 1.5


def test_lines_go_on_behind_a_blank(read: Read) -> None:
    """A line that begins with a blank belongs to the record above."""
    text = HEAD + "PIR:1|0\r\nPTR:1|1|0|\r\n 1.5|P||a\r\n  b\r\nPRR:1|0|S1|1|P|1\r\n"
    (found,) = measured(read(text))
    assert (found.name, found.value) == ("a b", 1.5)


def test_a_multiple_result_is_a_series(read: Read) -> None:
    """With input and pins."""
    text = HEAD + (
        "PMR:3|A|c3|phy|log\nPIR:1|0\n"
        "MPR:143|1|0|1,A|001.5,2.5|F|D|leak||LH|A|1.0|2.0|4.5|.5|V|3,4\n"
        "PRR:1|0|S1|1|F|1\n"
    )
    (found,) = measured(read(text))
    assert isinstance(found.value, Series)
    assert [list(axis.values) for axis in found.value.axes] == [
        [4.5, 5.0],
        ["log", "pin 4"],
        [1.5, 2.5],
    ]
    assert found.attributes["RTN_STAT"] == [1, 10]
    assert found.attributes["flags"] == ["drift error"]


@pytest.mark.parametrize(
    ("line", "value", "unit", "limits"),
    [
        # With exponents: back to the base unit that STDF has.
        (
            "PTR:1|1|0|997.3|P||a||LH|mA|-1.7|1000||||||3|3|3",
            0.9973,
            "A",
            Limit(lower=-0.0017, upper=1.0),
        ),
        ("PTR:1|1|0|997.3|P||a||LH|A||||||||3", 0.9973, "A", None),
        # Without: what is written is what is meant.
        ("PTR:1|1|0|997.3|P||a||LH|mA|1|2", 997.3, "mA", Limit(lower=1.0, upper=2.0)),
    ],
)
def test_scaled_data_are_in_a_unit_that_fits(
    read: Read, line: str, value: float, unit: str, limits: Limit | None
) -> None:
    """A file whose FAR says S, or nothing."""
    text = HEAD.replace("|U\n", "|S\n") + f"PIR:1|0\n{line}\nPRR:1|0|S1|1|P|1\n"
    (found,) = measured(read(text))
    assert (found.value, found.unit, found.limits) == (value, unit, limits)


def test_data_behind_letters(read: Read) -> None:
    """The values of a GDR say their types."""
    text = HEAD + "PIR:1|0\nGDR:TThis|L-435|F1.5|XFF0E|NA\nPRR:1|0|S1|1|P|1\n"
    assert read(text).runs[0].metadata["GDR"] == [["This", -435, 1.5, "FF0E", 10]]


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("PTR:1|1|0|1,5|P", "RESULT"),
        ("PTR:x|1|0|1.5|P", "TEST_NUM"),
        ("PTR:1|1|0|1.5|P|Q", "alarm flag"),
        ("PTR:99999999999999|1|0|1.5|P", "TEST_NUM"),
        ("PTR:1", "HEAD_NUM"),
    ],
)
def test_a_field_that_does_not_fit_costs_its_part(
    read: Read, line: str, named: str
) -> None:
    """The failure names line and field; the next part is read."""
    text = HEAD + f"PIR:1|0\n{line}\nPRR:1|0|S1|1|P|1\nPIR:1|0\nPRR:1|0|S2|1|P|1\n"
    reading = read(text)
    assert [run.unit.serial_number for run in reading.runs] == ["S2"]
    (failure,) = reading.failures
    assert str(failure.place).startswith("line 4")
    assert named in str(failure)


def test_an_unknown_record_is_dropped_by_name(read: Read) -> None:
    """As in STDF."""
    reading = read(HEAD + "STR:1|2\nPIR:1|0\nPRR:1|0|S1|1|P|1\n")
    assert reading.report.count(Disposition.DROPPED, "record") == 1


def test_another_version_is_refused(read: Read) -> None:
    """As in STDF."""
    with pytest.raises(UnrecognizedSourceError, match="version 3"):
        read(HEAD.replace("A|4", "A|3"))


def test_a_text_of_such_a_file_is_recognized() -> None:
    """By its first record, whatever its name is."""
    found = STDFAdapter().detect(HEAD.encode(), "log.csv")
    assert found is not None
    assert found.score > 0.9


def test_a_line_that_is_no_record_costs_the_part_it_stands_in(read: Read) -> None:
    """It may have been a test; between two parts it is only named."""
    text = HEAD + "PIR:1|0\n** link lost **\nPRR:1|0|S1|1|P|1\n"
    text += "-- shift 2\nPIR:1|0\nPTR:1|1|0|1.5|P\nPRR:1|0|S2|1|P|1\n"
    reading = read(text)
    assert [run.unit.serial_number for run in reading.runs] == ["S2"]
    (failure,) = reading.failures
    assert str(failure.place).startswith("line 4")
    assert "link lost" in str(failure)
    (entry,) = [e for e in reading.report.entries if e.item == "record"]
    assert "shift 2" in str(entry)


def test_a_damaged_end_of_a_part_is_one_failure(read: Read) -> None:
    """Nobody can tell which part it ends; the index of the others stays."""
    text = HEAD + "PIR:1|0\nPIR:1|1\nPRR:1|#|S1|1|P|1\nPRR:1|1|S2|1|P|1\n"
    reading = read(text + "PIR:1|0\nPRR:1|0|S3|1|P|1\n")
    assert len(reading.failures) == 1
    assert [run.unit.serial_number for run in reading.runs] == ["S2", "S3"]
    assert [run.source.index for run in reading.runs if run.source] == [1, 2]

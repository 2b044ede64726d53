"""What a log holds around its rows is read, kept with the run, or counted."""

from __future__ import annotations

import tomllib

import pytest

from rigbridge.adapters import Source
from rigbridge.model.report import Disposition
from rigbridge_csv.learning.check import checked_draft
from rigbridge_csv.learning.trial import ProfileTrial, try_profile
from rigbridge_csv.profiles.profile import make_profile

RIGHT = """Serial,Vout,Iout,Result,,Operator,Ann
unit,V,A,,,Station,B3
max,5.25,2.1,,,Remark,A-17
1001,5.01,2.0,PASS,,,
1002,5.31,2.0,FAIL,,,
"""
WIDE = 'form = "wide"\nfields.serial_number = "SN"\n'
UNITS = WIDE + 'roles = [{ row = "unit", is = "unit" }]\n'


def read(profile: str, content: str) -> ProfileTrial:
    """Read a log by a profile that is written here."""
    made = make_profile(tomllib.loads('name = "p"\n' + profile), "")
    return try_profile(
        made, Source.from_bytes(content.encode(), "log.csv"), time_zone="UTC"
    )


def left_out(found: ProfileTrial) -> list[str | None]:
    """Give the details of what the account says was left out."""
    out = (Disposition.OMITTED, Disposition.DROPPED)
    return [each.detail for each in found.report.entries if each.disposition in out]


class TestKeysToTheRight:
    """Two columns of names and texts stand beside a table with a header."""

    def test_learned(self) -> None:
        """The draft reads both, the table by its own columns."""
        source = Source.from_bytes(RIGHT.encode(), "log.csv")
        text, _ = checked_draft(source)
        found = try_profile(make_profile(tomllib.loads(text), ""), source)
        first = found.runs[0]
        assert (first.operator, first.station) == ("Ann", "B3")
        assert first.metadata == {"Remark": "A-17"}
        (phase,) = first.phases
        assert [m.unit for m in phase.measurements] == ["V", "A"]

    def test_of_a_profile_that_does_not_know_them(self) -> None:
        """What rows with a role say of columns without a value is in the account."""
        found = read(UNITS.replace("SN", "Serial"), RIGHT.replace("max", "unit"))
        assert {"Station, Remark", "B3, A-17"} <= set(left_out(found))


class TestCellsThatNoFormReads:
    """Each is kept, or the account names it."""

    @pytest.mark.parametrize("form", ["wide", "long"])
    def test_units_of_columns_without_measurements(self, form: str) -> None:
        """A row of units says something of a serial number, too."""
        fields = {
            "wide": UNITS,
            "long": 'roles = [{ row = "unit", is = "unit" }]\n'
            'fields.serial_number = "SN"\nfields.measurement = "T"\n'
            'fields.value = "V"\n',
        }[form]
        header = "N,SN,V" if form == "wide" else "T,SN,V"
        found = read(fields, f"{header}\nunit,text of 8,V\nvcc,0001,3\n")
        assert "text of 8" in found.runs[0].metadata.values()

    @pytest.mark.parametrize(
        ("profile", "content", "detail"),
        [
            (WIDE + "keys = {}\n", "Remark,,\nSN,A,B\n0001,1,2\n", "Remark"),
            (
                WIDE + "keys = { columns = [1, 2] }\n",
                "Lot,7,more\nSN,A,B\n0001,1,2\n",
                "more",
            ),
            (
                WIDE + "keys.pattern = '(?P<key>Lot) (?P<value>[0-9]+)'\n",
                "Lot 7 (hot)\nSN,A,B\n0001,1,2\n",
                "(hot)",
            ),
            (
                WIDE + "keys = { pairs = true }\n",
                "Lot,7,Order,\nSN,A,B\n0001,1,2\n",
                "Order",
            ),
            (WIDE + "data.columns = [1, 2]\n", "SN,A,B\n0001,1,note\n", "note"),
            (
                WIDE + 'roles = [{ offset = -1, is = "unit" }]\n',
                "A title\n,V,A\nSN,A,B\n0001,1,2\n",
                "A title",
            ),
        ],
        ids=["name", "columns", "pattern", "pairs", "data", "title"],
    )
    def test_in_the_account(self, profile: str, content: str, detail: str) -> None:
        """What the profile leaves out is listed with its text."""
        found = read(profile, content)
        assert found.runs
        assert detail in left_out(found)

    def test_unit_beside_a_text(self) -> None:
        """An overload keeps its own unit."""
        found = read(
            'form = "series"\nseries = { x = "t", units = "Unit" }\n',
            "t,R,Unit\n1,5,kOhm\n2,OL,MOhm\n3,6,kOhm\n",
        )
        (measured,) = found.runs[0].phases[0].measurements
        assert "OL MOhm" in str(measured.value)


def test_a_draft_that_loses_a_line_is_not_ready() -> None:
    """The lines that nothing reads are shown, and somebody has to look."""
    rows = "".join(f"{at},3.3,PASS\n" for at in range(1001, 1006))
    log = f"# Operator: Ann\n# Rig: R7\n{{}}SN,Vcc,Result\n{rows}"
    for line, expected in (("", True), ("Fixture,F7\n", False)):
        source = Source.from_bytes(log.format(line).encode(), "log.csv")
        text, ready = checked_draft(source)
        assert ready is expected
        assert ("# Lost: " in text) is not expected

"""Which logs the adapter claims, and by which profile."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from rigbridge.adapters import HEAD_SIZE, Source
from rigbridge.errors import NoRunError, UnrecognizedSourceError
from rigbridge.testing import read_all
from rigbridge_csv import CSVAdapter, CSVSettings

COLUMNS = {"serial_number": "SN", "measurement": "Test", "value": "Value"}
HEADER = b"SN,Test,Value,Note\n"


def adapter(*profiles: dict[str, Any]) -> CSVAdapter:
    """Make an adapter of profiles."""
    return CSVAdapter(CSVSettings.from_mapping({"profiles": profiles}))


def profile(name: str, **settings: Any) -> dict[str, Any]:
    """Declare a profile."""
    return {"name": name, "fields": COLUMNS, **settings}


class TestDetect:
    """A claim has a score that grows with what the profile knows of the header."""

    def test_own_names_need_no_profile(self) -> None:
        """A header of our own names is claimed by the built-in profile."""
        match = CSVAdapter().detect(b"serial_number;measurement;value\n", "a.log")
        assert match is not None
        assert match.score == pytest.approx(0.9)
        assert "rigbridge-long" in match.reason

    def test_foreign_columns_lower_the_score(self) -> None:
        """The more of a header is unknown, the less sure is the claim."""
        one = CSVAdapter().detect(b"measurement,value\n", "a.csv")
        two = CSVAdapter().detect(b"measurement,value,x,y,z\n", "a.csv")
        assert one is not None
        assert two is not None
        assert two.score < one.score

    @pytest.mark.parametrize(
        "head",
        [
            b"",
            b"<measurement,value\n",
            b'{"measurement,value\n',
            b"[measurement,value]\n",
            b"\x01measurement,value\n",
            b"bread,butter\n1,2\n",
            b"measurement\n",
        ],
    )
    def test_leaves_what_is_none(self, head: bytes) -> None:
        """XML, JSON, binary data and tables of other things are not claimed."""
        assert CSVAdapter().detect(head, "a.csv") is None

    def test_the_file_name_tells_profiles_apart(self) -> None:
        """A profile for other file names makes no claim."""
        both = adapter(
            profile("a", match={"file_name": "ICT_*"}),
            profile("b", match={"file_name": "FCT_*"}),
        )
        match = both.detect(HEADER, "fct_7.csv")
        assert match is not None
        assert match.reason.startswith("profile b")

    def test_further_columns_tell_profiles_apart(self) -> None:
        """A profile may require columns that it does not read."""
        one = adapter(profile("a", match={"columns": ["Rack"]}))
        assert one.detect(HEADER, "a.csv") is None
        assert one.detect(b"SN,Test,Value,Rack\n", "a.csv") is not None

    def test_the_name_alone_is_a_guess(self) -> None:
        """A file of the declared name with other columns is claimed faintly."""
        match = adapter(profile("a", match={"file_name": "ICT_*"})).detect(
            b"a,b\n", "ICT_1.csv"
        )
        assert match is not None
        assert match.score == 0.1
        assert "lacks SN, Test, Value" in match.reason

    def test_a_declared_profile_goes_before_the_built_in(self) -> None:
        """A site may declare our own header names in its own way."""
        columns = {"measurement": "measurement", "value": "value"}
        match = adapter({"name": "own", "fields": columns}).detect(
            b"measurement,value,unit,outcome\n", "a.csv"
        )
        assert match is not None
        assert match.reason.startswith("profile own")

    def test_a_header_longer_than_the_head(self) -> None:
        """A header that the head cuts is claimed by what is seen of it."""
        head = b"measurement,value," + b",".join(b"column %d" % n for n in range(9000))
        assert CSVAdapter().detect(head[:HEAD_SIZE], "a.csv") is not None

    def test_a_csv_module_with_narrow_limits(self) -> None:
        """A header that the csv module refuses, as a program may set it, is none."""
        before = csv.field_size_limit(5)
        try:
            assert CSVAdapter().detect(b"measurement,value\n", "a.csv") is None
        finally:
            csv.field_size_limit(before)


class TestChoice:
    """Reading takes the best claim, or says why it cannot."""

    def test_two_that_fit_equally(self) -> None:
        """Two profiles that fit equally well are an error that names both."""
        both = adapter(profile("a"), profile("b"))
        match = both.detect(HEADER, "a.csv")
        assert match is not None
        assert match.reason == "profiles a and b fit equally well"
        source = Source.from_bytes(HEADER + b"1,a,1,\n", "a.csv")
        with pytest.raises(
            UnrecognizedSourceError, match="ambiguous profile: 'a' and 'b'"
        ):
            read_all(both, source)

    def test_the_better_of_two(self) -> None:
        """Of two profiles the one that declares more of the header reads."""
        more = profile("b", metadata=["Note"])
        source = Source.from_bytes(HEADER + b"1,a,1,n\n", "a.csv")
        run = read_all(adapter(profile("a"), more), source).runs[0]
        assert run.source is not None
        assert run.source.format == "CSV, profile b"

    def test_lacking_columns_are_named(self) -> None:
        """A file of the declared name says what its header lacks."""
        one = adapter(profile("a", match={"file_name": "ICT_*"}))
        source = Source.from_bytes(b"SN,Test\n1,a\n", "ICT_1.csv")
        with pytest.raises(UnrecognizedSourceError, match="lacks Value"):
            read_all(one, source)

    def test_no_profile_fits(self) -> None:
        """A table of other things says which profiles there are."""
        source = Source.from_bytes(b"bread,butter\n1,2\n", "a.csv")
        with pytest.raises(
            UnrecognizedSourceError, match="known are a, rigbridge-long"
        ):
            read_all(adapter(profile("a")), source)

    @pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf\r\n", b"\xff\xfe"])
    def test_an_empty_file_holds_no_run(self, content: bytes) -> None:
        """A file without any text is no run, and no failure of the parser."""
        with pytest.raises(NoRunError, match="empty"):
            read_all(CSVAdapter(), Source.from_bytes(content, "a.csv"))

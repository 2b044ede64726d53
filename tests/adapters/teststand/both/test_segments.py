"""The digests of the reports of a file: what they follow from, and what not."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigbridge_teststand.xml.segments import SegmentDigests

_HEAD = b"<?xml version='1.0'?>\r\n<Reports><!-- <Report></Report> -->"
_PARTS = (
    b"<Report Type='UUT' Title='a>b'><Prop Name='Report'/></Report>",
    b"<Report><![CDATA[ </Report> <!-- ]]><Value>!<!-- </Report>--></Value></Report>",
    b"<Report Type='Batch'/>",
    b"<TSReport>Report> Wow! <b>\xe4</b></TSReport>",
    b"<n:Report\r\n xmlns:n='x'>1</n:Report>",
)
_FILE = _HEAD + b"\r\n  ".join(_PARTS) + b"</Reports>"


def digests(*chunks: bytes) -> list[str | None]:
    """Give what they are after some chunks."""
    found = SegmentDigests(("Report", "TSReport"))
    for chunk in chunks:
        found.see(chunk)
    return [found.digest(index) for index in range(len(found))]


def test_they_are_those_of_the_bytes_between_the_tags() -> None:
    """Comments, sections and names that only contain the name begin and end nothing."""
    assert digests(_FILE) == [hashlib.sha256(part).hexdigest() for part in _PARTS]


@given(st.lists(st.integers(0, len(_FILE)), max_size=40))
def test_chunks_make_no_difference(cuts: list[int]) -> None:
    """A tag, a comment or a character may be cut anywhere."""
    ends = [*sorted(cuts), len(_FILE)]
    chunks = [_FILE[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]
    assert digests(*chunks) == digests(_FILE)


def test_byte_by_byte() -> None:
    """The smallest chunks give the same."""
    assert digests(*(bytes([byte]) for byte in _FILE)) == digests(_FILE)


@pytest.mark.parametrize("part", _PARTS)
def test_an_equal_report_is_told_apart_by_its_count(part: bytes) -> None:
    """The first keeps its digest, the second has the same one wherever it stands."""
    first, second = digests(part + part)
    assert first == hashlib.sha256(part).hexdigest()
    other, repeated = _PARTS[part == _PARTS[0]], digests(part, b"\n", part)
    assert second not in (None, first)
    assert digests(part, other, part) == [first, *digests(other), second]
    assert repeated == [first, second]


def test_a_report_without_an_end_has_none() -> None:
    """It is still being written, or cut off."""
    assert digests(_FILE + b"<Report><Prop/>") == digests(_FILE)
    assert digests(_FILE + b"<Report Title='cut") == digests(_FILE)

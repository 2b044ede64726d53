"""Names that are the same to people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigbridge.machine.close_names import folded


class TestFolded:
    """How a store compares serial numbers and other names."""

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("SN-1", "sn-1"),
            (" SN-1\t", "SN-1"),
            ("Pr\u00fcfling", "PRU\u0308FLING"),
            ("STRASSE", "stra\u00dfe"),
        ],
    )
    def test_the_same_to_people(self, one: str, other: str) -> None:
        """Case, blanks around it and composed accents do not count."""
        assert folded(one) == folded(other)

    @pytest.mark.parametrize("other", ["SN-2", "SN 1", "SN1", "\u0405N-1"])
    def test_another_name(self, other: str) -> None:
        """Whatever else differs counts, also what only looks alike."""
        assert folded("SN-1") != folded(other)

    @given(st.text(max_size=20))
    def test_folding_twice_changes_nothing(self, text: str) -> None:
        """A folded name is stored, and compared with one that is folded anew."""
        assert folded(folded(text)) == folded(text)

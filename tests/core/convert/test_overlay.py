"""Looking into an overlay, and changing it, without its base."""

from __future__ import annotations

import pytest

from rigbridge.convert.overlay import added_at, apply, change_members, difference
from rigbridge.model import JSONObject, JSONValue

BASE: JSONObject = {"name": "a", "phases": [{"n": 1}, {"n": 2}], "metadata": {}}
TARGET: JSONObject = {
    "name": "b",
    "phases": [{"n": 1}, {"n": 2, "attributes": {"x": [1.5]}}],
    "metadata": {"shift": 3},
}


class TestAddedAt:
    """``added_at``."""

    def test_values(self) -> None:
        """It gives what the overlay puts, of objects their new members."""
        overlay = difference(BASE, TARGET)
        assert added_at(overlay, "name") == "b"
        assert added_at(overlay, "phases", "1", "attributes") == {"x": [1.5]}
        assert added_at(overlay, "metadata") == {"shift": 3}

    @pytest.mark.parametrize("overlay", [None, 1, {}, {"~": 1}, {"~": {"a": 1}}])
    def test_nothing(self, overlay: JSONValue) -> None:
        """An overlay that puts nothing there, or is none, adds nothing."""
        assert added_at(overlay, "a") == {}

    def test_malformed(self) -> None:
        """A malformed node is one of the errors that callers expect."""
        with pytest.raises(TypeError):
            added_at({"~": {"a": {"~": 1}}}, "a")


class TestChangeMembers:
    """``change_members``."""

    @pytest.mark.parametrize("target", [BASE, TARGET])
    def test_changes(self, target: JSONObject) -> None:
        """It puts values, replaces them and takes them back; the rest stays."""
        before = difference(BASE, target)
        overlay = change_members(before, "metadata", {"shift": 4, "site": "here"})
        overlay = change_members(overlay, "metadata", {"site": None})
        assert apply(BASE, overlay) == {**target, "metadata": {"shift": 4}}
        assert before == difference(BASE, target)

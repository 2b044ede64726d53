"""Every call of releases of the official v2 client, each in its own environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

# The newest when this was written, and three of older answers.
RELEASES = ["2.2.7", "2.12.2", "2.24.0", "2.26.1"]


@pytest.mark.parametrize("version", RELEASES)
def test_calls(
    release_of: Callable[[str], Any],
    try_calls: Callable[[Any], dict[str, str]],
    version: str,
) -> None:
    """The release makes all of its calls, and reads what the server answers."""
    became = try_calls(release_of(version))
    failed = {
        name: words
        for name, words in became.items()
        if words not in ("works", "absent")
    }
    assert not failed
    assert len(became) - list(became.values()).count("absent") > 40

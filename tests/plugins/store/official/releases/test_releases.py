"""Every call of releases of the official v2 client, each in its own environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

# The newest when this was written, the last ones of older answers, and those between.
RELEASES = ["2.0.6", "2.2.7", "2.12.2", "2.24.0", "2.26.1"]

# What cannot be: the release asks for something that later ones do not have.
KNOWN = {"2.0.6": {"attachments.delete"}}


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
    assert set(failed) == KNOWN.get(version, set()), failed
    assert len(became) - list(became.values()).count("absent") > 40

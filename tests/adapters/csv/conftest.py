"""Reading a log that is written in the test itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rigbridge.adapters import Source
from rigbridge.testing import Reading, read_all
from rigbridge_csv import CSVAdapter, CSVSettings


@pytest.fixture(name="read")
def _read() -> Callable[..., Reading]:
    """Read a log with the built-in profile, or with one of the settings given."""

    def read(content: str | bytes, /, **profile: Any) -> Reading:
        settings = CSVSettings.from_mapping(
            {"profiles": [{"name": "site", **profile}] if profile else []}
        )
        source = Source.from_bytes(
            content if isinstance(content, bytes) else content.encode(), "log.csv"
        )
        return read_all(CSVAdapter(settings), source)

    return read

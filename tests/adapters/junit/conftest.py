"""Reading a report that is written in the test itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rigbridge.adapters import Source
from rigbridge.testing import Reading, read_all
from rigbridge_junit import JUnitAdapter, JUnitSettings


@pytest.fixture(name="read", scope="session")
def _read() -> Callable[..., Reading]:
    """Read a report with settings of the adapter."""

    def read(
        content: str | bytes,
        *,
        zone: str = "UTC",
        strict: bool = False,
        **settings: Any,
    ) -> Reading:
        return read_all(
            JUnitAdapter(JUnitSettings(**settings)),
            Source.from_bytes(
                content if isinstance(content, bytes) else content.encode(),
                "TEST-report.xml",
            ),
            time_zone=zone,
            strict=strict,
        )

    return read

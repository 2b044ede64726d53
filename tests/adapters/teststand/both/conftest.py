"""
Whole report files of either kind: those made for these tests, and real ones.

The files in ``fixtures`` hold every kind of step, value and header of either kind; each
value in them stands only once where that is possible, so that it can be looked for.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rigbridge.adapters import HEAD_SIZE, Source
from rigbridge.testing import Reading, read_all
from rigbridge_teststand.atml.adapter import TestStandATMLAdapter
from rigbridge_teststand.native.adapter import TestStandXMLAdapter

FIXTURES = sorted((Path(__file__).parent / "fixtures").glob("*.xml"))
SHARED = Path(__file__).resolve().parents[4].parent / "shared" / "samples"
REAL = sorted(
    path
    for kind in ("atml", "teststand_xml")
    for path in (SHARED / kind).glob("*.xml")
    if path.stat().st_size
)


def reading_of(path: Path) -> Reading:
    """Read a file with the adapter that claims it."""
    head = path.read_bytes()[:HEAD_SIZE]
    adapters: tuple[Any, ...] = (TestStandXMLAdapter(), TestStandATMLAdapter())
    (adapter,) = [item for item in adapters if item.detect(head, path.name)]
    return read_all(adapter, Source.from_path(path), time_zone="UTC")


@pytest.fixture(params=[*FIXTURES, *REAL], ids=lambda path: path.name[-40:])
def report_file(request: pytest.FixtureRequest) -> Path:
    """Give each file in turn."""
    path: Path = request.param
    return path


@pytest.fixture
def read_report() -> Callable[[Path], Reading]:
    """Give what reads a file."""
    return reading_of


@pytest.fixture
def reading(report_file: Path) -> Reading:
    """Give what was read of a file."""
    return reading_of(report_file)

"""The page on STDF and the code say the same."""

from __future__ import annotations

import re
from pathlib import Path

from rigbridge.adapters import Source
from rigbridge.testing import read_all
from rigbridge_stdf import STDFAdapter
from rigbridge_stdf.records.layouts import RECORD_NAMES

PAGE = Path(__file__).parents[2] / "docs/how-to/import-stdf.md"


def test_every_record_is_in_the_table() -> None:
    """The table says where each record of V4 lands, and names those of V4-2007."""
    cells = re.findall(r"^\| ([A-Z].*?) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(cells) > 10
    assert set(RECORD_NAMES.values()) <= set(re.findall(r"[A-Z]{3}", " ".join(cells)))


def test_the_example_is_what_the_page_says() -> None:
    """Two parts, their numbers, and the limits that the second one inherits."""
    text = re.findall(
        r"^```text\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )[0]
    source = Source.from_bytes(text.encode(), "lot.atdf")
    first, second = read_all(STDFAdapter(), source).runs
    assert first.unit.serial_number == "LOT7-W01-3--4"
    assert second.unit.serial_number == "LOT7-W01-4--4"
    assert (first.outcome, second.outcome) == ("PASS", "FAIL")
    assert second.metadata["hard_bin_name"] == "supply"
    limits = [run.phases[0].measurements[0].limits for run in (first, second)]
    assert limits[0] == limits[1]

"""Small files are parsed as a whole and large ones as a stream: to the same runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from rigbridge.testing import Reading
from rigbridge_teststand import report_files


def recorded(reading: Reading) -> list[str]:
    """
    Spell the account.

    Of the first report no index is known before the second, and what stands beside the
    reports is seen after them.
    """
    document = reading.report.as_document()
    entries: Any = document.pop("entries")
    spelled = sorted(map(str, [*entries, document]))
    return [re.sub(r"(Reports?|TestResults)\[1\]", r"\1", item) for item in spelled]


class TestBothPaths:
    """Nothing tells the two ways apart."""

    def test_runs_and_account_are_equal(
        self,
        report_file: Path,
        reading: Reading,
        read_report: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Each file gives equal runs and reports, streamed and as a whole."""
        monkeypatch.setattr(report_files, "LARGE", 16)
        streamed = read_report(report_file)
        assert streamed.runs == reading.runs
        assert recorded(streamed) == recorded(reading)

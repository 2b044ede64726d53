"""Conversion reports wait with their runs."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigbridge.model.report import ConversionReport, Place
from rigbridge.wire import encode

_TEXTS = st.sampled_from(["limit", "time", "value", "phase"])
_PLACES = st.builds(
    Place, line=st.none() | st.integers(1, 99), path=st.none() | st.just("$.x")
)
_CHANGES = st.tuples(
    st.sampled_from(["coerced", "omitted", "dropped"]),
    _TEXTS,
    _TEXTS,
    _PLACES,
    st.none() | _TEXTS,
)


def _read_back(report: ConversionReport) -> ConversionReport:
    document: dict[str, Any] = msgspec.json.decode(encode(report.as_document()))
    return ConversionReport.from_document(document)


class TestRoundTrip:
    """To JSON and back."""

    @given(
        mapped=st.dictionaries(_TEXTS, st.integers(1, 99)), changes=st.lists(_CHANGES)
    )
    def test_a_report_comes_back_as_it_was(
        self,
        mapped: dict[str, int],
        changes: list[tuple[str, str, str, Place, str | None]],
    ) -> None:
        """Counts and entries are the same."""
        report = ConversionReport()
        for item, count in mapped.items():
            report.mapped(item, count)
        for method, item, rule, place, detail in changes:
            getattr(report, method)(item, rule, place=place, detail=detail)
        assert _read_back(report).as_document() == report.as_document()

    def test_what_is_counted_but_not_listed_comes_back(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The bound of the list loses no count."""
        monkeypatch.setattr("rigbridge.model.report.MAX_ENTRIES", 2)
        report = ConversionReport()
        for _ in range(3):
            report.coerced("value", "spelled")
            report.dropped("value", "unknown")
        assert _read_back(report).as_document() == report.as_document()

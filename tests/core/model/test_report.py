"""The conversion report: what it counts, lists and hands over."""

from __future__ import annotations

import pytest

from rigbridge.model import report as reporting
from rigbridge.model.report import ConversionReport, Disposition, Place


class TestConversionReport:
    """Everything is counted, changes are listed with their place."""

    def test_mapped_elements_are_counted(self) -> None:
        """What is carried over as it stands needs no entry."""
        report = ConversionReport()
        report.mapped("measurement", 3)
        assert report.count(Disposition.MAPPED, "measurement") == 3
        assert report.entries == ()

    def test_printed_it_tells_its_counts(self) -> None:
        """Who looks at it in a notebook sees what became of the elements."""
        report = ConversionReport()
        report.mapped("measurement", 3)
        report.dropped("step", "unknown type")
        assert repr(report) == (
            "<ConversionReport: 3 mapped, 0 coerced, 0 omitted, 1 dropped>"
        )

    def test_a_change_has_rule_and_place(self) -> None:
        """A reader can find what was changed, and why."""
        report = ConversionReport()
        place = Place(line=12, path="/Reports")
        report.coerced("time", "zone assumed", place=place, detail="10:30")
        assert str(report.entries[0]) == (
            "line 12, /Reports: coerced time: zone assumed (10:30)"
        )

    def test_the_list_is_bounded_the_counts_are_not(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A million changes do not fill the memory, and none goes uncounted."""
        monkeypatch.setattr(reporting, "MAX_ENTRIES", 2)
        report = ConversionReport()
        for _ in range(5):
            report.dropped("step", "unknown type")
        assert report.count(Disposition.DROPPED) == 5
        assert (len(report.entries), report.unlisted) == (2, 3)

    def test_a_place_is_looked_for_only_where_it_is_listed(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Finding a place in a large tree takes long, and most are never shown."""
        monkeypatch.setattr(reporting, "MAX_ENTRIES", 1)
        report = ConversionReport()
        asked: list[int] = []

        def find() -> Place:
            asked.append(1)
            return Place(line=len(asked))

        for _ in range(3):
            report.coerced("value", "rounded", place=find)
        assert [entry.place for entry in report.entries] == [Place(line=1)]
        assert len(asked) == 1

    def test_split_hands_over_and_begins_anew(self) -> None:
        """Each run gets its own part, also where an adapter kept the object."""
        report = ConversionReport()
        report.mapped("phase")
        part = report.split()
        report.mapped("unit")
        assert part.items() == {"phase"}
        assert report.items() == {"unit"}

    def test_omitted_by_rule_is_not_lost(self) -> None:
        """Each has a count of its own, also by rule."""
        report = ConversionReport()
        report.omitted("log", "below log_level")
        report.omitted("log", "of the framework")
        assert report.count(Disposition.DROPPED) == 0
        assert report.count(Disposition.OMITTED, "log") == 2
        assert report.count(Disposition.OMITTED, rule="below log_level") == 1
        assert str(report.entries[0]) == "omitted log: below log_level"

    def test_merge_adds_up(self) -> None:
        """A file's report is the sum of those of its runs."""
        whole, part = ConversionReport(), ConversionReport()
        part.dropped("limit", "no number", place=Place(line=3))
        part.mapped("phase", 2)
        whole.mapped("phase")
        whole.merge(part)
        assert whole.count(Disposition.MAPPED, "phase") == 3
        assert whole.entries == part.entries
        assert whole.as_document()["dropped"] == [
            {"item": "limit", "reason": "no number", "count": 1}
        ]

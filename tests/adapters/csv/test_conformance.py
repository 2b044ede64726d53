"""The suite that every adapter passes."""

from __future__ import annotations

from pathlib import Path

import pytest

import rigbridge
from rigbridge.testing import AdapterCase, AdapterSuite, Sample
from rigbridge_csv import CSVAdapter, CSVSettings

EXAMPLE = Path(rigbridge.__file__).parent / "examples/csv-long-format.csv"

SEMICOLON = """Prüfling;Start;Test;Messwert;Einheit;Ergebnis;Bemerkung
0000019;27.10.2024 02:30:00;Spannung;3,31;V;gut;
0000019;27.10.2024 02:30:00;Strom;0,5;A;schlecht;"nach
Regelung"
0000020;27.10.2024 02:31:00;Spannung;NAN;V;gut;µ
"""

PROFILE = {
    "name": "werkstatt",
    "delimiter": ";",
    "decimal": ",",
    "dates": ["%d.%m.%Y %H:%M:%S"],
    "outcomes": {"gut": "PASS", "schlecht": "FAIL"},
    "fields": {
        "serial_number": "Prüfling",
        "started_at": "Start",
        "measurement": "Test",
        "value": "Messwert",
        "unit": "Einheit",
        "outcome": "Ergebnis",
        "procedure": {"value": "Endtest"},
    },
}


class TestConformance(AdapterSuite):
    """The reader of delimited logs is an adapter as the contract wants it."""

    @pytest.fixture
    def case(self) -> AdapterCase:
        """Give the bundled example, and a log of a declared profile as Excel saves."""
        return AdapterCase(
            adapter=CSVAdapter(CSVSettings.from_mapping({"profiles": [PROFILE]})),
            samples=(
                Sample.from_path(EXAMPLE, runs=2),
                Sample(name="a.csv", content=SEMICOLON.encode("utf-8-sig"), runs=2),
                Sample(name="b.csv", content=SEMICOLON.encode("utf-16"), runs=2),
                Sample(name="c.csv", content=SEMICOLON.encode("cp1252"), runs=2),
            ),
        )

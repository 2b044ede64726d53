"""The pages of the CSV profiles: each profile reads its log, the reference is whole."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from rigbridge.adapters import Source
from rigbridge.model import Series
from rigbridge.testing import read_all
from rigbridge_csv import CSVAdapter, CSVSettings
from rigbridge_csv.learning.reference import reference_page

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "how-to/csv-shapes.md").read_text(encoding="utf-8")
SECTION = re.compile(r"^## (.*?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECTIONS = {title: FENCE.findall(body) for title, body in SECTION.findall(PAGE)}

# Serial number, outcome, and (name, value, unit, lower, upper) of each measurement; of
# a series the number of points stands for the value.
_Measured = tuple[str, Any, str | None, float | None, float | None]
EXPECTED: dict[str, list[tuple[str | None, str, list[_Measured]]]] = {
    "Long: a row a measurement": [
        (
            "0000019",
            "FAIL",
            [("supply", 3.31, "V", 3.2, 3.4), ("ripple", 0.2, "V", None, 0.1)],
        ),
        ("0000020", "PASS", [("supply", 3.30, "V", 3.2, 3.4)]),
    ],
    "Wide: a final test with rows of limits, keys above and a footer": [
        (
            "1",
            "PASS",
            [
                ("VDD", 3.3, "V", 3.1, 3.5),
                ("IDD", 11.2, "mA", None, 12),
                ("Leak", 0.1, "uA", -1, 1),
            ],
        ),
        ("2", "FAIL", [("VDD", 3.9, "V", 3.1, 3.5)]),
        (
            "3",
            "PASS",
            [("VDD", 3.2, "V", 3.1, 3.5), ("IDD", 10.5, "mA", None, 12)],
        ),
    ],
    "Wide: units and limits in the names of the columns": [
        (
            "0005512",
            "PASS",
            [("Rail 3V3", 3.31, "V", 3.2, 3.4), ("LED on", 1.0, None, 1, 1)],
        ),
        ("0005513", "FAIL", [("Rail 3V3", 3.45, "V", 3.2, 3.4)]),
    ],
    "Wide: keys to the right of the table": [
        (
            "1001",
            "PASS",
            [("Vout", 5.01, "V", None, None), ("Iout", 2.0, "A", None, None)],
        ),
        (
            "1002",
            "FAIL",
            [("Vout", 5.31, "V", None, None), ("Iout", 2.0, "A", None, None)],
        ),
    ],
    "Wide: limits in columns of their own": [
        (
            None,
            "PASS",
            [("bemf", 10.7, None, 9.5, 10.8), ("hipot", True, None, None, None)],
        ),
        (
            None,
            "FAIL",
            [("bemf", 10.9, None, 9.5, 10.8), ("hipot", True, None, None, None)],
        ),
    ],
    "Series: a battery cycler, with steps and cycles": [
        (
            "A-17",
            "ERROR",
            [
                ("Voltage", 2, "V", None, None),
                ("Current", 2, "A", None, None),
                ("Voltage", 2, "V", None, None),
                ("Current", 2, "A", None, None),
            ],
        )
    ],
    "Series: a unit row, keys as comments, a decimal comma": [
        (
            None,
            "ERROR",
            [
                ("elapsed", 2, None, None, None),
                ("T_f", 2, "C", None, None),
                ("N2", 2, "ml/min", None, None),
            ],
        )
    ],
    "Series: how long it took as x, one phase a cycle and step": [
        ("a", "ERROR", [("Voltage", n, "V", None, None) for n in (2, 1)])
    ],
    "Wide: a version is no number": [
        (
            serial,
            "PASS",
            [("Firmware", text, None, None, None), ("Supply", v, None, None, None)],
        )
        for serial, text, v in (("0001", "1.10", 3.31), ("0002", "1.9", 3.30))
    ],
    "Long: columns of fixed width, names with blanks in them": [
        (
            "00012345",
            "PASS",
            [
                ("Supply 3V3 rail", 3.301, "V", None, None),
                ("Output ripple", 0.012, "V", None, None),
            ],
        )
    ],
    "Long: a table for each unit": [
        (
            "SN001",
            "PASS",
            [("VCC", 3.301, None, 3.2, 3.4), ("ICC", 12.1, None, 10, 15)],
        ),
        ("SN002", "FAIL", [("VCC", 3.101, None, 3.2, 3.4)]),
    ],
    "Series: keys beside the samples, no header": [
        (None, "ERROR", [("voltage", 4, "V", None, None)])
    ],
    "Series: several tables in a file": [
        (
            None,
            "ERROR",
            [
                ("A,1(REAL)", 2, None, None, None),
                ("A,1(IMAG)", 2, None, None, None),
                ("B,1(REAL)", 1, None, None, None),
                ("B,1(IMAG)", 1, None, None, None),
            ],
        )
    ],
    "Records: the first cell tells what a row is": [
        (
            "0000019",
            "FAIL",
            [("R1", 10.1, "kOhm", 9.5, 10.5), ("C7", "nan", "uF", 0.9, 1.1)],
        ),
        ("0000020", "PASS", [("R1", 10.0, "kOhm", 9.5, 10.5)]),
    ],
    "Records: lines of a bench script, told by patterns": [
        (
            "0000019",
            "FAIL",
            [("supply", 3.31, "V", 3.2, 3.4), ("ripple", 0.2, "V", None, 0.1)],
        )
    ],
    "Long: a time a row, a limit that is off": [
        (
            "HP01",
            "PASS",
            [
                ("ACW", 0.812, "mA", 0.0, 5.0),
                ("IR", 9999, "MOhm", 100.0, None),
            ],
        ),
        (
            "HP02",
            "FAIL",
            [
                ("ACW", 6.12, "mA", 0.0, 5.0),
            ],
        ),
    ],
    "Long: sections in brackets, lines of a log behind the table": [
        (
            "SN-778",
            "FAIL",
            [
                ("VBAT", 3.71, "V", 3.6, 4.2),
                ("RSSI", -91, "dBm", -80, None),
            ],
        ),
    ],
    "Wide: rows of one unit, each a phase": [
        (
            "PSU-0042",
            "FAIL",
            [
                ("load_a", 0.1, None, None, None),
                ("vout_v", 5.01, None, None, None),
                ("load_a", 3.0, None, None, None),
                ("vout_v", 4.61, None, None, None),
            ],
        ),
    ],
    "Series: names and texts take turns above the table": [
        (
            "B12-045",
            "ERROR",
            [
                ("Rec#", 2, None, None, None),
                ("Volts", 2, None, None, None),
                ("State", 2, None, None, None),
                ("DPt Time", 2, None, None, None),
                ("Rec#", 1, None, None, None),
                ("Volts", 1, None, None, None),
                ("State", 1, None, None, None),
                ("DPt Time", 1, None, None, None),
            ],
        ),
    ],
    "Series: units behind a slash, a decimal comma": [
        (
            None,
            "ERROR",
            [
                ("mode", 1, None, None, None),
                ("Ewe", 1, "V", None, None),
                ("<I>", 1, "mA", None, None),
                ("mode", 1, None, None, None),
                ("Ewe", 1, "V", None, None),
                ("<I>", 1, "mA", None, None),
            ],
        ),
    ],
    "Series: records below their steps": [
        (
            None,
            "ERROR",
            [
                ("Vol", 2, "mV", None, None),
                ("record", 2, None, None, None),
                ("Vol", 1, "mV", None, None),
                ("record", 1, None, None, None),
            ],
        ),
    ],
    "Series: a data logger with a clock": [
        (
            None,
            "ERROR",
            [
                ("Scan", 2, None, None, None),
                ("Tcase", 2, "C", None, None),
                ("101 Alarm", 2, None, None, None),
                ("Vin", 2, "VDC", None, None),
                ("102 Alarm", 2, None, None, None),
            ],
        ),
    ],
    "Records: a name a line, one unit a file": [
        (
            "ABC-0001",
            "PASS",
            [
                ("Output Voltage", 5.01, "V", None, None),
                ("Firmware", "1.2.3", None, None, None),
            ],
        ),
    ],
    "Records: marks and rows of an in-circuit tester": [
        (
            "A00019",
            "FAIL",
            [
                ("R1", 9980, "OHM", None, None),
                ("U3.4", 0, None, None, None),
            ],
        ),
    ],
    "Records: a unit in every line": [
        ("0001", "PASS", [("VCC", 3.31, "V", 3.1, 3.5), ("ICC", 12.1, "mA", None, 20)]),
        ("0002", "FAIL", [("VCC", 3.61, "V", 3.1, 3.5)]),
    ],
    "Wide: a datalog whose names stand above the header": [
        ("1", "PASS", [("VDD", 3.3, "V", 3.1, 3.5), ("Leak", 0.1, "nA", -10, 10)]),
        ("2", "FAIL", [("VDD", 3.9, "V", 3.1, 3.5), ("Leak", 1200.5, "nA", -10, 10)]),
    ],
    "Series: a meter that writes the unit behind each number": [
        (
            None,
            "ERROR",
            [
                ("Sample", 2, "VDC", None, None),
                ("Average", 2, "VDC", None, None),
                ("Description", 2, None, None, None),
            ],
        )
    ],
    "Series: a date and a time, and a unit beside each value": [
        (
            None,
            "ERROR",
            [
                ("Reading 1", 2, "degC", None, None),
                ("Reading 2", 2, "V DC", None, None),
            ],
        )
    ],
    "Series: signals in turn, a row a point": [
        (
            None,
            "ERROR",
            [
                ("Value", 2, None, None, None),
                ("Quality", 2, None, None, None),
                ("Value", 2, None, None, None),
                ("Quality", 2, None, None, None),
            ],
        )
    ],
    "Series: units and labels that stand beside their columns": [
        (None, "ERROR", [("CH1", 2, "V", None, None), ("CH2", 2, "A", None, None)])
    ],
    "Wide: limits of one name beside each measurement": [
        (
            "A1",
            "PASS",
            [("Torque", 12.1, "Nm", 11.5, 13), ("Current", 1.2, "A", 1, 1.8)],
        ),
        (
            "A2",
            "FAIL",
            [("Torque", 13.4, "Nm", 11.5, 13), ("Current", 1.3, "A", 1, 1.8)],
        ),
    ],
}


def _shown(value: object) -> object:
    if isinstance(value, Series):
        return len(value)
    return "nan" if value != value else value  # noqa: PLR0124 - NaN alone differs


@pytest.mark.parametrize("title", SECTIONS)
def test_the_profile_of_a_shape_reads_its_log(title: str) -> None:
    """What the page shows is read to the last cell, and says what it means."""
    (_, log), (_, profile) = SECTIONS[title]
    settings = CSVSettings.from_mapping({"profiles": [tomllib.loads(profile)]})
    reading = read_all(CSVAdapter(settings), Source.from_bytes(log.encode(), "a.csv"))
    assert reading.failures == ()
    found = [
        (
            run.unit.serial_number,
            run.outcome.value,
            [
                (
                    measurement.name,
                    _shown(measurement.value),
                    measurement.value.measured.unit
                    if isinstance(measurement.value, Series)
                    else measurement.unit,
                    measurement.limits and measurement.limits.lower,
                    measurement.limits and measurement.limits.upper,
                )
                for phase in run.phases
                for measurement in phase.measurements
            ],
        )
        for run in reading.runs
    ]
    assert found == EXPECTED[title]


def test_the_reference_is_that_of_the_code() -> None:
    """The page of the keys is what the code says; `rigbridge csv keys` writes it."""
    page = (DOCS / "reference/csv-profiles.md").read_text(encoding="utf-8")
    assert page == reference_page()

"""TofuPilot's column mapping, as a profile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rigbridge.errors import ConfigurationError
from rigbridge.model import PhaseOutcome, RunOutcome
from rigbridge.testing import Reading

_FIELDS: dict[str, Any] = {
    "serial_number": {"column": "SN"},
    "outcome": {"column": "OK", "valueMap": {"yes": "PASS", "no": "FAIL"}},
}
_LONG = {"layout": "long", "nameColumn": "Test", "valueColumn": "Value"}

Read = Callable[..., Reading]


def _mapped(read: Read, log: str, **parts: Any) -> Reading:
    mapping = {"fields": _FIELDS, "measurements": _LONG, **parts}
    return read(log, column_mapping=mapping)


def test_long_with_phases(read: Read) -> None:
    """Phases have their names, verdicts and times from columns of their own."""
    log = (
        "SN,OK,Step,Result,From,To,Test,Value,Unit,Low,High,Verdict\n"
        "7,no,Power,yes,2026-03-14T09:00:00Z,2026-03-14T09:00:01Z,a,1,V,0,2,yes\n"
        "7,no,Load,no,2026-03-14T09:00:02Z,2026-03-14T09:00:03Z,b,9,A,0,2,no\n"
    )
    columns = {
        "unitsColumn": "Unit",
        "lowerColumn": "Low",
        "upperColumn": "High",
        "outcomeColumn": "Verdict",
        "phaseColumn": "Step",
    }
    phases = {
        "nameColumn": "Step",
        "outcomeColumn": "Result",
        "startedColumn": "From",
        "endedColumn": "To",
        "valueMap": {"no": "FAIL"},
    }
    (run,) = _mapped(read, log, measurements={**_LONG, **columns}, phases=phases).runs
    assert run.outcome is RunOutcome.FAIL
    power, load = run.phases
    assert (power.name, power.outcome) == ("Power", PhaseOutcome.PASS)
    assert (load.name, load.outcome) == ("Load", PhaseOutcome.FAIL)
    assert load.started_at is not None
    assert (load.started_at.second, load.ended_at.second) == (2, 3)  # type: ignore[union-attr]
    (b,) = load.measurements
    assert (b.value, b.unit, b.outcome.value) == (9, "A", "FAIL")
    assert b.limits is not None
    assert (b.limits.lower, b.limits.upper) == (0, 2)


def test_texts_have_their_keys(read: Read) -> None:
    """Columns and texts are kept with the run under the keys of the mapping."""
    (run,) = _mapped(
        read,
        "SN,OK,Test,Value,Fix\n7,yes,a,1,F7\n",
        metadata=[{"key": "fixture", "column": "Fix"}, {"key": "line", "value": "L2"}],
        unitMetadata=[{"key": "fixture", "value": "U"}],
    ).runs
    assert run.metadata == {"fixture": "F7", "line": "L2", "unit fixture": "U"}


def test_a_time_within_the_mapping_is_recorded(read: Read) -> None:
    """A start that the mapping states is taken, and recorded as not written."""
    fields = {
        **_FIELDS,
        "startedAt": {"value": "2026-03-14T09:00:00Z"},
        "endedAt": None,
    }
    reading = _mapped(read, "SN,OK,Test,Value\n7,yes,a,1\n", fields=fields)
    (run,) = reading.runs
    assert run.started_at is not None
    assert run.started_at.isoformat() == "2026-03-14T09:00:00+00:00"
    entries = [str(entry) for entry in reading.report.entries]
    assert any("started_at" in e and "not written" in e for e in entries)


@pytest.mark.parametrize(
    ("parts", "place"),
    [
        ({"fields": {"serial": {"column": "SN"}}}, "fields.serial"),
        ({"fields": {"docstring": {"colum": "SN"}}}, "fields.docstring.colum"),
        ({"measurement": {}}, "measurement"),
        ({"measurements": {"layout": "long", "name": "x"}}, "measurements.name"),
        ({"metadata": [{"column": "x", "keys": "y"}]}, "metadata[0].keys"),
        (
            {"phases": {"nameColumn": "Step", "valueMap": {"yes": "FAIL"}}},
            "phases.value_map.yes",
        ),
        (
            {
                "measurements": {**_LONG, "phaseColumn": "Step"},
                "phases": {"nameColumn": "Other"},
            },
            "phases.name_column",
        ),
    ],
)
def test_what_is_wrong_is_named(read: Read, parts: dict[str, Any], place: str) -> None:
    """The error has the path of the key within the mapping."""
    with pytest.raises(ConfigurationError) as caught:
        _mapped(read, "", **parts)
    assert (caught.value.place or "").endswith(place)

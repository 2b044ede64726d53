"""The shapes of records: eras, fields of every kind, and what is wrong with some."""

from __future__ import annotations

import contextlib
import copy
import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rigbridge.adapters import Disposition, Source, Spool
from rigbridge.convert import to_document
from rigbridge.errors import MalformedSourceError, NoRunError, SourceError
from rigbridge.model import Limit, Series
from rigbridge.testing import read_all
from rigbridge_openhtf.adapter import OpenHTFJSONAdapter


def _set(phase: dict[str, Any], **fields: Any) -> None:
    phase["measurements"] = {"m": {"name": "m", "outcome": "PASS", **fields}}


def _value(reading: Any) -> Any:
    return reading.runs[0].phases[0].measurements[0].value


class TestShapes:
    """Parts of the wrong kind are errors with their place."""

    @pytest.mark.parametrize(
        ("key", "value", "message"),
        [
            ("phases", {}, r"\$\.phases: must be a list, not object"),
            ("phases", ["a"], r"\$\.phases\[0\]: must be an object, not text"),
            ("metadata", [1], r"\$\.metadata: must be an object, not list"),
            ("log_records", "x", r"\$\.log_records: must be a list, not text"),
        ],
    )
    def test_record(
        self, read: Any, record: dict[str, Any], key: str, value: Any, message: str
    ) -> None:
        """The error names the path and both kinds."""
        record[key] = value
        with pytest.raises(MalformedSourceError, match=message):
            read(record)

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("measurements", [1]),
            ("measurements", {"m": 3}),
            ("measurements", {"m": {"validators": "x"}}),
            ("attachments", {"a": 1}),
            ("options", 4),
        ],
    )
    def test_phase(
        self,
        read: Any,
        record: dict[str, Any],
        phase: dict[str, Any],
        key: str,
        value: Any,
    ) -> None:
        """The error names the phase."""
        phase[key] = value
        with pytest.raises(MalformedSourceError, match=rf"\$\.phases\[0\]\.{key}"):
            read(record)

    @pytest.mark.parametrize("document", [3, "x", None, {}, {"phases": []}, [[]]])
    def test_no_record(self, read: Any, document: Any) -> None:
        """Other JSON holds no run, and the error says what is missing."""
        with pytest.raises(NoRunError):
            read(document)

    def test_unknown_fields_are_kept(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any]
    ) -> None:
        """Fields of a fork or a later release are kept where they stand."""
        record["site"] = {"line": 4}
        phase["slot"] = 2
        _set(phase, calibration=["2024"])
        (run,) = read(record).runs
        assert run.metadata["site"] == {"line": 4}
        assert run.phases[0].attributes["slot"] == 2
        assert run.phases[0].measurements[0].attributes == {"calibration": ["2024"]}

    def test_metadata_of_the_same_name(self, read: Any, record: dict[str, Any]) -> None:
        """The author's metadata wins its name; the record's stands beside it."""
        record["marginal"] = True
        record["metadata"]["marginal"] = "mine"
        metadata = read(record).runs[0].metadata
        assert metadata["marginal"] == "mine"
        assert metadata["record.marginal"] is True

    @settings(
        max_examples=100,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.too_slow,
        ],
    )
    @given(data=st.data())
    def test_any_part_may_be_anything(
        self, record: dict[str, Any], data: st.DataObject
    ) -> None:
        """Whatever stands anywhere in a record, it is read or clearly refused."""
        changed = copy.deepcopy(record)
        _set(
            changed["phases"][0],
            measured_value=1,
            units={"suffix": "V"},
            dimensions=[{"suffix": "s"}],
            validators=["x <= 1"],
        )
        changed["phases"][0]["attachments"] = {"a": {"data": "YQ==", "sha1": "x"}}
        changed["log_records"] = [{"level": 20, "message": "m", "lineno": 3}]
        changed["outcome_details"] = [{"code": 1, "description": "d"}]
        anything = st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=4,
        )
        for _ in range(data.draw(st.integers(1, 3))):
            holder, key = data.draw(st.sampled_from(list(_places(changed))))
            holder[key] = data.draw(anything)
        content = json.dumps(changed).encode()
        source = Source.from_bytes(content, "a.json")
        with Spool() as spool, contextlib.suppress(SourceError):
            (run,) = read_all(OpenHTFJSONAdapter(), source, spool=spool).runs
            assert msgspec.json.encode(to_document(run))


def _places(value: Any) -> Any:
    """Go through every place in a document, as its holder and key."""
    members: Any = ()
    if isinstance(value, dict):
        members = list(value.items())
    elif isinstance(value, list):
        members = list(enumerate(value))
    for key, member in members:
        yield value, key
        yield from _places(member)


class TestEras:
    """Spellings of former years."""

    @pytest.mark.parametrize("spelling", ["State.PASS", "Outcome.PASS", "pass"])
    def test_verdict_with_its_class(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any], spelling: str
    ) -> None:
        """A verdict is read whatever stands around its name, recorded as coerced."""
        record["outcome"] = phase["outcome"] = spelling
        _set(phase, outcome=spelling)
        reading = read(record)
        (run,) = reading.runs
        assert run.outcome.value == "PASS"
        assert run.phases[0].outcome.value == "PASS"
        assert run.phases[0].measurements[0].outcome.value == "PASS"
        assert reading.report.count(Disposition.COERCED) == 3

    def test_numbers_as_text(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any]
    ) -> None:
        """In a record of text alone numbers are read, texts that only look so stay."""
        for holder in (record, phase):
            for key in ("start_time_millis", "end_time_millis"):
                holder[key] = str(holder[key])
        phase["measurements"] = {
            name: {"name": name, "outcome": "PASS"} for name in ("a", "b", "c", "d")
        }
        phase["measured_values"] = {"a": "1", "b": "2.5", "c": "0012", "d": "1.10"}
        (run,) = read(record).runs
        values = [m.value for m in run.phases[0].measurements]
        assert values == [1, 2.5, "0012", "1.10"]
        assert run.started_at is not None
        assert run.started_at.timestamp() == 1700000000

    def test_a_judged_nan_of_early_2016(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any]
    ) -> None:
        """Its verdict stays what the record says, though no range holds it."""
        for holder in (record, phase):
            for key in ("start_time_millis", "end_time_millis"):
                holder[key] = str(holder[key])
        phase["measurements"] = {
            "level": {
                "name": "level",
                "outcome": "PASS",
                "units": {"uom_code": "2N", "uom_suffix": "dB"},
                "validators": ["0 <= x <= 10"],
            }
        }
        phase["measured_values"] = {"level": "nan"}
        (run,) = read(record).runs
        (measurement,) = run.phases[0].measurements
        assert math.isnan(measurement.value)
        assert measurement.outcome.value == "PASS"
        assert (measurement.unit, measurement.limits.upper) == ("dB", 10)

    def test_a_phase_with_little_more_than_its_name(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any]
    ) -> None:
        """Records written without attachments lack the key; old ones lack more."""
        _set(phase, measured_value=3)
        for key in ("attachments", "options", "outcome"):
            del phase[key]
        del record["code_info"]
        (run,) = read(record).runs
        assert run.attachments == ()
        assert run.phases[0].outcome.value == "PASS"

    def test_numbers_that_are_no_json(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any]
    ) -> None:
        """Until the end of 2017 OpenHTF wrote NaN and Infinity bare, points too."""
        axis = {"name": "hertz", "code": "HTZ", "suffix": "Hz"}
        points = [[1, math.inf], [2, math.nan]]
        _set(phase, measured_value=points, dimensions=[axis])
        content = json.dumps(record)
        assert "Infinity" in content
        reading = read(content.encode())
        (run,) = reading.runs
        measured = run.phases[0].measurements[0].value.measured
        assert repr(list(measured.values)) == "[inf, nan]"
        assert reading.report.count(Disposition.COERCED, "value") == 1

    def test_text_stays_text_in_other_records(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any]
    ) -> None:
        """In a record with real numbers a text is a text."""
        _set(phase, measured_value="1")
        assert _value(read(record)) == "1"

    def test_value_without_declaration(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any]
    ) -> None:
        """A value whose measurement is not declared is not lost."""
        phase["measured_values"] = {"stray": 3}
        reading = read(record)
        assert _value(reading) == 3
        assert reading.report.count(Disposition.COERCED, "measurement") == 1

    @pytest.mark.parametrize(
        ("spelled", "expected"),
        [("nan", math.nan), ("inf", math.inf), ("-inf", -math.inf)],
    )
    def test_non_finite_as_text(
        self,
        read: Any,
        record: dict[str, Any],
        phase: dict[str, Any],
        spelled: str,
        expected: float,
    ) -> None:
        """OpenHTF's text for a number that JSON cannot hold is that number."""
        _set(phase, measured_value=spelled, validators=["1 <= x <= 2"])
        assert repr(_value(read(record))) == repr(expected)

    def test_text_that_is_judged_as_text(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any]
    ) -> None:
        """A value that validators compare as text stays the text nan."""
        _set(phase, measured_value="nan", validators=["'x' matches /^nan$/"])
        assert _value(read(record)) == "nan"


class TestValues:
    """Measured values of every kind."""

    @pytest.mark.parametrize(
        "value", [0, -1.5, True, False, "text", "", None, [1, "a"], {"a": {"b": 1}}, []]
    )
    def test_single(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any], value: Any
    ) -> None:
        """A value of JSON stays as it is."""
        _set(phase, measured_value=value)
        found = _value(read(record))
        assert found == value
        assert type(found) is type(value)

    def test_absent_with_pass(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any]
    ) -> None:
        """A measurement that passed without a value has none."""
        _set(phase)
        assert _value(read(record)) is None

    def test_points(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any]
    ) -> None:
        """Points are a series, the measured axis last, described dimensions named."""
        _set(
            phase,
            measured_value=[[1, "A", 0.5], [2, "B", 0.75]],
            units={"name": "volt", "code": "VLT", "suffix": "V"},
            dimensions=[
                {"name": "time", "code": "SEC", "suffix": "s", "description": "time"},
                {"name": "assembly", "code": "AY", "suffix": ""},
            ],
            validators=["All values pass: 0 <= x <= 1"],
        )
        measurement = read(record).runs[0].phases[0].measurements[0]
        series = measurement.value
        assert isinstance(series, Series)
        assert [(axis.name, axis.unit) for axis in series.axes] == [
            ("time", "s"),
            ("assembly", "assembly"),
            ("m", "V"),
        ]
        assert list(series.rows()) == [(1, "A", 0.5), (2, "B", 0.75)]
        assert measurement.unit is None
        assert measurement.limits == Limit(lower=0, upper=1)
        assert measurement.attributes["dimensions"][0]["code"] == "SEC"

    @pytest.mark.parametrize(
        "rows", [[[1, 2], [1, 2, 3]], [[1, [2]]], [1, 2], {"a": 1}, [[1, 2, 3]]]
    )
    def test_points_that_make_no_series(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any], rows: Any
    ) -> None:
        """Points that do not fit their dimensions are kept as they are."""
        _set(phase, measured_value=rows, dimensions=[{"suffix": "s"}])
        reading = read(record)
        assert _value(reading) == rows
        assert reading.report.count(Disposition.COERCED, "value") == 1

    def test_spelled_points(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any]
    ) -> None:
        """Spelled numbers are read in a column of numbers, and only there."""
        _set(phase, measured_value=[["nan", "nan"], ["A", 2]], dimensions=[{}])
        rows = list(_value(read(record)).rows())
        assert rows[0][0] == "nan"
        assert math.isnan(rows[0][1])

    @pytest.mark.parametrize(
        ("unit", "expected"),
        [
            ({"name": "volt", "code": "VLT", "suffix": "V"}, "V"),
            ({"name": "None", "code": None, "suffix": None}, None),
            ({"name": "No dimension", "code": "NDL", "suffix": None}, None),
            ({"name": "lift", "code": "05", "suffix": ""}, "lift"),
            ({"uom_code": "HTZ", "uom_suffix": "Hz"}, "Hz"),
            ("mA", "mA"),
            (None, None),
        ],
    )
    def test_units(
        self,
        read: Any,
        record: dict[str, Any],
        phase: dict[str, Any],
        unit: Any,
        expected: str | None,
    ) -> None:
        """The suffix is the unit, the name where there is none."""
        _set(phase, measured_value=1, units=unit)
        assert read(record).runs[0].phases[0].measurements[0].unit == expected

    @pytest.mark.parametrize("outcome", ["PARTIALLY_SET", "SKIPPED"])
    def test_unfinished(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any], outcome: str
    ) -> None:
        """A verdict that the model lacks is UNSET, and kept in the attributes."""
        _set(phase, outcome=outcome)
        measurement = read(record).runs[0].phases[0].measurements[0]
        assert measurement.outcome.value == "UNSET"
        assert measurement.attributes == {"outcome": outcome}

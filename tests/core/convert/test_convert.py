"""Runs to payloads and back: the rules one by one, and nothing lost as a whole."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

import attrs
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rigbridge.convert import (
    dump,
    encode_document,
    from_document,
    load,
    lost_without,
    to_document,
)
from rigbridge.convert.overlay import apply, difference
from rigbridge.convert.times import (
    from_iso,
    from_iso_duration,
    from_millis,
    to_iso_duration,
    to_iso_utc,
    to_millis,
)
from rigbridge.errors import ModelError, RunProblemsError
from rigbridge.model import (
    Attachment,
    Axis,
    Limit,
    LogEntry,
    LogLevel,
    Measurement,
    MeasurementOutcome,
    Phase,
    PhaseOutcome,
    ProcedureRef,
    Run,
    RunOutcome,
    Series,
    Unit,
)
from rigbridge.model.report import ConversionReport, Disposition
from rigbridge.model.values import same_value
from rigbridge.testing.adapters.strategies import runs
from rigbridge.wire import CreateRun, decode, encode

START = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def a_run(**changes: Any) -> Run:
    """Make a small run that a store takes."""
    run = Run(
        id=UUID(int=7),
        outcome=RunOutcome.PASS,
        procedure=ProcedureRef(name="FVT"),
        unit=Unit(serial_number="0001"),
        started_at=START,
    )
    return attrs.evolve(run, **changes)


def with_measurement(**fields: Any) -> Run:
    """Make a run of one phase with one measurement."""
    measurement = Measurement(name="voltage", **fields)
    phase = Phase(
        name="power",
        outcome=PhaseOutcome.PASS,
        started_at=START,
        ended_at=START,
        measurements=(measurement,),
    )
    return a_run(phases=(phase,))


def as_json(run: Run) -> dict[str, Any]:
    """Give the payload of a run as it travels."""
    body: dict[str, Any] = msgspec.json.decode(encode(dump(run).body))
    return body


def sent(run: Run) -> dict[str, Any]:
    """Give the one measurement of a run as it travels."""
    measurement: dict[str, Any] = as_json(run)["phases"][0]["measurements"][0]
    return measurement


class TestRoundTrips:
    """Nothing is lost, whatever the run holds."""

    @settings(max_examples=80, deadline=None)
    @given(runs())
    def test_payload_and_sidecar_restore_the_run(self, run: Run) -> None:
        """Through JSON and back the run is equal, types and NaN included."""
        payload = dump(run)
        body = decode(encode(payload.body), CreateRun)
        sidecar = msgspec.json.decode(msgspec.json.encode(payload.sidecar))
        assert load(body, run_id=run.id, sidecar=sidecar) == run

    @settings(max_examples=80, deadline=None)
    @given(runs(storable=False))
    def test_the_document_restores_the_run(self, run: Run) -> None:
        """Runs that no store takes have a document too."""
        document = msgspec.json.decode(msgspec.json.encode(to_document(run)))
        assert from_document(document) == run

    @settings(max_examples=80, deadline=None)
    @given(runs(storable=False))
    def test_the_document_is_encoded_as_it_stands(self, run: Run) -> None:
        """The quick way to its bytes holds what the document does, types included."""
        quick = msgspec.json.decode(encode_document(run))
        slow = msgspec.json.decode(msgspec.json.encode(to_document(run)))
        assert same_value(quick, slow)
        assert encode_document(run) == encode_document(run)

    @settings(max_examples=40, deadline=None)
    @given(runs())
    def test_the_plain_payload_is_always_a_run(self, run: Run) -> None:
        """Without the sidecar verdicts, unit and counts are still right."""
        plain = load(dump(run).body, run_id=run.id)
        assert (plain.outcome, plain.unit) == (run.outcome, run.unit)
        assert [phase.outcome for phase in plain.phases] == [
            phase.outcome for phase in run.phases
        ]
        assert len(plain.logs) == len(run.logs)

    def test_a_document_without_instruments_is_a_run(self) -> None:
        """It was written before they had a place."""
        run = with_measurement(value=1.5)
        document = to_document(run)
        del document["instruments"]
        del document["phases"][0]["measurements"][0]["instrument"]
        assert from_document(document) == run

    def test_a_wrong_day_is_named_by_its_place(self) -> None:
        """What is no day of the calendar makes no run."""
        document = to_document(a_run())
        for due in ("2027-02-30", 7, ["2027-03-01"]):
            document["instruments"] = [{"name": "dmm", "calibration_due": due}]
            with pytest.raises(RunProblemsError) as caught:
                from_document(document)
            assert r"$.instruments[0].calibration_due" in str(caught.value)

    def test_a_plain_run_needs_no_sidecar(self) -> None:
        """The sidecar exists only when something would be lost."""
        assert dump(a_run()).sidecar is None

    def test_the_sidecar_names_what_would_be_lost(self) -> None:
        """Each path can be accounted for where the sidecar must not travel."""
        run = a_run(station="ST-1", metadata={"fixture": 3})
        sidecar = dump(run).sidecar
        assert sidecar is not None
        assert set(lost_without(sidecar)) == {"$.station", "$.metadata.fixture"}

    def test_a_reference_travels_in_the_sidecar(self) -> None:
        """A file without bytes cannot be uploaded, but is not forgotten."""
        run = a_run(attachments=(Attachment(name="trace.tdms"),))
        payload = dump(run)
        assert load(payload.body, run_id=run.id, sidecar=payload.sidecar) == run

    def test_a_strange_sidecar_is_a_clear_error(self) -> None:
        """A sidecar of a later format asks for an update."""
        body = dump(a_run()).body
        with pytest.raises(RunProblemsError) as caught:
            load(body, run_id=UUID(int=1), sidecar={"rigbridge": 99})
        assert "update rigbridge" in str(caught.value)

    def test_a_foreign_sidecar_is_a_clear_error(self) -> None:
        """The sidecar of another run is not applied by half."""
        run = with_measurement(attributes={"a": 1})
        sidecar = dump(run).sidecar
        with pytest.raises(RunProblemsError) as caught:
            load(dump(a_run()).body, run_id=run.id, sidecar=sidecar)
        assert "does not belong" in str(caught.value)


class TestRefusals:
    """What no store takes is refused with all problems at once."""

    def test_all_problems_come_together(self) -> None:
        """Serial number and procedure are both named, with their paths."""
        run = a_run(unit=Unit(), procedure=ProcedureRef())
        with pytest.raises(RunProblemsError) as caught:
            dump(run)
        paths = [problem.path for problem in caught.value.exceptions]  # type: ignore[union-attr]
        assert paths == ["$.unit.serial_number", "$.procedure"]

    def test_a_serial_number_is_never_cut(self) -> None:
        """Cutting would make it another unit's."""
        with pytest.raises(RunProblemsError) as caught:
            dump(a_run(unit=Unit(serial_number="9" * 256)))
        assert "256 characters" in str(caught.value)

    def test_a_broken_document_names_every_field(self) -> None:
        """Reading a document reports each wrong field with its path."""
        document = to_document(with_measurement(value=1.0, limits=Limit(lower=0)))
        document["outcome"] = "GOOD"
        document["phases"][0]["measurements"][0]["limits"]["lower"] = "low"
        with pytest.raises(RunProblemsError) as caught:
            from_document(document)
        paths = {problem.path for problem in caught.value.exceptions}  # type: ignore[union-attr]
        assert paths == {"$.outcome", "$.phases[0].measurements[0].limits.lower"}


class TestPayload:
    """The rules of the v1 payload, one by one."""

    @pytest.mark.parametrize("outcome", list(RunOutcome))
    def test_only_pass_has_passed(self, outcome: RunOutcome) -> None:
        """The older verdict is true for PASS alone."""
        body = as_json(a_run(outcome=outcome))
        assert body["run_passed"] is (outcome is RunOutcome.PASS)
        assert body["outcome"] == outcome.value

    def test_times_are_utc_and_agree(self) -> None:
        """Start, end and duration say the same."""
        body = as_json(a_run(ended_at=START + timedelta(seconds=150, milliseconds=250)))
        assert body["started_at"] == "2024-01-15T10:30:00Z"
        assert body["ended_at"] == "2024-01-15T10:32:30.250Z"
        assert from_iso_duration(body["duration"]) == timedelta(seconds=150.25)

    def test_unknown_stays_absent(self) -> None:
        """What is unknown is not sent, rather than sent as null."""
        body = as_json(a_run(started_at=None))
        assert not {"started_at", "ended_at", "duration", "operated_by"} & set(body)

    def test_a_run_that_took_no_time_has_an_end(self) -> None:
        """Its end is its start, and not before it."""
        report = ConversionReport()
        body = msgspec.json.decode(encode(dump(a_run(ended_at=START), report).body))
        assert body["ended_at"] == body["started_at"]
        assert body["duration"] == "PT0S"
        assert report.count(Disposition.COERCED, "time") == 0

    def test_an_end_before_the_start_is_kept_aside(self) -> None:
        """The store would refuse it; the sidecar has it."""
        report = ConversionReport()
        run = a_run(ended_at=START - timedelta(seconds=1))
        payload = dump(run, report)
        assert "ended_at" not in msgspec.json.decode(encode(payload.body))
        assert report.count(Disposition.COERCED, "time") == 1
        assert load(payload.body, run_id=run.id, sidecar=payload.sidecar) == run

    def test_phase_times_are_milliseconds(self) -> None:
        """Phases carry Unix epoch milliseconds."""
        phase = as_json(with_measurement())["phases"][0]
        assert phase["start_time_millis"] == 1705314600000

    def test_an_unknown_phase_time_takes_the_runs_start(self) -> None:
        """That is recorded as coerced, with the place."""
        report = ConversionReport()
        run = a_run(phases=(Phase(name="a", outcome=PhaseOutcome.SKIP),))
        body = dump(run, report).body
        phases = msgspec.json.decode(encode(body))["phases"]
        assert phases[0]["start_time_millis"] == to_millis(START)
        assert str(report.entries[0].place) == "$.phases[0].started_at"

    def test_nested_phases_carry_their_path(self) -> None:
        """Ancestors stand before the name."""
        phase = Phase(name="Inner", outcome=PhaseOutcome.PASS, path=("Outer",))
        assert as_json(a_run(phases=(phase,)))["phases"][0]["name"] == "Outer / Inner"

    def test_a_long_name_is_cut_and_kept(self) -> None:
        """255 characters travel as the name, all of it in the docstring."""
        name = "x" * 300
        phase = Phase(name=name, outcome=PhaseOutcome.PASS, docstring="why")
        wire = as_json(a_run(phases=(phase,)))["phases"][0]
        assert wire["name"] == "x" * 255
        assert wire["docstring"] == f"{name}\n\nwhy"

    def test_a_version_has_any_characters(self) -> None:
        """What v1 takes is sent as it is."""
        run = a_run(procedure=ProcedureRef(name="FVT", version="v1 (beta)"))
        assert dump(run).body.procedure_version == "v1 (beta)"

    def test_a_long_version_is_cut(self) -> None:
        """255 characters travel, and that it was cut is recorded."""
        report = ConversionReport()
        run = a_run(procedure=ProcedureRef(name="FVT", version="v" * 256))
        assert dump(run, report).body.procedure_version == "v" * 255
        assert report.count(Disposition.COERCED, "procedure version") == 1

    @pytest.mark.parametrize(
        ("operator", "sent_as"), [("jo@example.com", "jo@example.com"), ("jo", None)]
    )
    def test_an_operator_is_an_email_address(
        self, operator: str, sent_as: str | None
    ) -> None:
        """A login would be refused by the store; it travels beside."""
        assert as_json(a_run(operator=operator)).get("operated_by") == sent_as

    def test_a_log_has_all_five_fields(self) -> None:
        """Unknown source and line are written as blank and 0."""
        entry = LogEntry(level=LogLevel.ERROR, message="no contact")
        assert as_json(a_run(logs=(entry,)))["logs"] == [
            {
                "level": "ERROR",
                "timestamp": "2024-01-15T10:30:00Z",
                "message": "no contact",
                "source_file": "",
                "line_number": 0,
            }
        ]

    @pytest.mark.parametrize("known", [{"source_file": "a.py"}, {"line": 3}])
    def test_a_log_that_is_half_known_is_recorded(self, known: dict[str, Any]) -> None:
        """A file without a line, or a line without a file, was completed."""
        report = ConversionReport()
        entry = LogEntry(level=LogLevel.ERROR, message="no contact", **known)
        dump(a_run(logs=(entry,)), report)
        assert report.count(Disposition.COERCED, "log") == 1


class TestMeasurements:
    """Values, units and limits on the wire."""

    @pytest.mark.parametrize(
        ("value", "spelled"),
        [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")],
    )
    def test_non_finite_numbers_are_spelled(self, value: float, spelled: str) -> None:
        """JSON has no NaN; the verdict is kept."""
        run = with_measurement(value=value, outcome=MeasurementOutcome.FAIL)
        assert sent(run)["measured_value"] == spelled
        assert sent(run)["outcome"] == "FAIL"

    def test_an_unset_measurement_has_no_value(self) -> None:
        """Nothing measured is not sent as null."""
        assert set(sent(with_measurement())) == {"name", "outcome"}

    def test_a_series_records_each_rule_once(self) -> None:
        """However many of its points are spelled as text."""
        points = Axis(name="y", values=[math.nan, 2**70, math.inf, 2**71])
        report = ConversionReport()
        body = dump(with_measurement(value=Series(axes=[points])), report).body
        assert body.phases
        assert body.phases[0].measurements
        assert body.phases[0].measurements[0].measured_value == [
            ["NaN"],
            [str(2**70)],
            ["Infinity"],
            [str(2**71)],
        ]
        assert report.count(Disposition.COERCED, "value") == 2

    def test_a_series_travels_as_rows(self) -> None:
        """Dimensions first, measured value last, one unit a column."""
        series = Series(
            axes=(Axis(unit="s", values=[0, 1]), Axis(unit="V", values=[1.5, math.nan]))
        )
        wire = sent(with_measurement(value=series))
        assert wire["measured_value"] == [[0, 1.5], [1, "NaN"]]
        assert wire["units"] == ["s", "V"]

    @pytest.mark.parametrize(
        ("limit", "validators"),
        [
            (Limit(lower=1, upper=2), None),
            (Limit(lower=1, lower_inclusive=False), ["x > 1"]),
            (Limit(upper=2, upper_inclusive=False), ["x < 2"]),
            (Limit(lower=1, upper=2, upper_inclusive=False), ["1 <= x < 2"]),
        ],
    )
    def test_an_exclusive_bound_is_also_said(
        self, limit: Limit, validators: list[str] | None
    ) -> None:
        """The two numbers of v1 read as inclusive, so the text says otherwise."""
        wire = sent(with_measurement(value=1.5, limits=limit))
        assert wire.get("validators") == validators
        assert wire.get("lower_limit") == limit.lower
        assert wire.get("upper_limit") == limit.upper


class TestTimes:
    """Times in the forms of the contract."""

    @given(st.datetimes(timezones=st.just(UTC)))
    def test_a_time_is_read_back(self, moment: datetime) -> None:
        """Writing and reading a time changes nothing."""
        assert from_iso(to_iso_utc(moment)) == moment

    @given(st.timedeltas(min_value=timedelta(0)))
    def test_a_duration_is_read_back(self, duration: timedelta) -> None:
        """Writing and reading a duration changes nothing."""
        assert from_iso_duration(to_iso_duration(duration)) == duration

    @given(st.integers(min_value=-(10**12), max_value=10**13))
    def test_milliseconds_are_read_back(self, millis: int) -> None:
        """Writing and reading milliseconds changes nothing."""
        assert to_millis(from_millis(millis)) == millis

    @given(st.datetimes(timezones=st.just(UTC)))
    def test_finer_times_are_rounded_to_the_nearest(self, moment: datetime) -> None:
        """Half a millisecond goes to the even one, as Python rounds."""
        exact = Fraction((moment - EPOCH) // timedelta(microseconds=1), 1000)
        assert to_millis(moment) == round(exact)

    @pytest.mark.parametrize(
        ("text", "meant"),
        [
            ("2016-12-31T23:59:60.5+00:00", "2017-01-01T00:00:00.500Z"),
            ("2024-12-31T24:00:00Z", "2025-01-01T00:00:00Z"),
            ("2024-02-28T24:00Z", "2024-02-29T00:00:00Z"),
            ("2024-01-15t10:35:00z", "2024-01-15T10:35:00Z"),
        ],
    )
    def test_an_unusual_time(self, text: str, meant: str) -> None:
        """A leap second and the end of a day are the moment that follows."""
        assert to_iso_utc(from_iso(text)) == meant

    @pytest.mark.parametrize(
        "text",
        [
            *("yesterday", "2024-01-15T10:30:00", "", "24:00Z"),
            *("2024-01-15T24:00:01Z", "2024-01-15T23:59:61Z", "9999-12-31T24:00Z"),
        ],
    )
    def test_a_bad_time_is_refused(self, text: str) -> None:
        """A time without a zone is as bad as none."""
        with pytest.raises(ModelError):
            from_iso(text)


def _json() -> st.SearchStrategy[Any]:
    leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(max_size=2), inner, max_size=3)
        ),
    )


class TestOverlay:
    """The difference between two documents."""

    @given(_json(), _json())
    def test_it_turns_one_into_the_other(self, base: Any, target: Any) -> None:
        """Whatever the two documents are, the overlay leads from one to the other."""
        overlay: Mapping[str, Any] | None = difference(base, target)
        made = apply(base, overlay)
        assert (
            msgspec.json.encode(made) == msgspec.json.encode(target, order=None)
            or difference(made, target) is None
        )

    @given(_json())
    def test_nothing_differs_from_itself(self, document: Any) -> None:
        """No difference is None, so that no sidecar is made."""
        assert difference(document, document) is None

"""Values that changed, or got out, on their way from a test into a store."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar
from uuid import uuid4

import pytest

from rigbridge.adapters import ConversionReport
from rigbridge.adapters.text.masking import MASK
from rigbridge.convert import dump, encode_document, from_document, load
from rigbridge.model import (
    Limit,
    Measurement,
    MeasurementOutcome,
    Phase,
    PhaseOutcome,
    ProcedureRef,
    Run,
    RunOutcome,
    Unit,
)
from rigbridge.wire import encode
from rigbridge_openhtf import OpenHTFSettings

htf = pytest.importorskip("openhtf")


def _nothing(test: Any) -> None:
    del test


CARD = 89014103211118510727
WIDE = 0x0123456789ABCDEF01234567


def _cards(test: Any) -> None:
    test.measurements.card = CARD
    test.measurements.wide = WIDE
    test.measurements.fits = 2**64 - 1
    test.test_record.metadata["card"] = CARD


PHASE = htf.measures(
    htf.Measurement("card").equals(CARD),
    htf.Measurement("wide").in_range(0, 2**96),
    htf.Measurement("fits").equals(2**64 - 1),
)(_cards)


class TestLongIntegers:
    """An integer beyond 64 bits keeps every digit, wherever it stands."""

    def test_live_and_from_json(self, run_both: Callable[..., Any]) -> None:
        """The run has the integers themselves, in values and in limits."""
        both = run_both(PHASE, test_name="cards")
        for run in (both.live, both.written):
            found = run.phases[0].measurements
            assert [each.value for each in found] == [CARD, WIDE, 2**64 - 1]
            assert found[0].limits == Limit(lower=CARD, upper=CARD, comparator="==")
            assert found[1].limits == Limit(lower=0, upper=2**96)
            assert run.metadata["card"] == str(CARD)

    def test_the_payload(self, run_both: Callable[..., Any]) -> None:
        """v1 gets the digits as text, and a limit that it cannot hold as words."""
        report = ConversionReport()
        payload = dump(run_both(PHASE, test_name="cards").live, report)
        body = json.loads(encode(payload.body))
        card, wide, fits = body["phases"][0]["measurements"]
        assert card["measured_value"] == str(CARD)
        assert card["validators"] == [f"x == {CARD}"]
        assert "lower_limit" not in card
        assert wide["lower_limit"] == 0
        assert wide["validators"] == [f"0 <= x <= {2**96}"]
        assert fits["measured_value"] == fits["upper_limit"] == 2**64 - 1
        rules = {entry.rule for entry in report.entries}
        assert "integer beyond 64 bits written as its digits" in rules
        assert "bound beyond 64 bits said as a validator" in rules

    def test_it_is_restored(self, run_both: Callable[..., Any]) -> None:
        """The sidecar gives back the integers, and so does the outbox."""
        run: Run = run_both(PHASE, test_name="cards").live
        payload = dump(run, ConversionReport())
        assert load(payload.body, run_id=run.id, sidecar=payload.sidecar) == run
        assert from_document(json.loads(encode_document(run))) == run


class TestSecrets:
    """OpenHTF puts its whole configuration into each record."""

    CONFIG: ClassVar[dict[str, Any]] = {
        "wifi_password": "hunter2",
        "dbApiToken": "t-1",
        "instrument": {"private_key": "k", "address": "TCPIP::1"},
        "database": "postgres://tester:pw@host/db",
        "pin": 1234,
        "passed_limit": 3,
        "station_id": "bench",
        "empty_password": "",
    }

    def test_they_are_masked(self, read: Any, record: dict[str, Any]) -> None:
        """By default no value of a key that looks secret leaves the station."""
        record["metadata"]["config"] = dict(self.CONFIG)
        reading = read(record)
        (run,) = reading.runs
        assert run.metadata["config"] == {
            "wifi_password": MASK,
            "dbApiToken": MASK,
            "instrument": {"private_key": MASK, "address": "TCPIP::1"},
            "database": f"postgres://tester:{MASK}@host/db",
            "pin": 1234,
            "passed_limit": 3,
            "station_id": "bench",
            "empty_password": "",
        }
        rules = [entry.rule for entry in reading.report.entries]
        assert rules.count("value of a key that looks secret masked") == 3

    def test_a_site_chooses(self, read: Any, record: dict[str, Any]) -> None:
        """Keys are kept or left out by name or pattern."""
        record["metadata"]["config"] = dict(self.CONFIG)
        settings = OpenHTFSettings(
            config_kept=["wifi*"], config_left_out=["INSTRUMENT", "db*"]
        )
        (run,) = read(record, settings=settings).runs
        config = run.metadata["config"]
        assert config["wifi_password"] == "hunter2"
        assert not {"instrument", "dbApiToken"} & set(config)

    def test_a_live_test(self, run_test: Any, spool: Any) -> None:
        """The record of a test that runs is masked by the same rule."""
        conf = pytest.importorskip("openhtf.util.configuration").CONF
        conf.declare("bench_secret", default_value="hunter2")
        from rigbridge_openhtf import to_run  # beside its only use

        run = to_run(run_test(_nothing), spool=spool)
        assert "hunter2" not in encode_document(run).decode()
        config: Any = run.metadata["config"]
        assert config["bench_secret"] == MASK


class TestOddFields:
    """Fields of another kind than usual."""

    def test_a_log_source_that_is_a_list(
        self, read: Any, record: dict[str, Any]
    ) -> None:
        """Its parts are joined, and that is recorded."""
        record["log_records"] = [
            {"level": 20, "message": "m", "source": ["plugs", "a.py"], "lineno": 1}
        ]
        (run,) = read(record).runs
        assert run.logs[0].source_file == "plugs/a.py"

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ("text/plain", "text/plain"),
            ("text/plain; charset=utf-8", "text/plain; charset=utf-8"),
            ("image/png\r\nX-Evil: 1", None),
            ("nonsense", None),
            ("bild/größe", None),
            (" text/plain ", "text/plain"),
        ],
    )
    def test_media_types(
        self,
        read: Any,
        record: dict[str, Any],
        phase: dict[str, Any],
        given: str,
        expected: str | None,
    ) -> None:
        """One that no header can carry is not carried, and stops no run."""
        phase["attachments"] = {"a": {"mimetype": given, "data": "AAAA"}}
        (run,) = read(record).runs
        assert run.attachments[0].media_type == expected

    def test_the_remedy_names_what_exists(self, read: Any, record: Any) -> None:
        """A run without a procedure names the table that its adapter reads."""
        record["metadata"] = {}
        (run,) = read(record).runs
        with pytest.raises(ExceptionGroup) as caught:
            dump(run, ConversionReport())
        assert "[adapters.openhtf-json]" in str(caught.value)
        assert "procedure_id" in str(caught.value)


def test_a_long_integer_of_a_report_of_any_kind() -> None:
    """Other adapters and callers may give one as well."""
    measurement = Measurement(name="m", outcome=MeasurementOutcome.PASS, value=-CARD)
    phase = Phase(name="p", outcome=PhaseOutcome.PASS, measurements=(measurement,))
    run = Run(
        id=uuid4(),
        outcome=RunOutcome.PASS,
        procedure=ProcedureRef(name="p"),
        unit=Unit(serial_number="S"),
        phases=(phase,),
    )
    assert from_document(json.loads(encode_document(run))) == run

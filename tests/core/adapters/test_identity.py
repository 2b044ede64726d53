"""Rules of a site that complete a run's identity."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import attrs
import pytest

from rigbridge.adapters.identity import IdentityRules
from rigbridge.errors import ConfigurationError
from rigbridge.model import ProcedureRef, Run, RunOutcome, Unit
from rigbridge.model.report import ConversionReport


def a_run(**changes: Any) -> Run:
    """Make a run that lacks a serial number."""
    run = Run(
        id=UUID(int=1),
        outcome=RunOutcome.PASS,
        procedure=ProcedureRef(name="FVT"),
        unit=Unit(),
    )
    return attrs.evolve(run, **changes)


class TestRules:
    """Rules fill what is missing, and say so."""

    def test_the_file_name_supplies_a_serial_number(self) -> None:
        """A named group fills the field that the report lacks."""
        rules = IdentityRules(file_name=[r"^(?P<serial_number>\d+)_"])
        report = ConversionReport()
        run = rules.apply(a_run(), name="0042_report.xml", report=report)
        assert run.unit.serial_number == "0042"
        assert report.entries[0].rule == "supplied from the file name"

    def test_the_report_itself_wins(self) -> None:
        """What the report says of the unit is never replaced."""
        rules = IdentityRules(file_name=[r"^(?P<serial_number>\d+)_"])
        given = a_run(unit=Unit(serial_number="7"))
        report = ConversionReport()
        assert rules.apply(given, name="0042_x.xml", report=report) == given
        assert report.entries == ()

    def test_the_serial_number_supplies_the_part(self) -> None:
        """Part number and revision are read out of the serial number."""
        rules = IdentityRules(
            serial_number=[r"^(?P<part_number>P\d+)-(?P<revision>\w)-"]
        )
        given = a_run(unit=Unit(serial_number="P100-B-0042"))
        unit = rules.apply(given, name="x", report=ConversionReport()).unit
        assert (unit.part_number, unit.revision) == ("P100", "B")

    def test_a_procedure_gets_its_id(self) -> None:
        """Procedures are mapped by name."""
        rules = IdentityRules(procedures={"FVT": "FVT1"})
        run = rules.apply(a_run(), name="x", report=ConversionReport())
        assert run.procedure.id == "FVT1"

    def test_an_operator_gets_an_address(self) -> None:
        """The name as printed is kept beside it."""
        rules = IdentityRules(operators={"jo": "jo@example.com"})
        run = rules.apply(a_run(operator="jo"), name="x", report=ConversionReport())
        assert run.operator == "jo@example.com"
        assert run.metadata == {"operator_name": "jo"}

    def test_batch_and_socket_supply_a_serial_number(self) -> None:
        """Several fields make one text, in which the expression is searched."""
        rule = {
            "text": "{batch_number}-{test_socket_index}",
            "expression": "^(?P<serial_number>.+)$",
        }
        given = a_run(unit=Unit(batch_number="B7"), metadata={"test_socket_index": 0})
        report = ConversionReport()
        run = IdentityRules(fields=[rule]).apply(given, name="x", report=report)
        assert run.unit.serial_number == "B7-0"
        (entry,) = report.entries
        assert entry.rule == "supplied from {batch_number}-{test_socket_index}"
        assert (entry.place.path, entry.detail) == ("$.unit.serial_number", "B7-0")

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("{uut.AdditionalData.Carrier}", "C-12"),
            ("{station}/{file_name}", "ST-3/x.xml"),
            ("{procedure} {operator}", "FVT jo"),
            ("LAB-UNIT", "LAB-UNIT"),
            ("{uut.AdditionalData.Rack}", None),
            ("{batch_number}", None),
        ],
    )
    def test_any_field_may_be_searched(self, text: str, expected: str | None) -> None:
        """A run that lacks a field of the text keeps no serial number."""
        rule = {"text": text, "expression": "(?P<serial_number>.+)"}
        given = a_run(
            station="ST-3",
            operator="jo",
            metadata={"uut.AdditionalData.Carrier": "C-12"},
        )
        rules = IdentityRules(fields=[rule])
        run = rules.apply(given, name="x.xml", report=ConversionReport())
        assert run.unit.serial_number == expected

    def test_a_number_from_a_field_tells_the_part(self) -> None:
        """The rules of the serial number come after those that supply it."""
        rules = IdentityRules(
            fields=[{"text": "{uut.Carrier}", "expression": "(?P<serial_number>P.*)"}],
            serial_number=[r"^(?P<part_number>P\d+)"],
        )
        given = a_run(metadata={"uut.Carrier": "carrier P100-42"})
        unit = rules.apply(given, name="x", report=ConversionReport()).unit
        assert (unit.serial_number, unit.part_number) == ("P100-42", "P100")

    @pytest.mark.parametrize(
        ("rule", "place"),
        [
            ({"text": "{a}"}, "identity.fields[0].expression"),
            ({"text": "", "expression": "("}, "identity.fields[0].expression"),
            (
                {"text": "", "expression": "(?P<revision>a)", "if": ""},
                "identity.fields[0].if",
            ),
        ],
    )
    def test_a_wrong_field_rule_is_refused(
        self, rule: dict[str, str], place: str
    ) -> None:
        """The error names the key."""
        with pytest.raises(ConfigurationError) as caught:
            IdentityRules(fields=[rule])
        assert caught.value.place == place

    @pytest.mark.parametrize(
        ("expression", "words"),
        [("(", "no regular expression"), ("a", "no named group"), ("(?P<x>a)", "'x'")],
    )
    def test_a_wrong_expression_is_refused(self, expression: str, words: str) -> None:
        """The error names the key."""
        with pytest.raises(ConfigurationError, match=words) as caught:
            IdentityRules(file_name=[expression])
        assert caught.value.place == "identity.file_name"

"""Rules of a site that complete a run's identity."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import attrs
import pytest

from rigbridge.errors import ConfigurationError
from rigbridge.identity import IdentityRules
from rigbridge.model import ProcedureRef, Run, RunOutcome, Unit
from rigbridge.reporting import ConversionReport


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

    @pytest.mark.parametrize(
        ("expression", "words"),
        [("(", "no regular expression"), ("a", "no named group"), ("(?P<x>a)", "'x'")],
    )
    def test_a_wrong_expression_is_refused(self, expression: str, words: str) -> None:
        """The error names the key."""
        with pytest.raises(ConfigurationError, match=words) as caught:
            IdentityRules(file_name=[expression])
        assert caught.value.place == "identity.file_name"

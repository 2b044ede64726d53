"""What a judge of a result needs to know: simulated, forced, in which mode."""

from __future__ import annotations

from typing import Any

import pytest


class TestJudgement:
    """It is in the attributes of the phase and in the metadata of the run."""

    def test_of_a_step(self, run_of: Any) -> None:
        """A step that was simulated, in a mode, with a forced outcome."""
        step = (
            '<tr:Test name="P" simulated="true" operatingMode="self test">'
            '<tr:Outcome value="Passed" forced="true" referenceID="r9"/></tr:Test>'
        )
        (phase,) = run_of(step).phases
        assert phase.attributes["simulated"] is True
        assert phase.attributes["operating_mode"] == "self test"
        assert phase.attributes["forced"] is True
        assert phase.attributes["outcome.referenceID"] == "r9"

    @pytest.mark.parametrize("version", ["2.02", "6.01"])
    def test_of_a_run(self, write: Any, read: Any, version: str) -> None:
        """A run that was simulated, whose outcome was forced."""
        content = write.file(
            write.results(
                write.step("a", value="Done"),
                version=version,
                outcome='value="Passed" forced="true"',
            ).replace("<tr:ResultSet", '<tr:ResultSet simulated="true" cost="1.5"')
        )
        (run,) = read(content).runs
        assert (run.metadata["simulated"], run.metadata["forced"]) == (True, True)
        assert run.metadata["cost"] == "1.5"

    def test_a_second_outcome_is_kept(self, write: Any, run_of: Any) -> None:
        """The first counts, and the other is not lost."""
        step = write.step("a", '<tr:Outcome value="Failed" qualifier="Later"/>')
        (phase,) = run_of(step).phases
        assert phase.attributes["raw_status"] == "Passed"
        assert phase.attributes["Outcome.value"] == "Failed"
        assert phase.attributes["Outcome.qualifier"] == "Later"


class TestPlaceholders:
    """Words that the schema makes TestStand write are no names."""

    @pytest.mark.parametrize("word", ["UNKNOWN", "None"])
    def test_of_the_header(self, write: Any, read: Any, word: str) -> None:
        """No part, no operator, no station is called so, which is recorded."""
        content = write.file(
            write.collection(
                write.results(
                    beside=(
                        "<tr:UUT><c:Definition><c:Identification>"
                        f"<c:ModelName>{word}</c:ModelName><c:IdentificationNumbers>"
                        f'<c:IdentificationNumber type="Part" number="{word}"/>'
                        "</c:IdentificationNumbers></c:Identification></c:Definition>"
                        "</tr:UUT>"
                    )
                )
                .replace('ID="ada" name="ada"', f'ID="{word}" name="{word}"')
                .replace("  rig-7  ", word)
            )
        )
        reading = read(content)
        (run,) = reading.runs
        assert (run.unit.part_name, run.unit.part_number) == (None, None)
        assert (run.operator, run.station) == (None, None)
        rules = [entry.item for entry in reading.report.entries]
        assert sorted(rules) == ["operator", "part name", "part number", "station"]

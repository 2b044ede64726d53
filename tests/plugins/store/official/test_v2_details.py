"""``client.phases``, ``measurements``, ``logs``, ``deployments`` and ``imports``."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

_both = pytest.mark.parametrize("official", ["sqlite", "postgresql"], indirect=True)

_STARTED = datetime(2026, 1, 15, 10, 35, tzinfo=UTC)
_BEFORE_ALL = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=23)))
_LATER = _STARTED + timedelta(seconds=10)


@pytest.fixture
def run(official: Any, unique: Callable[[str], str]) -> Any:
    """Make a run with phases, measurements and logs, of a procedure of its own."""
    procedure = str(official.user.procedures.create(name=unique("Detailed")).id)
    made = official.run(
        procedure_id=procedure,
        part_number=unique("PART"),
        revision_number=unique("REV"),
        batch_number=unique("LOT"),
        procedure_version="1.0",
        operated_by="jane@example.com",
        outcome="FAIL",
        phases=[
            {
                "name": "Power",
                "outcome": "FAIL",
                "started_at": _STARTED,
                "ended_at": _LATER,
                "measurements": [
                    {
                        "name": "U",
                        "outcome": "FAIL",
                        "measured_value": 3.9,
                        "units": "V",
                        "upper_limit": 3.6,
                    },
                    {"name": "ok", "outcome": "PASS", "measured_value": True},
                    {"name": "tag", "outcome": "UNSET", "measured_value": "x"},
                ],
            },
            {
                "name": "Radio",
                "outcome": "PASS",
                "started_at": _LATER,
                "ended_at": _LATER,
                "retry_count": 1,
            },
        ],
        logs=[
            {
                "level": level,
                "timestamp": _STARTED + timedelta(seconds=index),
                "message": f"{level} of the run",
                "source_file": f"{level.lower()}.py",
                "line_number": index,
            }
            for index, level in enumerate(("INFO", "ERROR"))
        ],
    )
    return official.user.runs.get(id=made)


def _of_run(run: Any) -> dict[str, Any]:
    """Give filters of the run that phases, measurements and logs all know."""
    return {
        "procedure_versions": ["1.0"],
        "serial_numbers": [run.unit.serial_number],
        "part_numbers": [run.unit.part.number],
        "revision_numbers": [run.unit.part.revision.number],
        "batch_numbers": [run.unit.batch.number],
        "created_by_user_ids": [run.created_by_user.id],
    }


@_both
class TestPhases:
    """``client.phases``."""

    @pytest.mark.parametrize(
        ("filters", "names"),
        [
            ({}, {"Power", "Radio"}),
            ({"names": ["Power"]}, {"Power"}),
            ({"outcomes": ["PASS"]}, {"Radio"}),
            ({"run_outcomes": ["FAIL"]}, {"Power", "Radio"}),
            ({"run_outcomes": ["PASS"]}, set()),
            ({"started_after": _LATER}, {"Radio"}),
            ({"started_before": _STARTED}, {"Power"}),
            ({"duration_min": "PT5S"}, {"Power", "Radio"}),
            ({"duration_max": "PT5S"}, set()),
            ({"sequence_paths": ["nowhere"]}, set()),
            ({"samples": ["golden"]}, set()),
            ({"environments": ["production"]}, set()),
            ({"operated_by_names": ["Jane"]}, {"Power", "Radio"}),
        ],
    )
    def test_list(
        self, official: Any, run: Any, filters: dict[str, Any], names: set[str]
    ) -> None:
        """Phases are found by their own fields and by those of their runs."""
        page = official.user.phases.list(
            procedure_id=run.procedure.id, **_of_run(run), **filters
        )
        assert {phase.name for phase in page.data} == names
        assert {phase.run_id for phase in page.data} <= {run.id}

    def test_get(self, official: Any, run: Any) -> None:
        """One phase has its measurements."""
        page = official.user.phases.list(procedure_id=run.procedure.id, names=["Power"])
        phase = official.user.phases.get(id=page.data[0].id)
        assert (phase.name, phase.run.id) == ("Power", run.id)
        assert [item.name for item in phase.measurements] == ["U", "ok", "tag"]
        with pytest.raises(official.errors.ErrorNOTFOUND):
            official.user.phases.get(id="nothing")

    def test_pages(self, official: Any, run: Any) -> None:
        """Each order goes both ways, page by page."""
        wanted = {"procedure_id": run.procedure.id, "sort_by": "phase_name", "limit": 1}
        first = official.user.phases.list(**wanted, sort_order="asc")
        second = official.user.phases.list(
            **wanted, sort_order="asc", cursor=first.meta.next_cursor
        )
        assert [page.data[0].name for page in (first, second)] == ["Power", "Radio"]
        assert not second.meta.has_more
        last = official.user.phases.list(**wanted, sort_order="desc")
        assert last.data[0].name == "Radio"


@_both
class TestMeasurements:
    """``client.measurements``."""

    @pytest.mark.parametrize(
        ("filters", "names"),
        [
            ({}, {"U", "ok", "tag"}),
            ({"phase_name": "Power", "measurement_name": "U"}, {"U"}),
            ({"phase_names": ["Radio"]}, set()),
            ({"outcomes": ["PASS"]}, set()),
            ({"measurement_outcomes": ["PASS"]}, {"ok"}),
            ({"measurement_types": ["numeric", "string"]}, {"U", "tag"}),
            ({"value_min": 3.8, "value_max": 4.0}, {"U"}),
            ({"value_bool": True}, {"ok"}),
            ({"value_strings": ["x"]}, {"tag"}),
            ({"exclude_retries": True}, {"U", "ok", "tag"}),
            ({"started_after": _STARTED}, {"U", "ok", "tag"}),
            ({"duration_max": "PT1S"}, set()),
        ],
    )
    def test_list(
        self, official: Any, run: Any, filters: dict[str, Any], names: set[str]
    ) -> None:
        """Measurements are found by their own fields and by those of their runs."""
        page = official.user.measurements.list(
            procedure_id=run.procedure.id, **_of_run(run), **filters
        )
        assert {item.measurement_name for item in page.data} == names

    def test_shown(self, official: Any, run: Any) -> None:
        """A value is shown by its kind, and alone with what it belongs to."""
        page = official.user.measurements.list(
            procedure_id=run.procedure.id, measurement_name="U"
        )
        (listed,) = page.data
        assert (listed.value, listed.units, listed.measurement_type) == (
            3.9,
            "V",
            "numeric",
        )
        shown = official.user.measurements.get(id=listed.id)
        assert (shown.name, shown.phase.name, shown.run.id) == ("U", "Power", run.id)
        assert shown.validators[0].expected_value == 3.6
        with pytest.raises(official.errors.ErrorNOTFOUND):
            official.user.measurements.get(id="nothing")


@_both
class TestLogs:
    """``client.logs``."""

    @pytest.mark.parametrize(
        ("filters", "levels"),
        [
            ({}, {"INFO", "ERROR"}),
            ({"levels": ["ERROR"]}, {"ERROR"}),
            ({"search_query": "info OF"}, {"INFO"}),
            ({"source_files": ["error.py"]}, {"ERROR"}),
            ({"timestamp_after": _STARTED + timedelta(seconds=1)}, {"ERROR"}),
            ({"timestamp_before": _STARTED}, {"INFO"}),
            ({"timestamp_after": _BEFORE_ALL}, {"INFO", "ERROR"}),
            ({"run_outcomes": ["FAIL"]}, {"INFO", "ERROR"}),
        ],
    )
    def test_list(
        self, official: Any, run: Any, filters: dict[str, Any], levels: set[str]
    ) -> None:
        """Log lines are found by their own fields and by those of their runs."""
        page = official.user.logs.list(
            procedure_ids=[run.procedure.id],
            run_ids=[run.id],
            **_of_run(run),
            **filters,
        )
        assert {line.level for line in page.data} == levels

    def test_get(self, official: Any, run: Any) -> None:
        """One line tells what it belongs to."""
        page = official.user.logs.list(run_ids=[run.id], levels=["ERROR"])
        line = official.user.logs.get(id=page.data[0].id)
        assert (line.message, line.line_number) == ("ERROR of the run", 1)
        assert line.run.id == run.id
        assert line.unit.serial_number == run.unit.serial_number
        with pytest.raises(official.errors.ErrorNOTFOUND):
            official.user.logs.get(id="nothing")

    @pytest.mark.parametrize("by", ["created_at", "level", "run_id", "outcome"])
    def test_order(self, official: Any, run: Any, by: str) -> None:
        """Each order is taken."""
        page = official.user.logs.list(
            run_ids=[run.id], sort_by=by, sort_order="asc", limit=1
        )
        assert page.meta.has_more


class TestStation:
    """What a station sees of all these."""

    def test_hidden(self, official: Any, run: Any) -> None:
        """Nothing of procedures that it is not linked to."""
        assert official.station.logs.list(run_ids=[run.id]).data == []
        phases = official.user.phases.list(procedure_id=run.procedure.id).data
        with pytest.raises(official.errors.TofuPilotError) as caught:
            official.station.phases.get(id=phases[0].id)
        assert caught.value.status_code == 404


class TestDeployments:
    """This store deploys nothing, and says so."""

    def test_none(self, official: Any) -> None:
        """There is none to list and none to get."""
        page = official.user.deployments.list(environments=["production"], limit=5)
        assert (page.data, page.meta.has_more) == ([], False)
        with pytest.raises(official.errors.ErrorNOTFOUND):
            official.user.deployments.get(id="nothing")


def _record(serial: str) -> bytes:
    phase = {
        "name": "p",
        "outcome": "PASS",
        "start_time_millis": 1705314900000,
        "end_time_millis": 1705314900500,
        "measurements": {},
        "attachments": {},
        "codeinfo": {"name": "p", "docstring": None, "sourcecode": ""},
        "descriptor_id": 1,
        "options": None,
        "result": None,
    }
    return json.dumps(
        {
            "dut_id": serial,
            "start_time_millis": 1705314900000,
            "end_time_millis": 1705314901000,
            "outcome": "PASS",
            "outcome_details": [],
            "station_id": "line1",
            "metadata": {"test_name": "Demo", "part_number": "P"},
            "code_info": {"name": "", "docstring": None, "sourcecode": ""},
            "log_records": [],
            "phases": [phase],
        }
    ).encode()


_TABLE = (
    "SN,Start,End,Verdict,Part,Step,Step ok,Test,Value,Unit,Fixture\n"
    "{good},2026-03-14T09:12:05Z,2026-03-14T09:12:09Z,0,P-1,Power,0,supply,3.6,V,F7\n"
    "{bad},2026-03-14T09:15:05Z,2026-03-14T09:15:09Z,1,P-1,Power,1,supply,3.3,V,F7,surplus\n"
)


def _mapping() -> dict[str, Any]:
    words = {"1": "PASS", "0": "FAIL"}
    return {
        "fields": {
            "serial_number": {"column": "SN"},
            "outcome": {"column": "Verdict", "value_map": words},
            "started_at": {"column": "Start"},
            "ended_at": {"column": "End"},
            "part_number": {"column": "Part"},
        },
        "measurements": {
            "layout": "long",
            "name_column": "Test",
            "value_column": "Value",
            "units_column": "Unit",
            "phase_column": "Step",
        },
        "phases": {
            "name_column": "Step",
            "outcome_column": "Step ok",
            "value_map": words,
        },
        "metadata": [
            {"key": "fixture", "column": "Fixture"},
            {"key": "line", "value": "L2"},
        ],
    }


def _uploaded(official: Any, text: str) -> str:
    granted = official.user.attachments.initialize(name="table.csv")
    httpx.put(granted.upload_url, content=text.encode()).raise_for_status()
    return str(granted.id)


class TestImports:
    """``client.imports``."""

    def test_structured(self, official: Any, unique: Callable[[str], str]) -> None:
        """Each report is imported for itself, and what fails is said."""
        serial = unique("SN")
        uploads = []
        for name, content in (("good.json", _record(serial)), ("bad.json", b"{")):
            granted = official.user.attachments.initialize(name=name)
            httpx.put(granted.upload_url, content=content).raise_for_status()
            uploads.append(granted.id)
        items = [{"upload_id": id_, "importer": "OPENHTF"} for id_ in uploads]
        good, bad = official.user.imports.structured(items=items).results
        assert (good.success, good.already_imported) == (True, False)
        assert official.user.runs.get(id=good.id).unit.serial_number == serial
        assert (bad.success, bad.upload_id) == (False, uploads[1])
        assert bad.error
        with pytest.raises(official.errors.ErrorBADREQUEST, match="stored twice"):
            official.user.imports.structured(items=items[:1], allow_duplicate=True)
        (again,) = official.user.imports.structured(items=items[:1]).results
        assert (again.id, again.already_imported) == (good.id, True)

    def test_a_table_with_its_mapping(
        self, official: Any, unique: Callable[[str], str]
    ) -> None:
        """Every part of a mapping arrives; what is left out is named with its place."""
        good, bad = unique("SN"), unique("SN")
        upload = _uploaded(official, _TABLE.format(good=good, bad=bad))
        call = {"upload_id": upload, "procedure_id": official.procedure}
        made = official.user.imports.tabular(mapping=_mapping(), **call)
        assert made.file_import_id == upload
        run = official.user.runs.get(id=made.id)
        assert (run.unit.serial_number, run.outcome) == (good, "FAIL")
        assert run.procedure.id == official.procedure
        (phase,) = run.phases
        assert (phase.name, phase.outcome) == ("Power", "FAIL")
        (supply,) = phase.measurements
        assert (supply.name, supply.units) == ("supply", "V")
        assert supply.measured_value == 3.6
        shown = dict(run.metadata)
        assert shown == {"fixture": "F7", "line": "L2"}
        answer = httpx.post(
            f"{official.url}/api/v2/imports/tabular",
            headers={"Authorization": f"Bearer {official.keys['user']}"},
            json={**call, "mapping": _mapping()},
        ).json()
        assert (answer["id"], answer["already_imported"]) == (made.id, True)
        (warning,) = answer["warnings"]
        assert "line 3" in warning

    def test_a_mapping_that_does_not_fit(self, official: Any) -> None:
        """The mapping's wrong key, or the column that the table lacks, is named."""
        upload = _uploaded(official, "SN,Start\n1,2026-03-14\n")
        call = {"upload_id": upload, "procedure_id": official.procedure}
        tabular = official.user.imports.tabular
        with pytest.raises(official.errors.ErrorBADREQUEST, match="lacks "):
            tabular(mapping=_mapping(), **call)
        with pytest.raises(official.errors.ErrorBADREQUEST, match="one of the two"):
            tabular(**call)
        with pytest.raises(official.errors.ErrorBADREQUEST, match="no profile 'x'"):
            tabular(template_id="x", **call)
        with pytest.raises(official.errors.ErrorNOTFOUND, match="rocedure"):
            tabular(mapping=_mapping(), upload_id=upload, procedure_id="unknown")
        mapping = {"measurements": {"layout": "diagonal"}}
        answer = httpx.post(
            f"{official.url}/api/v2/imports/tabular",
            headers={"Authorization": f"Bearer {official.keys['user']}"},
            json={**call, "mapping": mapping},
        )
        assert answer.status_code == 400
        path = ["mapping", "measurements", "layout"]
        assert answer.json()["issues"][0]["path"] == path

"""Creating runs: what a body may hold, and how its problems are named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rigbridge.errors import BadRequestError, UnprocessableError
from rigbridge.wire import CreateRun
from rigbridge_store import RunStore
from rigbridge_store.refusals import FieldIssue


@pytest.fixture
def listed(
    store: RunStore, make_body: Callable[..., CreateRun], as_json: Callable[[Any], Any]
) -> Callable[..., Any]:
    """Give what creates a run and lists it as JSON values."""

    def create(**changes: Any) -> Any:
        body = make_body(**changes)
        store.create_run(body)
        return as_json(store.list_runs(body.unit_under_test.serial_number)[0])

    return create


@pytest.fixture
def issues(
    store: RunStore, make_body: Callable[..., CreateRun]
) -> Callable[..., dict[str, str]]:
    """Give what tells the problems of a body, by their paths."""

    def create(**changes: Any) -> dict[str, str]:
        with pytest.raises((BadRequestError, UnprocessableError)) as caught:
            store.create_run(make_body(**changes))
        found = [
            issue for issue in caught.value.issues if isinstance(issue, FieldIssue)
        ]
        assert store.recent_runs(1) == []
        return {issue.path: issue.message for issue in found}

    return create


def _phase(**changes: Any) -> dict[str, Any]:
    phase = {
        "name": "P",
        "outcome": "PASS",
        "start_time_millis": 0,
        "end_time_millis": 0,
    }
    return {**phase, **changes}


def _measured(**measurement: Any) -> dict[str, Any]:
    named = {"name": "M", "outcome": "UNSET", **measurement}
    return {"phases": [_phase(measurements=[named])]}


class TestListed:
    """What is listed of a run that was created."""

    def test_references(self, listed: Callable[..., Any]) -> None:
        """Procedure, version, unit, part, revision and batch are all created."""
        run = listed(
            procedure_version="v2.1.0",
            unit_under_test={
                "serial_number": "SN-1",
                "part_number": "PCB-1",
                "part_name": "Main board",
                "revision": "A",
                "batch_number": "24-01",
            },
        )
        assert run["procedure"]["name"] == "Function Test"
        assert run["procedure"]["version"]["tag"] == "v2.1.0"
        assert run["unit"]["serial_number"] == "SN-1"
        assert run["unit"]["part"]["number"] == "PCB-1"
        assert run["unit"]["part"]["name"] == "Main board"
        assert run["unit"]["part"]["revision"]["number"] == "A"
        assert run["unit"]["batch"]["number"] == "24-01"

    def test_phases(
        self, listed: Callable[..., Any], make_json: Callable[..., Any]
    ) -> None:
        """Phases and measurements come back with the numbers as they were sent."""
        (phase,) = listed()["phases"]
        assert phase == make_json()["phases"][0]
        assert type(phase["measurements"][0]["lower_limit"]) is int

    @pytest.mark.parametrize(
        "value",
        [
            1,
            1.0,
            -0.0,
            10**30,
            10**400,
            5e-324,
            "NaN",
            "",
            True,
            {"b": 1, "a": [None, 2.5]},
            [[1, 2.0], [2, "Infinity"]],
            [],
        ],
    )
    def test_measured_values(self, listed: Callable[..., Any], value: Any) -> None:
        """Every kind of value comes back as it was, its type included."""
        run = listed(**_measured(measured_value=value))
        found = run["phases"][0]["measurements"][0]["measured_value"]
        assert repr(found) == repr(value)

    def test_many_measurements(self, listed: Callable[..., Any]) -> None:
        """However many a phase has, each is there once and in its place."""
        names = [f"M{number}" for number in range(117)]
        measurements = [
            {
                "name": name,
                "outcome": "PASS",
                "measured_value": number + 0.5,
                # The zeros are equal as numbers, and differ all the same.
                "lower_limit": -0.0 if number % 2 else 0.0,
            }
            for number, name in enumerate(names)
        ]
        (phase,) = listed(phases=[_phase(measurements=measurements)])["phases"]
        found = phase["measurements"]
        assert [item["name"] for item in found] == names
        assert [item["measured_value"] for item in found] == [
            number + 0.5 for number in range(117)
        ]
        assert [str(item["lower_limit"]) for item in found[:4]] == ["0.0", "-0.0"] * 2

    def test_limits_spelled_otherwise(self, listed: Callable[..., Any]) -> None:
        """Limits that are equal keep how each was written."""
        measurements = [
            {"name": f"M{number}", "outcome": "PASS", "upper_limit": limit}
            for number, limit in enumerate([3, 3.0, 1, 3])
        ]
        (phase,) = listed(phases=[_phase(measurements=measurements)])["phases"]
        limits = [item["upper_limit"] for item in phase["measurements"]]
        assert [repr(limit) for limit in limits] == ["3", "3.0", "1", "3"]

    def test_nothing_measured(self, listed: Callable[..., Any]) -> None:
        """Null and absent fields of a measurement are both left out."""
        run = listed(**_measured(measured_value=None, units=None, validators=None))
        assert run["phases"][0]["measurements"] == [{"name": "M", "outcome": "UNSET"}]

    def test_units_of_columns(self, listed: Callable[..., Any]) -> None:
        """A unit a column comes back as a list."""
        run = listed(**_measured(measured_value=[[1, 2]], units=["s", "V"]))
        assert run["phases"][0]["measurements"][0]["units"] == ["s", "V"]

    def test_logs(self, listed: Callable[..., Any]) -> None:
        """Log lines come back as they were, in order."""
        logs = [
            {
                "level": level,
                "timestamp": "2024-01-15T10:35:00.5Z",
                "message": f"line\n{level} \x00",
                "source_file": "main.py",
                "line_number": 12,
            }
            for level in ("DEBUG", "CRITICAL")
        ]
        assert listed(logs=logs)["logs"] == logs

    def test_nulls(self, listed: Callable[..., Any]) -> None:
        """Null stands for absent in every optional field."""
        fields = (
            "outcome procedure_id procedure_version started_at ended_at duration "
            "operated_by docstring sub_units phases logs steps client client_version"
        )
        run = listed(**dict.fromkeys(fields.split()))
        assert run["outcome"] == "PASS"
        assert run["started_at"] is None
        assert run["phases"] == []

    @pytest.mark.parametrize(
        ("passed", "outcome", "expected"),
        [
            (True, ..., "PASS"),
            (False, ..., "FAIL"),
            (True, "FAIL", "FAIL"),
            (False, "PASS", "PASS"),
            (False, "TIMEOUT", "TIMEOUT"),
        ],
    )
    def test_outcome_wins(
        self, listed: Callable[..., Any], passed: bool, outcome: Any, expected: str
    ) -> None:
        """The finer verdict wins over ``run_passed``, which stands in for it."""
        assert listed(run_passed=passed, outcome=outcome)["outcome"] == expected

    def test_unknown_times(self, listed: Callable[..., Any]) -> None:
        """Times that nobody gave are null, never made up."""
        run = listed(started_at=..., duration=...)
        assert (run["started_at"], run["ended_at"]) == (None, None)
        assert run["duration"] == "PT0S"

    @pytest.mark.parametrize(
        "times",
        [
            {"duration": "PT2M30.250S"},
            {"duration": ..., "ended_at": "2024-01-15T10:37:30.25Z"},
            {"duration": "PT150.25S", "ended_at": "2024-01-15T12:37:30.250+02:00"},
        ],
    )
    def test_either_end_or_duration(
        self, listed: Callable[..., Any], times: dict[str, Any]
    ) -> None:
        """Either of end and duration gives the other, in UTC."""
        run = listed(**times)
        assert run["ended_at"] == "2024-01-15T10:37:30.250Z"
        assert run["duration"] == "PT2M30.25S"

    def test_steps_become_phases(self, listed: Callable[..., Any]) -> None:
        """The oldest shape is turned into a phase with a measurement a step."""
        run = listed(
            phases=...,
            steps=[
                {
                    "name": "Step",
                    "step_passed": False,
                    "started_at": "2024-01-15T10:35:01Z",
                    "duration": "PT1.5S",
                    "measurement_value": 5,
                    "measurement_unit": "A",
                    "limit_low": None,
                    "limit_high": 4.5,
                },
                {"name": "Plain", "step_passed": True},
            ],
        )
        step, plain = run["phases"]
        assert step["outcome"] == "FAIL"
        assert step["end_time_millis"] - step["start_time_millis"] == 1500
        assert step["measurements"] == [
            {
                "name": "Step",
                "outcome": "FAIL",
                "measured_value": 5,
                "units": "A",
                "upper_limit": 4.5,
            }
        ]
        assert plain["measurements"] == []
        assert plain["start_time_millis"] == 1705314900000


class TestRefused:
    """The problems of a body, each with its path."""

    def test_all_together(self, issues: Callable[..., dict[str, str]]) -> None:
        """All problems are reported at once."""
        found = issues(
            unit_under_test={"serial_number": " "},
            procedure_name="",
            procedure_version="v" * 256,
            started_at="yesterday",
            phases=[_phase(), _phase(name="")],
        )
        assert set(found) == {
            "unit_under_test.serial_number",
            "procedure_id",
            "procedure_version",
            "started_at",
            "phases[1].name",
        }

    @pytest.mark.parametrize(
        ("changes", "path"),
        [
            ({"unit_under_test": {"serial_number": "x" * 256}}, None),
            ({"procedure_id": "x" * 256}, "procedure_id"),
            ({"procedure_version": "x" * 256}, "procedure_version"),
            ({"started_at": "2024-01-15T10:35:00"}, "started_at"),
            ({"ended_at": "2024-13-15T10:35:00Z"}, "ended_at"),
            ({"duration": "2 minutes"}, "duration"),
            ({"duration": "-PT5S"}, "duration"),
            ({"sub_units": [{"serial_number": ""}]}, "sub_units[0].serial_number"),
            (
                {"phases": [_phase(start_time_millis=1e18)]},
                "phases[0].start_time_millis",
            ),
            (_measured(name=" "), "phases[0].measurements[0].name"),
            (
                _measured(measured_value=float("nan")),
                "phases[0].measurements[0].measured_value",
            ),
            (
                _measured(lower_limit=float("inf")),
                "phases[0].measurements[0].lower_limit",
            ),
            (
                {"steps": [{"name": "", "step_passed": True}]},
                "steps[0].name",
            ),
            (
                {
                    "steps": [
                        {"name": "S", "step_passed": True, "duration": "P4000000D"}
                    ]
                },
                "steps[0].duration",
            ),
        ],
    )
    def test_field(
        self,
        issues: Callable[..., dict[str, str]],
        changes: dict[str, Any],
        path: str | None,
    ) -> None:
        """A malformed field is named by its path."""
        assert set(issues(**changes)) == {path or "unit_under_test.serial_number"}

    def test_log_lines(self, issues: Callable[..., dict[str, str]]) -> None:
        """Times and lines of log entries are checked."""
        log = {
            "level": "INFO",
            "timestamp": "now",
            "message": "",
            "source_file": "",
            "line_number": -1,
        }
        assert set(issues(logs=[log])) == {"logs[0].timestamp", "logs[0].line_number"}

    @pytest.mark.parametrize(
        "times",
        [
            {"duration": ..., "ended_at": "2024-01-15T10:34:59Z"},
            {"duration": "PT1M", "ended_at": "2024-01-15T10:37:30Z"},
            # The tolerance is one millisecond.
            {"duration": "PT1M", "ended_at": "2024-01-15T10:36:00.002Z"},
            {"duration": "P4000000D"},
        ],
    )
    def test_contradicting_times(
        self,
        store: RunStore,
        make_body: Callable[..., CreateRun],
        times: dict[str, Any],
    ) -> None:
        """Times that contradict each other are unprocessable."""
        with pytest.raises(UnprocessableError):
            store.create_run(make_body(**times))

    def test_rounded_times(
        self, store: RunStore, make_body: Callable[..., CreateRun]
    ) -> None:
        """An end and a duration may differ by a millisecond, as rounding makes them."""
        body = make_body(duration="PT0.0015S", ended_at="2024-01-15T10:35:00.001Z")
        assert store.create_run(body).created

    def test_half_a_character(
        self, store: RunStore, make_body: Callable[..., CreateRun]
    ) -> None:
        """A text that no database can hold is refused in clear words."""
        with pytest.raises(BadRequestError, match="surrogate"):
            store.create_run(make_body(docstring="\ud800"))
        with pytest.raises(BadRequestError, match="surrogate"):
            store.list_runs("\ud800")

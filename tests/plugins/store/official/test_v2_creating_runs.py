"""``client.runs.create`` and ``client.runs.get`` of the official v2 client."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

_STARTED = datetime(2026, 1, 15, 10, 35, tzinfo=UTC)
_ENDED = _STARTED + timedelta(minutes=5)
_PHASE = {
    "name": "Power",
    "outcome": "PASS",
    "started_at": _STARTED,
    "ended_at": _STARTED + timedelta(seconds=2),
}


def _measured(official: Any, *measurements: dict[str, Any]) -> list[Any]:
    created = official.run(phases=[{**_PHASE, "measurements": list(measurements)}])
    (phase,) = official.user.runs.get(id=created).phases
    return list(phase.measurements)


class TestFields:
    """Every argument comes back."""

    @pytest.mark.parametrize("who", ["user", "station"])
    def test_all(self, official: Any, unique: Callable[[str], str], who: str) -> None:
        """What was sent is what is there, for both kinds of key."""
        client = getattr(official, who)
        inner = unique("INNER")
        official.run(client, serial_number=inner)
        serial, batch = unique("SN"), unique("LOT")
        created = official.run(
            client,
            serial_number=serial,
            part_number="PCB-7",
            revision_number="C",
            batch_number=batch,
            procedure_version="v1.2.3",
            operated_by="jane@example.com",
            sub_units=[inner],
            docstring="Why we test.",
            client_run_ref=unique("ref"),
            execution_id=unique("execution"),
            slot_key="s1",
            slot_name="Left",
            phases=[_PHASE],
            logs=[
                {
                    "level": "WARNING",
                    "timestamp": _STARTED,
                    "message": "warm",
                    "source_file": "main.py",
                    "line_number": 7,
                }
            ],
            metadata={"line": "A", "temperature": 21.5, "shielded": True},
            unit_metadata={"colour": "red"},
        )
        run = client.runs.get(id=created)
        assert (run.outcome, run.docstring) == ("PASS", "Why we test.")
        assert (run.started_at, run.ended_at) == (_STARTED, _ENDED)
        assert run.duration == "PT5M"
        assert run.procedure.version.tag == "v1.2.3"
        assert run.unit.serial_number == serial
        assert run.unit.part.number == "PCB-7"
        assert run.unit.part.revision.number == "C"
        assert run.unit.batch.number == batch
        assert run.operated_by.email == "jane@example.com"
        assert [item.serial_number for item in run.sub_units] == [inner]
        assert (run.slot_key, run.slot_name) == ("s1", "Left")
        assert run.metadata == {"line": "A", "temperature": 21.5, "shielded": True}
        (phase,) = run.phases
        assert (phase.name, phase.outcome, phase.duration) == ("Power", "PASS", "PT2S")
        (log,) = run.logs
        assert (log.level, log.message, log.source_file) == (
            "WARNING",
            "warm",
            "main.py",
        )
        assert log.line_number == 7
        made_by = run.created_by_user if who == "user" else run.created_by_station
        assert made_by.name == ("Jane" if who == "user" else "Line 1")
        unit = client.units.get(serial_number=serial)
        assert unit.metadata == {"colour": "red"}

    @pytest.mark.parametrize("outcome", ["PASS", "FAIL", "ERROR", "TIMEOUT", "ABORTED"])
    def test_outcomes(self, official: Any, outcome: str) -> None:
        """Each verdict is kept."""
        created = official.run(outcome=outcome)
        assert official.user.runs.get(id=created).outcome == outcome

    def test_least(self, official: Any) -> None:
        """A unit has a part with a first revision, and nothing else is made up."""
        run = official.user.runs.get(id=official.run())
        assert run.unit.part.revision.number == "A"
        assert (run.unit.batch, run.operated_by, run.docstring) == (None, None, None)
        assert (run.phases, run.logs, run.attachments, run.sub_units) == (
            [],
            [],
            [],
            [],
        )

    def test_declared_operator(self, official: Any) -> None:
        """An operator who is no user is a name without an account."""
        run = official.user.runs.get(id=official.run(operated_by="Jean Dupont"))
        assert run.operated_by.name == "Jean Dupont"
        assert (run.operated_by.id, run.operated_by.email) == (None, None)

    def test_times_without_a_zone(self, official: Any) -> None:
        """A time without a zone is one in UTC, and milliseconds are kept."""
        moment = datetime(2026, 1, 15, 10, 35, 0, 123000)  # noqa: DTZ001 - on purpose
        run = official.user.runs.get(
            id=official.run(started_at=moment, ended_at=moment)
        )
        assert run.started_at == moment.replace(tzinfo=UTC)

    def test_same_reference(self, official: Any, unique: Callable[[str], str]) -> None:
        """A run that is sent again with its reference is the first one."""
        values = {"serial_number": unique("SN"), "client_run_ref": unique("ref")}
        assert official.run(**values) == official.run(**values)

    def test_no_reference(self, official: Any, unique: Callable[[str], str]) -> None:
        """Without a reference each request is a run."""
        serial = unique("SN")
        assert official.run(serial_number=serial) != official.run(serial_number=serial)


class TestMatching:
    """What a run refers to is found in any case, spaces around it left out."""

    def test_all(self, official: Any, unique: Callable[[str], str]) -> None:
        """Unit, part, revision, batch and version are found again."""
        number = unique("abc")
        values = {
            "serial_number": f"sn-{number}",
            "part_number": f"part-{number}",
            "revision_number": f"rev-{number}",
            "batch_number": f"lot-{number}",
            "procedure_version": f"v{number}",
        }
        first = official.run(**values)
        spelled = {name: f"  {text.upper()} " for name, text in values.items()}
        second = official.run(**spelled)
        one, two = (official.user.runs.get(id=run) for run in (first, second))
        assert one.unit.id == two.unit.id
        assert one.unit.part.id == two.unit.part.id
        assert one.unit.part.revision.id == two.unit.part.revision.id
        assert one.unit.batch.id == two.unit.batch.id
        assert one.procedure.version.id == two.procedure.version.id
        assert two.unit.serial_number == values["serial_number"]


class TestMeasurements:
    """Values, limits, validators, aggregations and series."""

    @pytest.mark.parametrize(
        "value", [3.3, 7, "OK", True, False, {"a": [1, "x"]}, [1.0, 2.0], []]
    )
    def test_values(self, official: Any, value: Any) -> None:
        """A value of each kind comes back as it was."""
        (shown,) = _measured(
            official, {"name": "m", "outcome": "PASS", "measured_value": value}
        )
        assert shown.measured_value == value

    def test_limits(self, official: Any) -> None:
        """The older limits are shown as validators."""
        (shown,) = _measured(
            official,
            {
                "name": "U",
                "outcome": "FAIL",
                "measured_value": 3.9,
                "units": "V",
                "lower_limit": 3.0,
                "upper_limit": 3.6,
            },
        )
        assert shown.units == "V"
        assert [
            (item.operator, item.expected_value, item.outcome)
            for item in shown.validators
        ] == [(">=", 3.0, "PASS"), ("<=", 3.6, "FAIL")]

    @pytest.mark.parametrize(
        "validator",
        [
            {"operator": ">=", "expected_value": 1.0, "outcome": "PASS"},
            {"operator": "==", "expected_value": "1.0", "outcome": "FAIL"},
            {"operator": "==", "expected_value": True, "outcome": "UNSET"},
            {"operator": "in", "expected_value": ["a", "b"], "outcome": "PASS"},
            {"operator": "range", "expected_value": [1.0, 2.0], "outcome": "PASS"},
            {"operator": "matches", "expected_value": "^a", "is_decisive": False},
            {"expression": "is even", "outcome": "PASS"},
        ],
    )
    def test_validators(self, official: Any, validator: dict[str, Any]) -> None:
        """A validator of each kind comes back."""
        (shown,) = _measured(
            official,
            {
                "name": "m",
                "outcome": "PASS",
                "measured_value": 1.5,
                "validators": [validator],
            },
        )
        (read,) = shown.validators
        for name, value in validator.items():
            assert getattr(read, name) == value

    @pytest.mark.parametrize("validators", [None, []])
    def test_no_validators(self, official: Any, validators: Any) -> None:
        """No validators are none, however that is said."""
        (shown,) = _measured(
            official, {"name": "m", "outcome": "UNSET", "validators": validators}
        )
        assert not shown.validators

    def test_aggregations(self, official: Any) -> None:
        """An aggregation comes back with its own validators."""
        (shown,) = _measured(
            official,
            {
                "name": "m",
                "outcome": "PASS",
                "measured_value": [1.0, 2.0],
                "aggregations": [
                    {
                        "type": "%max",
                        "outcome": "PASS",
                        "value": 2.0,
                        "unit": "V",
                        "validators": [
                            {
                                "operator": "<",
                                "expected_value": 3.0,
                                "outcome": "PASS",
                                "is_decisive": False,
                            }
                        ],
                    },
                    {"type": "mode", "value": "OK"},
                    {"type": "all", "value": True, "outcome": "UNSET"},
                ],
            },
        )
        assert [(item.type, item.value) for item in shown.aggregations] == [
            ("%max", 2.0),
            ("mode", "OK"),
            ("all", True),
        ]
        (validator,) = shown.aggregations[0].validators
        assert (validator.operator, validator.is_decisive) == ("<", False)

    def test_series(self, official: Any) -> None:
        """Axes come back with their units, validators and aggregations."""
        (shown,) = _measured(
            official,
            {
                "name": "curve",
                "outcome": "PASS",
                "x_axis": {"data": [0.0, 1.0], "units": "s", "name": "t"},
                "y_axis": [
                    {
                        "data": [1.0, 2.0],
                        "units": "V",
                        "name": "U",
                        "description": "at the pin",
                        "validators": [{"operator": ">=", "expected_value": 0.5}],
                        "aggregations": [{"type": "max", "value": 2.0}],
                    },
                    {"data": [3.0, 4.0], "name": "I"},
                ],
            },
        )
        t, u, i = shown.data_series
        assert (t.name, t.units, t.data) == ("t", "s", [0.0, 1.0])
        assert (u.name, u.units, u.description) == ("U", "V", "at the pin")
        assert u.validators[0].expected_value == 0.5
        assert u.aggregations[0].value == 2.0
        assert i.data == [3.0, 4.0]

    @pytest.mark.parametrize(
        ("x", "y"), [([0.0, 1.0, 2.0], [1.0]), ([], []), ([-1.0], [-2.0])]
    )
    def test_axes_of_any_length(
        self, official: Any, x: list[float], y: list[float]
    ) -> None:
        """Axes of unequal length lose no point."""
        (shown,) = _measured(
            official,
            {
                "name": "curve",
                "outcome": "PASS",
                "x_axis": {"data": x},
                "y_axis": [{"data": y}],
            },
        )
        assert [axis.data for axis in shown.data_series] == [x, y]

    def test_retries(self, official: Any) -> None:
        """How often a phase was tried again is kept."""
        created = official.run(
            phases=[_PHASE, {**_PHASE, "retry_count": 1, "outcome": "FAIL"}]
        )
        phases = official.user.runs.get(id=created).phases
        assert [phase.retry_count for phase in phases] == [0, 1]

    def test_sequences(self, official: Any) -> None:
        """Phases belong to sequence calls, which are shown in their tree."""
        created = official.run(
            sequences=[
                {"path": "main", "name": "Main", "outcome": "PASS"},
                {
                    "path": "main/power",
                    "name": "Power",
                    "outcome": "SKIP",
                    "source": "power.seq",
                    "started_at": _STARTED,
                    "ended_at": _ENDED,
                },
            ],
            phases=[{**_PHASE, "sequence_path": "main/power"}],
        )
        run = official.user.runs.get(id=created)
        assert [(item.path, item.parent_path) for item in run.sequences] == [
            ("main", None),
            ("main/power", "main"),
        ]
        assert (run.phases[0].name, run.phases[0].sequence_path) == (
            "Power",
            "main/power",
        )


class TestRefusals:
    """Bodies that are refused, with the client's own classes of errors."""

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"serial_number": ""}, "serial number"),
            ({"serial_number": "   "}, "serial number"),
            ({"serial_number": "A" * 1001}, "serial number"),
            ({"part_number": ""}, "part number"),
            ({"batch_number": ""}, "batch number"),
            ({"revision_number": " "}, "revision number"),
            ({"operated_by": ""}, "too small"),
            ({"procedure_id": "not-a-uuid"}, "uuid"),
            ({"procedure_version": "a b"}, "procedure version"),
            ({"ended_at": _STARTED - timedelta(hours=1)}, "ended at"),
            ({"slot_key": "s"}, "execution_id"),
            ({"sub_units": [""]}, "sub_units[0]"),
            ({"metadata": {"": "x"}}, "metadata"),
            ({"phases": [{**_PHASE, "retry_count": -1}]}, "phases[0].retry_count"),
        ],
    )
    def test_malformed(
        self, official: Any, changes: dict[str, Any], words: str
    ) -> None:
        """A malformed field is a 400 that names the field in its words."""
        with pytest.raises(official.errors.ErrorBADREQUEST) as caught:
            official.run(**changes)
        assert words in caught.value.data.issues[0].message.lower()
        assert "validation" in str(caught.value)

    def test_no_part(self, official: Any) -> None:
        """A new unit needs a part, in the contract's words."""
        with pytest.raises(official.errors.ErrorBADREQUEST) as caught:
            official.run(part_number=...)
        assert str(caught.value).startswith("Part number is required")

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"procedure_id": str(uuid.uuid4())}, "Procedure with ID"),
            ({"sub_units": ["nobody"]}, "nobody"),
            ({"deployment_id": str(uuid.uuid4())}, "Deployment"),
        ],
    )
    def test_unknown(self, official: Any, changes: dict[str, Any], words: str) -> None:
        """What the run refers to must exist."""
        with pytest.raises(official.errors.ErrorNOTFOUND, match=words):
            official.run(**changes)

    def test_cycle(self, official: Any, unique: Callable[[str], str]) -> None:
        """A unit cannot contain itself."""
        outer, inner = unique("OUTER"), unique("INNER")
        official.run(serial_number=inner)
        official.run(serial_number=outer, sub_units=[inner])
        with pytest.raises(official.errors.ErrorBADREQUEST, match="cycle"):
            official.run(serial_number=inner, sub_units=[outer])

    def test_station_not_linked(
        self, official: Any, unique: Callable[[str], str]
    ) -> None:
        """A station is told what to do about a procedure that is not its own."""
        other = official.user.procedures.create(name=unique("Other")).id
        for procedure in (other, str(uuid.uuid4())):
            with pytest.raises(official.errors.ErrorFORBIDDEN) as caught:
                official.run(official.station, procedure_id=procedure)
            assert "not authorized" in str(caught.value)
            assert "Link the procedure" in str(caught.value)

    def test_wrong_key(self, official: Any) -> None:
        """A key that is none is a 401."""
        with pytest.raises(official.errors.ErrorUNAUTHORIZED):
            official.run(official.client("rb_0_0"))

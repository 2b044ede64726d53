"""Exact limits of what a body may hold, and what each of its fields becomes."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import attrs
import pytest
import sqlalchemy as sa

from rigbridge.errors import BadRequestError, UnprocessableError
from rigbridge.model import RunOutcome
from rigbridge.wire import CreateRun
from rigbridge_store import CreationPolicy, RunStore
from rigbridge_store.fields import known
from rigbridge_store.intake.creation import IdempotencyKey
from rigbridge_store.intake.preparation import digest, prepare
from rigbridge_store.tables.packing import unpack
from rigbridge_store.tables.schema import (
    run_documents,
    runs,
    stations,
    unit_sub_units,
    units,
    users,
)

BodyMaker = Callable[..., CreateRun]

_STARTED = 1_705_314_900_000_000
"""2024-01-15T10:35:00Z in microseconds."""


class TestTimes:
    """Start, end and duration: each follows from the other two."""

    @pytest.mark.parametrize(
        ("times", "ended", "duration"),
        [
            ({"duration": "PT2S"}, 2_000_000, 2_000_000),
            (
                {"duration": ..., "ended_at": "2024-01-15T10:35:03Z"},
                3_000_000,
                3_000_000,
            ),
            ({"duration": ..., "ended_at": "2024-01-15T10:35:00Z"}, 0, 0),
            # Where both are given each stays as it was sent.
            (
                {"duration": "PT2.001S", "ended_at": "2024-01-15T10:35:02Z"},
                2_000_000,
                2_001_000,
            ),
            ({"duration": ..., "ended_at": ...}, None, None),
        ],
    )
    def test_what_is_left_out_follows(
        self,
        make_body: BodyMaker,
        times: dict[str, Any],
        ended: int | None,
        duration: int | None,
    ) -> None:
        """Microseconds, as the store keeps them."""
        prepared = prepare(make_body(**times))
        assert prepared.started_at == _STARTED
        assert prepared.ended_at == (None if ended is None else _STARTED + ended)
        assert prepared.duration == duration

    def test_without_a_start_nothing_follows(self, make_body: BodyMaker) -> None:
        """A duration alone says nothing of an end."""
        prepared = prepare(make_body(started_at=..., duration="PT2S"))
        assert (prepared.started_at, prepared.ended_at) == (None, None)
        assert prepared.duration == 2_000_000

    @pytest.mark.parametrize("millis", [1, -1])
    def test_a_millisecond_is_tolerated(
        self, make_body: BodyMaker, millis: int
    ) -> None:
        """Either way, exactly; a microsecond more is a contradiction."""
        end = "2024-01-15T10:35:02Z"
        span = timedelta(seconds=2, milliseconds=millis)
        prepare(make_body(duration=f"PT{span.total_seconds():.6f}S", ended_at=end))
        span += timedelta(microseconds=millis)
        with pytest.raises(UnprocessableError):
            prepare(make_body(duration=f"PT{span.total_seconds():.6f}S", ended_at=end))


class TestLengths:
    """The longest that is taken, and one character more."""

    @pytest.mark.parametrize(
        ("field", "limit"), [("procedure_version", 255), ("procedure_id", 255)]
    )
    def test_texts(self, make_body: BodyMaker, field: str, limit: int) -> None:
        """The limit itself is allowed."""
        prepare(make_body(**{field: "x" * limit}))
        with pytest.raises(BadRequestError):
            prepare(make_body(**{field: "x" * (limit + 1)}))

    def test_serial_numbers(self, make_body: BodyMaker) -> None:
        """Of the unit and of its parts."""
        unit = {"serial_number": "x" * 255}
        prepare(make_body(unit_under_test=unit, sub_units=[unit]))
        long = {"serial_number": "x" * 256}
        with pytest.raises(BadRequestError):
            prepare(make_body(unit_under_test=long))
        with pytest.raises(BadRequestError):
            prepare(make_body(sub_units=[long]))

    def test_idempotency_keys(self) -> None:
        """From 1 to 255 characters."""
        for text in ("x", "x" * 255):
            assert IdempotencyKey.of(text, "d").text == text
        for text in ("", " ", "x" * 256):
            with pytest.raises(BadRequestError, match="1 to 255"):
                IdempotencyKey.of(text, "d")


class TestNumbers:
    """What JSON cannot hold is refused by its place, never left out."""

    @pytest.mark.parametrize("field", ["measured_value", "lower_limit", "upper_limit"])
    @pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
    def test_numbers_that_are_none(
        self, make_body: BodyMaker, field: str, number: float
    ) -> None:
        """The value and both limits."""
        body = make_body()
        [phase] = list(known(body.phases) or [])
        [measurement] = list(known(phase.measurements) or [])
        change: dict[str, Any] = {field: number}
        changed = attrs.evolve(measurement, **change)
        phases = [attrs.evolve(phase, measurements=[changed])]
        with pytest.raises(BadRequestError) as caught:
            prepare(attrs.evolve(body, phases=phases))
        assert [issue.partition(":")[0] for issue in caught.value.issues] == [
            f"phases[0].measurements[0].{field}"
        ]


class TestDocuments:
    """The sidecar and the report lie beside the run."""

    @pytest.mark.parametrize(
        ("sidecar", "report"),
        [(None, None), ({"overlay": None}, None), (None, {"mapped": 1})],
    )
    def test_one_row_where_there_is_either(
        self,
        store: RunStore,
        make_body: BodyMaker,
        sidecar: dict[str, Any] | None,
        report: dict[str, Any] | None,
    ) -> None:
        """And none where there is neither."""
        body = make_body(**({} if sidecar is None else {"rigbridge": sidecar}))
        store.create_run(body, report=report)
        with store.reading() as connection:
            rows = connection.execute(
                sa.select(run_documents.c.sidecar, run_documents.c.report)
            ).all()
        expected = [
            tuple(None if given is None else given for given in (sidecar, report))
        ]
        found = [
            tuple(
                None if packed is None else json.loads(unpack(packed)) for packed in row
            )
            for row in rows
        ]
        assert found == ([] if expected == [(None, None)] else expected)


class TestUnits:
    """Where a unit came from, and what it is built into."""

    @pytest.mark.parametrize("order", [("OLD", "NEW"), ("NEW", "OLD")])
    def test_a_unit_is_in_one_place(
        self, store: RunStore, make_body: BodyMaker, order: tuple[str, str]
    ) -> None:
        """That is where the newest run says, whichever run came last."""
        for serial in ("PART", *order):
            store.create_run(make_body(unit_under_test={"serial_number": serial}))
        started = {"OLD": "2020-01-01T00:00:00Z", "NEW": "2022-01-01T00:00:00Z"}
        for serial in order:
            parts = [{"serial_number": "part"}]
            unit = {"serial_number": serial}
            store.create_run(
                make_body(
                    unit_under_test=unit,
                    sub_units=parts,
                    started_at=started[serial],
                    duration="PT1S",
                )
            )
        parent = sa.select(units.c.serial_number).join(
            unit_sub_units, unit_sub_units.c.parent_key == units.c.key
        )
        with store.reading() as connection:
            assert list(connection.execute(parent).scalars()) == ["NEW"]
            by_run = connection.execute(sa.select(units.c.by_run)).scalars()
            assert set(by_run) == {True}


class TestParts:
    """What of a body goes where."""

    def test_the_digest_ignores_who_sends(self, make_body: BodyMaker) -> None:
        """A client may be updated before it sends a run again; content counts."""
        first = digest(make_body(client="a", client_version="1"))
        assert digest(make_body(client="b", client_version="2")) == first
        assert digest(make_body(run_passed=False)) != first

    def test_the_head_holds_what_has_no_rows(self, make_body: BodyMaker) -> None:
        """Phases, logs and the sidecar are kept elsewhere."""
        log = {
            "level": "INFO",
            "timestamp": "2024-01-15T10:35:00Z",
            "message": "m",
            "source_file": "f",
            "line_number": 7,
        }
        body = make_body(logs=[log], rigbridge={"overlay": None})
        prepared = prepare(body)
        head = json.loads(prepared.head)
        assert not {"phases", "logs", "steps", "rigbridge"} & head.keys()
        assert head["procedure_name"] == "Function Test"
        assert [row[:2] for row in prepared.phases] == [(0, "Power")]
        assert prepared.logs == [
            (0, "INFO", "2024-01-15T10:35:00Z", "m", "f", 7),
        ]

    def test_the_report_is_parted_from_the_sidecar(self, make_body: BodyMaker) -> None:
        """One that comes beside the body wins over the one inside."""
        sidecar = {"overlay": None, "report": {"mapped": 1}}
        prepared = prepare(make_body(rigbridge=sidecar))
        assert json.loads(unpack(prepared.sidecar or b"")) == {"overlay": None}
        assert json.loads(unpack(prepared.report or b"")) == {"mapped": 1}
        prepared = prepare(make_body(rigbridge=sidecar), report={"mapped": 2})
        assert json.loads(unpack(prepared.report or b"")) == {"mapped": 2}
        prepared = prepare(make_body(rigbridge={"report": "no report"}))
        assert json.loads(unpack(prepared.sidecar or b"")) == {"report": "no report"}
        assert prepared.report is None

    def test_files_that_nobody_has_are_references(self, make_body: BodyMaker) -> None:
        """Those of which the sidecar knows no digest; what is malformed is not one."""
        described: list[object] = [
            {"name": "kept", "sha256": "0" * 64},
            {"name": "away", "sha256": None, "media_type": "text/plain"},
            {"name": "typeless", "media_type": 3},
            {"name": 3},
            "no object",
        ]
        prepared = prepare(make_body(rigbridge={"attachments": described}))
        assert [(file.name, file.mime_type) for file in prepared.references] == [
            ("away", "text/plain"),
            ("typeless", None),
        ]
        assert prepare(make_body(rigbridge={"attachments": 3})).references == ()

    @pytest.mark.parametrize(
        ("fields", "outcome"),
        [
            ({"run_passed": True}, RunOutcome.PASS),
            ({"run_passed": False}, RunOutcome.FAIL),
            ({"run_passed": True, "outcome": "ERROR"}, RunOutcome.ERROR),
        ],
    )
    def test_the_outcome(
        self, make_body: BodyMaker, fields: dict[str, Any], outcome: RunOutcome
    ) -> None:
        """What is said in a word counts, else whether the run passed."""
        assert prepare(make_body(**fields)).outcome is outcome


class TestWhoSent:
    """The run knows whose key created it, and who operated the rig."""

    @staticmethod
    def _row(store: RunStore, run: str) -> Any:
        with store.reading() as connection:
            return connection.execute(
                sa.select(
                    runs,
                    users.c.name.label("user"),
                    stations.c.name.label("station"),
                )
                .select_from(
                    runs.outerjoin(
                        users, runs.c.creator_user_key == users.c.key
                    ).outerjoin(stations, runs.c.creator_station_key == stations.c.key)
                )
                .where(runs.c.id == run)
            ).one()

    def test_a_user(self, store: RunStore, make_body: BodyMaker) -> None:
        """The key of a user fills the user's column alone."""
        jane = store.authenticate(store.create_user_key("Jane"))
        row = self._row(store, store.create_run(make_body(), principal=jane).id)
        assert (row.user, row.creator_station_key) == ("Jane", None)

    def test_a_station(self, store: RunStore, make_body: BodyMaker) -> None:
        """The key of a station fills the station's column alone."""
        store.create_run(make_body())
        rig = store.authenticate(store.create_station_key("Rig"))
        store.administration.link_station("Rig", "Function Test")
        row = self._row(store, store.create_run(make_body(), principal=rig).id)
        assert (row.station, row.creator_user_key) == ("Rig", None)

    def test_nobody(self, store: RunStore, make_body: BodyMaker) -> None:
        """In process there is no key, and no creator."""
        row = self._row(store, store.create_run(make_body()).id)
        assert (row.creator_user_key, row.creator_station_key) == (None, None)

    def test_an_operator(self, store: RunStore, make_body: BodyMaker) -> None:
        """One that the store knows is a reference, another is but a name."""
        store.create_user_key("Jane", email="jane@example.com")
        policy = CreationPolicy(declared_operators=True)
        found = []
        for operator in ("jane@example.com", "Joe"):
            body = make_body(operated_by=operator)
            row = self._row(store, store.create_run(body, policy=policy).id)
            found.append((row.operator_name, row.operator_key is None))
        assert found == [(None, False), ("Joe", True)]

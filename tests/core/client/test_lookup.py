"""Finding one's own run among those of its unit."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigbridge.client.delivery.lookup import Search, named_by
from rigbridge.client.listing import ReceivedRun
from rigbridge.convert.times import from_millis, to_iso_utc
from rigbridge.destinations import Claims
from rigbridge.errors import AmbiguousRunError
from rigbridge.model import (
    MeasurementOutcome,
    PhaseOutcome,
    RunOutcome,
)
from rigbridge.wire import (
    CreateRun,
    ListedProcedure,
    ListedUnit,
    WireMeasurement,
    WirePhase,
    WireUnit,
)

_STARTED = "2026-01-02T03:04:05.678Z"
_BEGAN = 1_800_000_000.0
_BEFORE, _AFTER = (
    to_iso_utc(from_millis(1000 * (_BEGAN + seconds))) for seconds in (-60, 60)
)
_PROCEDURE_ID = "550e8400-e29b-41d4-a716-446655440003"
_OURS = uuid4()


def _phase(value: object = 3.31, *, name: str = "Power", **fields: Any) -> WirePhase:
    measurement = WireMeasurement(
        name="supply", outcome=MeasurementOutcome.PASS, measured_value=value
    )
    given_fields = {
        "name": name,
        "outcome": PhaseOutcome.PASS,
        "start_time_millis": 1000,
        "end_time_millis": 2000,
        "measurements": [measurement],
        **fields,
    }
    return WirePhase(**given_fields)


def _body(**fields: Any) -> CreateRun:
    given_fields = {
        "unit_under_test": WireUnit(serial_number="SN"),
        "run_passed": True,
        "outcome": RunOutcome.PASS,
        "procedure_name": "Final test",
        "started_at": _STARTED,
        "phases": [_phase()],
        **fields,
    }
    return CreateRun(**given_fields)


def _listed(**fields: Any) -> ReceivedRun:
    given_fields = {
        "id": "r1",
        "outcome": "PASS",
        "started_at": _STARTED,
        "procedure": ListedProcedure(id=_PROCEDURE_ID, name="Final test"),
        **fields,
    }
    return ReceivedRun(**given_fields)


def _find(
    body: CreateRun,
    *runs: ReceivedRun,
    seen: tuple[str, ...] | None = None,
    began: float | None = None,
    owners: dict[str, UUID] | None = None,
    rivals: bool = False,
    was_sent: bool = True,
) -> ReceivedRun | None:
    sent = attrs.evolve(named_by(body), seen=seen, began=began)
    search = Search(body=body, sent=sent, run_id=_OURS, was_sent=was_sent)
    claims = Claims(owners=owners or {}, rivals=rivals)
    return search.choose(search.candidates(runs), claims)


class TestLikeness:
    """What counts as a run that may be ours."""

    @pytest.mark.parametrize(
        "fields",
        [
            {"outcome": "FAIL"},
            {"started_at": "2026-01-02T03:04:05.679Z"},
            {"started_at": None},
            {"started_at": "yesterday"},
            {"procedure": ListedProcedure(id="p2", name="Other test")},
            {"outcome": None, "unread": {"runPassed": False}},
            {"unit": ListedUnit(id="u", serial_number="SN-2")},
            {"phases": [_phase(3.35)]},
            {"phases": [_phase(), _phase(name="Radio")]},
            {"phases": [_phase(outcome=PhaseOutcome.FAIL)]},
            {"phases": [_phase(start_time_millis=900_000)]},
            {"phases": [_phase("3.31 V"), _phase("3.31 V")]},
        ],
    )
    def test_another_run_is_not_taken_for_it(self, fields: dict[str, Any]) -> None:
        """A difference in anything that is shown is a difference."""
        assert _find(_body(), _listed(**fields), seen=()) is None

    @pytest.mark.parametrize(
        "fields",
        [
            {"started_at": "2026-01-02T04:04:05.678+01:00"},
            {"started_at": "2026-01-02T03:04:05.678400Z"},
            {"outcome": None},
            {"outcome": None, "unread": {"runPassed": True}},
            {"procedure": None},
            {"procedure": ListedProcedure(id="p9", name="Final test")},
            {"unit": ListedUnit(id="u", serial_number="sn")},
            {"phases": []},
            {"phases": [_phase(3.31 + 1e-9)]},
            {"phases": [_phase([1, 2])]},
            {"phases": [_phase(measurements=None)]},
        ],
    )
    def test_what_a_server_leaves_out_or_spells_otherwise_is_no_difference(
        self, fields: dict[str, Any]
    ) -> None:
        """Only what both sides know is compared, times by their moment."""
        assert _find(_body(), _listed(**fields), seen=()) is not None

    @pytest.mark.parametrize("listed", ["sn-\u00e9", "SN-E\u0301", " SN-\u00c9 "])
    def test_a_serial_number_that_is_spelled_otherwise(self, listed: str) -> None:
        """A store gives the spelling in which it met the unit first."""
        body = _body(unit_under_test=WireUnit(serial_number="SN-\u00c9"))
        run = _listed(unit=ListedUnit(id="u", serial_number=listed), phases=[_phase()])
        assert _find(body, run) == run

    @pytest.mark.parametrize("procedure_id", [_PROCEDURE_ID, "FVT1"])
    def test_a_procedure_by_id(self, procedure_id: str) -> None:
        """The store's id is compared; a human identifier cannot be."""
        body = _body(procedure_name=None, procedure_id=procedure_id)
        assert _find(body, _listed(), seen=()) is not None

    def test_another_procedure_by_id(self) -> None:
        """Another UUID is another procedure."""
        other = "550e8400-e29b-41d4-a716-446655440099"
        body = _body(procedure_name=None, procedure_id=other)
        assert _find(body, _listed(), seen=()) is None

    @given(millis=st.integers(min_value=0, max_value=4 * 10**12))
    def test_times_agree_to_the_millisecond(self, millis: int) -> None:
        """A start is found again after the microseconds were rounded away."""
        body = _body(started_at=to_iso_utc(from_millis(millis + 0.3)))
        listed = _listed(started_at=to_iso_utc(from_millis(millis)))
        other = _listed(started_at=to_iso_utc(from_millis(millis + 1)))
        assert _find(body, other, listed, seen=()) == listed


class TestProof:
    """What proves that a run is ours, after a create that got no answer."""

    def test_a_run_of_another_of_ours_is_not_taken(self) -> None:
        """A stored run belongs to one run of ours, however alike the next one is."""
        owners = {"r1": uuid4()}
        listed = _listed(phases=[_phase()])
        assert _find(_body(), listed, owners=owners, seen=()) is None

    def test_what_is_claimed_for_it_already_is_taken(self) -> None:
        """A crash between both notes leaves the claim, which is enough."""
        assert _find(_body(), _listed(), owners={"r1": _OURS}) == _listed()

    def test_our_own_store_names_it(self) -> None:
        """There a run is stored under the id that it has here."""
        listed = _listed(id=str(_OURS), started_at=None, outcome="FAIL")
        assert _find(_body(), listed) == listed

    def test_equal_content_is_enough(self) -> None:
        """Whatever else the list does not tell."""
        listed = _listed(phases=[_phase()])
        assert _find(_body(), listed, rivals=True) == listed
        assert _find(_body(), listed, was_sent=False) == listed

    def test_what_was_there_before_is_not_ours(self) -> None:
        """By the ids noted before, or by the server's clock."""
        assert _find(_body(), _listed(), seen=("r1",)) is None
        assert _find(_body(), _listed(created_at=_BEFORE), began=_BEGAN) is None

    def test_what_came_after_is_ours(self) -> None:
        """Where one alone came, and nobody else of ours was sent."""
        listed = _listed(created_at=_AFTER)
        assert _find(_body(), listed, began=_BEGAN) == listed

    @pytest.mark.parametrize(
        "given_facts",
        [
            {},
            {"began": _BEGAN},
            {"seen": (), "rivals": True},
            {"was_sent": False},
        ],
    )
    def test_what_nothing_proves_is_not_guessed(
        self, given_facts: dict[str, Any]
    ) -> None:
        """A person is asked, and the run in question named."""
        with pytest.raises(AmbiguousRunError) as caught:
            _find(_body(), _listed(), **given_facts)
        assert caught.value.candidates == ("r1",)
        assert "--stored-as" in str(caught.value)

    def test_of_two_none_is_guessed(self) -> None:
        """Both came after, and neither shows what was measured."""
        with pytest.raises(AmbiguousRunError) as caught:
            _find(_body(), _listed(), _listed(id="r2"), seen=())
        assert caught.value.candidates == ("r1", "r2")

    def test_without_a_start_it_is_found_by_what_is_new(self) -> None:
        """The store fills in a start of its own, which is not compared."""
        body = _body(started_at=None)
        assert _find(body, _listed(), seen=()) == _listed()
        assert _find(body, _listed(), was_sent=False) is None

    def test_the_key_is_the_same_for_what_looks_alike(self) -> None:
        """Case of the serial number and content do not matter, all else does."""
        key = named_by(_body()).key
        alike = _body(unit_under_test=WireUnit(serial_number="sn"), phases=[])
        assert named_by(alike).key == key
        for fields in (
            {"started_at": None},
            {"outcome": RunOutcome.FAIL},
            {"procedure_name": "Other"},
            {"unit_under_test": WireUnit(serial_number="SN-2")},
        ):
            assert named_by(_body(**fields)).key != key
